//! `pytorch_model.bin` as `torch.save` writes it: a zip archive, or before PyTorch 1.6 a row of pickles.

mod legacy;
mod view;
mod zip;

use std::io::{Read, Seek};
use std::path::Path;

use super::contents::Contents;
use super::pickle::{PickleError, Pickles};
use crate::FormatError;

/// The largest pickle that is read, in bytes; a tensor takes about 150.
const MAX_PICKLE: u64 = 4 << 20;

/// How a pickle that is in no archive begins.
const PICKLE: u8 = 0x80;

/// Adds the tensors of a checkpoint of `size` bytes; `path` is what errors call it. Its pickles are interpreted by an
/// allow-list, never executed.
///
/// # Errors
/// Every way for the checkpoint, its pickles and its tensors to be unsound; [`FormatError::Pickle`] names a global that
/// a checkpoint has no business with.
pub fn read<R: Read + Seek>(
    contents: &mut Contents<'_>,
    mut reader: R,
    size: u64,
    path: &Path,
) -> Result<(), FormatError> {
    let mut first = Vec::new();
    let io = |source| FormatError::Io { path: path.to_owned(), source };
    reader.by_ref().take(1).read_to_end(&mut first).map_err(io)?;
    reader.rewind().map_err(io)?;
    match first.as_slice() {
        [] => Err(FormatError::EmptyFile { path: path.to_owned() }),
        [PICKLE, ..] => legacy::read(contents, reader, size, path),
        _ => zip::read(contents, reader, size, path),
    }
}

/// The error of a file whose pickles are wrong where the machine stands.
fn pickle_error<'p>(path: &'p Path, pickles: &Pickles<'_>) -> impl FnOnce(PickleError) -> FormatError + 'p {
    let offset = pickles.offset();
    move |source| FormatError::Pickle { path: path.to_owned(), offset, source }
}
