//! The protocol buffers wire format, as far as graphs and checkpoints need it, without copying.
//!
//! Format: <https://protobuf.dev/programming-guides/encoding/>. Groups, which nothing has written for twenty years, are
//! an error. Messages in messages are read by their own [`Fields`], so depth is that of the code that reads them.

use std::ops::Range;

/// What is wrong with some bytes, in words.
pub(crate) type Fault = String;

/// The contents of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Varint(u64),
    Fixed32(u32),
    Fixed64(u64),
    /// Where the bytes of a string, a message or packed numbers are in the file.
    Bytes(Range<usize>),
}

/// Reads the fields of one message, in order.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'b> {
    file: &'b [u8],
    at: usize,
    end: usize,
}

impl<'b> Fields<'b> {
    /// The fields of a message that is the whole of a file.
    pub(crate) fn new(file: &'b [u8]) -> Self {
        Self { file, at: 0, end: file.len() }
    }

    /// The fields of a message in a file; a range that is not in the file has none.
    pub(crate) fn within(file: &'b [u8], range: &Range<usize>) -> Self {
        if file.get(range.clone()).is_some() {
            Self { file, at: range.start, end: range.end }
        } else {
            Self { file, at: 0, end: 0 }
        }
    }

    /// The number and contents of the next field, or nothing at the end of the message.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Value)>, Fault> {
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
            kind => return Err(format!("byte {start} begins a field of kind {kind}")),
        };
        Ok(Some((tag >> 3, value)))
    }

    /// The next number of a packed field, or nothing at its end.
    pub(crate) fn next_packed(&mut self) -> Result<Option<u64>, Fault> {
        if self.at == self.end { Ok(None) } else { self.varint().map(Some) }
    }

    fn varint(&mut self) -> Result<u64, Fault> {
        let start = self.at;
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(format!("the number at byte {start} does not end"))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let range = self.take(N as u64)?;
        self.file
            .get(range)
            .and_then(|bytes| bytes.first_chunk())
            .copied()
            .ok_or_else(|| "it has lost bytes".to_owned())
    }

    fn take(&mut self, length: u64) -> Result<Range<usize>, Fault> {
        let left = self.end - self.at;
        match usize::try_from(length).ok().filter(|length| *length <= left) {
            Some(length) => {
                let range = self.at..self.at + length;
                self.at = range.end;
                Ok(range)
            }
            None => Err(format!("it is cut short: byte {} begins {length} bytes and {left} are left", self.at)),
        }
    }
}

/// The text of a field's bytes.
pub(crate) fn text<'b>(file: &'b [u8], range: &Range<usize>) -> Result<&'b str, Fault> {
    let bytes = file.get(range.clone()).unwrap_or_default();
    str::from_utf8(bytes).map_err(|_| format!("the text at byte {} is not UTF-8", range.start))
}

/// A signed number as protocol buffers keep it: negative ones as the largest unsigned ones.
pub(crate) fn signed(value: u64) -> i64 {
    i64::from_le_bytes(value.to_le_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<(u64, Value)>, Fault> {
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
    }
}
