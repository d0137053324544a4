//! What happens to every request: its id, the API key, limits, the log and the metrics.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use subtle::ConstantTimeEq;

use crate::app::App;
use crate::context::{Context, REQUEST_ID};
use crate::error::{ApiError, Failure};
use crate::page::CONTENT_SECURITY_POLICY;

/// The status in the log of a request whose client hung up before it was answered.
const HUNG_UP: u16 = 499;

/// Where the page comes from that has a browser send a request.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Handles a request within its context.
pub(crate) async fn handle(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let context = Context::of(request.uri().path(), request.headers());
    let mut log = Log {
        id: context.id.clone(),
        method: Some(request.method().clone()),
        // never the path itself, in which anything could stand
        route: request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()),
        started: Instant::now(),
        status: HUNG_UP,
        failure: None,
    };
    let response = context.clone().scope(guarded(&app, &context, request, next)).await;
    finished(&app, &context, &mut log, response)
}

/// The answer to what is no request.
pub(crate) async fn refused(app: &App, error: ApiError) -> Response {
    let context = Context::unknown();
    let id = context.id.clone();
    let mut log = Log { id, method: None, route: None, started: Instant::now(), status: HUNG_UP, failure: None };
    let response = context.clone().scope(async { error.into_response() }).await;
    finished(app, &context, &mut log, response)
}

/// An answer with the headers that all have, counted and noted.
fn finished(app: &App, context: &Context, log: &mut Log, mut response: Response) -> Response {
    response.headers_mut().insert(REQUEST_ID, context.header());
    harden(response.headers_mut());
    log.status = response.status().as_u16();
    log.failure = response.extensions().get::<Failure>().map(|failure| failure.0);
    // what no route takes is not a request that failed
    if let Some(kind) = log.failure.filter(|_| log.route.is_some() && log.method == Some(Method::POST)) {
        app.metrics.failures.with_label_values(&[kind]).inc();
    }
    response
}

/// The answer of a route, or why there is none.
async fn guarded(app: &App, context: &Context, request: Request, next: Next) -> Response {
    if let Err(error) = check_host(&request)
        .and_then(|()| authorize(app, &request))
        .and_then(|()| check_origin(&app.settings.cors_origins, &request))
    {
        return error.into_response();
    }
    // refused before its body is read; whoever watches the service must see it when it is busy
    if request.method() == Method::POST && app.is_full() {
        return ApiError::Overloaded { retry_after: 1 }.into_response();
    }
    let limit = app.settings.limits.timeout;
    let mut work = pin!(AssertUnwindSafe(next.run(request)).catch_unwind());
    loop {
        let deadline = context.arrived() + limit;
        match tokio::time::timeout_at(deadline, &mut work).await {
            Ok(Ok(response)) => return response,
            Ok(Err(_)) => return ApiError::Internal.into_response(),
            // its body was still arriving
            Err(_) if context.arrived() + limit > deadline => {}
            Err(_) => return ApiError::Timeout { seconds: limit.as_secs() }.into_response(),
        }
    }
}

/// Requests of HTTP/1.1 name their host, once: what is in front of the service may have taken another one for it.
///
/// Source: RFC 9112, section 3.2.
fn check_host(request: &Request) -> Result<(), ApiError> {
    match request.headers().get_all(header::HOST).iter().count() {
        1 => Ok(()),
        0 if request.version() < Version::HTTP_11 => Ok(()),
        count => Err(ApiError::Host { count }),
    }
}

/// Refuses what a page of another origin has a browser do, unless it may: a form of any page could otherwise send files
/// and corrections, though it could not read the answers.
///
/// Source: <https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site>. Browsers that do not send it
/// send `Origin`; other clients send neither.
fn check_origin(allowed: &[String], request: &Request) -> Result<(), ApiError> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let text = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return Ok(()) };
    let is_own = match text(SEC_FETCH_SITE) {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => origin.split_once("://").map(|(_, host)| host) == text(header::HOST),
    };
    let is_allowed = || allowed.iter().any(|one| one == "*" || one == origin);
    if is_own || is_allowed() { Ok(()) } else { Err(ApiError::CrossOrigin) }
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
pub(crate) fn is_open(method: &Method, path: &str) -> bool {
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
    method: Option<Method>,
    route: Option<String>,
    started: Instant,
    status: u16,
    failure: Option<&'static str>,
}

impl Drop for Log {
    fn drop(&mut self) {
        let milliseconds = self.started.elapsed().as_secs_f64() * 1e3;
        let (method, route) = (self.method.as_ref().map_or("-", Method::as_str), self.route.as_deref().unwrap_or("-"));
        let (status, id, failure) = (self.status, &*self.id, self.failure.unwrap_or("-"));
        if status >= 500 {
            tracing::error!(method, route, status, milliseconds, failure, request_id = id);
        } else {
            tracing::info!(method, route, status, milliseconds, failure, request_id = id);
        }
    }
}
