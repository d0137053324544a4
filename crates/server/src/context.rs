//! What belongs to one request, wherever it is handled: its id, how its client reads errors, and since when it has what
//! it needs.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

/// The header that carries the id of a request, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How a client reads errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorShape {
    /// `{"error": "...", "error_type": "..."}`, as Hugging Face's servers and the Open Inference Protocol have it.
    Flat,
    /// `{"error": {"message": "...", "type": "..."}}`, as OpenAI's clients read it.
    Nested,
}

impl ErrorShape {
    fn of_path(path: &str) -> Self {
        match path {
            "/classify" | "/v1/classify" => Self::Nested,
            _ => Self::Flat,
        }
    }
}

/// What belongs to one request.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) id: String,
    pub(crate) errors: ErrorShape,
    /// When a part of the request arrived, the last so far.
    arrived: Arc<Mutex<Instant>>,
}

tokio::task_local! {
    static CONTEXT: Context;
}

impl Context {
    /// The context of a request: the id that the client gave it, if it is a plain one, or a new one.
    pub(crate) fn of(path: &str, headers: &HeaderMap) -> Self {
        let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| is_plain(id));
        Self::new(given.map_or_else(random_id, str::to_owned), ErrorShape::of_path(path))
    }

    /// The context of what is no request.
    pub(crate) fn unknown() -> Self {
        Self::new(random_id(), ErrorShape::Flat)
    }

    fn new(id: String, errors: ErrorShape) -> Self {
        Self { id, errors, arrived: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Does `work` within the context.
    pub(crate) async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CONTEXT.scope(self, work).await
    }

    /// The context of the request that is being handled.
    pub(crate) fn current() -> Self {
        CONTEXT.try_with(Self::clone).unwrap_or_else(|_| Self::unknown())
    }

    /// Notes that a part of the request that is being handled has arrived.
    pub(crate) fn note_arrival() {
        // outside of a request nothing arrives
        let _ = CONTEXT.try_with(|context| {
            *context.arrived.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        });
    }

    /// When the last part of the request arrived.
    pub(crate) fn arrived(&self) -> Instant {
        *self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id as a header.
    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.id).unwrap_or_else(|_| HeaderValue::from_static("invalid"))
    }
}

/// Whether an id from outside can stand in logs and headers.
fn is_plain(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
}

/// 32 random hexadecimal digits, which nobody guesses.
pub(crate) fn random_id() -> String {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // without a source of randomness at least no two are the same
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        bytes[8..].copy_from_slice(&next.to_be_bytes());
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(given: &[u8]) -> String {
        let value = HeaderValue::from_bytes(given).unwrap_or_else(|_| HeaderValue::from_static(""));
        Context::of("/", &HeaderMap::from_iter([(REQUEST_ID, value)])).id
    }

    #[test]
    fn a_plain_id_is_kept_and_any_other_replaced() {
        assert_eq!(id(b"trace-1.a:b/c"), "trace-1.a:b/c");
        for odd in [&b""[..], b"a b", b"\xff", b"a\"b", &[b'a'; 129]] {
            let new = id(odd);
            assert!(new.len() == 32 && new.as_bytes() != odd, "{odd:?} became {new}");
        }
        assert_ne!(random_id(), random_id());
    }
}
