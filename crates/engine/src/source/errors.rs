//! A column that says why a row could not be read whole.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};

use super::rejects::ERROR_COLUMN;
use super::{Reader, Source, State, batch_of};
use crate::EngineError;

impl Source {
    /// Adds a column at the end with the error of each row that could not be read whole, null for the others, and gives
    /// its name: `error`, or one that no column has. For before the first batch, and with
    /// [`OnError::Null`](super::OnError::Null).
    ///
    /// ```
    /// use albertine_engine::{EngineError, Format, OnError, Source};
    ///
    /// let table = &b"a,b\n1,x\n2\n"[..];
    /// let mut source = Source::from_reader(Box::new(table), Format::Csv, OnError::Null)?;
    /// assert_eq!(source.add_error_column(), "error");
    /// let batch = source.next().transpose()?.ok_or(EngineError::NoInput)?;
    /// assert_eq!(batch["error"].null_count(), 1);
    /// # Ok::<(), EngineError>(())
    /// ```
    pub fn add_error_column(&mut self) -> String {
        let mut name = ERROR_COLUMN.to_owned();
        while self.schema.field_with_name(&name).is_ok() {
            name.insert_str(0, "row_");
        }
        let error: FieldRef = Arc::new(Field::new(&name, DataType::Utf8, true));
        let fields: Vec<FieldRef> = self.schema.fields().iter().cloned().chain([error]).collect();
        self.schema = Arc::new(Schema::new_with_metadata(fields, self.schema.metadata().clone()));
        self.rejects.keep_errors();
        if let State::Waiting(reader) = &mut self.state {
            reader.error_column = Some(Arc::clone(&self.schema));
        }
        name
    }
}

impl Reader {
    /// Reads these columns, the last of which is that of errors if there is one.
    pub(super) fn read_as(&mut self, schema: &SchemaRef) {
        self.schema = Arc::clone(schema);
        if let Some(with_errors) = &mut self.error_column {
            *with_errors = Arc::clone(schema);
            let fields = &schema.fields()[..schema.fields().len().saturating_sub(1)];
            self.schema = Arc::new(Schema::new_with_metadata(fields.to_vec(), schema.metadata().clone()));
        }
    }

    /// A batch without rows.
    pub(super) fn pause(&self) -> RecordBatch {
        RecordBatch::new_empty(Arc::clone(self.error_column.as_ref().unwrap_or(&self.schema)))
    }

    /// The batch that was just read, with its errors as a column where there is one for them.
    pub(super) fn with_errors(&self, batch: RecordBatch) -> Result<RecordBatch, EngineError> {
        let Some(schema) = &self.error_column else { return Ok(batch) };
        let errors = self.policy.rejects.take_errors(batch.num_rows());
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(errors));
        batch_of(schema, columns, "the table")
    }
}
