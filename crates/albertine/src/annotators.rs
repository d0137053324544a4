//! The stages of a pipeline, under Spark NLP's names.

mod albert_for_sequence_classification;
mod document_assembler;
mod finisher;
mod sentence_detector;
mod tokenizer;

pub use albert_for_sequence_classification::AlbertForSequenceClassification;
pub use document_assembler::DocumentAssembler;
pub use finisher::Finisher;
pub use sentence_detector::SentenceDetector;
pub use tokenizer::{Tokenizer, TokenizerModel};

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use serde_json::{Map, Value};

use crate::annotation::AnnotatorType;
use crate::column::{annotation_field, annotator_type};
use crate::{Classifier, Error};

/// One stage of a [`Pipeline`](crate::Pipeline): any annotator turns into it with `.into()`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Stage {
    /// Text to documents.
    DocumentAssembler(DocumentAssembler),
    /// Documents to sentences.
    SentenceDetector(SentenceDetector),
    /// Documents to tokens.
    Tokenizer(Tokenizer),
    /// Documents to tokens, with the patterns compiled: what `fit` makes of a tokenizer.
    TokenizerModel(TokenizerModel),
    /// Documents and tokens to categories.
    AlbertForSequenceClassification(Box<AlbertForSequenceClassification>),
    /// Annotations to plain columns.
    Finisher(Finisher),
}

impl From<DocumentAssembler> for Stage {
    fn from(stage: DocumentAssembler) -> Self {
        Self::DocumentAssembler(stage)
    }
}

impl From<SentenceDetector> for Stage {
    fn from(stage: SentenceDetector) -> Self {
        Self::SentenceDetector(stage)
    }
}

impl From<Tokenizer> for Stage {
    fn from(stage: Tokenizer) -> Self {
        Self::Tokenizer(stage)
    }
}

impl From<TokenizerModel> for Stage {
    fn from(stage: TokenizerModel) -> Self {
        Self::TokenizerModel(stage)
    }
}

impl From<AlbertForSequenceClassification> for Stage {
    fn from(stage: AlbertForSequenceClassification) -> Self {
        Self::AlbertForSequenceClassification(Box::new(stage))
    }
}

impl From<Finisher> for Stage {
    fn from(stage: Finisher) -> Self {
        Self::Finisher(stage)
    }
}

