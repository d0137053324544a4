//! Answers to what is no request, which no route ever sees.

use axum::body::to_bytes;
use http::{HeaderValue, header};

use crate::app::App;
use crate::error::ApiError;
use crate::request;

/// The bytes of an answer that says what is wrong; the connection ends with it.
pub(super) async fn answer(app: &App, error: ApiError) -> Vec<u8> {
    let (mut head, body) = request::refused(app, error).await.into_parts();
    // an error is in memory
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    head.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    let mut bytes = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
    for (name, value) in &head.headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}
