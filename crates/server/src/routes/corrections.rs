//! Labels that people say are right.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::body::ApiJson;
use crate::error::{ApiError, Failures};

/// Bytes of a text that is kept: far more than a model reads.
const MOST_BYTES: usize = 64 << 10;

/// A text with its right label.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Correction {
    /// The text, which is not blank.
    #[schema(pattern = r"[^ \t-\r]")]
    text: String,
    /// The right label, one of the model's.
    label: String,
    /// The model's name; the default one if it is not given.
    model: Option<String>,
}

/// Keep a text with its right label, in a table that `albertine train` reads; only a service with `--corrections` does.
#[utoipa::path(post, path = "/v1/corrections", tag = "albertine", request_body = Correction,
    responses((status = 204, description = "It is kept"), Failures))]
pub(super) async fn add(
    State(app): State<Arc<App>>,
    ApiJson(correction, _place): ApiJson<Correction>,
) -> Result<StatusCode, ApiError> {
    if app.corrections.is_none() {
        return Err(ApiError::NotEnabled("this service keeps no corrections: it was started without `--corrections`"));
    }
    if correction.text.len() > MOST_BYTES {
        return Err(ApiError::TextsTooLarge { what: "a correction may not have", limit: MOST_BYTES });
    }
    let served = app.models.get(correction.model.as_deref()).await?;
    if !served.classifier.labels().contains(&correction.label) {
        return Err(ApiError::NotFound { what: "label", name: correction.label.chars().take(100).collect() });
    }
    if albertine::text::is_blank(&correction.text) {
        return Err(ApiError::Invalid("text: it is blank, and no model learns from it".to_owned()));
    }
    let keep = move || app.corrections.as_ref().map_or(Ok(()), |kept| kept.add(&correction.text, &correction.label));
    let kept = tokio::task::spawn_blocking(keep).await.map_err(|_| ApiError::Internal)?;
    kept.map_err(|error| {
        tracing::error!("cannot keep a correction: {error}");
        ApiError::Internal
    })?;
    Ok(StatusCode::NO_CONTENT)
}
