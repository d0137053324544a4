//! The lines of a text, numbered and bounded in size.

use super::bytes::Text;
use super::records::ROW_LIMIT;
use crate::EngineError;

/// A file's lines in turn, without their line ends (LF or CRLF).
pub(super) struct Lines {
    text: Text,
    buffer: Vec<u8>,
    line: u64,
}

impl Lines {
    pub(super) fn new(text: Text) -> Self {
        Self { text, buffer: Vec::new(), line: 0 }
    }

    /// The file's name in messages.
    pub(super) fn path(&self) -> &str {
        self.text.path()
    }

    /// The number of the line read last, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The line read last.
    pub(super) fn current(&self) -> &[u8] {
        &self.buffer
    }

    /// The next line, or nothing at the end of the file. What follows the last line end is a line if it has a byte.
    pub(super) fn read(&mut self) -> Result<Option<&[u8]>, EngineError> {
        self.buffer.clear();
        let mut ended = false;
        while !ended {
            let input = self.text.fill()?;
            if input.is_empty() {
                break;
            }
            let end = input.iter().position(|byte| *byte == b'\n');
            ended = end.is_some();
            let taken = end.unwrap_or(input.len());
            self.buffer.extend_from_slice(&input[..taken]);
            self.text.consume(taken + usize::from(ended));
            if self.buffer.len() > ROW_LIMIT {
                let (path, line) = (self.path().to_owned(), self.line + 1);
                return Err(EngineError::RowTooLarge { path, line, limit: ROW_LIMIT });
            }
        }
        if !ended && self.buffer.is_empty() {
            return Ok(None);
        }
        if ended && self.buffer.last() == Some(&b'\r') {
            self.buffer.pop();
        }
        self.line += 1;
        Ok(Some(&self.buffer))
    }
}
