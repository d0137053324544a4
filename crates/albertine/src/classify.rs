//! Flat columns for tables: a label and a score beside each text.

mod prediction_sets;
mod words;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::builder::{Float32Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, StringArray, StructArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};

use crate::annotation::AnnotatorType;
use crate::category::CategoryRule;
use crate::classifier::Classifier;
use crate::column::{AnnotationColumnBuilder, annotation_field};
use crate::explain::Method;
use crate::scores::Activation;
use crate::{CancellationToken, Counts, Error, OutputSchema, Transform, Transformed, texts};

/// Which columns [`Classify`] reads and adds.
#[derive(Debug, Clone)]
pub struct Columns {
    /// The text; several columns are joined with one space, null and empty parts left out.
    pub text: Vec<String>,
    /// Add `scores`: a struct with one score for each label.
    pub all_scores: bool,
    /// Add `logits`: a list of one number for each label.
    pub logits: bool,
    /// Add `class`: the annotations that `AlbertForSequenceClassification` would give.
    pub annotations: bool,
    /// Add `words`: the words that speak most for the label, the strongest first, as a list of structs `word`, `begin`,
    /// `end` and `weight`. Positions are in characters of the text, `end` exclusive; of joined columns they are in what
    /// they are joined to. A text without a label has those of its best score.
    pub words: Option<Words>,
    /// How logits become scores; `None`: as [`Classifier::activation`].
    pub activation: Option<Activation>,
    /// With [`Activation::Sigmoid`] a label is given only when its score is strictly greater than this; `None`: 0.5, or
    /// what a model that Spark NLP saved was saved with.
    pub threshold: Option<f32>,
    /// Abstain: give no label where its score is too low for at least this fraction of the answers to be right, above 0
    /// and below 1; the score stays. Only with a calibrated model
    /// ([`HeldOutScores::abstention_threshold`](albertine_model::HeldOutScores::abstention_threshold)), and only the
    /// column `label`: annotations are as they would be.
    pub abstain: Option<f64>,
    /// Add `prediction_set`: a list of labels, the likeliest first, so that at least this fraction of the lists contain
    /// the true label, above 0 and below 1. Only with a calibrated model
    /// ([`HeldOutScores::set_threshold`](albertine_model::HeldOutScores::set_threshold)).
    pub coverage: Option<f64>,
}

impl Default for Columns {
    fn default() -> Self {
        let text = vec!["text".to_owned()];
        Self {
            text,
            all_scores: false,
            logits: false,
            annotations: false,
            words: None,
            activation: None,
            threshold: None,
            abstain: None,
            coverage: None,
        }
    }
}

/// Which words [`Columns::words`] adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// The most words of a text.
    pub most: usize,
    /// How words are credited. [`Method::LeaveOneOut`] evaluates a text of forty words about forty times,
    /// [`Method::Shap`] about five hundred times.
    pub method: Method,
}

/// Adds `label` and `score` (and what else [`Columns`] asks for) to every row; a null or blank text has nulls.
///
/// A column of the input is never overwritten: the added one is then called `predicted_label`, and so on.
///
/// ```
/// use std::sync::Arc;
/// use albertine::{Classifier, ClassifierSettings, Classify, Columns, Transform};
/// use arrow_array::cast::AsArray;
/// use arrow_array::StringArray;
/// use arrow_array::RecordBatch;
///
/// let texts = StringArray::from(vec![Some("The team won the cup final after extra time."), None]);
/// let table = RecordBatch::try_from_iter_with_nullable([("text", Arc::new(texts) as _, true)])?;
/// let classifier = Arc::new(Classifier::pretrained("ag_news", ClassifierSettings::default())?);
/// let labelled = Classify::new(classifier, Columns::default())?.transform(&table)?;
/// let labels = labelled["label"].as_string::<i32>();
/// assert_eq!(labels.iter().collect::<Vec<_>>(), [Some("Sports"), None]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Classify {
    classifier: Arc<Classifier>,
    columns: Columns,
    rule: CategoryRule,
    /// The scores that follow from the model's calibration: below the one there is no label, from the other on a label
    /// belongs to the prediction set.
    abstention_threshold: Option<f32>,
    set_threshold: Option<f32>,
}

impl Classify {
    /// A transform over tables that have the text columns of `columns`.
    ///
    /// # Errors
    /// [`Error::Threshold`] when the threshold is not between 0 and 1. To abstain and for prediction sets,
    /// [`Error::NotCalibrated`], [`Error::NotSoftmax`], and [`Error::Model`] for a fraction that is not between 0 and 1
    /// or out of reach.
    pub fn new(classifier: Arc<Classifier>, columns: Columns) -> Result<Self, Error> {
        let activation = columns.activation.unwrap_or_else(|| classifier.activation());
        let rule = CategoryRule::new(activation, columns.threshold.unwrap_or_else(|| classifier.threshold()))?;
        if columns.abstain.is_some() || columns.coverage.is_some() {
            if activation != Activation::Softmax {
                return Err(Error::NotSoftmax { activation: activation.name() });
            }
            if classifier.held_out().is_none() {
                return Err(Error::NotCalibrated { model: classifier.source().to_string() });
            }
        }
        let held_out = classifier.held_out();
        let abstain = held_out.zip(columns.abstain).map(|(scores, accuracy)| scores.abstention_threshold(accuracy));
        let set = held_out.zip(columns.coverage).map(|(scores, coverage)| scores.set_threshold(coverage));
        let (abstention_threshold, set_threshold) = (abstain.transpose()?, set.transpose()?);
        Ok(Self { classifier, columns, rule, abstention_threshold, set_threshold })
    }

    /// The classifier that it works with.
    #[must_use]
    pub fn classifier(&self) -> &Arc<Classifier> {
        &self.classifier
    }

