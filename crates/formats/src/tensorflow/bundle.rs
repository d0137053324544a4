//! A checkpoint of TensorFlow: an index of tensors, and their bytes in one file or several.
//!
//! `variables.index` is a table ([`super::table`]) from names to where a tensor is, under the empty name how many files
//! there are. `variables.data-00000-of-00001` and so on hold the bytes, with a CRC-32C for each tensor in the index.
//!
//! Format: <https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto>.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use super::attribute::{element, shape};
use super::table;
use crate::FormatError;
use crate::MAX_WEIGHTS;
use crate::contents::{Contents, StoredTensor};
use crate::element::Element;
use crate::folder::Folder;
use crate::wire::{self, Fields, Reason};

/// The largest index that is read, in bytes.
const MAX_INDEX: u64 = 64 << 20;

/// The most files that a checkpoint is spread over.
const MAX_SHARDS: u64 = 4096;

const FORM: &str = "a valid index of a TensorFlow checkpoint";

/// `DT_STRING`
const STRING: u64 = 7;

/// The tensors of a checkpoint by the names it has them under.
#[derive(Default)]
pub(super) struct Bundle {
    pub(super) tensors: BTreeMap<String, StoredTensor>,
    /// What the objects of the model are, if it says so: a message in a tensor of its own.
    pub(super) objects: Option<Vec<u8>>,
}

/// Where a tensor is.
#[derive(Default)]
struct Entry {
    kind: u64,
    shape: Vec<u64>,
    shard: u64,
    offset: u64,
    size: u64,
    checksum: u32,
    sliced: bool,
}

impl Bundle {
    /// Reads the checkpoint of that prefix in a folder.
    pub(super) fn read(folder: &Folder, prefix: &str, contents: &mut Contents<'static>) -> Result<Self, FormatError> {
        let name = format!("{prefix}.index");
        let path = folder.path_of(&name);
        let malformed = |fault| FormatError::Malformed { path: path.clone(), form: FORM, fault };
        let bytes = folder.read(&name, MAX_INDEX)?.ok_or_else(|| FormatError::MissingFile { path: path.clone() })?;
        let entries = table::read(&bytes).map_err(malformed)?;
        let mut entries = entries.into_iter();
        let header = entries.next().filter(|(key, _)| key.is_empty());
        let (_, header) = header.ok_or_else(|| malformed("it has no header".to_owned()))?;
        let shards = shards(&header).map_err(malformed)?;

        let mut buffers = Vec::new();
        for shard in 0..shards {
            let name = format!("{prefix}.data-{shard:05}-of-{shards:05}");
            let path = folder.path_of(&name);
            let bytes = folder.read(&name, MAX_WEIGHTS)?.ok_or(FormatError::MissingFile { path: path.clone() })?;
            buffers.push(contents.add_buffer(&path, Cow::Owned(bytes)));
        }
        let mut bundle = Self::default();
        let stored: u64 = buffers
            .iter()
            .filter_map(|buffer| contents.buffers.get(*buffer))
            .map(|buffer| buffer.bytes.len() as u64)
            .sum();
        let mut used = 0_u64;
        for (key, value) in entries {
            let name = String::from_utf8(key).map_err(|_| malformed("a tensor's name is not UTF-8".to_owned()))?;
            let entry = Entry::read(&value).map_err(malformed)?;
            used = used.saturating_add(entry.size);
            if used > stored {
                return Err(malformed(format!("its tensors take more bytes than the {stored} of its files")));
            }
            if entry.sliced {
                return Err(malformed(format!("the tensor {name:?} is cut into slices")));
            }
            let buffer = usize::try_from(entry.shard).ok().and_then(|shard| buffers.get(shard)).copied();
            let buffer = buffer.ok_or_else(|| malformed(format!("the tensor {name:?} is in no file")))?;
            bundle.add(&name, &entry, buffer, contents).map_err(|fault| match fault {
                Wrong::Index(fault) => malformed(fault),
                Wrong::Other(error) => *error,
            })?;
        }
        Ok(bundle)
    }

