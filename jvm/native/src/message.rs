//! The messages between Java and Rust: numbers in little-endian order, texts as UTF-8 behind their length in bytes.
//!
//! A text that is missing has the length -1. Java's half is `albertine.internal.Message`.

use crate::failure::Failure;

/// Writes a message.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Makes room for so many bytes more, as far as there is memory for them.
    pub(crate) fn reserve(&mut self, bytes: usize) -> Result<(), Failure> {
        self.0.try_reserve_exact(bytes).map_err(|_| Failure::OutOfMemory { bytes })
    }

    pub(crate) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn int(&mut self, value: i32) {
        self.0.extend(value.to_le_bytes());
    }

    /// A number of items, of which an array of Java's has room for 2^31.
    pub(crate) fn count(&mut self, value: usize) {
        self.int(i32::try_from(value).unwrap_or(i32::MAX));
    }

    pub(crate) fn long(&mut self, value: i64) {
        self.0.extend(value.to_le_bytes());
    }

    pub(crate) fn float(&mut self, value: f32) {
        self.0.extend(value.to_le_bytes());
    }

    pub(crate) fn text(&mut self, value: &str) {
        self.count(value.len());
        self.bytes(value.as_bytes());
    }

    pub(crate) fn optional(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.text(value),
            None => self.int(-1),
        }
    }

    pub(crate) fn texts<T: AsRef<str>>(&mut self, values: &[T]) {
        self.count(values.len());
        values.iter().for_each(|value| self.text(value.as_ref()));
    }

    /// Bytes without their length.
    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.0.extend_from_slice(value);
    }
}

/// Reads a message from its beginning.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

const SHORT: Failure = Failure::Malformed("a message that is too short");

impl<'a> Reader<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Failure> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Failure> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn int(&mut self) -> Result<i32, Failure> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    /// A number of things; none that is negative.
    pub(crate) fn count(&mut self) -> Result<usize, Failure> {
        usize::try_from(self.int()?).map_err(|_| Failure::Malformed("a negative length"))
    }

    /// As [`count`](Self::count), where a negative number says that there is none.
    pub(crate) fn optional_count(&mut self) -> Result<Option<usize>, Failure> {
        Ok(usize::try_from(self.int()?).ok())
    }

    pub(crate) fn long(&mut self) -> Result<i64, Failure> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    pub(crate) fn optional(&mut self) -> Result<Option<&'a str>, Failure> {
        let Some(length) = self.optional_count()? else { return Ok(None) };
        let text = std::str::from_utf8(self.bytes(length)?);
        text.map(Some).map_err(|_| Failure::Malformed("a text that is not UTF-8"))
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Failure> {
        self.optional()?.ok_or(Failure::Malformed("a message without a text"))
    }

    /// Many of something, each read by `read`.
    pub(crate) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, Failure>) -> Result<Vec<T>, Failure> {
        (0..self.count()?).map(|_| read(self)).collect()
    }

    /// Parameters: names and their values as JSON.
    pub(crate) fn params(&mut self) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
        let pairs = self.list(|message| Ok((message.text()?.to_owned(), message.text()?)))?;
        let value = |(name, json): (String, &str)| Ok((name, serde_json::from_str(json)?));
        let pairs = pairs.into_iter().map(value).collect::<Result<_, serde_json::Error>>();
        pairs.map_err(|_| Failure::Malformed("the value of a parameter"))
    }
}
