//! What can go wrong with texts, patterns, vocabularies and piece ids.

use std::path::{Path, PathBuf};

use albertine_wire::WireError;

/// Every error of this crate.
///
/// Errors about a file carry the path it was read from; for bytes handed over in memory the path is a plain name
/// such as `tokenizer.json`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A model directory holds none of the vocabulary files.
    #[error("{} has neither tokenizer.json nor spiece.model nor vocab.txt", .dir.display())]
    NoVocabulary {
        /// The model directory.
        dir: PathBuf,
    },

    /// A vocabulary that cannot be trained in this size.
    #[error("a vocabulary of {asked} pieces is {}", match most {
        None => format!("too small for the texts: their characters alone need {least}"),
        Some(most) => format!("too large for the texts, which have only {most}"),
    })]
    VocabularySize {
        /// Pieces that were asked for.
        asked: usize,
        /// The characters and the special pieces.
        least: usize,
        /// All pieces that the texts have, where these are too few.
        most: Option<usize>,
    },

    /// A file could not be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A file is larger than any vocabulary has reason to be.
    #[error("{} is larger than the {cap} bytes allowed for it", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size that is read, in bytes.
        cap: u64,
    },

    /// A JSON file is not JSON, or has another shape than its kind of file has.
    #[error("cannot parse {}: {source}", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser said, with line and column.
        source: serde_json::Error,
    },

    /// A binary file ends inside a field.
    #[error("{} is truncated: the field at byte {offset} needs {needed} bytes, but only {left} are left", .path.display())]
    CutShort {
        /// The file.
        path: PathBuf,
        /// Where the contents of the field begin, in bytes from the start of the file.
        offset: usize,
        /// How many bytes the field claims.
        needed: u64,
        /// How many bytes there are.
        left: usize,
    },

    /// A file was read, and what it says makes no sense.
    #[error("{} is malformed: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A file asks for something that this crate does not do.
    #[error("{} asks for the {part} {kind:?}, which is not supported", .path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The part of the file: `model`, `normalizer`, `replacement pattern`, `pre-tokenizer`,
        /// `post-processor` or `tokenizer class`, say.
        part: &'static str,
        /// What the file asks for.
        kind: String,
    },

    /// A limit leaves no room for the special pieces around a text.
    #[error("a limit of {limit} pieces leaves no room for the {specials} special pieces around a text")]
    LimitTooSmall {
        /// The limit that was asked for.
        limit: usize,
        /// How many special pieces the vocabulary puts around a text.
        specials: usize,
    },

    /// The settings of a tokenizer or of a sentence detector contradict each other.
    #[error("the largest {of} length {max} is below the smallest, {min}")]
    Lengths {
        /// What is measured: `token` or `sentence`.
        of: &'static str,
        /// The smallest length that is kept.
        min: usize,
        /// The largest length that is kept.
        max: usize,
    },

    /// A setting has a fixed list of values, and this is none of them.
    #[error("there is no {what} {name:?}; there are {known}")]
    UnknownName {
        /// What the setting is: `cleanup mode` or `custom bounds strategy`.
        what: &'static str,
        /// The name that was given.
        name: String,
        /// The names that there are, separated by commas.
        known: String,
    },

    /// A parameter has a value that it cannot have.
    #[error("{parameter} cannot be {value:?}: {reason}")]
    Parameter {
        /// The parameter, as Spark NLP spells it.
        parameter: &'static str,
        /// What was given.
        value: String,
        /// Why not.
        reason: String,
    },

    /// A regular expression is not one, or asks for something that cannot be had.
    #[error("the pattern {pattern:?} cannot be used: {reason}")]
    Pattern {
        /// The pattern as it was given.
        pattern: String,
        /// The construct that is at fault, and what is wrong with it.
        reason: String,
    },

    /// A regular expression tried more ways to match a text than it may.
    #[error("the pattern {pattern:?} was abandoned on a text of {length} bytes: {reason}")]
    PatternGaveUp {
        /// The pattern as it was given.
        pattern: String,
        /// The length of the text, in bytes.
        length: usize,
        /// Which limit was reached.
        reason: String,
    },

    /// A vocabulary cannot be made to work as asked.
    #[error("this vocabulary cannot tokenize texts this way: {reason}")]
    Encode {
        /// Why not.
        reason: String,
    },
}

impl TextError {
    /// What is wrong with the messages of the file `path`.
    pub(crate) fn wire(path: &Path, error: WireError) -> Self {
        match error {
            WireError::CutShort { offset, needed, left } => {
                Self::CutShort { path: path.to_owned(), offset, needed, left }
            }
            error => Self::Malformed { path: path.to_owned(), reason: error.to_string() },
        }
    }

    /// Refuses a largest length below the smallest.
    pub(crate) fn check_lengths(of: &'static str, min: usize, max: Option<usize>) -> Result<(), Self> {
        match max {
            Some(max) if max < min => Err(Self::Lengths { of, min, max }),
            _ => Ok(()),
        }
    }
}

/// The value of exactly this name.
pub(crate) fn named<T: Copy, const N: usize>(
    what: &'static str,
    name: &str,
    all: [T; N],
    name_of: impl Fn(T) -> &'static str,
) -> Result<T, TextError> {
    all.into_iter().find(|value| name_of(*value) == name).ok_or_else(|| TextError::UnknownName {
        what,
        name: name.to_owned(),
        known: all.map(name_of).join(", "),
    })
}
