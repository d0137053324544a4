//! Rows that could not be read whole, put aside into a table of their own.

use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;

use super::{Naming, Sink, Target};
use crate::error::clause;
use crate::{EngineError, Format};

/// Where the rows go that could not be read whole.
#[derive(Debug, Clone)]
pub struct RejectedRows {
    /// The column of their errors, as [`Source::add_error_column`](crate::Source::add_error_column) names it.
    pub error_column: String,
    /// The file.
    pub target: Target,
    /// Its format.
    pub format: Format,
}

impl Sink {
    /// As [`create`](Self::create), but rows with an error go to another table, with the columns up to that of the error:
    /// those of the input. `schema` has that column, and this table does not.
    ///
    /// # Errors
    /// As `create`, for either table.
    pub fn create_with_rejects(
        target: Target,
        format: Format,
        schema: &SchemaRef,
        rejected: RejectedRows,
    ) -> Result<Self, EngineError> {
        let name = rejected.target.name();
        let split = Split::of(schema, &rejected.error_column).map_err(|error| cannot(&name, &error))?;
        let aside = Self::create_as(rejected.target, rejected.format, split.failed_schema(schema), Naming::Random)?;
        let whole = Self::create(target, format, split.whole_schema(schema))?;
        Ok(Self { rejected: Some(Box::new((split, aside))), ..whole })
    }
}

/// Tells rows with an error from the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Split {
    /// The column of errors, after those of the input.
    error: usize,
}

impl Split {
    pub(crate) fn of(schema: &Schema, error_column: &str) -> Result<Self, ArrowError> {
        Ok(Self { error: schema.index_of(error_column)? })
    }

    /// The columns of the rows without an error.
    pub(crate) fn whole_schema(self, schema: &Schema) -> SchemaRef {
        let fields = schema.fields().iter().enumerate().filter(|(index, _)| *index != self.error);
        let fields: Vec<_> = fields.map(|(_, field)| field.clone()).collect();
        Schema::new_with_metadata(fields, schema.metadata().clone()).into()
    }

    /// The columns of the rows with an error.
    pub(crate) fn failed_schema(self, schema: &Schema) -> SchemaRef {
        Schema::new_with_metadata(schema.fields()[..=self.error].to_vec(), schema.metadata().clone()).into()
    }

    /// The rows without an error.
    pub(crate) fn whole(self, batch: &RecordBatch) -> Result<RecordBatch, EngineError> {
        let others: Vec<usize> = (0..batch.num_columns()).filter(|index| *index != self.error).collect();
        self.rows(batch, &others, false)
    }

    /// The rows with an error, if there are any.
    pub(crate) fn failed(self, batch: &RecordBatch) -> Result<Option<RecordBatch>, EngineError> {
        if batch.column(self.error).null_count() == batch.num_rows() {
            return Ok(None);
        }
        let input: Vec<usize> = (0..=self.error).collect();
        self.rows(batch, &input, true).map(Some)
    }

    fn rows(self, batch: &RecordBatch, columns: &[usize], failed: bool) -> Result<RecordBatch, EngineError> {
        let errors = batch.column(self.error);
        let wanted: BooleanArray = (0..errors.len()).map(|row| Some(errors.is_valid(row) == failed)).collect();
        let chosen = batch.project(columns).and_then(|batch| filter_record_batch(&batch, &wanted));
        chosen.map_err(|error| cannot("the table", &error))
    }
}

fn cannot(name: &str, error: &ArrowError) -> EngineError {
    EngineError::Encode { path: name.to_owned(), reason: clause(&error.to_string()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow_array::{ArrayRef, StringArray};

    use super::*;

    #[test]
    fn failed_rows_have_the_columns_of_the_input() {
        let texts = |texts: Vec<Option<&str>>| Arc::new(StringArray::from(texts)) as ArrayRef;
        let table = |error: Vec<Option<&str>>| {
            let text = texts(vec![Some("a"), Some("b")]);
            RecordBatch::try_from_iter([("text", Arc::clone(&text)), ("error", texts(error)), ("label", text)]).unwrap()
        };
        let batch = table(vec![None, Some("it ends too soon")]);
        let split = Split::of(&batch.schema(), "error").unwrap();
        let (whole, failed) = (split.whole(&batch).unwrap(), split.failed(&batch).unwrap().unwrap());
        assert_eq!(whole.schema(), split.whole_schema(&batch.schema()));
        assert_eq!(failed.schema(), split.failed_schema(&batch.schema()));
        assert_eq!((whole.num_rows(), failed.num_rows(), failed.num_columns()), (1, 1, 2));
        assert!(split.failed(&table(vec![None, None])).unwrap().is_none());
    }
}
