//! Tensors of an ONNX file, over its bytes or over those of a file beside it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use super::FORM;
use crate::FormatError;
use crate::MAX_WEIGHTS;
use crate::contents::{Contents, StoredTensor};
use crate::element::Element;
use crate::folder::Folder;
use crate::wire::{self, Fields, Reason, text};

/// The most axes of a tensor.
const MAX_RANK: usize = 32;

/// The most numbers that are kept otherwise than as bytes; weights never are so many.
const MAX_TYPED: usize = 1 << 26;

pub(super) struct TensorReader<'r> {
    pub(super) folder: &'r Folder,
    pub(super) path: &'r Path,
    pub(super) file: &'r [u8],
    /// The first buffer is the file's.
    pub(super) contents: &'r mut Contents<'static>,
    /// Buffers of files beside it, by name.
    pub(super) external: HashMap<String, usize>,
}

pub(super) struct NamedTensor<'r> {
    pub(super) name: &'r str,
    pub(super) stored: StoredTensor,
}

/// A tensor as it stands in the file.
#[derive(Default)]
struct Raw<'r> {
    name: &'r str,
    shape: Vec<u64>,
    kind: u64,
    /// Its bytes in the file.
    raw: Option<Range<usize>>,
    /// Its numbers as bytes, where they are kept one by one or packed.
    typed: Vec<u8>,
    external: bool,
    location: &'r str,
    offset: u64,
    length: Option<u64>,
}

