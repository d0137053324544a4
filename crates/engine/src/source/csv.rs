//! Delimited text. Every column is text and its values are never guessed at: `007` stays `007`.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::bytes::Text;
use super::dialect;
use super::records::{QuoteFault, Record, Records};
use super::rejects::Policy;
use super::{BATCH_BYTES, TableReader, batch_of, batch_rows};
use crate::{EngineError, TextOptions};

/// The rows of a delimited file.
pub(super) struct CsvReader {
    records: Records,
    record: Record,
    /// Whether `record` is a row that was read already: the first one of a file without a header.
    pending: bool,
    schema: SchemaRef,
    nulls: Vec<String>,
    notes: Vec<String>,
    policy: Policy,
    /// The most rows of a batch.
    most_rows: usize,
    /// A fault that comes after the rows before it.
    held: Option<EngineError>,
}

impl CsvReader {
    /// Finds how the text is written, as far as `options` do not say it, and reads the header. `delimiter` is what the
    /// file's name says.
    ///
    /// # Errors
    /// When there is no record, or the header is not UTF-8 or has very many names.
    pub(super) fn open(
        mut text: Text,
        delimiter: u8,
        options: &TextOptions,
        policy: Policy,
    ) -> Result<Self, EngineError> {
        let (head, whole) = text.look_ahead(dialect::LOOKED_AT)?;
        let found = dialect::find(&head, whole, delimiter, options);
        let mut notes = found.notes;
        notes.extend(text.notes());
        let mut records = Records::new(text, found.dialect);
        records.skip_lines(found.skipped)?;
        let mut record = Record::default();
        if !records.read(&mut record)? {
            return Err(EngineError::EmptyFile { path: records.path().to_owned() });
        }
        let names = header(records.path(), &record, found.header)?;
        let schema = columns(names, &mut notes);
        if schema.fields().len() == 1 {
            records.keep_blank_lines();
        }
        let most_rows = batch_rows(&schema);
        let nulls = options.nulls.clone();
        Ok(Self { records, record, pending: !found.header, schema, nulls, notes, policy, most_rows, held: None })
    }

    /// The columns.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What was found that the file's name and the options do not say.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Appends the next row to the columns, if there is one; of a row with a fault that ends the run something may be
    /// appended.
    fn append_next(&mut self, columns: &mut [StringBuilder]) -> Result<bool, EngineError> {
        if !std::mem::take(&mut self.pending) && !self.records.read(&mut self.record)? {
            return Ok(false);
        }
        self.append(columns).map(|()| true)
    }

    /// Appends the record to the columns; faults are met by the policy, at most one for the row.
    fn append(&self, columns: &mut [StringBuilder]) -> Result<(), EngineError> {
        let (record, path) = (&self.record, || self.records.path().to_owned());
        let row = columns.first().map_or(0, ArrayBuilder::len);
        let mut fault = match record.fault {
            Some(fault) => Some(quote_fault(self.records.path(), record.line, fault)),
            None if record.len() != columns.len() => {
                let (expected, found) = (columns.len(), record.len());
                Some(EngineError::RaggedRow { path: path(), line: record.line, expected, found })
            }
            None => None,
        };
        for (index, column) in columns.iter_mut().enumerate() {
            match record.field(index).map(std::str::from_utf8) {
                Some(Ok(text)) if self.is_null(index, text) => column.append_null(),
                Some(Ok(text)) => column.append_value(text),
                Some(Err(_)) => {
                    column.append_null();
                    let column = self.schema.field(index).name().clone();
                    fault.get_or_insert_with(|| EngineError::InvalidUtf8 { path: path(), line: record.line, column });
                }
                None => column.append_null(),
            }
        }
        fault.map_or(Ok(()), |fault| self.policy.meet(row, fault))
    }

    fn is_null(&self, index: usize, text: &str) -> bool {
        self.nulls.iter().any(|null| null == text) && !self.record.is_quoted(index)
    }
}