    fn add(&mut self, name: &str, entry: &Entry, place: usize, contents: &Contents<'static>) -> Result<(), Wrong> {
        let Some(buffer) = contents.buffers.get(place) else { return Ok(()) };
        let start = usize::try_from(entry.offset).ok();
        let end = start.zip(usize::try_from(entry.size).ok()).and_then(|(start, size)| start.checked_add(size));
        let range = start.zip(end).map(|(start, end)| start..end);
        let Some((range, bytes)) = range.and_then(|range| Some((range.clone(), buffer.bytes.get(range)?))) else {
            return Err(cut(&buffer.path, name, entry.size, (buffer.bytes.len() as u64).saturating_sub(entry.offset)));
        };
        if entry.kind == STRING {
            if name == "_CHECKPOINTABLE_OBJECT_GRAPH" {
                self.objects = Some(only_text(bytes).map_err(|fault| Wrong::Index(format!("in {name} {fault}")))?);
            }
            return Ok(());
        }
        if entry.checksum != table::masked_checksum(&[bytes]) {
            let fault = format!("the tensor {name:?} does not have its checksum in {}", buffer.path.display());
            return Err(Wrong::Index(fault));
        }
        let element = element(entry.kind);
        let shape: Option<Vec<usize>> = entry.shape.iter().map(|size| usize::try_from(*size).ok()).collect();
        let needed = shape
            .as_ref()
            .and_then(|shape| shape.iter().try_fold(element.size(), |product, size| product.checked_mul(*size)));
        match (shape, needed) {
            (Some(shape), Some(needed)) if needed == bytes.len() => {
                let tensor = StoredTensor { buffer: place, element, shape, bytes: range, strides: None };
                self.tensors.insert(name.to_owned(), tensor);
                Ok(())
            }
            // A type of which nothing is known has elements of some size.
            _ if matches!(element, Element::Other("another type", _)) => Ok(()),
            (_, needed) => Err(cut(&buffer.path, name, needed.unwrap_or(usize::MAX) as u64, bytes.len() as u64)),
        }
    }
}

/// What is wrong with a tensor.
enum Wrong {
    Index(Reason),
    Other(Box<FormatError>),
}

fn cut(path: &Path, tensor: &str, expected: u64, found: u64) -> Wrong {
    let (path, tensor) = (path.to_owned(), tensor.to_owned());
    Wrong::Other(Box::new(FormatError::TruncatedTensor { path, tensor, expected, found }))
}

/// The number of files, from the header.
fn shards(header: &[u8]) -> Result<u64, Reason> {
    let mut shards = 0;
    let mut fields = Fields::new(header);
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, wire::Value::Varint(number)) => shards = number,
            (2, wire::Value::Varint(order)) if order != 0 => {
                return Err("it is of numbers in big byte order, only little is read".to_owned());
            }
            _ => {}
        }
    }
    if (1..=MAX_SHARDS).contains(&shards) { Ok(shards) } else { Err(format!("it is of {shards} files")) }
}

impl Entry {
    fn read(bytes: &[u8]) -> Result<Self, Reason> {
        let mut entry = Self::default();
        let mut fields = Fields::new(bytes);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, wire::Value::Varint(kind)) => entry.kind = kind,
                (2, wire::Value::Bytes(range)) => entry.shape = shape(bytes, &range)?,
                (3, wire::Value::Varint(shard)) => entry.shard = shard,
                (4, wire::Value::Varint(offset)) => entry.offset = offset,
                (5, wire::Value::Varint(size)) => entry.size = size,
                (6, wire::Value::Fixed32(sum)) => entry.checksum = sum,
                (7, wire::Value::Bytes(_)) => entry.sliced = true,
                _ => {}
            }
        }
        Ok(entry)
    }
}

