//! Tensors behind the JSON: texts with their length in four bytes before them, numbers in four bytes each, all with the
//! smallest byte first.
//!
//! Source: Triton's "Binary Tensor Data Extension".

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::tensors::{BinarySize, Data, InferAnswer};
use crate::error::ApiError;

/// The length of the JSON in a body with binary tensors.
const HEADER_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// The length of the JSON, if there are binary tensors behind it.
pub(super) fn header_length(headers: &HeaderMap) -> Result<Option<usize>, ApiError> {
    let Some(length) = headers.get(HEADER_LENGTH) else { return Ok(None) };
    let length = length.to_str().ok().and_then(|length| length.parse().ok());
    length.map(Some).ok_or_else(|| ApiError::Json("the header Inference-Header-Content-Length is no number".to_owned()))
}

/// `count` texts that take up all of `data`.
pub(super) fn texts(mut data: &[u8], count: usize) -> Result<Vec<String>, ApiError> {
    let wrong = |what: &str| ApiError::Json(format!("inputs[0]: the binary data {what}"));
    let mut texts = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let (text, rest) = rest.split_at_checked(length).ok_or_else(|| wrong("ends within a text"))?;
        let text = std::str::from_utf8(text).map_err(|_| wrong(&format!("is not UTF-8 in text {}", texts.len())))?;
        if texts.len() == count {
            return Err(wrong(&format!("goes on after the {count} texts that the shape says")));
        }
        texts.push(text.to_owned());
        data = rest;
    }
    if !data.is_empty() {
        return Err(wrong("ends within a length"));
    }
    if texts.len() != count || texts.is_empty() {
        return Err(wrong(&format!("has {} texts, but the shape says {count}", texts.len())));
    }
    Ok(texts)
}

/// An answer with its tensors behind the JSON.
pub(super) fn respond(mut answer: InferAnswer) -> Result<Response, ApiError> {
    let mut bytes = Vec::new();
    for output in &mut answer.outputs {
        let start = bytes.len();
        match output.data.take() {
            Some(Data::Texts(texts)) => {
                for text in texts {
                    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
                    bytes.extend_from_slice(text.as_bytes());
                }
            }
            Some(Data::Numbers(numbers)) => bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes())),
            None => {}
        }
        output.parameters = Some(BinarySize { binary_data_size: bytes.len() - start });
    }
    let mut body = serde_json::to_vec(&answer).map_err(|_| ApiError::Internal)?;
    let length = HeaderValue::from(body.len());
    body.append(&mut bytes);
    let octets = HeaderValue::from_static("application/octet-stream");
    Ok(([(HEADER_LENGTH, length), (header::CONTENT_TYPE, octets)], body).into_response())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn texts_have_their_lengths_before_them() {
        assert_eq!(texts(b"\x02\0\0\0ab\0\0\0\0", 2).unwrap(), ["ab", ""]);
        for (data, count) in [
            (&b"\x02\0\0\0a"[..], 1),
            (b"\x01\0\0", 1),
            (b"\x01\0\0\0\xff", 1),
            (b"\x01\0\0\0a", 2),
            (b"", 0),
            (b"\xff\xff\xff\xffabc", 1),
        ] {
            assert!(texts(data, count).is_err(), "{data:?}");
        }
    }
}
