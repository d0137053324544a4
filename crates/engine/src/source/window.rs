//! The bytes of a text as one slice that grows at its end and shrinks at its start, so that a parser sees a record whole.

use super::bytes::Text;
use crate::EngineError;

/// Up to this size a window grows by what one read gives; beyond, it doubles, so that a parser that starts a long record
/// again does so a few times only.
const GRADUAL: usize = 1 << 20;

/// The unread bytes of a text that are in memory.
pub(super) struct Window {
    text: Text,
    buffer: Vec<u8>,
    start: usize,
    at_end: bool,
}

impl Window {
    pub(super) fn new(text: Text) -> Self {
        Self { text, buffer: Vec::new(), start: 0, at_end: false }
    }

    /// The file's name in messages.
    pub(super) fn path(&self) -> &str {
        self.text.path()
    }

    /// The bytes that were read and not yet used.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Whether the text has no more bytes than these.
    pub(super) fn is_last(&self) -> bool {
        self.at_end
    }

    /// Whether the text is a pipe whose writer has nothing more to say at the moment.
    pub(super) fn is_idle(&self) -> bool {
        !self.at_end && self.text.is_idle()
    }

    /// Marks the first `count` bytes as used.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Reads more bytes, at least one unless the text is at its end.
    pub(super) fn grow(&mut self) -> Result<(), EngineError> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let enough = if self.buffer.len() < GRADUAL { self.buffer.len() + 1 } else { self.buffer.len() * 2 };
        while self.buffer.len() < enough && !self.at_end {
            let read = self.text.fill()?;
            let count = read.len();
            self.buffer.extend_from_slice(read);
            self.text.consume(count);
            self.at_end = count == 0;
        }
        Ok(())
    }
}
