//! From documents to tokens.

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::{with_annotations, with_column};
use crate::Error;
use crate::annotation::AnnotatorType;
use crate::column::{self, AnnotationColumnBuilder};

const STAGE: &str = "Tokenizer";

/// Cuts documents into tokens by Spark NLP's default rules: at spaces, and between a word and the punctuation around it.
///
/// Each token is an annotation of type `token` whose `begin` and `end` count from the start of the whole text and whose metadata
/// names the document (`sentence`) that it lies in.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    input_cols: Vec<String>,
    output_col: String,
    rules: albertine_text::Tokenizer,
}

impl Default for Tokenizer {
    fn default() -> Self {
        Self {
            input_cols: vec!["document".to_owned()],
            output_col: "token".to_owned(),
            rules: albertine_text::Tokenizer::default(),
        }
    }
}

impl Tokenizer {
    /// Reads column `document`, writes column `token`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The column of documents to read: exactly one.
    #[must_use]
    pub fn input_cols<I: Into<String>>(mut self, columns: impl IntoIterator<Item = I>) -> Self {
        self.input_cols = columns.into_iter().map(Into::into).collect();
        self
    }

    /// The annotation column to write.
    #[must_use]
    pub fn output_col(mut self, column: impl Into<String>) -> Self {
        self.output_col = column.into();
        self
    }

    /// The columns that it reads.
    #[must_use]
    pub fn get_input_cols(&self) -> &[String] {
        &self.input_cols
    }

    /// The annotation column that it writes.
    #[must_use]
    pub fn get_output_col(&self) -> &str {
        &self.output_col
    }

    fn input(&self) -> Result<&str, Error> {
        match self.input_cols.as_slice() {
            [column] => Ok(column),
            others => Err(Error::InputColumns { stage: STAGE, expected: 1, kinds: "document", found: others.len() }),
        }
    }

    pub(super) fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, Error> {
        column::require(input, STAGE, self.input()?, AnnotatorType::Document)?;
        with_annotations(input, STAGE, &self.output_col, AnnotatorType::Token)
    }

    pub(super) fn transform(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let schema = self.output_schema(&batch.schema())?;
        let documents = column::read(batch, STAGE, self.input()?)?;
        let mut tokens = AnnotationColumnBuilder::default();
        let mut found = Vec::new();
        for row in 0..documents.rows() {
            for document in documents.row(row) {
                let sentence = document.sentence();
                found.clear();
                self.rules.tokenize(document.result, document.begin.max(0) as usize, &mut found)?;
                for token in &found {
                    let text = &document.result[token.range.clone()];
                    tokens.push(
                        AnnotatorType::Token,
                        token.begin as i32,
                        token.end as i32,
                        text,
                        [("sentence", sentence)],
                    );
                }
            }
            tokens.end_row();
        }
        with_column(batch, schema, &self.output_col, tokens.finish()?)
    }
}
