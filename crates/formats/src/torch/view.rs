//! Tensors as views of their storages, with every claim of a pickle checked.

use std::ops::Range;
use std::path::Path;

use crate::FormatError;
use crate::contents::{MAX_SHARING, StoredTensor};
use crate::pickle::{StorageRef, TensorRef};

/// A rebuilt tensor as a view of its storage, which lies at `bytes` of a buffer, with every claim of it checked.
pub(super) fn view(
    tensor: &TensorRef<'_>,
    buffer: usize,
    bytes: Range<usize>,
    name: &str,
    path: &Path,
) -> Result<StoredTensor, FormatError> {
    let TensorRef { storage: StorageRef { element, elements: claimed, .. }, offset, shape, strides } = tensor;
    let size = element.size();
    let cut = |expected: usize| FormatError::TruncatedTensor {
        path: path.to_owned(),
        tensor: name.to_owned(),
        expected: (expected as u64).saturating_mul(size as u64),
        found: bytes.len() as u64,
    };
    // What the storage has, by its bytes and by its own claim, bounds everything after this.
    let held = bytes.len() / size;
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
        bytes: bytes.start + (end - span) * size..bytes.start + end * size,
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

/// How much the tensors of a checkpoint read of its storages together.
#[derive(Default)]
pub(super) struct Sharing {
    stored: u64,
    viewed: u64,
}

impl Sharing {
    /// Counts a storage of so many bytes.
    pub(super) fn add_storage(&mut self, bytes: usize) {
        self.stored = self.stored.saturating_add(bytes as u64);
    }

    /// Counts a tensor.
    pub(super) fn add_tensor(&mut self, tensor: &StoredTensor) {
        self.viewed = self.viewed.saturating_add(tensor.cost());
    }

    /// Refuses a checkpoint whose few bytes are the weights of a model many times as large.
    pub(super) fn check(self, path: &Path) -> Result<(), FormatError> {
        let Self { stored, viewed } = self;
        if viewed > stored.saturating_mul(MAX_SHARING) {
            return Err(FormatError::SharedStorage { path: path.to_owned(), viewed, stored });
        }
        Ok(())
    }
}
