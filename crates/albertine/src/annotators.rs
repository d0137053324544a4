//! The stages of a pipeline, under Spark NLP's names.

mod albert_for_sequence_classification;
mod document_assembler;
mod finisher;
mod tokenizer;

pub use albert_for_sequence_classification::AlbertForSequenceClassification;
pub use document_assembler::DocumentAssembler;
pub use finisher::Finisher;
pub use tokenizer::Tokenizer;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::Error;
use crate::annotation::AnnotatorType;
use crate::column::{annotation_field, annotator_type};

/// One stage of a [`Pipeline`](crate::Pipeline): any annotator turns into it with `.into()`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Stage {
    /// Text to documents.
    DocumentAssembler(DocumentAssembler),
    /// Documents to tokens.
    Tokenizer(Tokenizer),
    /// Documents and tokens to categories.
    AlbertForSequenceClassification(AlbertForSequenceClassification),
    /// Annotations to plain columns.
    Finisher(Finisher),
}

impl From<DocumentAssembler> for Stage {
    fn from(stage: DocumentAssembler) -> Self {
        Self::DocumentAssembler(stage)
    }
}

impl From<Tokenizer> for Stage {
    fn from(stage: Tokenizer) -> Self {
        Self::Tokenizer(stage)
    }
}

impl From<AlbertForSequenceClassification> for Stage {
    fn from(stage: AlbertForSequenceClassification) -> Self {
        Self::AlbertForSequenceClassification(stage)
    }
}

impl From<Finisher> for Stage {
    fn from(stage: Finisher) -> Self {
        Self::Finisher(stage)
    }
}

impl Stage {
    /// Checks the stage's parameters and makes it ready to work.
    pub(crate) fn fit(self) -> Result<Self, Error> {
        match self {
            Self::AlbertForSequenceClassification(stage) => Ok(stage.fit()?.into()),
            other => Ok(other),
        }
    }

    pub(crate) fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, Error> {
        match self {
            Self::DocumentAssembler(stage) => stage.output_schema(input),
            Self::Tokenizer(stage) => stage.output_schema(input),
            Self::AlbertForSequenceClassification(stage) => stage.output_schema(input),
            Self::Finisher(stage) => stage.output_schema(input),
        }
    }

    pub(crate) fn transform(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        match self {
            Self::DocumentAssembler(stage) => stage.transform(batch),
            Self::Tokenizer(stage) => stage.transform(batch),
            Self::AlbertForSequenceClassification(stage) => stage.transform(batch),
            Self::Finisher(stage) => stage.transform(batch),
        }
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
