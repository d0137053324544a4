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
/// let inputs = vec![path.into_os_string()];
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
/// labels: `utf-8`, `windows-1252`, `latin1`, `utf-16le`, `shift_jis` and so on; or by the names that Python has for them:
/// `latin-1`, `utf_8_sig`, `cp1252`, `mac_roman`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CharacterEncoding(pub(crate) &'static Encoding);

impl FromStr for CharacterEncoding {
    type Err = EngineError;

    fn from_str(label: &str) -> Result<Self, EngineError> {
        Encoding::for_label_no_replacement(label.as_bytes())
            .or_else(|| Encoding::for_label_no_replacement(standard_label(label)?.as_bytes()))
            .map(Self)
            .ok_or_else(|| EngineError::UnknownEncoding { name: label.to_owned() })
    }
}

/// The standard's label for a name of [Python's](https://docs.python.org/3/library/codecs.html#standard-encodings), in
/// which capitals, hyphens and underscores do not matter.
fn standard_label(name: &str) -> Option<String> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let label = match plain.as_str() {
        "utf8sig" | "u8" | "utf" | "utf8ucs2" | "cp65001" => "utf-8",
        "utf16" | "u16" => "utf-16",
        "utf16le" | "utf16be" => return Some(plain.replace("utf16", "utf-16")),
        "646" | "usascii" => "ascii",
        "latin" | "l1" | "8859" | "iso88591" | "cp819" => "latin1",
        "macroman" | "macintosh" => "macintosh",
        "maccyrillic" => "x-mac-cyrillic",
        "cp932" | "ms932" | "mskanji" | "shiftjis" | "sjis" => "shift_jis",
        "eucjp" | "ujis" => "euc-jp",
        "euckr" | "cp949" | "ms949" | "uhc" => "euc-kr",
        "gb2312" | "eucgb2312cn" | "euccn" | "cp936" | "ms936" | "gbk" => "gbk",
        "cp950" | "ms950" | "big5hkscs" | "big5" => "big5",
        "koi8r" => "koi8-r",
        "koi8u" => "koi8-u",
        "cp866" => "ibm866",
        other => {
            let (kind, number) = other.split_at(other.find(|c: char| c.is_ascii_digit()).unwrap_or(other.len()));
            return match kind {
                "cp" | "windows" | "ansi" | "win" => Some(format!("windows-{number}")),
                "iso" => number.strip_prefix("8859").map(|part| format!("iso-8859-{part}")),
                _ => Some(plain),
            };
        }
    };
    Some(label.to_owned())
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
        for (python, standard) in [
            ("latin-1", "windows-1252"),
            ("latin_1", "windows-1252"),
            ("utf8-sig", "UTF-8"),
            ("utf_8_sig", "UTF-8"),
            ("utf_8", "UTF-8"),
            ("U8", "UTF-8"),
            ("utf-16-le", "UTF-16LE"),
            ("UTF_16_BE", "UTF-16BE"),
            ("cp-1252", "windows-1252"),
            ("cp1251", "windows-1251"),
            ("iso8859_15", "ISO-8859-15"),
            ("ISO_8859-2", "ISO-8859-2"),
            ("latin-2", "ISO-8859-2"),
            ("mac_roman", "macintosh"),
            ("cp932", "Shift_JIS"),
            ("euc_jp", "EUC-JP"),
            ("euc_kr", "EUC-KR"),
            ("gb_18030", "gb18030"),
            ("koi8_r", "KOI8-R"),
        ] {
            assert_eq!(name(python).unwrap(), standard, "{python}");
        }
        for unknown in ["cp037", "utf-7", "utf_32", "", "_", "iso2022"] {
            assert!(matches!(name(unknown), Err(EngineError::UnknownEncoding { .. })), "{unknown}");
        }
        assert!(matches!(name("ebcdic"), Err(EngineError::UnknownEncoding { .. })));
    }
}
