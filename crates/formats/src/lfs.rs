//! Pointers of Git Large File Storage: what is in the place of a file when a clone was made without it.

use std::path::Path;

use crate::FormatError;

/// How a pointer begins.
pub(crate) const POINTER: &[u8] = b"version https://git-lfs";

/// Refuses a file that begins as a pointer does; `path` is what errors call it.
pub(crate) fn refuse(beginning: &[u8], path: &Path) -> Result<(), FormatError> {
    if beginning.starts_with(POINTER) {
        return Err(FormatError::LfsPointer { path: path.to_owned() });
    }
    Ok(())
}
