//! Files of a model directory, read with their size capped first.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::FormatError;

fn io_error(path: &Path) -> impl Fn(std::io::Error) -> FormatError + '_ {
    move |source| FormatError::Io { path: path.to_owned(), source }
}

/// Opens a file that is not empty and has at most `limit` bytes; also gives its size in bytes.
pub(crate) fn open(path: &Path, limit: u64) -> Result<(File, u64), FormatError> {
    let file = File::open(path).map_err(io_error(path))?;
    let size = file.metadata().map_err(io_error(path))?.len();
    if size == 0 {
        return Err(FormatError::EmptyFile { path: path.to_owned() });
    }
    if size > limit {
        return Err(FormatError::TooLarge { path: path.to_owned(), size, limit });
    }
    Ok((file, size))
}

/// Reads a file that is not empty and has at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FormatError> {
    let (file, size) = open(path, limit)?;
    let mut bytes = Vec::new();
    let room = usize::try_from(size).unwrap_or(usize::MAX);
    bytes.try_reserve_exact(room).map_err(|error| io_error(path)(std::io::Error::other(error)))?;
    // The file may have grown since its size was asked for: the cap holds all the same.
    file.take(limit).read_to_end(&mut bytes).map_err(io_error(path))?;
    Ok(bytes)
}
