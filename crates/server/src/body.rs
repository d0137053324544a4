//! Bodies of requests: read within limits of size and time, and parsed with errors that name the place.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::app::{App, Memory, WORTH_A_THREAD};
use crate::context::Context;
use crate::error::ApiError;

/// Bytes a second that a body must arrive with on average, and an answer must be read with, once the time for which a
/// client may be silent has passed: else a few clients that send or read a byte now and then would keep everything that a
/// request needs.
pub(crate) const LEAST_RATE: u64 = 1000;

/// Strings in a body for each text that a request may have: the second text of a pair, names, labels.
const STRINGS_FOR_A_TEXT: usize = 4;

/// Characters of a message about a body, which may repeat what stands in it.
const MOST_MESSAGE: usize = 500;

/// A JSON body of the type `T`, whatever its content type says, and the place that its request takes.
#[derive(Debug)]
pub(crate) struct ApiJson<T>(pub(crate) T, pub(crate) Place);

/// The place that a request takes among those that are being handled, with the memory of its body.
#[derive(Debug)]
pub(crate) struct Place {
    _request: OwnedSemaphorePermit,
    _memory: Memory,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for ApiJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let (bytes, place) = read(request, app).await?;
        Ok(Self(parse_within(&bytes, app.settings.limits.texts)?, place))
    }
}

/// The body of a request.
pub(crate) async fn read(request: Request, app: &Arc<App>) -> Result<(Vec<u8>, Place), ApiError> {
    let limit = app.settings.limits.body_bytes;
    let mut body = Arriving::new(request, limit as u64, app.settings.limits.idle)?;
    let (mut bytes, mut memory) = (Vec::new(), app.memory());
    while let Some(data) = body.next().await? {
        memory.take(data.len())?;
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, Place { _request: app.admit()?, _memory: memory }))
}

/// A body on its way.
#[derive(Debug)]
pub(crate) struct Arriving {
    body: Body,
    limit: u64,
    idle: Duration,
    started: Instant,
    bytes: u64,
}

impl Arriving {
    /// The body of a request, up to `limit` bytes, whose client may be silent for `idle`.
    ///
    /// # Errors
    /// When it says that it is longer, or compressed, before any of it is read.
    pub(crate) fn new(request: Request, limit: u64, idle: Duration) -> Result<Self, ApiError> {
        let text = |name| request.headers().get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
        if text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()).is_some_and(|length: u64| length > limit)
        {
            return Err(ApiError::BodyTooLarge { limit });
        }
        match text(header::CONTENT_ENCODING) {
            None | Some("identity" | "") => {}
            Some(encoding) => return Err(ApiError::Encoding { encoding: short(encoding) }),
        }
        Ok(Self { body: request.into_body(), limit, idle, started: Instant::now(), bytes: 0 })
    }

    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// When the client is silent or too slow, hangs up, or sends too much.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            // a client that sends steadily has all the time that it needs
            let until = (Instant::now() + self.idle)
                .min(self.started + self.idle + Duration::from_millis(self.bytes.saturating_mul(1000) / LEAST_RATE));
            match tokio::time::timeout_at(until, self.body.frame()).await {
                Err(_) => return Err(ApiError::SlowBody),
                Ok(None) => return Ok(None),
                Ok(Some(Err(_))) => return Err(ApiError::BrokenBody),
                Ok(Some(Ok(frame))) => {
                    Context::note_arrival();
                    let Ok(data) = frame.into_data() else { continue };
                    self.bytes += data.len() as u64;
                    if self.bytes > self.limit {
                        return Err(ApiError::BodyTooLarge { limit: self.limit });
                    }
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// JSON with at most `texts` texts as a value of the type `T`.
///
/// # Errors
/// As [`parse`], and when there are so many strings that they must be more texts: each takes more memory than its bytes.
pub(crate) fn parse_within<T: DeserializeOwned>(bytes: &[u8], texts: usize) -> Result<T, ApiError> {
    let work = || {
        let count = strings(bytes);
        if count > texts.saturating_add(16).saturating_mul(STRINGS_FOR_A_TEXT) {
            return Err(ApiError::TooManyTexts { count, limit: texts });
        }
        parse(bytes)
    };
    // other requests go on meanwhile
    if bytes.len() < WORTH_A_THREAD { work() } else { tokio::task::block_in_place(work) }
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
        ApiError::Json(short(&match path.as_str() {
            // the whole, or a part that has no name yet
            "." | "?" => format!("the body is not what was expected: {reason}"),
            path => format!("{path}: {reason}"),
        }))
    })?;
    json.end().map_err(|error| ApiError::Json(format!("the body goes on after its JSON: {error}")))?;
    Ok(value)
}

/// How many strings there are in JSON.
fn strings(json: &[u8]) -> usize {
    let (mut count, mut inside, mut escaped) = (0, false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = inside,
            b'"' => {
                count += usize::from(!inside);
                inside = !inside;
            }
            _ => {}
        }
    }
    count
}

/// A message without the middle of what is too long.
fn short(message: &str) -> String {
    let count = message.chars().count();
    if count <= MOST_MESSAGE {
        return message.to_owned();
    }
    let end = message.chars().skip(count - MOST_MESSAGE / 2);
    message.chars().take(MOST_MESSAGE / 2).chain(" ... ".chars()).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_counted_without_what_is_in_them() {
        assert_eq!(strings(br#"{"a": ["b\"", "", "\\", 3], "c": null}"#), 5);
        assert_eq!(strings(br#"{"a": "\\\"\"\" "}"#), 2);
        assert_eq!(strings(b"\"open"), 1);
        assert_eq!(strings(b""), 0);
    }

    #[test]
    fn a_message_keeps_its_start_and_its_end() {
        assert_eq!(short("short"), "short");
        let long = short(&format!("inputs: {} expected a text", "x".repeat(10_000)));
        assert!(long.starts_with("inputs: x") && long.ends_with("x expected a text") && long.len() < 600, "{long}");
    }
}
