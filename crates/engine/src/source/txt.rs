//! Plain text: one row a line, in one column named `text`.

use std::sync::{Arc, LazyLock};

use arrow_array::RecordBatch;
use arrow_array::builder::StringBuilder;
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::lines::Lines;
use super::rejects::Policy;
use super::{BATCH_BYTES, BATCH_ROWS, TableReader, batch_of};
use crate::EngineError;

/// The lines of a text file.
pub(super) struct TxtReader {
    lines: Lines,
    policy: Policy,
}

impl TxtReader {
    pub(super) fn new(lines: Lines, policy: Policy) -> Self {
        Self { lines, policy }
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
        let mut texts = StringBuilder::new();
        let (mut rows, mut bytes) = (0, 0);
        while rows < BATCH_ROWS && bytes < BATCH_BYTES {
            if rows > 0 && self.would_wait() {
                break;
            }
            let Some(line) = self.lines.read()? else { break };
            bytes += line.len();
            rows += 1;
            if let Ok(text) = std::str::from_utf8(line) {
                texts.append_value(text);
            } else {
                texts.append_null();
                let (path, line) = (self.lines.path().to_owned(), self.lines.line());
                self.policy.meet(EngineError::InvalidUtf8 { path, line, column: "text".to_owned() })?;
            }
        }
        if rows == 0 {
            return Ok(None);
        }
        batch_of(&Self::schema(), vec![Arc::new(texts.finish())], self.lines.path()).map(Some)
    }

    fn would_wait(&self) -> bool {
        self.lines.would_wait()
    }
}
