//! What a checkpoint holds: tensors over the bytes of its files, whatever its format.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::element::Element;
use crate::FormatError;

/// How many times over the tensors of a checkpoint may together be as large as its storages. Tied weights are views of
/// one storage, two or three of them; each becomes numbers of its own when a model is built, so that a small file
/// without this limit could ask for any amount of memory.
pub const MAX_SHARING: u64 = 8;

/// Bytes of a checkpoint, and the file that they came from.
#[derive(Debug)]
pub struct Buffer<'a> {
    /// The file, or the name that the caller gave the bytes.
    pub path: PathBuf,
    /// All of its bytes.
    pub bytes: Cow<'a, [u8]>,
}

/// A tensor over a buffer.
#[derive(Debug, Clone)]
pub struct StoredTensor {
    /// The buffer's index in [`Contents::buffers`].
    pub buffer: usize,
    /// The type of its elements.
    pub element: Element,
    /// Its shape, outermost axis first.
    pub shape: Vec<usize>,
    /// The bytes of its elements; a reader of a format has checked that the buffer has them.
    pub bytes: Range<usize>,
    /// Elements to step for each axis, where they are not laid end to end.
    pub strides: Option<Vec<usize>>,
}

impl StoredTensor {
    /// Bytes that reading it goes through or makes, whichever is more: a view may leave out or repeat elements.
    #[must_use]
    pub fn cost(&self) -> u64 {
        let elements = self.shape.iter().fold(1_usize, |product, size| product.saturating_mul(*size));
        elements.saturating_mul(self.element.size()).max(self.bytes.len()) as u64
    }
}

/// The tensors of a checkpoint by their names in its files.
#[derive(Debug, Default)]
pub struct Contents<'a> {
    /// The bytes that tensors are read from.
    pub buffers: Vec<Buffer<'a>>,
    /// The tensors by name.
    pub tensors: HashMap<String, StoredTensor>,
}

impl<'a> Contents<'a> {
    /// Takes over bytes that tensors will be read from, and gives their index in [`Contents::buffers`].
    pub fn add_buffer(&mut self, path: &Path, bytes: Cow<'a, [u8]>) -> usize {
        self.buffers.push(Buffer { path: path.to_owned(), bytes });
        self.buffers.len() - 1
    }

    /// Adds a tensor that the file `path` calls `name`.
    ///
    /// # Errors
    /// [`FormatError::DuplicateTensor`].
    pub fn add(&mut self, path: &Path, name: &str, tensor: StoredTensor) -> Result<(), FormatError> {
        match self.tensors.entry(name.to_owned()) {
            Entry::Vacant(entry) => {
                entry.insert(tensor);
                Ok(())
            }
            Entry::Occupied(entry) => {
                Err(FormatError::DuplicateTensor { path: path.to_owned(), tensor: entry.key().clone() })
            }
        }
    }

    /// The file that a tensor came from.
    #[must_use]
    pub fn path_of(&self, tensor: &StoredTensor) -> Option<&Path> {
        self.buffers.get(tensor.buffer).map(|buffer| buffer.path.as_path())
    }

    /// A tensor's elements as f32 in row-major order, or `None` when its type is not a float.
    #[must_use]
    pub fn values(&self, tensor: &StoredTensor) -> Option<Vec<f32>> {
        let bytes = self.buffers.get(tensor.buffer)?.bytes.get(tensor.bytes.clone())?;
        let stored = tensor.element.to_f32(bytes)?;
        match &tensor.strides {
            None => Some(stored),
            Some(strides) => gather(&stored, &tensor.shape, strides),
        }
    }
}

/// The elements of a strided tensor in row-major order, or `None` when a stride leads outside.
fn gather(stored: &[f32], shape: &[usize], strides: &[usize]) -> Option<Vec<f32>> {
    let elements = shape.iter().product();
    let mut values = Vec::with_capacity(elements);
    let mut index = vec![0_usize; shape.len()];
    while values.len() < elements {
        let place: usize = index.iter().zip(strides).map(|(i, stride)| i * stride).sum();
        values.push(*stored.get(place)?);
        // Count up, the last axis first.
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_are_followed() {
        let stored: Vec<f32> = (0_u8..6).map(f32::from).collect();
        // The transpose of a 2 x 3 matrix, one column of it, and a number without axes.
        assert_eq!(gather(&stored, &[3, 2], &[1, 3]), Some(vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
        assert_eq!(gather(&stored[1..], &[2], &[3]), Some(vec![1.0, 4.0]));
        assert_eq!(gather(&stored, &[], &[]), Some(vec![0.0]));
        assert_eq!(gather(&stored, &[0, 4], &[1, 1]), Some(vec![]));
        assert_eq!(gather(&stored, &[4], &[2]), None);
    }
}
