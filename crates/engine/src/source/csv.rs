//! Delimited text with a header. Every column is text and its values are never guessed at: `007` stays `007`.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::bytes::Text;
use super::records::{Record, Records};
use super::rejects::Policy;
use super::{BATCH_BYTES, TableReader, batch_of, batch_rows};
use crate::EngineError;

/// The rows of a delimited file.
pub(super) struct CsvReader {
    records: Records,
    record: Record,
    schema: SchemaRef,
    policy: Policy,
    /// The most rows of a batch.
    most_rows: usize,
}

impl CsvReader {
    /// Reads the header.
    ///
    /// # Errors
    /// When there is none, or its names are not UTF-8, empty or not different, or very many.
    pub(super) fn open(text: Text, delimiter: u8, policy: Policy) -> Result<Self, EngineError> {
        let mut records = Records::new(text, delimiter);
        let mut record = Record::default();
        if !records.read(&mut record)? {
            return Err(EngineError::EmptyFile { path: records.path().to_owned() });
        }
        let schema = header(records.path(), &record)?;
        let most_rows = batch_rows(&schema);
        Ok(Self { records, record, schema, policy, most_rows })
    }

    /// The columns.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Appends the record to the columns; faults are met by the policy, at most one for the row.
    fn append(&self, columns: &mut [StringBuilder]) -> Result<(), EngineError> {
        let (record, path) = (&self.record, || self.records.path().to_owned());
        let mut fault = if record.unclosed {
            Some(EngineError::UnclosedQuote { path: path(), line: record.line })
        } else if record.len() != columns.len() {
            let (expected, found) = (columns.len(), record.len());
            Some(EngineError::RaggedRow { path: path(), line: record.line, expected, found })
        } else {
            None
        };
        for (index, column) in columns.iter_mut().enumerate() {
            // The field in which the file ended holds the rest of the file, and is no value.
            let bytes = record.field(index).filter(|_| !(record.unclosed && index + 1 == record.len()));
            match bytes.map(std::str::from_utf8) {
                Some(Ok(text)) => column.append_value(text),
                Some(Err(_)) => {
                    column.append_null();
                    let column = self.schema.field(index).name().clone();
                    fault.get_or_insert_with(|| EngineError::InvalidUtf8 { path: path(), line: record.line, column });
                }
                None => column.append_null(),
            }
        }
        fault.map_or(Ok(()), |fault| self.policy.meet(fault))
    }
}

impl TableReader for CsvReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        // Columns may be many and rows few: nothing is set aside.
        let empty = || StringBuilder::with_capacity(0, 0);
        let mut columns: Vec<StringBuilder> = self.schema.fields().iter().map(|_| empty()).collect();
        let (mut rows, mut bytes) = (0, 0);
        while rows < self.most_rows && bytes < BATCH_BYTES {
            if !self.records.read(&mut self.record)? {
                break;
            }
            self.append(&mut columns)?;
            rows += 1;
            bytes += self.record.size();
        }
        if rows == 0 {
            return Ok(None);
        }
        let columns = columns.into_iter().map(|mut column| Arc::new(column.finish()) as ArrayRef).collect();
        batch_of(&self.schema, columns, self.records.path()).map(Some)
    }
}

/// The columns that a header names.
fn header(path: &str, record: &Record) -> Result<SchemaRef, EngineError> {
    let (path, line) = (path.to_owned(), record.line);
    if record.unclosed {
        return Err(EngineError::UnclosedQuote { path, line });
    }
    let mut fields: Vec<Field> = Vec::with_capacity(record.len());
    let mut places = std::collections::HashMap::new();
    for index in 0..record.len() {
        let position = index + 1;
        let Ok(name) = std::str::from_utf8(record.field(index).unwrap_or_default()) else {
            return Err(EngineError::InvalidUtf8 { path, line, column: position.to_string() });
        };
        if name.is_empty() {
            return Err(EngineError::EmptyHeader { path, line, position });
        }
        if let Some(first) = places.insert(name, position) {
            return Err(EngineError::DuplicateColumn { path, name: name.to_owned(), first, second: position });
        }
        fields.push(Field::new(name, DataType::Utf8, true));
    }
    Ok(Arc::new(Schema::new(fields)))
}
