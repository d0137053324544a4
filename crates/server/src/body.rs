//! Bodies of requests: read within limits of size and time, and parsed with errors that name the place.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use http::header;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use crate::app::{App, Reserved};
use crate::error::ApiError;

/// A JSON body of the type `T`, whatever its content type says, and the memory that is set apart for it.
#[derive(Debug)]
pub(crate) struct ApiJson<T>(pub(crate) T, pub(crate) Memory);

/// Memory that is set apart for a body; it is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Memory(#[expect(dead_code, reason = "it is held, not read")] Vec<Reserved>);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for ApiJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let (bytes, memory) = read(request, app).await?;
        Ok(Self(parse(&bytes)?, memory))
    }
}

/// The body of a request.
pub(crate) async fn read(request: Request, app: &Arc<App>) -> Result<(Vec<u8>, Memory), ApiError> {
    let limit = app.settings.limits.body_bytes;
    check_length(&request, limit as u64)?;
    let mut body = request.into_body();
    let (mut bytes, mut reserved) = (Vec::new(), Vec::new());
    while let Some(data) = next(&mut body, app.settings.limits.idle).await? {
        if bytes.len() + data.len() > limit {
            return Err(ApiError::BodyTooLarge { limit: limit as u64 });
        }
        reserved.push(app.reserve(data.len())?);
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, Memory(reserved)))
}

/// Refuses a body that says it is longer than `limit`, before any of it is read.
pub(crate) fn check_length(request: &Request, limit: u64) -> Result<(), ApiError> {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > limit) { Err(ApiError::BodyTooLarge { limit }) } else { Ok(()) }
}

/// The next part of a body, which the client must send within `idle`; `None` at its end.
pub(crate) async fn next(body: &mut Body, idle: Duration) -> Result<Option<bytes::Bytes>, ApiError> {
    loop {
        match tokio::time::timeout(idle, body.frame()).await {
            Err(_) => return Err(ApiError::SlowBody),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(ApiError::BrokenBody),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// JSON as a value of the type `T`; errors name the place by its path, as in ``inputs[2]: invalid type: integer `3` ``.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::Json("the body is empty: a JSON object was expected".to_owned()));
    }
    // a list would be taken for the fields of an object in their order
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::Json("the body is a list: a JSON object was expected".to_owned()));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner();
        match path.as_str() {
            "." => ApiError::Json(format!("the body is not what was expected: {reason}")),
            path => ApiError::Json(format!("{path}: {reason}")),
        }
    })?;
    json.end().map_err(|error| ApiError::Json(format!("the body goes on after its JSON: {error}")))?;
    Ok(value)
}
