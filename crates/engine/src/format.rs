//! The formats of tables, and how they are recognized by a file's name.

use std::fmt;
use std::str::FromStr;

use crate::EngineError;

/// The format of a table in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated values with a header ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)). All columns are text.
    Csv,
    /// As [`Csv`](Self::Csv), with tabs.
    Tsv,
    /// [JSON Lines](https://jsonlines.org): one object per line.
    Jsonl,
    /// [Apache Parquet](https://parquet.apache.org/docs/file-format/).
    Parquet,
    /// Plain text: one row per line, in a column named `text`. It can be read but not written.
    Txt,
}

/// How the bytes of a file are compressed as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Not compressed.
    None,
    /// gzip, `.gz`.
    Gzip,
    /// Zstandard, `.zst`.
    Zstd,
}

impl Format {
    /// The names of all formats, for messages.
    pub(crate) const LIST: &'static str = "csv, tsv, jsonl, parquet and txt";

    /// The format and the compression that the extensions of a file's name indicate, case-insensitively.
    ///
    /// # Examples
    /// ```
    /// use albertine_engine::{Compression, Format};
    ///
    /// assert_eq!(Format::of_name("news.jsonl.zst"), Some((Format::Jsonl, Compression::Zstd)));
    /// assert_eq!(Format::of_name("news"), None);
    /// ```
    #[must_use]
    pub fn of_name(name: &str) -> Option<(Self, Compression)> {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name).to_ascii_lowercase();
        let (stem, compression) = Compression::of_name(&name);
        let (_, extension) = stem.rsplit_once('.')?;
        let format = match extension {
            "csv" => Self::Csv,
            "tsv" | "tab" => Self::Tsv,
            "jsonl" | "ndjson" | "json" => Self::Jsonl,
            "parquet" | "pq" => Self::Parquet,
            "txt" => Self::Txt,
            _ => return None,
        };
        Some((format, compression))
    }

    /// The name, as [`FromStr`] reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
            Self::Txt => "txt",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = EngineError;

    fn from_str(name: &str) -> Result<Self, EngineError> {
        Ok(match name {
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            "jsonl" => Self::Jsonl,
            "parquet" => Self::Parquet,
            "txt" => Self::Txt,
            _ => return Err(EngineError::UnknownFormatName { name: name.to_owned() }),
        })
    }
}

impl Compression {
    /// Splits the extension of a compression off a file's name.
    pub(crate) fn of_name(name: &str) -> (&str, Self) {
        let cut = |extension: &str| {
            let (stem, end) = name.split_at_checked(name.len().checked_sub(extension.len())?)?;
            end.eq_ignore_ascii_case(extension).then_some(stem)
        };
        if let Some(stem) = cut(".gz") {
            (stem, Self::Gzip)
        } else if let Some(stem) = cut(".zst") {
            (stem, Self::Zstd)
        } else {
            (name, Self::None)
        }
    }

    /// The compression that the first bytes of a file indicate ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952),
    /// [RFC 8878](https://www.rfc-editor.org/rfc/rfc8878)).
    pub(crate) fn of_magic(head: &[u8]) -> Self {
        if head.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || is_skippable_frame(head) {
            Self::Zstd
        } else {
            Self::None
        }
    }

    /// The name of the compression, for messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Whether the bytes begin a skippable frame of zstd, which `pzstd` puts before each frame of data
/// ([RFC 8878, 3.1.2](https://www.rfc-editor.org/rfc/rfc8878#section-3.1.2)).
fn is_skippable_frame(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn names_tell_format_and_compression() {
        assert_eq!(Format::of_name("dir.csv/a.TSV.GZ"), Some((Format::Tsv, Compression::Gzip)));
        assert_eq!(Format::of_name("a.ndjson"), Some((Format::Jsonl, Compression::None)));
        assert_eq!(Format::of_name("a.gz"), None);
        assert_eq!(Format::of_name("dir.csv/a"), None);
        assert_eq!(Format::of_name("é"), None);
    }

    #[test]
    fn names_of_formats_come_back() {
        for format in [Format::Csv, Format::Tsv, Format::Jsonl, Format::Parquet, Format::Txt] {
            assert_eq!(format.name().parse::<Format>().unwrap(), format);
        }
        let error = "xls".parse::<Format>().unwrap_err();
        assert_eq!(error.to_string(), "xls is not a format; the formats are csv, tsv, jsonl, parquet and txt");
    }
}
