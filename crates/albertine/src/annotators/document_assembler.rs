//! From a text column to documents.

use albertine_text::{CleanupMode, utf16_len};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::{with_annotations, with_column};
use crate::annotation::AnnotatorType;
use crate::column::AnnotationColumnBuilder;
use crate::{Error, text_column};

const STAGE: &str = "DocumentAssembler";

/// The first stage: turns each text into one annotation of type `document` over the whole of it.
///
/// A null text is read as an empty one, whose annotation has `begin` 0 and `end` -1, as in Spark NLP.
#[derive(Debug, Clone)]
pub struct DocumentAssembler {
    input_col: String,
    output_col: String,
    cleanup_mode: CleanupMode,
}

impl Default for DocumentAssembler {
    fn default() -> Self {
        Self { input_col: "text".to_owned(), output_col: "document".to_owned(), cleanup_mode: CleanupMode::Disabled }
    }
}

impl DocumentAssembler {
    /// Reads column `text`, writes column `document`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The text column to read.
    #[must_use]
    pub fn input_col(mut self, column: impl Into<String>) -> Self {
        self.input_col = column.into();
        self
    }

    /// The annotation column to write.
    #[must_use]
    pub fn output_col(mut self, column: impl Into<String>) -> Self {
        self.output_col = column.into();
        self
    }

    /// What is done to the text first; offsets count in the cleaned text. Nothing unless said otherwise.
    #[must_use]
    pub fn cleanup_mode(mut self, mode: CleanupMode) -> Self {
        self.cleanup_mode = mode;
        self
    }

    /// The text column that it reads.
    #[must_use]
    pub fn get_input_col(&self) -> &str {
        &self.input_col
    }

    /// The annotation column that it writes.
    #[must_use]
    pub fn get_output_col(&self) -> &str {
        &self.output_col
    }

    pub(super) fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, Error> {
        text_column::require(input, &self.input_col)?;
        with_annotations(input, STAGE, &self.output_col, AnnotatorType::Document)
    }

    pub(super) fn transform(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let schema = self.output_schema(&batch.schema())?;
        let mut documents = AnnotationColumnBuilder::default();
        for text in text_column::read(batch, &self.input_col)?.iter() {
            let text = self.cleanup_mode.apply(text.unwrap_or_default());
            documents.push(AnnotatorType::Document, 0, utf16_len(&text) as i32 - 1, &text, [("sentence", "0")]);
            documents.end_row();
        }
        with_column(batch, schema, &self.output_col, documents.finish()?)
    }
}
