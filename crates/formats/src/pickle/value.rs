//! The values that a pickle makes, and the flat lists that they live in.

use super::{Global, PickleError};
use crate::element::Element;

/// The most values that one pickle may make. A checkpoint makes about twenty for each tensor.
const MAX_VALUES: usize = 1 << 20;

/// The most tensors that one pickle may rebuild, and the most that its state dictionary may list. A tensor takes about
/// 150 bytes of the four megabytes that a pickle may have; recalling one takes two, and makes more of it.
const MAX_TENSORS: usize = 1 << 15;

/// The most axes of a tensor. Weights have two; buffers beside them seldom more than four.
const MAX_DIMENSIONS: usize = 8;

/// A value on the machine's stack; larger ones by their place in the [`Heap`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Int(i64),
    /// A number of more than 64 bits: its bytes in two's complement, least significant first.
    Wide(&'a [u8]),
    Bool(bool),
    Text(&'a str),
    Global(Global),
    Tuple(usize),
    List(usize),
    Dict(usize),
    Storage(usize),
    Tensor(usize),
    /// Something whose content no tensor depends on: `None`, floats.
    Other,
}

/// A storage that a pickle refers to: elements that are elsewhere in the checkpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StorageRef<'a> {
    /// Its name; in an archive the last part of its entry's.
    pub(crate) key: &'a str,
    pub(crate) element: Element,
    /// Its elements, by its own claim.
    pub(crate) elements: usize,
}

/// A tensor that a pickle rebuilds: a view of a storage. No claim of it has been checked.
#[derive(Debug, Clone)]
pub(crate) struct TensorRef<'a> {
    pub(crate) storage: StorageRef<'a>,
    /// Elements before its first one.
    pub(crate) offset: usize,
    pub(crate) shape: Vec<usize>,
    /// Elements to step for each axis.
    pub(crate) strides: Vec<usize>,
}

/// The values that others refer to by place.
#[derive(Default)]
pub(crate) struct Heap<'a> {
    pub(crate) tuples: Vec<Vec<Value<'a>>>,
    pub(crate) lists: Vec<Vec<Value<'a>>>,
    pub(crate) dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    pub(crate) storages: Vec<StorageRef<'a>>,
    pub(crate) tensors: Vec<TensorRef<'a>>,
    made: usize,
}

impl<'a> Heap<'a> {
    /// Counts a value, and refuses one too many.
    pub(crate) fn count(&mut self) -> Result<(), PickleError> {
        self.made += 1;
        if self.made > MAX_VALUES { Err(PickleError::TooManyValues(MAX_VALUES)) } else { Ok(()) }
    }

    pub(crate) fn tuple(&mut self, items: Vec<Value<'a>>) -> Value<'a> {
        self.tuples.push(items);
        Value::Tuple(self.tuples.len() - 1)
    }

    pub(crate) fn list(&mut self) -> Value<'a> {
        self.lists.push(Vec::new());
        Value::List(self.lists.len() - 1)
    }

    pub(crate) fn dict(&mut self) -> Value<'a> {
        self.dicts.push(Vec::new());
        Value::Dict(self.dicts.len() - 1)
    }

    pub(crate) fn storage(&mut self, storage: StorageRef<'a>) -> Value<'a> {
        self.storages.push(storage);
        Value::Storage(self.storages.len() - 1)
    }

    pub(crate) fn tensor(&mut self, tensor: TensorRef<'a>) -> Result<Value<'a>, PickleError> {
        count_tensors(self.tensors.len() + 1)?;
        self.tensors.push(tensor);
        Ok(Value::Tensor(self.tensors.len() - 1))
    }

    /// The pairs of a dictionary.
    pub(crate) fn pairs(&self, value: Value<'a>) -> Option<&[(Value<'a>, Value<'a>)]> {
        match value {
            Value::Dict(place) => self.dicts.get(place).map(Vec::as_slice),
            _ => None,
        }
    }

    /// The items of a tuple.
    pub(crate) fn items(&self, value: Value<'a>) -> Result<&[Value<'a>], PickleError> {
        match value {
            Value::Tuple(place) => self.tuples.get(place).map(Vec::as_slice),
            _ => None,
        }
        .ok_or(PickleError::Unexpected("a tuple"))
    }

    /// The numbers of a tuple of sizes or strides. They are copied for each tensor, and a pickle may recall one tuple
    /// for every tensor, so a long tuple is refused.
    pub(crate) fn sizes(&self, value: Value<'a>) -> Result<Vec<usize>, PickleError> {
        let items = self.items(value)?;
        if items.len() > MAX_DIMENSIONS {
            return Err(PickleError::TooManyDimensions { found: items.len(), limit: MAX_DIMENSIONS });
        }
        items.iter().map(|item| item.size()).collect()
    }
}

/// Refuses so many tensors, if they are too many.
pub(crate) fn count_tensors(tensors: usize) -> Result<(), PickleError> {
    if tensors > MAX_TENSORS { Err(PickleError::TooManyTensors(MAX_TENSORS)) } else { Ok(()) }
}

impl Value<'_> {
    /// A number that is a size, an offset or a stride.
    pub(crate) fn size(self) -> Result<usize, PickleError> {
        match self {
            Self::Int(number) => usize::try_from(number).ok(),
            _ => None,
        }
        .ok_or(PickleError::Unexpected("a size"))
    }
}