    /// The columns of the text.
    #[must_use]
    pub fn text_columns(&self) -> &[String] {
        &self.columns.text
    }

    /// The score below which a text gets no label, if the model is to abstain.
    #[must_use]
    pub fn abstention_threshold(&self) -> Option<f32> {
        self.abstention_threshold
    }

    /// The added columns whose usual name is taken by a column of `input`: usual name and the name used instead.
    #[must_use]
    pub fn renamed(&self, input: &Schema) -> Vec<(String, String)> {
        let usual = self.added_fields();
        let used = self.free_fields(input);
        let pairs = usual.iter().zip(&used).map(|(usual, used)| (usual.name().clone(), used.name().clone()));
        pairs.filter(|(usual, used)| usual != used).collect()
    }

    fn added_fields(&self) -> Vec<Field> {
        let mut fields = vec![Field::new("label", DataType::Utf8, true), Field::new("score", DataType::Float32, true)];
        if self.set_threshold.is_some() {
            fields.push(prediction_sets::field());
        }
        if self.columns.all_scores {
            fields.push(Field::new("scores", DataType::Struct(self.score_fields()), true));
        }
        if self.columns.logits {
            fields.push(Field::new("logits", DataType::List(logit_field()), true));
        }
        if self.columns.annotations {
            fields.push(annotation_field("class", AnnotatorType::Category));
        }
        if self.columns.words.is_some() {
            fields.push(words::field());
        }
        fields
    }

    fn score_fields(&self) -> Fields {
        self.classifier.labels().iter().map(|label| Field::new(label, DataType::Float32, true)).collect()
    }

    /// The added fields under names that the input does not have.
    fn free_fields(&self, input: &Schema) -> Vec<Field> {
        let free = |field: Field| {
            let mut name = field.name().clone();
            while input.field_with_name(&name).is_ok() {
                name.insert_str(0, "predicted_");
            }
            field.with_name(name)
        };
        self.added_fields().into_iter().map(free).collect()
    }

    fn arrays(&self, texts: &StringArray, cancellation: &CancellationToken) -> Result<(Vec<ArrayRef>, Counts), Error> {
        let rows: Vec<Option<&str>> = texts.iter().collect();
        let (classified, mut counts) = self.classifier.classify(&rows, cancellation)?;
        let scores: Vec<Option<Vec<f32>>> = classified.scores(self.rule).collect();
        let mut arrays = self.label_and_score(&scores, &mut counts);
        if let Some(threshold) = self.set_threshold {
            arrays.push(prediction_sets::column(threshold, self.classifier.labels(), &scores));
        }
        if self.columns.all_scores {
            arrays.push(self.all_scores(&scores)?);
        }
        if self.columns.logits {
            arrays.push(logit_lists(&classified.logits().collect::<Vec<_>>()));
        }
        if self.columns.annotations {
            let mut column = AnnotationColumnBuilder::default();
            classified.annotate(self.rule, self.classifier.labels(), &mut column);
            arrays.push(column.finish()?);
        }
        if let Some(words) = self.columns.words {
            arrays.push(words::column(&self.classifier, words, self.rule.activation(), &rows, cancellation)?);
        }
        Ok((arrays, counts))
    }

    /// The best label and its score. With sigmoid the label is null when even the best is not over the threshold, and
    /// where the model abstains; the score stays.
    fn label_and_score(&self, scores: &[Option<Vec<f32>>], counts: &mut Counts) -> Vec<ArrayRef> {
        let mut labels = StringBuilder::new();
        let mut best_scores = Float32Builder::new();
        for row in scores {
            let best = row.as_ref().map(|scores| self.rule.best(scores));
            best_scores.append_option(best.map(|(_, score)| score));
            let abstains = best.is_some_and(|(_, score)| self.abstention_threshold.is_some_and(|least| score < least));
            counts.abstained += u64::from(abstains);
            let label = best.and_then(|(label, _)| label).filter(|_| !abstains);
            labels.append_option(label.map(|label| &self.classifier.labels()[label]));
        }
        vec![Arc::new(labels.finish()), Arc::new(best_scores.finish())]
    }

    fn all_scores(&self, scores: &[Option<Vec<f32>>]) -> Result<ArrayRef, Error> {
        let column = |label: usize| {
            let mut builder = Float32Builder::with_capacity(scores.len());
            scores.iter().for_each(|row| builder.append_option(row.as_ref().map(|scores| scores[label])));
            Arc::new(builder.finish()) as ArrayRef
        };
        let columns = (0..self.classifier.labels().len()).map(column).collect();
        let nulls = NullBuffer::from(scores.iter().map(Option::is_some).collect::<Vec<_>>());
        Ok(Arc::new(StructArray::try_new(self.score_fields(), columns, Some(nulls))?))
    }
}

fn logit_field() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Float32, true))
}

fn logit_lists(logits: &[Option<Vec<f32>>]) -> ArrayRef {
    let mut builder = ListBuilder::new(Float32Builder::new()).with_field(logit_field());
    for row in logits {
        if let Some(logits) = row {
            builder.values().append_slice(logits);
        }
        builder.append(row.is_some());
    }
    Arc::new(builder.finish())
}

impl Transform for Classify {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        texts::require(input, &self.columns.text)?;
        Ok(OutputSchema::unchanged(input).adding(self.free_fields(input).into_iter().map(Arc::new)))
    }

    fn run(&self, batch: &RecordBatch, cancellation: &CancellationToken) -> Result<Transformed, Error> {
        let schema = self.output_schema(&batch.schema())?;
        let (arrays, counts) = self.arrays(&texts::read(batch, &self.columns.text)?, cancellation)?;
        Ok((schema.assemble(batch, arrays)?, vec![counts]))
    }
}
