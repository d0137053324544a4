//! Names that stay in their folder, and bytes that are read from any place.

use std::io::{Read, Seek};
use std::path::{Component, Path};

/// Bytes that can be read from any place.
pub trait ReadSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadSeek for T {}

/// Whether a relative name stays inside the folder that it is looked up in, on every system.
pub(crate) fn is_inside(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(['\\', ':', '\0'])
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
        && Path::new(name).components().all(|component| matches!(component, Component::Normal(_)))
}
