//! `pytorch_model.bin` as PyTorch writes it since 1.6: a zip archive of one pickle and one entry for each storage.
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

use super::contents::{Contents, MAX_SHARING, StoredTensor};
use super::pickle::{self, StorageRef, TensorRef};
use crate::FormatError;

/// The largest pickle that is read, in bytes; a tensor takes about 150.
const MAX_PICKLE: u64 = 4 << 20;

/// How a pickle outside an archive begins: PyTorch's format before 1.6.
const PICKLE_MAGIC: u8 = 0x80;

/// Adds the tensors of an archive of `size` bytes; `path` is what errors call it. Its pickle is interpreted by an
/// allow-list, never executed.
///
/// # Errors
/// Every way for the archive, its pickle and its tensors to be unsound; [`FormatError::Pickle`] names a global that a
/// checkpoint has no business with.
pub fn read<R: Read + Seek>(
    contents: &mut Contents<'_>,
    mut reader: R,
    size: u64,
    path: &Path,
) -> Result<(), FormatError> {
    let mut magic = Vec::new();
    let io = |source| FormatError::Io { path: path.to_owned(), source };
    reader.by_ref().take(7).read_to_end(&mut magic).map_err(io)?;
    reader.rewind().map_err(io)?;
    match magic.as_slice() {
        [] => return Err(FormatError::EmptyFile { path: path.to_owned() }),
        [PICKLE_MAGIC, ..] => return Err(FormatError::LegacyCheckpoint { path: path.to_owned() }),
        b"version" => return Err(FormatError::LfsPointer { path: path.to_owned() }),
        _ => {}
    }
    let archive = ZipArchive::new(reader).map_err(|source| FormatError::Zip { path: path.to_owned(), source })?;
    let mut archive = Archive { archive, path, budget: size, root: String::new() };
    archive.find_root()?;
    archive.check_byte_order()?;

    let pickle = archive.read("data.pkl", MAX_PICKLE)?;
    let tensors = pickle::state_dict(&pickle).map_err(|(offset, source)| FormatError::Pickle {
        path: path.to_owned(),
        offset,
        source,
    })?;
    let mut buffers: HashMap<&str, usize> = HashMap::new();
    let (mut stored, mut viewed) = (0_u64, 0_u64);
    for (name, tensor) in tensors {
        let key = tensor.storage.key;
        let buffer = match buffers.get(key) {
            Some(buffer) => *buffer,
            None => {
                let bytes = archive.read(&format!("data/{key}"), u64::MAX)?;
                stored = stored.saturating_add(bytes.len() as u64);
                let buffer = contents.add_buffer(path, Cow::Owned(bytes));
                buffers.insert(key, buffer);
                buffer
            }
        };
        let bytes = contents.buffers.get(buffer).map_or(0, |buffer| buffer.bytes.len());
        let tensor = view(&tensor, buffer, bytes, name, path)?;
        viewed = viewed.saturating_add(tensor.cost());
        contents.add(path, name, tensor)?;
    }
    if viewed > stored.saturating_mul(MAX_SHARING) {
        return Err(FormatError::SharedStorage { path: path.to_owned(), viewed, stored });
    }
    Ok(())
}

/// A rebuilt tensor as a view of its storage's `bytes`, with every claim of it checked.
fn view(
    tensor: &TensorRef<'_>,
    buffer: usize,
    bytes: usize,
    name: &str,
    path: &Path,
) -> Result<StoredTensor, FormatError> {
    let TensorRef { storage: StorageRef { element, elements: claimed, .. }, offset, shape, strides } = tensor;
    let size = element.size();
    let cut = |expected: usize| FormatError::TruncatedTensor {
        path: path.to_owned(),
        tensor: name.to_owned(),
        expected: (expected as u64).saturating_mul(size as u64),
        found: bytes as u64,
    };
    // What the storage has, by its bytes and by its own claim, bounds everything after this.
    let held = bytes / size;
    if *claimed > held {
        return Err(cut(*claimed));
    }
    let repeated =
        || FormatError::RepeatedElements { path: path.to_owned(), tensor: name.to_owned(), shape: shape.clone() };
    let elements = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
    let elements = elements.filter(|elements| *elements <= *claimed).ok_or_else(repeated)?;
    if strides.len() != shape.len() {
        return Err(repeated());
    }
    let last = if elements == 0 { Some(0) } else { span(shape, strides) };
    let end = last.and_then(|span| span.checked_add(*offset)).filter(|end| end <= claimed);
    let (Some(span), Some(end)) = (last, end) else { return Err(cut(last.unwrap_or(usize::MAX))) };
    Ok(StoredTensor {
        buffer,
        element: *element,
        shape: shape.clone(),
        bytes: (end - span) * size..end * size,
        strides: (!is_contiguous(shape, strides)).then(|| strides.clone()),
    })
}

/// Elements from the first to the last one of a tensor that is not empty, both included.
fn span(shape: &[usize], strides: &[usize]) -> Option<usize> {
    shape
        .iter()
        .zip(strides)
        .try_fold(1_usize, |span, (size, stride)| size.checked_sub(1)?.checked_mul(*stride)?.checked_add(span))
}

/// Whether elements lie end to end in row-major order. The stride of an axis of one element does not matter.
fn is_contiguous(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = Some(1_usize);
    shape.iter().zip(strides).rev().all(|(size, stride)| {
        let fits = *size == 1 || Some(*stride) == expected;
        // The sizes of a tensor without elements are bounded by nothing else.
        expected = expected.and_then(|expected| expected.checked_mul(*size));
        fits
    })
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
