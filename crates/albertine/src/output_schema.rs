//! What a transform makes of the columns and rows of a table, said before any data is touched.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{FieldRef, Schema, SchemaRef};

use crate::Error;

/// Where a column of a transform's output comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It is the column of the input at this index, value for value; where [rows are multiplied](Rows::Multiplied),
    /// repeated.
    Input(usize),
    /// The stage of this number wrote it, counted from 0 over the stages of a pipeline.
    Stage(usize),
}

/// What a transform does to the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Each row of the input is one of the output, in the same order.
    Kept,
    /// A row of the input is any number of rows of the output, none among them, in the same order.
    Multiplied,
}

/// The columns and rows of a transform's output, and where they come from.
///
/// ```
/// use std::sync::Arc;
/// use albertine::{Origin, Rows, Transform};
/// use albertine::prelude::*;
/// use arrow_schema::{DataType, Field, Schema};
///
/// let input = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, true)]));
/// let stages = [DocumentAssembler::new().into(), SentenceDetector::new().explode_sentences(true).into()];
/// let output = Pipeline::new().stages(stages).fit(&input)?.output_schema(&input)?;
/// assert_eq!(output.origins(), [Origin::Input(0), Origin::Stage(0), Origin::Stage(1)]);
/// assert_eq!(output.rows(), Rows::Multiplied);
/// # Ok::<(), albertine::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputSchema {
    schema: SchemaRef,
    /// One for each column.
    origins: Vec<Origin>,
    rows: Rows,
}

impl OutputSchema {
    /// All columns of `input`, and its rows.
    #[must_use]
    pub fn unchanged(input: &SchemaRef) -> Self {
        let origins = (0..input.fields().len()).map(Origin::Input).collect();
        Self { schema: Arc::clone(input), origins, rows: Rows::Kept }
    }

    /// The same with further columns at the end, written by stage 0.
    #[must_use]
    pub fn adding(self, fields: impl IntoIterator<Item = FieldRef>) -> Self {
        let added = fields.into_iter().map(|field| (field, Origin::Stage(0)));
        self.changed(|columns| columns.extend(added))
    }

    /// The same with another column at an index, written by stage 0.
    ///
    /// # Panics
    /// When there is no such column.
    #[must_use]
    pub fn replacing(self, index: usize, field: FieldRef) -> Self {
        self.changed(|columns| columns[index] = (field, Origin::Stage(0)))
    }

    /// The same without the columns whose index `keep` is false of.
    #[must_use]
    pub fn keeping(self, keep: impl Fn(usize) -> bool) -> Self {
        self.changed(|columns| {
            let mut index = 0..columns.len();
            columns.retain(|_| index.next().is_some_and(&keep));
        })
    }

    /// The same with multiplied rows.
    #[must_use]
    pub fn multiplying_rows(self) -> Self {
        Self { rows: Rows::Multiplied, ..self }
    }

    /// What comes of this and then of `next`, which is of this schema and of the stage of that number.
    #[must_use]
    pub fn then(self, stage: usize, next: Self) -> Self {
        let origin = |origin: Origin| match origin {
            Origin::Input(index) => self.origins[index],
            Origin::Stage(_) => Origin::Stage(stage),
        };
        let rows = if self.rows == Rows::Kept { next.rows } else { self.rows };
        Self { origins: next.origins.into_iter().map(origin).collect(), schema: next.schema, rows }
    }

    /// The columns.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The columns, by value.
    #[must_use]
    pub fn into_schema(self) -> SchemaRef {
        self.schema
    }

    /// Where each column comes from.
    #[must_use]
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// What becomes of the rows.
    #[must_use]
    pub fn rows(&self) -> Rows {
        self.rows
    }

    /// The output of a batch: its columns that are kept, and for the others `written`, in their order.
    ///
    /// # Errors
    /// When the columns do not fit the schema.
    pub fn assemble(
        &self,
        batch: &RecordBatch,
        written: impl IntoIterator<Item = ArrayRef>,
    ) -> Result<RecordBatch, Error> {
        let mut written = written.into_iter();
        let column = |origin: &Origin| match *origin {
            Origin::Input(index) => Some(Arc::clone(batch.column(index))),
            Origin::Stage(_) => written.next(),
        };
        let columns = self.origins.iter().filter_map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }

    fn changed(self, change: impl FnOnce(&mut Vec<(FieldRef, Origin)>)) -> Self {
        let mut columns: Vec<_> = self.schema.fields().iter().cloned().zip(self.origins).collect();
        change(&mut columns);
        let (fields, origins): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let schema = Schema::new_with_metadata(fields, self.schema.metadata().clone());
        Self { schema: Arc::new(schema), origins, rows: self.rows }
    }
}
