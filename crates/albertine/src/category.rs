//! From scores to category annotations, as Spark NLP's `AlbertForSequenceClassification` emits them.

use crate::Error;
use crate::annotation::AnnotatorType;
use crate::column::AnnotationColumnBuilder;
use crate::documents::Span;
use crate::scores::{Activation, argmax, jvm_float};

/// What turns scores into annotations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CategoryRule {
    activation: Activation,
    /// Sigmoid only: a label is given when its score is strictly greater.
    threshold: f32,
}

/// Spark NLP's default threshold.
pub(crate) const THRESHOLD: f32 = 0.5;

impl CategoryRule {
    /// # Errors
    /// [`Error::Threshold`] when the threshold is not between 0 and 1.
    pub(crate) fn new(activation: Activation, threshold: f32) -> Result<Self, Error> {
        if (0.0..=1.0).contains(&threshold) {
            Ok(Self { activation, threshold })
        } else {
            Err(Error::Threshold { asked: threshold })
        }
    }

    /// What turns logits into scores.
    pub(crate) fn activation(self) -> Activation {
        self.activation
    }

    /// The scores of one row of logits.
    pub(crate) fn scores(self, logits: &[f32]) -> Vec<f32> {
        self.activation.scores(logits)
    }

    /// The labels that are given for a row of scores: the best one, or with sigmoid every one over the threshold, in
    /// label order.
    fn labels(self, scores: &[f32]) -> Vec<usize> {
        match self.activation {
            Activation::Sigmoid => (0..scores.len()).filter(|&label| scores[label] > self.threshold).collect(),
            Activation::Softmax | Activation::Identity => vec![argmax(scores)],
        }
    }

    /// The best label and its score; no label when not even the best is given.
    pub(crate) fn best(self, scores: &[f32]) -> (Option<usize>, f32) {
        let best = argmax(scores);
        (self.labels(scores).contains(&best).then_some(best), scores[best])
    }

    /// Adds the annotations of one text to the current row: all scores stand in the metadata of each.
    pub(crate) fn push(self, column: &mut AnnotationColumnBuilder, span: &Span, labels: &[String], scores: &[f32]) {
        let texts: Vec<String> = scores.iter().map(|&score| jvm_float(score)).collect();
        for label in self.labels(scores) {
            let all = labels.iter().map(String::as_str).zip(texts.iter().map(String::as_str));
            let metadata = std::iter::once(("sentence", &*span.sentence)).chain(all);
            column.push(AnnotatorType::Category, span.begin, span.end, &labels[label], metadata);
        }
    }
}
