//! A checkpoint as PyTorch writes it since 1.6: a zip archive of one pickle and one entry for each storage.
//!
//! ```text
//! archive/data.pkl       the state dictionary, its tensors as views of storages
//! archive/byteorder      "little" or "big" (since PyTorch 2.1)
//! archive/data/0 …       the storages' elements
//! ```
//!
//! `torch.save` stores entries as they are, so an entry that is compressed is refused and no archive can unpack to
//! more than its own size. Checksums of all entries that are used are checked.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::view::{Sharing, view};
use super::{MAX_PICKLE, pickle_error};
use crate::FormatError;
use crate::contents::Contents;
use crate::pickle::Pickles;

/// Adds the tensors of an archive of `size` bytes; `path` is what errors call it.
pub(super) fn read<R: Read + Seek>(
    contents: &mut Contents<'_>,
    reader: R,
    size: u64,
    path: &Path,
) -> Result<(), FormatError> {
    let archive = ZipArchive::new(reader).map_err(|source| FormatError::Zip { path: path.to_owned(), source })?;
    let mut archive = Archive { archive, path, budget: size, root: String::new() };
    archive.find_root()?;
    archive.check_byte_order()?;

    let pickle = archive.read("data.pkl", MAX_PICKLE)?;
    let mut pickles = Pickles::new(&pickle);
    let state = pickles.load().map_err(pickle_error(path, &pickles))?;
    let tensors = pickles.state_dict(state).map_err(pickle_error(path, &pickles))?;
    let mut buffers: HashMap<&str, usize> = HashMap::new();
    let mut sharing = Sharing::default();
    for (name, tensor) in tensors {
        let key = tensor.storage.key;
        let buffer = match buffers.get(key) {
            Some(buffer) => *buffer,
            None => {
                let bytes = archive.read(&format!("data/{key}"), u64::MAX)?;
                sharing.add_storage(bytes.len());
                let buffer = contents.add_buffer(path, Cow::Owned(bytes));
                buffers.insert(key, buffer);
                buffer
            }
        };
        let bytes = contents.buffers.get(buffer).map_or(0, |buffer| buffer.bytes.len());
        let tensor = view(&tensor, buffer, 0..bytes, name, path)?;
        sharing.add_tensor(&tensor);
        contents.add(path, name, tensor)?;
    }
    sharing.check(path)
}

struct Archive<'p, R> {
    archive: ZipArchive<R>,
    path: &'p Path,
    /// Bytes that may still be read: entries that overlap cannot make more of an archive than it is.
    budget: u64,
    /// The folder that all entries are in, with its slash.
    root: String,
}

impl<R: Read + Seek> Archive<'_, R> {
    /// Finds the folder of `data.pkl`, which has the name that the file had when it was written.
    fn find_root(&mut self) -> Result<(), FormatError> {
        let root = self.archive.file_names().flatten().find_map(|name| {
            let root = name.strip_suffix("data.pkl")?;
            (root.is_empty() || root.ends_with('/')).then(|| root.to_owned())
        });
        self.root =
            root.ok_or_else(|| FormatError::MissingEntry { path: self.path.to_owned(), entry: "data.pkl".to_owned() })?;
        Ok(())
    }

    /// Refuses an archive that says it is big-endian; one that says nothing is little-endian.
    fn check_byte_order(&mut self) -> Result<(), FormatError> {
        let order = match self.read("byteorder", 16) {
            Ok(order) => order,
            Err(FormatError::MissingEntry { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        if order == b"little" {
            return Ok(());
        }
        let order = String::from_utf8_lossy(&order).into_owned();
        Err(FormatError::ByteOrder { path: self.path.to_owned(), order })
    }

    /// Reads an entry of at most `limit` bytes.
    fn read(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, FormatError> {
        let name = format!("{}{name}", self.root);
        let path = || PathBuf::from(format!("{}/{name}", self.path.display()));
        let mut entry = self.archive.by_name(&name).map_err(|source| match source {
            ZipError::FileNotFound => FormatError::MissingEntry { path: self.path.to_owned(), entry: name.clone() },
            source => FormatError::Zip { path: path(), source },
        })?;
        if entry.compression() != CompressionMethod::Stored || entry.encrypted() {
            return Err(FormatError::PackedEntry { path: self.path.to_owned(), entry: name });
        }
        let (size, limit) = (entry.size(), limit.min(self.budget));
        if size > limit {
            return Err(FormatError::TooLarge { path: path(), size, limit });
        }
        self.budget -= size;
        let mut bytes = Vec::new();
        // Reading to the end checks the checksum. The size is a claim, so the cap holds while reading, too.
        entry
            .by_ref()
            .take(size.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|source| FormatError::Io { path: path(), source })?;
        Ok(bytes)
    }
}
