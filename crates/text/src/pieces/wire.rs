//! The few parts of the protocol buffers wire format that a SentencePiece model uses.
//!
//! Format: <https://protobuf.dev/programming-guides/encoding/>. Groups, which nothing has written for twenty years,
//! are an error.

use std::path::Path;

use crate::error::TextError;

/// The contents of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'b> {
    Varint(u64),
    Fixed32([u8; 4]),
    Fixed64,
    /// Bytes, and where they begin in the file.
    Bytes(&'b [u8], usize),
}

/// Reads the fields of one message, in order.
#[derive(Debug)]
pub(super) struct Fields<'b> {
    path: &'b Path,
    bytes: &'b [u8],
    /// Where `bytes` begin in the file.
    start: usize,
    at: usize,
}

impl<'b> Fields<'b> {
    /// The fields of `bytes`, which begin at byte `start` of the file `path`.
    pub(super) fn new(path: &'b Path, bytes: &'b [u8], start: usize) -> Self {
        Self { path, bytes, start, at: 0 }
    }

    /// The number and contents of the next field, or nothing at the end of the message.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value<'b>)>, TextError> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                self.take(8)?;
                Value::Fixed64
            }
            2 => {
                let length = self.varint()?;
                let start = self.start + self.at;
                Value::Bytes(self.take(length)?, start)
            }
            5 => match self.take(4)?.first_chunk() {
                Some(bytes) => Value::Fixed32(*bytes),
                None => return Err(self.malformed("a field has lost its bytes".into())),
            },
            kind => return Err(self.malformed(format!("byte {} begins a field of kind {kind}", self.start + self.at))),
        };
        Ok(Some((tag >> 3, value)))
    }

    fn varint(&mut self) -> Result<u64, TextError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.malformed(format!("the number that ends at byte {} does not end", self.start + self.at)))
    }

    fn take(&mut self, length: u64) -> Result<&'b [u8], TextError> {
        let rest = &self.bytes[self.at..];
        match usize::try_from(length).ok().and_then(|length| rest.get(..length)) {
            Some(taken) => {
                self.at += taken.len();
                Ok(taken)
            }
            None => Err(TextError::CutShort {
                path: self.path.to_owned(),
                offset: self.start + self.at,
                needed: length,
                left: rest.len(),
            }),
        }
    }

    fn malformed(&self, reason: String) -> TextError {
        TextError::Malformed { path: self.path.to_owned(), reason }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<(u64, Value<'_>)>, String> {
        let mut fields = Fields::new(Path::new("m"), bytes, 0);
        let mut found = Vec::new();
        while let Some(field) = fields.next().map_err(|error| error.to_string())? {
            found.push(field);
        }
        Ok(found)
    }

    #[test]
    fn reads_every_kind() {
        let bytes = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1D, 0, 0, 0x80, 0x3F, 0x21, 1, 2, 3, 4, 5, 6, 7, 8];
        let expected = [
            (1, Value::Varint(150)),
            (2, Value::Bytes(b"hi", 5)),
            (3, Value::Fixed32(1f32.to_le_bytes())),
            (4, Value::Fixed64),
        ];
        assert_eq!(all(&bytes).unwrap(), expected);
    }

    #[test]
    fn faults_are_named() {
        let short = "m is cut short: the field at byte 2 needs 9 bytes and 1 are left";
        assert_eq!(all(&[0x12, 9, b'h']).unwrap_err(), short);
        let huge = all(&[0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]).unwrap_err();
        assert_eq!(huge, "m is cut short: the field at byte 11 needs 18446744073709551615 bytes and 0 are left");
        assert_eq!(all(&[0x0B]).unwrap_err(), "m is malformed: byte 1 begins a field of kind 3");
        assert_eq!(all(&[0xFF; 12]).unwrap_err(), "m is malformed: the number that ends at byte 10 does not end");
    }
}
