//! A checkpoint as PyTorch wrote it before 1.6, and still does when asked to: a row of pickles, and behind them the
//! storages.
//!
//! ```text
//! pickle     a magic number
//! pickle     1001, the version of the format
//! pickle     {"protocol_version": 1001, "little_endian": True, "type_sizes": {…}}
//! pickle     the state dictionary, its tensors as views of storages
//! pickle     the keys of the storages
//! storages   in this order; each is its number of elements in eight bytes, and the elements
//! ```
//!
//! Source: `_legacy_save` and `_legacy_load` of PyTorch's `torch/serialization.py`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use super::view::{Sharing, view};
use super::{MAX_PICKLE, pickle_error};
use crate::FormatError;
use crate::contents::{Contents, StoredTensor};
use crate::pickle::{Pickles, Value};

/// The number in the first pickle, least significant byte first.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// The version of the format.
const VERSION: i64 = 1001;

/// Bytes of a storage's number of elements.
const COUNT: usize = size_of::<u64>();

/// Adds the tensors of a file of `size` bytes; `path` is what errors call it. It is read whole and tensors are views of
/// it, so that nothing can be larger than the file.
pub(super) fn read(contents: &mut Contents<'_>, reader: impl Read, size: u64, path: &Path) -> Result<(), FormatError> {
    let io = |source| FormatError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let room = usize::try_from(size).unwrap_or(usize::MAX);
    bytes.try_reserve_exact(room).map_err(|error| io(std::io::Error::other(error)))?;
    reader.take(size).read_to_end(&mut bytes).map_err(io)?;
    let tensors = tensors(&bytes, contents.buffers.len(), path)?;
    contents.add_buffer(path, Cow::Owned(bytes));
    tensors.into_iter().try_for_each(|(name, tensor)| contents.add(path, &name, tensor))
}

/// The tensors of a file as views of its bytes, which become the given buffer.
fn tensors(bytes: &[u8], buffer: usize, path: &Path) -> Result<Vec<(String, StoredTensor)>, FormatError> {
    let most = usize::try_from(MAX_PICKLE).unwrap_or(usize::MAX);
    let mut pickles = Pickles::new(bytes.get(..most).unwrap_or(bytes));
    check_head(&mut pickles, path)?;
    let state = pickles.load().map_err(pickle_error(path, &pickles))?;
    let tensors = pickles.state_dict(state).map_err(pickle_error(path, &pickles))?;
    let keys = pickles.load().map_err(pickle_error(path, &pickles))?;
    let keys = pickles.texts(keys).map_err(pickle_error(path, &pickles))?;
    let storages = storages(bytes, &pickles, &keys, path)?;

    let mut sharing = Sharing::default();
    storages.values().for_each(|bytes| sharing.add_storage(bytes.len()));
    let mut views = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let storage = storages.get(tensor.storage.key).cloned().ok_or_else(|| {
            malformed(
                path,
                format!("the tensor `{name}` is in the storage {}, which is not listed", tensor.storage.key),
            )
        })?;
        let view = view(&tensor, buffer, storage, name, path)?;
        sharing.add_tensor(&view);
        views.push((name.to_owned(), view));
    }
    sharing.check(path)?;
    Ok(views)
}

/// Reads what stands before the state dictionary, and refuses another format or byte order.
fn check_head(pickles: &mut Pickles<'_>, path: &Path) -> Result<(), FormatError> {
    if !matches!(pickles.load().map_err(pickle_error(path, pickles))?, Value::Wide(number) if number == MAGIC) {
        return Err(malformed(path, "it is a pickle of another kind".to_owned()));
    }
    if !matches!(pickles.load().map_err(pickle_error(path, pickles))?, Value::Int(VERSION)) {
        return Err(malformed(path, format!("its format is not of version {VERSION}")));
    }
    let system = pickles.load().map_err(pickle_error(path, pickles))?;
    match pickles.field(system, "little_endian") {
        Some(Value::Bool(true)) => Ok(()),
        Some(Value::Bool(false)) => Err(FormatError::ByteOrder { path: path.to_owned(), order: "big".to_owned() }),
        _ => Err(malformed(path, "it does not say its byte order".to_owned())),
    }
}

/// Where the elements of each storage lie. One that the end of the file cuts has what is there.
fn storages<'a>(
    bytes: &[u8],
    pickles: &Pickles<'a>,
    keys: &[&'a str],
    path: &Path,
) -> Result<HashMap<&'a str, Range<usize>>, FormatError> {
    let mut claimed = HashMap::new();
    for storage in pickles.storages() {
        let claim = (storage.element, storage.elements);
        if *claimed.entry(storage.key).or_insert(claim) != claim {
            return Err(malformed(path, format!("the storage {} has two types or sizes", storage.key)));
        }
    }
    let mut storages = HashMap::with_capacity(keys.len());
    let mut next = pickles.offset();
    for key in keys {
        let Some((element, elements)) = claimed.get(key) else {
            return Err(malformed(path, format!("the storage {key} is listed, and nothing refers to it")));
        };
        let count = bytes.get(next..).and_then(|rest| rest.first_chunk::<COUNT>());
        if let Some(count) = count.map(|count| u64::from_le_bytes(*count))
            && count != *elements as u64
        {
            return Err(malformed(path, format!("the storage {key} has {count} elements instead of {elements}")));
        }
        let start = next.saturating_add(COUNT).min(bytes.len());
        next = elements.saturating_mul(element.size()).saturating_add(start).min(bytes.len());
        if storages.insert(*key, start..next).is_some() {
            return Err(malformed(path, format!("the storage {key} is listed twice")));
        }
    }
    Ok(storages)
}

fn malformed(path: &Path, fault: String) -> FormatError {
    FormatError::Malformed { path: path.to_owned(), form: "a valid PyTorch checkpoint", fault }
}
