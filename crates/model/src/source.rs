//! Where the files of a model are.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::{Checkpoint, ModelError};

/// A model whose files are part of a program.
///
/// ```
/// use albertine_model::BuiltIn;
/// let model = BuiltIn {
///     name: "news",
///     language: "en",
///     summary: "Topics of news",
///     config: b"{}",
///     weights: b"",
///     tokenizer: b"",
///     tokenizer_config: b"{}",
///     card: "",
/// };
/// assert_eq!(model.files()[0], ("config.json", b"{}".as_slice()));
/// ```
#[derive(Debug)]
pub struct BuiltIn {
    /// The name that `--model` and `pretrained` take.
    pub name: &'static str,
    /// The language of its texts.
    pub language: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// `config.json`.
    pub config: &'static [u8],
    /// `model.safetensors`.
    pub weights: &'static [u8],
    /// `tokenizer.json`.
    pub tokenizer: &'static [u8],
    /// `tokenizer_config.json`.
    pub tokenizer_config: &'static [u8],
    /// `README.md`, the model card.
    pub card: &'static str,
}

impl BuiltIn {
    /// Its files by name, as they would stand in a model directory.
    #[must_use]
    pub fn files(&self) -> [(&'static str, &'static [u8]); 5] {
        [
            ("config.json", self.config),
            ("model.safetensors", self.weights),
            ("tokenizer.json", self.tokenizer),
            ("tokenizer_config.json", self.tokenizer_config),
            ("README.md", self.card.as_bytes()),
        ]
    }
}

/// Where the files of a model are.
#[derive(Debug, Clone)]
pub enum ModelSource {
    /// Inside the program.
    BuiltIn(&'static BuiltIn),
    /// A model directory, or an archive of one.
    Directory(PathBuf),
}

impl ModelSource {
    /// The model's configuration, weights and vocabulary, as training reads them.
    ///
    /// # Errors
    /// Every way for a file of the model to be missing or unsound.
    pub fn checkpoint(&self) -> Result<Checkpoint, ModelError> {
        match self {
            Self::BuiltIn(model) => Checkpoint::from_files(Path::new(model.name), &model.files()),
            Self::Directory(path) => Checkpoint::open(path),
        }
    }

    /// Where the files are, if they are on disk.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Directory(path) => Some(path),
        }
    }
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(model) => f.write_str(model.name),
            Self::Directory(path) => write!(f, "{}", path.display()),
        }
    }
}
