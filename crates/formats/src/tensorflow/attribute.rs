//! Attributes of TensorFlow's nodes, and the tensors among them.

use std::ops::Range;

use crate::element::Element;
use crate::wire::{self, Fields, Reason};

/// The most elements that are made of a tensor written as numbers, or as one number for all.
const MAX_TYPED: usize = 1 << 16;

/// The most axes of a tensor.
const MAX_RANK: usize = 32;

/// A `TensorProto`: numbers that stand in the file, or that were made from it.
pub(super) struct TensorProto {
    pub(super) element: Element,
    pub(super) shape: Vec<usize>,
    pub(super) numbers: Numbers,
}

pub(super) enum Numbers {
    /// Bytes of the file.
    Stored(Range<usize>),
    /// Bytes that were written one by one, or once for all elements.
    Made(Vec<u8>),
    /// Of a type or a size that is of no use here.
    Unused,
}

impl TensorProto {
    pub(super) fn read(file: &[u8], range: &Range<usize>) -> Result<Self, Reason> {
        let (mut kind, mut sizes, mut content) = (0, Vec::new(), None);
        let mut made: Vec<u8> = Vec::new();
        let mut fields = Fields::within(file, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, wire::Value::Varint(found)) => kind = found,
                (2, wire::Value::Bytes(range)) => sizes = shape(file, &range)?,
                (4, wire::Value::Bytes(range)) => content = Some(range),
                (5, wire::Value::Fixed32(bits)) => made.extend(bits.to_le_bytes()),
                (6, wire::Value::Fixed64(bits)) => made.extend(bits.to_le_bytes()),
                (5 | 6, wire::Value::Bytes(range)) => {
                    made.extend_from_slice(file.get(range).unwrap_or_default());
                }
                (7 | 10 | 13, wire::Value::Varint(value)) => push(&mut made, kind, value),
                (7 | 10 | 13, wire::Value::Bytes(range)) => {
                    let mut packed = Fields::within(file, &range);
                    while let Some(value) = packed.next_packed()? {
                        push(&mut made, kind, value);
                    }
                }
                _ => {}
            }
        }
        let element = element(kind);
        let shape: Option<Vec<usize>> = sizes.iter().map(|size| usize::try_from(*size).ok()).collect();
        let elements =
            shape.as_ref().and_then(|shape| shape.iter().try_fold(1_usize, |all, size| all.checked_mul(*size)));
        let size = element.size();
        let numbers = match (elements, content) {
            (Some(elements), Some(range)) if elements.checked_mul(size) == Some(range.len()) => Numbers::Stored(range),
            (Some(elements), None) if elements <= MAX_TYPED && !made.is_empty() && made.len() <= elements * size => {
                // The last number stands for all that are not written.
                let last = made.get(made.len().saturating_sub(size)..).unwrap_or_default().to_vec();
                while made.len() < elements * size {
                    made.extend_from_slice(&last);
                }
                made.truncate(elements * size);
                Numbers::Made(made)
            }
            _ => Numbers::Unused,
        };
        Ok(Self { element, shape: shape.unwrap_or_default(), numbers })
    }
}

/// Adds a number that is kept as a varint; halves are kept so by their bits.
fn push(made: &mut Vec<u8>, kind: u64, value: u64) {
    made.extend_from_slice(value.to_le_bytes().get(..element(kind).size()).unwrap_or_default());
}

/// The type of a tensor by its number in `DataType`.
pub(super) fn element(kind: u64) -> Element {
    match kind {
        1 => Element::F32,
        2 => Element::F64,
        3 => Element::Other("I32", 4),
        4 => Element::Other("U8", 1),
        5 => Element::Other("I16", 2),
        6 => Element::Other("I8", 1),
        9 => Element::Other("I64", 8),
        10 => Element::Other("BOOL", 1),
        14 => Element::Bf16,
        17 => Element::Other("U16", 2),
        19 => Element::F16,
        22 => Element::Other("U32", 4),
        23 => Element::Other("U64", 8),
        _ => Element::Other("another type", 1),
    }
}

/// The sizes of a `TensorShapeProto`.
pub(super) fn shape(file: &[u8], range: &Range<usize>) -> Result<Vec<u64>, Reason> {
    let mut sizes = Vec::new();
    let mut fields = Fields::within(file, range);
    while let Some((number, value)) = fields.next()? {
        if let (2, wire::Value::Bytes(range)) = (number, value) {
            let mut size = 0;
            let mut fields = Fields::within(file, &range);
            while let Some((number, value)) = fields.next()? {
                if let (1, wire::Value::Varint(found)) = (number, value) {
                    size = found;
                }
            }
            sizes.push(size);
            if sizes.len() > MAX_RANK {
                return Err(format!("a tensor has more than {MAX_RANK} axes"));
            }
        }
    }
    Ok(sizes)
}