impl TableReader for CsvReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        if let Some(fault) = self.held.take() {
            return Err(fault);
        }
        // Columns may be many and rows few: nothing is set aside.
        let empty = || StringBuilder::with_capacity(0, 0);
        let mut columns: Vec<StringBuilder> = self.schema.fields().iter().map(|_| empty()).collect();
        let (mut rows, mut bytes) = (0, 0);
        while rows < self.most_rows && bytes < BATCH_BYTES {
            if rows > 0 && self.would_wait() {
                break;
            }
            match self.append_next(&mut columns) {
                Ok(true) => rows += 1,
                Ok(false) => break,
                Err(fault) if rows == 0 => return Err(fault),
                Err(fault) => {
                    self.held = Some(fault);
                    break;
                }
            }
            bytes += self.record.size();
        }
        if rows == 0 {
            return Ok(None);
        }
        let columns = columns.into_iter().map(|mut column| Arc::new(column.finish()) as ArrayRef).collect();
        Ok(Some(batch_of(&self.schema, columns, self.records.path())?.slice(0, rows)))
    }

    fn would_wait(&self) -> bool {
        !self.pending && self.held.is_none() && self.records.would_wait()
    }
}

fn quote_fault(path: &str, line: u64, fault: QuoteFault) -> EngineError {
    let path = path.to_owned();
    match fault {
        QuoteFault::Unclosed => EngineError::UnclosedQuote { path, line },
        QuoteFault::TextAfterQuote(lines) => EngineError::TextAfterQuote { path, line, at: line + lines },
    }
}

/// The names in a header, or as many empty ones as the first record has fields.
fn header(path: &str, record: &Record, is_header: bool) -> Result<Vec<String>, EngineError> {
    if !is_header {
        return Ok(vec![String::new(); record.len()]);
    }
    if let Some(fault) = record.fault {
        return Err(quote_fault(path, record.line, fault));
    }
    let name = |index: usize| {
        let bytes = record.field(index).unwrap_or_default();
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| EngineError::InvalidUtf8 {
            path: path.to_owned(),
            line: record.line,
            column: (index + 1).to_string(),
        })
    };
    (0..record.len()).map(name).collect()
}

/// The columns of these names: one without a name is called by its number, one whose name is taken gets a number, as
/// DuckDB does it.
fn columns(names: Vec<String>, notes: &mut Vec<String>) -> SchemaRef {
    let unnamed = names.iter().all(String::is_empty);
    let given: HashSet<String> = names.iter().cloned().collect();
    let mut taken: HashSet<String> = HashSet::with_capacity(names.len());
    let mut fields = Vec::with_capacity(names.len());
    for (index, given_name) in names.into_iter().enumerate() {
        let mut name = if given_name.is_empty() { format!("column{}", index + 1) } else { given_name.clone() };
        let mut number = 0;
        // A made name must not be one that another column has of its own.
        while taken.contains(&name) || (name != given_name && given.contains(&name)) {
            number += 1;
            let base = if given_name.is_empty() { format!("column{}", index + 1) } else { given_name.clone() };
            name = format!("{base}_{number}");
        }
        if name != given_name && !unnamed {
            notes.push(format!("column {} named `{name}`", index + 1));
        }
        taken.insert(name.clone());
        fields.push(Field::new(name, DataType::Utf8, true));
    }
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_apart() {
        let named = |names: &[&str]| {
            let mut notes = Vec::new();
            let schema = columns(names.iter().map(|name| (*name).to_owned()).collect(), &mut notes);
            (schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>(), notes.len())
        };
        assert_eq!(named(&["", "text"]), (vec!["column1".to_owned(), "text".to_owned()], 1));
        let doubled = ["a", "a_2", "a", "a_1", "a"];
        assert_eq!(named(&doubled).0, ["a", "a_2", "a_3", "a_1", "a_4"].map(str::to_owned));
        assert_eq!(named(&["column2", ""]).0, ["column2", "column2_1"].map(str::to_owned));
        assert_eq!(named(&["", ""]), (vec!["column1".to_owned(), "column2".to_owned()], 0));
    }
}
