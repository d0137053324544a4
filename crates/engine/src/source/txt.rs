//! Plain text: one row a line, in one column named `text`.

use std::sync::{Arc, LazyLock};

use arrow_array::RecordBatch;
use arrow_array::builder::{ArrayBuilder, StringBuilder};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::lines::Lines;
use super::rejects::Policy;
use super::{BATCH_BYTES, BATCH_ROWS, TableReader, batch_of};
use crate::EngineError;

/// The lines of a text file.
pub(super) struct TxtReader {
    lines: Lines,
    policy: Policy,
    /// A fault that comes after the rows before it.
    held: Option<EngineError>,
}

impl TxtReader {
    pub(super) fn new(lines: Lines, policy: Policy) -> Self {
        Self { lines, policy, held: None }
    }

    /// Appends the next line, if there is one, and gives its size in bytes; what is appended for one with a fault that
    /// ends the run is no row.
    fn append_next(&mut self, texts: &mut StringBuilder) -> Result<Option<usize>, EngineError> {
        let Some(line) = self.lines.read()? else { return Ok(None) };
        let bytes = line.len();
        if let Ok(text) = std::str::from_utf8(line) {
            texts.append_value(text);
        } else {
            let row = texts.len();
            texts.append_null();
            let (path, line) = (self.lines.path().to_owned(), self.lines.line());
            self.policy.meet(row, EngineError::InvalidUtf8 { path, line, column: "text".to_owned() })?;
        }
        Ok(Some(bytes))
    }

    /// The columns of every text file.
    pub(super) fn schema() -> SchemaRef {
        static SCHEMA: LazyLock<SchemaRef> =
            LazyLock::new(|| Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, true)])));
        Arc::clone(&SCHEMA)
    }
}

impl TableReader for TxtReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        if let Some(fault) = self.held.take() {
            return Err(fault);
        }
        let mut texts = StringBuilder::new();
        let (mut rows, mut bytes) = (0, 0);
        while rows < BATCH_ROWS && bytes < BATCH_BYTES {
            if rows > 0 && self.would_wait() {
                break;
            }
            match self.append_next(&mut texts) {
                Ok(Some(size)) => (rows, bytes) = (rows + 1, bytes + size),
                Ok(None) => break,
                Err(fault) if rows == 0 => return Err(fault),
                Err(fault) => {
                    self.held = Some(fault);
                    break;
                }
            }
        }
        if rows == 0 {
            return Ok(None);
        }
        let batch = batch_of(&Self::schema(), vec![Arc::new(texts.finish())], self.lines.path())?;
        Ok(Some(batch.slice(0, rows)))
    }

    fn would_wait(&self) -> bool {
        self.held.is_none() && self.lines.would_wait()
    }
}
