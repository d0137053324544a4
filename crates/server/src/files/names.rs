//! The names of files that people send: what format they say, and what the labeled file is called.

use albertine_engine::{Compression, Format};

use crate::error::ApiError;

/// The name of a file, which is never used as a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileName {
    given: String,
    format: Format,
    compression: Compression,
}

impl FileName {
    /// # Errors
    /// [`ApiError::Invalid`] when its extension is not that of a format.
    pub(crate) fn new(given: &str) -> Result<Self, ApiError> {
        let name = given.rsplit(['/', '\\']).next().unwrap_or_default();
        let (format, compression) = Format::of_name(name).ok_or_else(|| {
            let formats = ".csv, .tsv, .jsonl, .json, .parquet or .txt, also with .gz or .zst";
            ApiError::Invalid(format!(
                "cannot tell the format of the file from its name: its extension must be {formats}"
            ))
        })?;
        Ok(Self { given: name.chars().take(200).collect(), format, compression })
    }

    /// The name as it was given, without folders.
    pub(crate) fn given(&self) -> &str {
        &self.given
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// The format of the labeled file: the same, or where it cannot hold two columns CSV.
    pub(crate) fn output_format(&self) -> Format {
        match self.format {
            Format::Txt => Format::Csv,
            other => other,
        }
    }

    /// A name of our own with the same extensions.
    pub(crate) fn on_disk(&self) -> String {
        let compression = match self.compression {
            Compression::Gzip => ".gz",
            Compression::Zstd => ".zst",
            _ => "",
        };
        format!("input.{}{compression}", self.format.name())
    }

    /// What the labeled file is called, in characters that every system takes.
    pub(crate) fn labeled(&self) -> String {
        let stem = self.given.split('.').next().unwrap_or_default();
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
        let stem: String = stem.chars().map(plain).take(100).collect();
        let stem = if stem.is_empty() { "file" } else { &stem };
        format!("{stem}_labeled.{}", self.output_format().name())
    }

    /// The content type of the labeled file.
    pub(crate) fn content_type(&self) -> &'static str {
        match self.output_format() {
            Format::Tsv => "text/tab-separated-values; charset=utf-8",
            Format::Jsonl => "application/x-ndjson",
            Format::Parquet => "application/vnd.apache.parquet",
            _ => "text/csv; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_become_plain_ones() {
        let labeled = |name: &str| FileName::new(name).unwrap().labeled();
        assert_eq!(labeled("news.csv"), "news_labeled.csv");
        assert_eq!(labeled("../../etc/my news \"1\".csv.gz"), "my_news__1__labeled.csv");
        assert_eq!(labeled("C:\\x\\\u{202e}ü.txt"), "___labeled.csv");
        assert_eq!(labeled(".parquet"), "file_labeled.parquet");
        assert_eq!(FileName::new("/a/news.tsv.zst").unwrap().on_disk(), "input.tsv.zst");
        for odd in ["", "news", "news.exe", "..", "news.csv/"] {
            assert!(FileName::new(odd).is_err(), "{odd}");
        }
    }
}
