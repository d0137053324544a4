//! The lines of a text, numbered and bounded in size.

use memchr::memchr;

use super::bytes::Text;
use super::records::ROW_LIMIT;
use super::window::Window;
use crate::EngineError;

/// A file's lines in turn, without their line ends (LF or CRLF).
pub(super) struct Lines {
    window: Window,
    /// The bytes of the line read last, with its line end, which are still in the window.
    used: usize,
    line: u64,
}

impl Lines {
    pub(super) fn new(text: Text) -> Self {
        Self { window: Window::new(text), used: 0, line: 0 }
    }

    /// The file's name in messages.
    pub(super) fn path(&self) -> &str {
        self.window.path()
    }

    /// The number of the line read last, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Whether the next line would have to be waited for, because a pipe's writer has nothing to say at the moment.
    pub(super) fn would_wait(&self) -> bool {
        memchr(b'\n', &self.window.bytes()[self.used..]).is_none() && self.window.is_idle()
    }

    /// The next line, or nothing at the end of the file. What follows the last line end is a line if it has a byte.
    pub(super) fn read(&mut self) -> Result<Option<&[u8]>, EngineError> {
        self.window.consume(std::mem::take(&mut self.used));
        let mut searched = 0;
        let end = loop {
            let bytes = self.window.bytes();
            if let Some(end) = memchr(b'\n', &bytes[searched..]) {
                break Some(searched + end);
            }
            searched = bytes.len();
            if searched > ROW_LIMIT {
                let (path, line) = (self.path().to_owned(), self.line + 1);
                return Err(EngineError::RowTooLarge { path, line, limit: ROW_LIMIT });
            }
            if self.window.is_last() {
                break None;
            }
            self.window.grow()?;
        };
        let bytes = self.window.bytes();
        let length = end.unwrap_or(bytes.len());
        if end.is_none() && length == 0 {
            return Ok(None);
        }
        self.used = length + usize::from(end.is_some());
        self.line += 1;
        let line = &bytes[..length];
        Ok(Some(if end.is_some() { line.strip_suffix(b"\r").unwrap_or(line) } else { line }))
    }
}
