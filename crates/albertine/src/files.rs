//! What goes wrong when models and pipelines are written, as errors of the library.

use std::path::Path;

use albertine_model::{FormatError, ModelError};

use crate::Error;

/// Of a folder that is written whole.
pub(crate) fn write_error(error: FormatError) -> Error {
    match error {
        FormatError::Exists { path } => Error::Exists { path },
        FormatError::Write { path, source } => Error::Io { path, source },
        other => Error::Model(ModelError::from(other)),
    }
}

/// Of a file or folder at a path.
pub(crate) fn io(path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path: path.clone(), source }
}