impl<'r> TensorReader<'r> {
    /// Reads a tensor; its numbers stay where they are.
    pub(super) fn read(&mut self, range: &Range<usize>) -> Result<NamedTensor<'r>, FormatError> {
        let malformed = |fault| FormatError::Malformed { path: self.path.to_owned(), form: FORM, fault };
        let raw = self.raw(range).map_err(malformed)?;
        let element = element(raw.kind);
        let wrong = |fault: &str| malformed(format!("the tensor {:?} {fault}", raw.name));
        let shape: Option<Vec<usize>> = raw.shape.iter().map(|size| usize::try_from(*size).ok()).collect();
        let shape = shape.ok_or_else(|| wrong("has a size that is no number of elements"))?;
        let elements = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        let needed = elements.and_then(|elements| elements.checked_mul(element.size()));
        let needed = needed.ok_or_else(|| wrong("has more elements than can be"))?;
        let name = raw.name;
        let (buffer, found) = if raw.external {
            self.external(&raw)?
        } else if let Some(range) = raw.raw {
            (0, range)
        } else {
            let end = raw.typed.len();
            (self.contents.add_buffer(self.path, Cow::Owned(raw.typed)), 0..end)
        };
        // Types that no weight has may be packed in ways of their own.
        if found.len() != needed && !matches!(element, Element::Other("another type", _)) {
            return Err(FormatError::TruncatedTensor {
                path: self.contents.buffers.get(buffer).map_or(self.path, |buffer| &buffer.path).to_owned(),
                tensor: name.to_owned(),
                expected: needed as u64,
                found: found.len() as u64,
            });
        }
        Ok(NamedTensor { name, stored: StoredTensor { buffer, element, shape, bytes: found, strides: None } })
    }

    /// A constant that is no tensor in the file.
    pub(super) fn floats(&mut self, numbers: &[f32], shape: Vec<usize>) -> StoredTensor {
        self.made(Element::F32, numbers.iter().flat_map(|number| number.to_le_bytes()).collect(), shape)
    }

    /// A constant of whole numbers that is no tensor in the file.
    pub(super) fn whole(&mut self, numbers: &[i64], shape: Vec<usize>) -> StoredTensor {
        self.made(Element::Other("I64", 8), numbers.iter().flat_map(|number| number.to_le_bytes()).collect(), shape)
    }

    fn made(&mut self, element: Element, bytes: Vec<u8>, shape: Vec<usize>) -> StoredTensor {
        let end = bytes.len();
        let buffer = self.contents.add_buffer(self.path, Cow::Owned(bytes));
        StoredTensor { buffer, element, shape, bytes: 0..end, strides: None }
    }

    fn raw(&self, range: &Range<usize>) -> Result<Raw<'r>, Reason> {
        let mut raw = Raw::default();
        let mut fields = Fields::within(self.file, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, wire::Value::Varint(size)) => raw.shape.push(size),
                (1, wire::Value::Bytes(range)) => {
                    let mut packed = Fields::within(self.file, &range);
                    while let Some(size) = packed.next_packed()? {
                        raw.shape.push(size);
                        if raw.shape.len() > MAX_RANK {
                            break;
                        }
                    }
                }
                (2, wire::Value::Varint(kind)) => raw.kind = kind,
                (4, wire::Value::Fixed32(bits)) => raw.typed.extend(bits.to_le_bytes()),
                (10, wire::Value::Fixed64(bits)) => raw.typed.extend(bits.to_le_bytes()),
                // Packed floats and doubles are their bytes end to end, too.
                (4 | 10, wire::Value::Bytes(range)) => raw.raw = Some(range),
                (5 | 7, wire::Value::Varint(value)) => typed(&mut raw, number, value),
                (5 | 7, wire::Value::Bytes(range)) => {
                    let mut packed = Fields::within(self.file, &range);
                    while let Some(value) = packed.next_packed()? {
                        typed(&mut raw, number, value);
                    }
                }
                (8, wire::Value::Bytes(range)) => raw.name = text(self.file, &range)?,
                (9, wire::Value::Bytes(range)) => raw.raw = Some(range),
                (13, wire::Value::Bytes(range)) => self.external_entry(&range, &mut raw)?,
                (14, wire::Value::Varint(location)) => raw.external = location == 1,
                _ => {}
            }
            if raw.shape.len() > MAX_RANK {
                return Err(format!("a tensor has more than {MAX_RANK} axes"));
            }
            if raw.typed.len() > MAX_TYPED {
                return Err(format!("the tensor {:?} has too many numbers that are not kept as bytes", raw.name));
            }
        }
        Ok(raw)
    }

    /// A key and its value of what says where the bytes of a tensor are.
    fn external_entry(&self, range: &Range<usize>, raw: &mut Raw<'r>) -> Result<(), Reason> {
        let (mut key, mut value) = ("", "");
        let mut fields = Fields::within(self.file, range);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, wire::Value::Bytes(range)) => key = text(self.file, &range)?,
                (2, wire::Value::Bytes(range)) => value = text(self.file, &range)?,
                _ => {}
            }
        }
        let number = || value.parse().map_err(|_| format!("`{key}` of a tensor's data is {value:?}, no number"));
        match key {
            "location" => raw.location = value,
            "offset" => raw.offset = number()?,
            "length" => raw.length = Some(number()?),
            _ => {}
        }
        Ok(())
    }

    /// The buffer and the bytes of a tensor in a file beside the model's.
    fn external(&mut self, raw: &Raw<'r>) -> Result<(usize, Range<usize>), FormatError> {
        let malformed = |fault| FormatError::Malformed { path: self.path.to_owned(), form: FORM, fault };
        // Exporters write a file name, with or without `./` before it.
        let name = raw.location.strip_prefix("./").unwrap_or(raw.location);
        if !crate::place::is_inside(name) {
            let fault = format!("the data of {:?} is in {name:?}, which is outside its folder", raw.name);
            return Err(malformed(fault));
        }
        let path = self.folder.path_of(name);
        let buffer = match self.external.get(name) {
            Some(buffer) => *buffer,
            None => {
                let bytes = self.folder.read(name, MAX_WEIGHTS)?;
                let bytes = bytes.ok_or_else(|| FormatError::MissingFile { path: path.clone() })?;
                let buffer = self.contents.add_buffer(&path, Cow::Owned(bytes));
                self.external.insert(name.to_owned(), buffer);
                buffer
            }
        };
        let size = self.contents.buffers.get(buffer).map_or(0, |buffer| buffer.bytes.len());
        let start = usize::try_from(raw.offset).ok().filter(|start| *start <= size);
        let end = match (start, raw.length) {
            (Some(start), Some(length)) => usize::try_from(length).ok().and_then(|length| start.checked_add(length)),
            (start, None) => start.map(|_| size),
            _ => None,
        };
        match (start, end) {
            (Some(start), Some(end)) if end <= size => Ok((buffer, start..end)),
            _ => Err(FormatError::TruncatedTensor {
                path,
                tensor: raw.name.to_owned(),
                expected: raw.offset.saturating_add(raw.length.unwrap_or(0)),
                found: size as u64,
            }),
        }
    }
}

/// Adds a number that is kept as a varint. Halves are kept so by their bits.
fn typed(raw: &mut Raw<'_>, field: u64, value: u64) {
    let bytes = value.to_le_bytes();
    let size = if field == 7 { 8 } else { element(raw.kind).size().min(4) };
    raw.typed.extend_from_slice(bytes.get(..size).unwrap_or_default());
}

/// The type of a tensor by its number in `TensorProto.DataType`.
fn element(kind: u64) -> Element {
    match kind {
        1 => Element::F32,
        2 => Element::Other("U8", 1),
        3 => Element::Other("I8", 1),
        4 => Element::Other("U16", 2),
        5 => Element::Other("I16", 2),
        6 => Element::Other("I32", 4),
        7 => Element::Other("I64", 8),
        9 => Element::Other("BOOL", 1),
        10 => Element::F16,
        11 => Element::F64,
        12 => Element::Other("U32", 4),
        13 => Element::Other("U64", 8),
        16 => Element::Bf16,
        _ => Element::Other("another type", 1),
    }
}
