//! What a resumable run is told.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::{Format, RejectedRows, Target};

/// Where a resumable run writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResumableOutput {
    /// One table of all inputs, in a file. Parts are in a hidden folder beside it, which goes when the file is in its place.
    File(PathBuf),
    /// A folder with a table for each input, which may get more inputs later. What is known of them stays in a hidden
    /// folder within it.
    Folder(PathBuf),
}

impl ResumableOutput {
    /// Its name in messages.
    #[must_use]
    pub fn name(&self) -> String {
        let (Self::File(path) | Self::Folder(path)) = self;
        path.display().to_string()
    }

    /// The folder of the parts.
    pub(super) fn parts_folder(&self) -> PathBuf {
        match self {
            Self::Folder(path) => path.join(".parts"),
            Self::File(path) => {
                // A link and what it leads to are one output.
                let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                let mut name = OsString::from(".");
                name.push(path.file_name().unwrap_or_default());
                name.push(".parts");
                path.with_file_name(name)
            }
        }
    }

    /// Where a table goes: the one of all inputs, or that of an input, by its name.
    pub(super) fn target(&self, name: Option<&str>) -> Target {
        Target::File(match (self, name) {
            (Self::Folder(path), Some(name)) => path.join(name),
            (Self::File(path) | Self::Folder(path), _) => path.clone(),
        })
    }
}

/// What becomes of rows that could not be read whole.
#[derive(Debug, Clone)]
pub enum FailedRows {
    /// There are none: the run stops at the first. The output has no column of errors.
    Stop,
    /// They are in the output, and so is the column of errors.
    Keep,
    /// They are in a table of their own.
    PutAside(RejectedRows),
}

/// A file of a model.
#[derive(Debug, Clone)]
pub enum ModelFile {
    /// On disk.
    Path(PathBuf),
    /// Within the program.
    Bytes(&'static [u8]),
}

/// What a resumable run writes, and what its result depends on.
#[derive(Debug, Clone)]
pub struct ResumeOptions {
    /// Where it writes.
    pub output: ResumableOutput,
    /// The format of what it writes.
    pub format: Format,
    /// Names and values of all that the result depends on beside the inputs and the model.
    pub settings: Vec<(String, String)>,
    /// The files of the model, by names that tell them apart.
    pub model: Vec<(String, ModelFile)>,
    /// The column of errors, if the source has one.
    pub error_column: Option<String>,
    /// What becomes of rows with an error. It may change while a run into a file lasts: one that stopped at such a row can
    /// go on and keep it.
    pub failed_rows: FailedRows,
    /// Remove what a run before has done, and start again.
    pub restart: bool,
}

impl ResumeOptions {
    /// A run whose result depends on its inputs alone.
    #[must_use]
    pub fn new(output: ResumableOutput, format: Format) -> Self {
        let (settings, model, failed_rows) = (Vec::new(), Vec::new(), FailedRows::Stop);
        Self { output, format, settings, model, error_column: None, failed_rows, restart: false }
    }

    /// Whether the column of errors is in the output.
    pub(super) fn keeps_errors(&self) -> bool {
        matches!(self.failed_rows, FailedRows::Keep)
    }
}

/// The name of a file without the extensions of its format and compression.
pub(super) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match Format::of_name(&name) {
        Some(_) => {
            let (name, _) = crate::Compression::of_name(&name);
            name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
        }
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_after_its_input() {
        for (input, name) in [("a/news.csv.gz", "news"), ("news.2024.jsonl", "news.2024"), ("part-0", "part-0")] {
            assert_eq!(stem(Path::new(input)), name);
        }
    }

    #[test]
    fn parts_are_in_a_hidden_folder() {
        let file = ResumableOutput::File("out/news.csv".into());
        assert_eq!(file.parts_folder(), Path::new("out/.news.csv.parts"));
        assert_eq!(ResumableOutput::Folder("out".into()).parts_folder(), Path::new("out/.parts"));
    }
}
