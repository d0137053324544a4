//! From scores to category annotations, as Spark NLP's `AlbertForSequenceClassification` emits them.

use crate::annotation::AnnotatorType;
use crate::column::AnnotationColumnBuilder;
use crate::scores::{Activation, argmax, jvm_float};

/// What turns scores into annotations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CategoryRule {
    pub(crate) activation: Activation,
    /// Sigmoid only: a label is given when its score is strictly greater.
    pub(crate) threshold: f32,
}

impl CategoryRule {
    /// The labels that are given for a row of scores: the best one, or with sigmoid every one over the threshold, in label order.
    pub(crate) fn given(self, scores: &[f32]) -> Vec<usize> {
        match self.activation {
            Activation::Sigmoid => (0..scores.len()).filter(|&label| scores[label] > self.threshold).collect(),
            Activation::Softmax | Activation::Identity => vec![argmax(scores)],
        }
    }

    /// Adds the annotations of one text to the current row: all scores stand in the metadata of each.
    pub(crate) fn push(
        self,
        column: &mut AnnotationColumnBuilder,
        span: (i32, i32),
        sentence: &str,
        labels: &[String],
        scores: &[f32],
    ) {
        let texts: Vec<String> = scores.iter().map(|&score| jvm_float(score)).collect();
        for label in self.given(scores) {
            let all = labels.iter().map(String::as_str).zip(texts.iter().map(String::as_str));
            let metadata = std::iter::once(("sentence", sentence)).chain(all);
            column.push(AnnotatorType::Category, span.0, span.1, &labels[label], metadata);
        }
    }
}
