//! The stages of a pipeline, under Spark NLP's names.
//!
//! An annotator is a file here. It is declared, and entered into the registry, by which saved pipelines and Python find
//! it.

mod annotator;
mod document_assembler;
mod finisher;
mod sentence_detector;
mod sequence_classification;
mod stage;
mod tokenizer;

pub use annotator::Annotator;
pub use document_assembler::DocumentAssembler;
pub use finisher::Finisher;
pub use sentence_detector::SentenceDetector;
pub use sequence_classification::{
    Albert, AlbertForSequenceClassification, Bert, BertForSequenceClassification, Family, ForSequenceClassification,
    SequenceClassification,
};
pub use stage::{Registration, Stage};
pub use tokenizer::{Tokenizer, TokenizerModel};

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_schema::{FieldRef, SchemaRef};

use crate::annotation::AnnotatorType;
use crate::column::{annotation_field, annotator_type};
use crate::{Error, OutputSchema};

/// Every annotator.
const REGISTRY: &[Registration] = &[
    document_assembler::REGISTRATION,
    sentence_detector::REGISTRATION,
    tokenizer::REGISTRATION,
    tokenizer::MODEL_REGISTRATION,
    AlbertForSequenceClassification::REGISTRATION,
    BertForSequenceClassification::REGISTRATION,
    finisher::REGISTRATION,
];

/// The one input column of a stage that takes one column of documents.
fn one_input<'a>(stage: &'static str, columns: &'a [String]) -> Result<&'a str, Error> {
    match columns {
        [column] => Ok(column),
        others => Err(Error::InputColumns { stage, expected: 1, kinds: "document", found: others.len() }),
    }
}

/// `input` with an annotation column added, or put in the place of an annotation column of the same name.
fn with_annotations(
    input: &SchemaRef,
    stage: &'static str,
    column: &str,
    kind: AnnotatorType,
) -> Result<OutputSchema, Error> {
    let field: FieldRef = Arc::new(annotation_field(column, kind));
    let named = || input.fields().iter().filter(|field| field.name() == column);
    if named().any(|field| annotator_type(field).is_none()) {
        return Err(Error::OutputColumnTaken { stage, column: column.to_owned() });
    }
    Ok(match input.fields().iter().position(|field| field.name() == column) {
        Some(index) => OutputSchema::unchanged(input).replacing(index, field),
        None => OutputSchema::unchanged(input).adding([field]),
    })
}

/// `batch` under the schema that [`with_annotations`] made, with `array` as its column.
fn with_column(batch: &RecordBatch, schema: &OutputSchema, array: ArrayRef) -> Result<RecordBatch, Error> {
    schema.assemble(batch, [array])
}