impl Stage {
    /// The name of its class in Spark NLP, without the package.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::DocumentAssembler(_) => "DocumentAssembler",
            Self::SentenceDetector(_) => "SentenceDetector",
            Self::Tokenizer(_) => "Tokenizer",
            Self::TokenizerModel(_) => "TokenizerModel",
            Self::AlbertForSequenceClassification(_) => "AlbertForSequenceClassification",
            Self::Finisher(_) => "Finisher",
        }
    }

    /// Its parameters as JSON under Spark NLP's names, for `explainParams` and for what is saved: those that are set and those that
    /// have a value without being set; the ones that are merely possible are left out.
    ///
    /// ```
    /// use albertine::annotators::Stage;
    /// use albertine::prelude::*;
    ///
    /// let stage = Stage::from(Finisher::new().input_cols(["class"]).output_as_array(false));
    /// let params = stage.params();
    /// assert_eq!(params["inputCols"][0], "class");
    /// assert_eq!(params["outputAsArray"], false);
    /// assert_eq!(params["valueSplitSymbol"], "#");
    /// assert!(!params.contains_key("outputCols"));
    /// ```
    #[must_use]
    pub fn params(&self) -> Map<String, Value> {
        match self {
            Self::DocumentAssembler(stage) => stage.to_params(),
            Self::SentenceDetector(stage) => stage.to_params(),
            Self::Tokenizer(stage) => stage.to_params(),
            Self::TokenizerModel(stage) => stage.to_params(),
            Self::AlbertForSequenceClassification(stage) => stage.to_params(),
            Self::Finisher(stage) => stage.to_params(),
        }
        .into_map()
    }

    /// The stage of that name with those parameters, under Spark NLP's names, or nothing when there is no stage of that name.
    /// `classifier` loads the model of one that has a model.
    ///
    /// # Errors
    /// [`Error::Param`] for a parameter of another type than it has or with a value that it cannot have, and those of `classifier`.
    ///
    /// ```
    /// use albertine::Error;
    /// use albertine::annotators::Stage;
    ///
    /// let params = serde_json::json!({"inputCol": "text", "cleanupMode": "shrink"});
    /// let none = || unreachable!("this stage has no model");
    /// let stage = params.as_object().map(|params| Stage::from_params("DocumentAssembler", params, none)).transpose()?.flatten();
    /// assert_eq!(stage.map(|stage| stage.params()["outputCol"].clone()), Some("document".into()));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn from_params(
        name: &str,
        params: &Map<String, Value>,
        classifier: impl FnOnce() -> Result<Classifier, Error>,
    ) -> Result<Option<Self>, Error> {
        Ok(Some(match name {
            "DocumentAssembler" => DocumentAssembler::from_params(params)?.into(),
            "SentenceDetector" => SentenceDetector::from_params(params)?.into(),
            "Tokenizer" => Tokenizer::from_params(params)?.into(),
            "TokenizerModel" => Tokenizer::from_params(params)?.fit()?.into(),
            "AlbertForSequenceClassification" => {
                AlbertForSequenceClassification::from_params(classifier()?, params)?.into()
            }
            "Finisher" => Finisher::from_params(params)?.into(),
            _ => return Ok(None),
        }))
    }

    /// The stage as it works on texts in hand: without columns that only a table has, and one row for each text.
    pub(crate) fn of_text_alone(self) -> Self {
        match self {
            Self::DocumentAssembler(stage) => stage.of_text_alone().into(),
            Self::SentenceDetector(stage) => stage.explode_sentences(false).into(),
            stage => stage,
        }
    }

    /// Checks the stage's parameters and makes it ready to work.
    pub(crate) fn fit(self) -> Result<Self, Error> {
        Ok(match self {
            Self::SentenceDetector(stage) => stage.fit()?.into(),
            Self::Tokenizer(stage) => stage.fit()?.into(),
            Self::AlbertForSequenceClassification(stage) => stage.fit()?.into(),
            other => other,
        })
    }

    pub(crate) fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, Error> {
        match self {
            Self::DocumentAssembler(stage) => stage.output_schema(input),
            Self::SentenceDetector(stage) => stage.output_schema(input),
            // what its model, which `fit` makes, will write
            Self::Tokenizer(stage) => stage.clone().fit()?.output_schema(input),
            Self::TokenizerModel(stage) => stage.output_schema(input),
            Self::AlbertForSequenceClassification(stage) => stage.output_schema(input),
            Self::Finisher(stage) => stage.output_schema(input),
        }
    }

    pub(crate) fn transform(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        match self {
            Self::DocumentAssembler(stage) => stage.transform(batch),
            Self::SentenceDetector(stage) => stage.transform(batch),
            Self::Tokenizer(stage) => stage.clone().fit()?.transform(batch),
            Self::TokenizerModel(stage) => stage.transform(batch),
            Self::AlbertForSequenceClassification(stage) => stage.transform(batch),
            Self::Finisher(stage) => stage.transform(batch),
        }
    }
}

/// The one input column of a stage that takes one column of documents.
fn one_input<'a>(stage: &'static str, columns: &'a [String]) -> Result<&'a str, Error> {
    match columns {
        [column] => Ok(column),
        others => Err(Error::InputColumns { stage, expected: 1, kinds: "document", found: others.len() }),
    }
}

/// `input` with an annotation column added, or put in the place of an annotation column of the same name.
fn with_annotations(
    input: &Schema,
    stage: &'static str,
    column: &str,
    kind: AnnotatorType,
) -> Result<SchemaRef, Error> {
    let added: FieldRef = Arc::new(annotation_field(column, kind));
    let taken = |field: &Field| field.name() == column && annotator_type(field).is_none();
    if input.fields().iter().any(|field| taken(field)) {
        return Err(Error::OutputColumnTaken { stage, column: column.to_owned() });
    }
    let mut fields: Vec<FieldRef> = input.fields().iter().cloned().collect();
    match fields.iter_mut().find(|field| field.name() == column) {
        Some(field) => *field = added,
        None => fields.push(added),
    }
    Ok(Arc::new(Schema::new_with_metadata(fields, input.metadata().clone())))
}

/// `batch` under `schema`, which [`with_annotations`] made for `column`, with `array` as that column.
fn with_column(batch: &RecordBatch, schema: SchemaRef, column: &str, array: ArrayRef) -> Result<RecordBatch, Error> {
    let mut arrays = batch.columns().to_vec();
    match schema.index_of(column)? {
        index if index < arrays.len() => arrays[index] = array,
        _ => arrays.push(array),
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
}
