//! How delimited text is written, as far as a caller says it.

use std::fmt;
use std::str::FromStr;

use encoding_rs::Encoding;

use crate::EngineError;

/// How text files are written. What is not given is found from the beginning of each file.
///
/// ```
/// use albertine_engine::{Source, SourceOptions, TextOptions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("a.csv");
/// # std::fs::write(&path, "1;Oil rose\n")?;
/// let text = TextOptions { delimiter: Some(b';'), header: Some(false), ..Default::default() };
/// let inputs = vec![path.to_string_lossy().into_owned()];
/// let source = Source::open(SourceOptions { inputs, text, ..Default::default() })?;
/// assert_eq!(source.schema().field(1).name(), "column2");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextOptions {
    /// The byte between two fields, an ASCII character other than a line end.
    pub delimiter: Option<u8>,
    /// The byte around a field, or that there is none.
    pub quote: Option<Quote>,
    /// The byte before a quote within quotes; by default, a quote within quotes is doubled.
    pub escape: Option<u8>,
    /// Whether the first record names the columns. Without a header they are `column1`, `column2` and so on.
    pub header: Option<bool>,
    /// The byte at the start of lines that are no records.
    pub comment: Option<u8>,
    /// Words that stand for a missing value where they are a whole field without quotes.
    pub nulls: Vec<String>,
    /// The character encoding of delimited text, JSON Lines and plain text; a byte order mark in a file has precedence.
    pub encoding: Option<CharacterEncoding>,
}

/// What stands around a field that contains delimiters, line ends or quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// Nothing: such characters cannot be in a field, and quotes are characters as any other.
    None,
    /// This ASCII character.
    Byte(u8),
}

impl Quote {
    /// The character, if there is one.
    #[must_use]
    pub const fn byte(self) -> Option<u8> {
        match self {
            Self::None => None,
            Self::Byte(byte) => Some(byte),
        }
    }
}

/// A character encoding of the [WHATWG standard](https://encoding.spec.whatwg.org/#names-and-labels), by any of its
/// labels: `utf-8`, `windows-1252`, `latin1`, `utf-16le`, `shift_jis` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CharacterEncoding(pub(crate) &'static Encoding);

impl FromStr for CharacterEncoding {
    type Err = EngineError;

    fn from_str(label: &str) -> Result<Self, EngineError> {
        // Not one of the standard's labels, but what other tools call UTF-16 whose byte order a mark tells.
        let label = if label.eq_ignore_ascii_case("utf16") { "utf-16" } else { label };
        Encoding::for_label_no_replacement(label.as_bytes())
            .map(Self)
            .ok_or_else(|| EngineError::UnknownEncoding { name: label.to_owned() })
    }
}

/// The encoding's name in the standard.
impl fmt::Display for CharacterEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn encodings_have_many_names() {
        let name = |label: &str| label.parse::<CharacterEncoding>().map(|encoding| encoding.to_string());
        assert_eq!(name("latin1").unwrap(), "windows-1252");
        assert_eq!(name("UTF16").unwrap(), "UTF-16LE");
        assert_eq!(name("cp1252").unwrap(), "windows-1252");
        assert!(matches!(name("ebcdic"), Err(EngineError::UnknownEncoding { .. })));
    }
}
