//! Safetensors files, through the format's reference implementation.
//!
//! The `safetensors` crate caps the header, checks that shapes times sizes do not overflow, and that the tensors cover
//! the file without gaps or overlaps. What it cannot say is which tensor a short file cuts; that is found here.
//!
//! Format: <https://huggingface.co/docs/safetensors>.

use std::borrow::Cow;
use std::path::Path;

use safetensors::tensor::Metadata;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use super::contents::{Contents, StoredTensor};
use super::element::Element;
use crate::FormatError;

/// Bytes of the header's length, which every file begins with.
const LENGTH: usize = size_of::<u64>();

/// Adds the tensors of a file's bytes; `path` is what errors call it.
///
/// # Errors
/// Every way for the file to be unsound.
pub fn read<'a>(contents: &mut Contents<'a>, bytes: Cow<'a, [u8]>, path: &Path) -> Result<(), FormatError> {
    let (header, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| explain(error, &bytes, path))?;
    let data = LENGTH + header;
    let buffer = contents.add_buffer(path, bytes);
    for (name, info) in metadata.tensors() {
        let (begin, end) = info.data_offsets;
        let tensor = StoredTensor {
            buffer,
            element: element(info.dtype),
            shape: info.shape.clone(),
            bytes: data + begin..data + end,
            strides: None,
        };
        contents.add(path, &name, tensor)?;
    }
    Ok(())
}

/// Names the first tensor that a short file cuts, where the header is sound and that is what is wrong.
fn explain(source: SafeTensorError, bytes: &[u8], path: &Path) -> FormatError {
    if matches!(source, SafeTensorError::MetadataIncompleteBuffer)
        && let Some(error) = cut_tensor(bytes, path)
    {
        return error;
    }
    FormatError::Safetensors { path: path.to_owned(), source }
}

fn cut_tensor(bytes: &[u8], path: &Path) -> Option<FormatError> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (header, data) = rest.split_at_checked(length)?;
    let metadata: Metadata = serde_json::from_slice(header).ok()?;
    let cut = metadata.offset_keys().into_iter().find_map(|name| {
        let (begin, end) = metadata.info(&name)?.data_offsets;
        (end > data.len()).then_some((name, begin, end))
    });
    let (tensor, begin, end) = cut?;
    Some(FormatError::TruncatedTensor {
        path: path.to_owned(),
        tensor,
        expected: (end - begin) as u64,
        found: data.len().saturating_sub(begin) as u64,
    })
}

fn element(dtype: Dtype) -> Element {
    match dtype {
        Dtype::F64 => Element::F64,
        Dtype::F32 => Element::F32,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::Bf16,
        Dtype::BOOL => Element::Other("BOOL", 1),
        Dtype::U8 => Element::Other("U8", 1),
        Dtype::I8 => Element::I8,
        Dtype::U16 => Element::Other("U16", 2),
        Dtype::I16 => Element::Other("I16", 2),
        Dtype::U32 => Element::Other("U32", 4),
        Dtype::I32 => Element::Other("I32", 4),
        Dtype::U64 => Element::Other("U64", 8),
        Dtype::I64 => Element::Other("I64", 8),
        Dtype::F8_E4M3 => Element::Other("F8_E4M3", 1),
        Dtype::F8_E5M2 => Element::Other("F8_E5M2", 1),
        _ => Element::Other("another type", dtype.bitsize().div_ceil(8)),
    }
}