/// The one string of a tensor of strings: its length, the checksum of that, its bytes.
fn only_text(bytes: &[u8]) -> Result<Vec<u8>, Reason> {
    let mut length = Fields::new(bytes);
    let size = length.next_packed()?.unwrap_or(0);
    let head = (1..=10).find(|head| bytes.get(head - 1).is_some_and(|byte| *byte < 0x80)).unwrap_or(0);
    let text = bytes.get(head + 4..).filter(|text| text.len() as u64 == size);
    text.map(<[u8]>::to_vec).ok_or_else(|| "a text has another length than it claims".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::table::tests::table_of;
    use super::*;

    /// The message of a tensor of two f32 in a file.
    fn entry(shard: u8, offset: u8, data: &[u8]) -> Vec<u8> {
        let mut message =
            vec![0x08, 1, 0x12, 4, 0x12, 2, 0x08, 2, 0x18, shard, 0x20, offset, 0x28, data.len() as u8, 0x35];
        message.extend(table::masked_checksum(&[data]).to_le_bytes());
        message
    }

    fn floats(numbers: [f32; 2]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// Two files of a tensor each, under an index with the given header.
    fn read(header: &[u8], entries: [Vec<u8>; 2]) -> Result<(Bundle, Contents<'static>), String> {
        let directory = tempfile::tempdir().unwrap();
        let index = table_of(&[(b"", header), (b"a", &entries[0]), (b"b", &entries[1])]);
        let write = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
        write("v.index", &index);
        write("v.data-00000-of-00002", &floats([1.0, 2.0]));
        write("v.data-00001-of-00002", &[&[0; 4][..], &floats([3.0, 4.0])].concat());
        let mut contents = Contents::default();
        let bundle = Bundle::read(&Folder::open(directory.path()).unwrap(), "v", &mut contents);
        let plain = |error: FormatError| error.to_string().replace(directory.path().to_str().unwrap(), "DIR");
        bundle.map(|bundle| (bundle, contents)).map_err(plain)
    }

    #[test]
    fn tensors_are_read_from_several_files() {
        let entries = [entry(0, 0, &floats([1.0, 2.0])), entry(1, 4, &floats([3.0, 4.0]))];
        let (bundle, contents) = read(&[0x08, 2], entries.clone()).unwrap();
        assert_eq!(contents.values(&bundle.tensors["a"]), Some(vec![1.0, 2.0]));
        assert_eq!(contents.values(&bundle.tensors["b"]), Some(vec![3.0, 4.0]));

        let [sound, other] = entries;
        let index = "DIR/v.index is not a valid index of a TensorFlow checkpoint: ";
        for (header, entries, fault) in [
            (&[0x08, 2, 0x10, 1][..], [&sound, &other], "it is of numbers in big byte order, only little is read"),
            (&[0x08, 0], [&sound, &other], "it is of 0 files"),
            (&[0x08, 2], [&sound, &entry(2, 0, &[0; 8])], "the tensor \"b\" is in no file"),
            (&[0x08, 2], [&sound, &entry(1, 0, &[1; 8])], "the tensor \"b\" does not have its checksum in "),
            (&[0x08, 2], [&sound, &entry(1, 0, &[0; 13])], "its tensors take more bytes than the 20 of its files"),
        ] {
            let error = read(header, entries.map(Clone::clone)).err().unwrap_or_default();
            assert!(error.starts_with(&format!("{index}{fault}")), "{error}");
        }
        let error = read(&[0x08, 3], [sound.clone(), other]).err().unwrap_or_default();
        assert_eq!(error, "DIR/v.data-00000-of-00003 is missing");
        let error = read(&[0x08, 2], [sound, entry(1, 8, &[0; 8])]).err().unwrap_or_default();
        let cut = "the tensor `b` in DIR/v.data-00001-of-00002 is truncated: it needs 8 bytes but has 4";
        assert_eq!(error, cut);
    }
}
