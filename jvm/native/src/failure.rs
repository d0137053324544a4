//! What goes wrong, as Java is told.

use albertine::{Error, ErrorKind};

use crate::message::Writer;

/// Why a request has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// In the library.
    Library(Error),
    /// A request that is none: Java's half and this one are of different versions.
    Malformed(&'static str),
    /// What Java names is closed.
    Closed(&'static str),
    /// There is no memory for a request or an answer.
    OutOfMemory {
        /// What it has.
        bytes: usize,
    },
    /// A defect.
    Panic(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl Failure {
    /// The answer: the kind of the error and its message. `albertine.internal.Native` has the same numbers.
    pub(crate) fn answer(&self) -> Vec<u8> {
        let kind = match self {
            Self::Library(error) => match error.kind() {
                ErrorKind::ModelNotFound => 2,
                ErrorKind::Model => 3,
                ErrorKind::Hub => 4,
                ErrorKind::Pipeline => 5,
                ErrorKind::Column => 6,
                ErrorKind::Param => 7,
                ErrorKind::Row => 8,
                ErrorKind::Cancelled => 9,
                ErrorKind::Memory => 13,
                _ => 1,
            },
            Self::Closed(_) => 10,
            Self::Malformed(_) | Self::Panic(_) => 11,
            Self::OutOfMemory { .. } => 13,
        };
        let message = match self {
            Self::Library(error) => format!("{error}{}", error.remedy()),
            Self::Malformed(what) => format!("the native library did not understand {what}"),
            Self::Closed(what) => format!("the {what} is closed"),
            Self::OutOfMemory { bytes } => format!("there is no memory for {} MiB of rows", bytes.div_ceil(1 << 20)),
            Self::Panic(words) => format!("a defect of albertine, please report it: {words}"),
        };
        let mut writer = Writer::default();
        writer.byte(kind);
        writer.text(&message);
        writer.finish()
    }
}

/// What a panic says.
pub(crate) fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
}
