//! What can be wrong with a message.

use std::fmt;

/// Every error of this crate. Offsets are in bytes from the start of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireError {
    /// A message ends inside a field.
    CutShort {
        /// Where the contents of the field begin.
        offset: usize,
        /// How many bytes the field claims.
        needed: u64,
        /// How many bytes there are.
        left: usize,
    },
    /// A field is of a kind that there is not, or of one that is not read.
    Kind {
        /// Where the field begins.
        offset: usize,
        /// The number of the kind.
        kind: u64,
    },
    /// A number takes more bytes than 64 bits need.
    Endless {
        /// Where it begins.
        offset: usize,
    },
    /// A text is not UTF-8.
    NotUtf8 {
        /// Where it begins.
        offset: usize,
    },
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutShort { offset, needed, left } => {
                write!(f, "it is cut short: byte {offset} begins {needed} bytes and {left} are left")
            }
            Self::Kind { offset, kind } => write!(f, "byte {offset} begins a field of kind {kind}"),
            Self::Endless { offset } => write!(f, "the number at byte {offset} does not end"),
            Self::NotUtf8 { offset } => write!(f, "the text at byte {offset} is not UTF-8"),
        }
    }
}

impl std::error::Error for WireError {}

/// For readers that tell what is wrong with a file in words.
impl From<WireError> for String {
    fn from(error: WireError) -> Self {
        error.to_string()
    }
}
