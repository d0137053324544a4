//! What happens to every request: its id, the API key, limits, the log and the metrics.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::context::{Context, REQUEST_ID};
use crate::error::{ApiError, Failure};
use crate::metrics::seconds;
use crate::page::CONTENT_SECURITY_POLICY;

/// The status in the log of a request whose client hung up before it was answered.
const HUNG_UP: u16 = 499;

/// Handles a request within its context.
pub(crate) async fn handle(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let context = Context::of(request.uri().path(), request.headers());
    let mut log = Log {
        id: context.id.clone(),
        method: request.method().clone(),
        // never the path itself, in which anything could stand
        route: request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()),
        started: Instant::now(),
        status: HUNG_UP,
        failure: None,
    };
    let id = context.header();
    let (app, counted) = (Arc::clone(&app), request.method() == Method::POST);
    let metrics = Arc::clone(&app.metrics);
    let mut response = context.scope(guarded(app, request, next)).await;
    response.headers_mut().insert(REQUEST_ID, id);
    harden(response.headers_mut());
    log.status = response.status().as_u16();
    log.failure = response.extensions().get::<Failure>().map(|failure| failure.0);
    if let Some(kind) = log.failure {
        metrics.failures.with_label_values(&[kind]).inc();
    }
    if counted {
        metrics.duration.observe(seconds(log.started.elapsed()));
    }
    response
}

/// The answer of a route, or why there is none.
async fn guarded(app: Arc<App>, request: Request, next: Next) -> Response {
    if let Err(error) = authorize(&app, &request) {
        return error.into_response();
    }
    // whoever watches the service must see it when it is busy
    let permit = if request.method() == Method::POST {
        match app.requests.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) => return ApiError::Overloaded { retry_after: 1 }.into_response(),
        }
    } else {
        None
    };
    let limit = app.settings.limits.timeout;
    let work = AssertUnwindSafe(tokio::time::timeout(limit, next.run(request))).catch_unwind();
    let response = match work.await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => ApiError::Timeout { seconds: limit.as_secs() }.into_response(),
        Err(_) => ApiError::Internal.into_response(),
    };
    drop(permit);
    response
}

/// Compares the key in a time that does not depend on it.
fn authorize(app: &App, request: &Request) -> Result<(), ApiError> {
    let Some(key) = &app.settings.api_key else { return Ok(()) };
    if request.method() == Method::OPTIONS || is_open(request.method(), request.uri().path()) {
        return Ok(());
    }
    let given = request.headers().get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let given = given.split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "));
    let given = given.map_or(&b""[..], |(_, key)| key);
    if bool::from(given.ct_eq(key.as_bytes())) { Ok(()) } else { Err(ApiError::Unauthorized) }
}

/// What needs no key: the page, which asks for it, the description, and whether the service lives.
fn is_open(method: &Method, path: &str) -> bool {
    let alive = ["/", "/health", "/ping", "/openapi.json", "/v2", "/v2/health/live", "/v2/health/ready"];
    matches!(*method, Method::GET | Method::HEAD) && (alive.contains(&path) || path.starts_with("/page/"))
}

/// Headers that keep browsers from doing more with an answer than to show it.
fn harden(headers: &mut HeaderMap) {
    let all = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in all {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// A line of the log, written when the request is answered or its client has hung up. No text is in it.
struct Log {
    id: String,
    method: Method,
    route: Option<String>,
    started: Instant,
    status: u16,
    failure: Option<&'static str>,
}

impl Drop for Log {
    fn drop(&mut self) {
        let milliseconds = self.started.elapsed().as_secs_f64() * 1e3;
        let (method, route) = (self.method.as_str(), self.route.as_deref().unwrap_or("-"));
        let (status, id, failure) = (self.status, &*self.id, self.failure.unwrap_or("-"));
        if status >= 500 {
            tracing::error!(method, route, status, milliseconds, failure, request_id = id);
        } else {
            tracing::info!(method, route, status, milliseconds, failure, request_id = id);
        }
    }
}
