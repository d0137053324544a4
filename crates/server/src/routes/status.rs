//! Whether the service lives, and what it has done.

use std::sync::Arc;

use axum::extract::State;
use http::{HeaderName, StatusCode, header};

use crate::app::App;
use crate::error::{ApiError, ErrorBody};

/// Whether the service answers.
#[utoipa::path(get, path = "/health", tag = "status", responses((status = 200, description = "It does")))]
pub(super) async fn health() -> StatusCode {
    StatusCode::OK
}

/// Whether the service answers.
#[utoipa::path(get, path = "/ping", tag = "status", responses((status = 200, description = "It does")))]
pub(super) async fn ping() -> StatusCode {
    StatusCode::OK
}

/// Counts and times in Prometheus's text format.
#[utoipa::path(get, path = "/metrics", tag = "status",
    responses((status = 200, body = String, content_type = "text/plain"), (status = 401, body = ErrorBody),
        (status = 500, body = ErrorBody)))]
pub(super) async fn metrics(
    State(app): State<Arc<App>>,
) -> Result<([(HeaderName, &'static str); 1], Vec<u8>), ApiError> {
    app.metrics.queue_size.set(app.queue.len() as i64);
    let metrics = app.metrics.encode().map_err(|_| ApiError::Internal)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics))
}
