//! Operands of instructions, read from the bytes of a pickle.

use super::PickleError;
use super::value::Value;

/// A place in a pickle's bytes.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Bytes read so far.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], PickleError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let taken = rest.get(..length).ok_or(PickleError::Truncated)?;
        self.offset += length;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        self.take(N)?.first_chunk().copied().ok_or(PickleError::Truncated)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, PickleError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, PickleError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A length in eight bytes.
    pub(crate) fn length(&mut self) -> Result<usize, PickleError> {
        usize::try_from(u64::from_le_bytes(self.array()?)).map_err(|_| PickleError::Truncated)
    }

    pub(crate) fn text(&mut self, length: usize) -> Result<&'a str, PickleError> {
        std::str::from_utf8(self.take(length)?).map_err(|_| PickleError::Text)
    }

    /// The text up to the next line feed, which is read too.
    pub(crate) fn line(&mut self) -> Result<&'a str, PickleError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or(PickleError::Truncated)?;
        let line = self.text(length)?;
        self.offset += 1;
        Ok(line)
    }

    /// A whole number in two's complement, least significant byte first.
    pub(crate) fn long(&mut self, length: usize) -> Result<Value<'a>, PickleError> {
        let bytes = self.take(length)?;
        let sign = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
        let mut wide = [sign; 8];
        let Some(low) = wide.get_mut(..length) else { return Ok(Value::Wide(bytes)) };
        low.copy_from_slice(bytes);
        Ok(Value::Int(i64::from_le_bytes(wide)))
    }
}
