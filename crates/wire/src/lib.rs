//! The protocol buffers wire format, read with care and without copying.
//!
//! Format: <https://protobuf.dev/programming-guides/encoding/>. Groups, which nothing has written for twenty years, are
//! an error. A message within a message is read by its own [`Fields`], so depth is that of the code that reads it. All
//! positions are in bytes from the start of the file, which is what errors name.
//!
//! ```
//! use albertine_wire::{Fields, Value, WireError};
//!
//! # fn main() -> Result<(), WireError> {
//! // Field 1 is the number 150, field 2 the two bytes "hi".
//! let file = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i'];
//! let mut fields = Fields::new(&file);
//! assert_eq!(fields.next()?, Some((1, Value::Varint(150))));
//! let Some((2, Value::Bytes(range))) = fields.next()? else { unreachable!() };
//! assert_eq!(albertine_wire::text(&file, &range)?, "hi");
//! assert_eq!(fields.next()?, None);
//! # Ok(())
//! # }
//! ```

mod error;

use std::ops::Range;

pub use self::error::WireError;

/// The contents of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number: an integer, a truth value or the number of an enumeration's variant. See [`signed`].
    Varint(u64),
    /// Four bytes, as a little-endian number: a `fixed32` or the bits of a `float`.
    Fixed32(u32),
    /// Eight bytes, as a little-endian number: a `fixed64` or the bits of a `double`.
    Fixed64(u64),
    /// Where the bytes of a string, a message or packed numbers are in the file.
    Bytes(Range<usize>),
}

/// Reads the fields of one message, in order.
#[derive(Debug, Clone)]
pub struct Fields<'b> {
    file: &'b [u8],
    at: usize,
    end: usize,
}

impl<'b> Fields<'b> {
    /// The fields of a message that is the whole of a file.
    #[must_use]
    pub fn new(file: &'b [u8]) -> Self {
        Self { file, at: 0, end: file.len() }
    }

    /// The fields of a message in a file; a range that is not in the file has none.
    #[must_use]
    pub fn within(file: &'b [u8], range: &Range<usize>) -> Self {
        if file.get(range.clone()).is_some() {
            Self { file, at: range.start, end: range.end }
        } else {
            Self { file, at: 0, end: 0 }
        }
    }

    /// The number and contents of the next field, or nothing at the end of the message.
    ///
    /// # Errors
    ///
    /// When the message ends inside the field, or the field is of a kind that there is not.
    #[expect(clippy::should_implement_trait, reason = "an iterator would not stop at the first error by itself")]
    pub fn next(&mut self) -> Result<Option<(u64, Value)>, WireError> {
        if self.at == self.end {
            return Ok(None);
        }
        let start = self.at;
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            kind => return Err(WireError::Kind { offset: start, kind }),
        };
        Ok(Some((tag >> 3, value)))
    }

    /// The next number of a packed field, or nothing at its end.
    ///
    /// # Errors
    ///
    /// When the field ends inside the number.
    pub fn next_packed(&mut self) -> Result<Option<u64>, WireError> {
        if self.at == self.end { Ok(None) } else { self.varint().map(Some) }
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        let start = self.at;
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(WireError::Endless { offset: start })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let start = self.at;
        let range = self.take(N as u64)?;
        let bytes = self.file.get(range).and_then(|bytes| bytes.first_chunk());
        bytes.copied().ok_or(WireError::CutShort { offset: start, needed: N as u64, left: 0 })
    }

    fn take(&mut self, length: u64) -> Result<Range<usize>, WireError> {
        let left = self.end - self.at;
        match usize::try_from(length).ok().filter(|length| *length <= left) {
            Some(length) => {
                let range = self.at..self.at + length;
                self.at = range.end;
                Ok(range)
            }
            None => Err(WireError::CutShort { offset: self.at, needed: length, left }),
        }
    }
}

/// The text of a field's bytes; a range that is not in the file has an empty one.
///
/// # Errors
///
/// [`WireError::NotUtf8`].
pub fn text<'b>(file: &'b [u8], range: &Range<usize>) -> Result<&'b str, WireError> {
    let bytes = file.get(range.clone()).unwrap_or_default();
    str::from_utf8(bytes).map_err(|_| WireError::NotUtf8 { offset: range.start })
}

/// A signed number as protocol buffers keep it: negative ones as the largest unsigned ones.
#[must_use]
pub fn signed(value: u64) -> i64 {
    i64::from_le_bytes(value.to_le_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<(u64, Value)>, String> {
        let mut fields = Fields::new(bytes);
        let mut found = Vec::new();
        while let Some(field) = fields.next()? {
            found.push(field);
        }
        Ok(found)
    }

    #[test]
    fn reads_every_kind() {
        let bytes = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1D, 0, 0, 0x80, 0x3F, 0x21, 1, 0, 0, 0, 0, 0, 0, 0];
        let expected = [
            (1, Value::Varint(150)),
            (2, Value::Bytes(5..7)),
            (3, Value::Fixed32(1f32.to_bits())),
            (4, Value::Fixed64(1)),
        ];
        assert_eq!(all(&bytes).unwrap(), expected);
        assert_eq!(text(&bytes, &(5..7)).unwrap(), "hi");
        assert_eq!(signed(u64::MAX), -1);
        let mut packed = Fields::within(&bytes, &(1..4));
        assert_eq!(
            [packed.next_packed(), packed.next_packed(), packed.next_packed()],
            [Ok(Some(150)), Ok(Some(0x12)), Ok(None)]
        );
        assert_eq!(Fields::within(&bytes, &(5..100)).next(), Ok(None));
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(all(&[0x12, 9, b'h']).unwrap_err(), "it is cut short: byte 2 begins 9 bytes and 1 are left");
        let huge = all(&[0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]).unwrap_err();
        assert_eq!(huge, "it is cut short: byte 11 begins 18446744073709551615 bytes and 0 are left");
        assert_eq!(all(&[0x0B]).unwrap_err(), "byte 0 begins a field of kind 3");
        assert_eq!(all(&[0xFF; 12]).unwrap_err(), "the number at byte 0 does not end");
        assert_eq!(text(&[b'a', 0xFF], &(1..2)), Err(WireError::NotUtf8 { offset: 1 }));
    }
}
