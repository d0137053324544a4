//! The Open Inference Protocol, version 2, as KServe and Triton speak it: texts as tensors of `BYTES`, labels and scores
//! as tensors.
//!
//! Source: the protocol's "REST" and the "binary tensor data" extension, which Triton's clients use.

mod binary;
mod tensors;

use std::sync::Arc;

use albertine::Classifier;
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use self::tensors::{InferAnswer, InferRequest};
use super::any_bytes::AnyBytes;
use crate::app::App;
use crate::body::{parse_within, read};
use crate::error::{ApiError, ErrorBody, Failures};
use crate::path::ApiPath;

/// The version of every model.
const VERSION: &str = "1";

/// The service.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServerMetadata {
    name: &'static str,
    version: &'static str,
    extensions: [&'static str; 1],
}

/// The service.
#[utoipa::path(get, path = "/v2", tag = "open inference protocol", responses((status = 200, body = ServerMetadata)))]
pub(super) async fn server() -> Json<ServerMetadata> {
    let version = env!("CARGO_PKG_VERSION");
    Json(ServerMetadata { name: "albertine", version, extensions: ["binary_tensor_data"] })
}

/// Whether the service answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Live {
    live: bool,
}

/// Whether the service answers.
#[utoipa::path(get, path = "/v2/health/live", tag = "open inference protocol", responses((status = 200, body = Live)))]
pub(super) async fn live() -> Json<Live> {
    Json(Live { live: true })
}

/// Whether the service takes requests.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    ready: bool,
}

/// Whether the service takes requests: its default model is loaded before it listens.
#[utoipa::path(get, path = "/v2/health/ready", tag = "open inference protocol",
    responses((status = 200, body = Ready)))]
pub(super) async fn ready() -> Json<Ready> {
    Json(Ready { ready: true })
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelMetadata {
    name: String,
    versions: [&'static str; 1],
    platform: &'static str,
    inputs: Vec<TensorMetadata>,
    outputs: Vec<TensorMetadata>,
}

/// A tensor of a model; -1 in a shape is the number of texts.
#[derive(Debug, Serialize, ToSchema)]
struct TensorMetadata {
    name: &'static str,
    datatype: &'static str,
    shape: Vec<i64>,
}

/// A model. It is loaded if it is not.
#[utoipa::path(get, path = "/v2/models/{name}", tag = "open inference protocol",
    params(("name" = String, Path, description = "The model's name")),
    responses((status = 200, body = ModelMetadata), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 500, body = ErrorBody)))]
pub(super) async fn model(
    State(app): State<Arc<App>>,
    ApiPath(name): ApiPath<String>,
) -> Result<Json<ModelMetadata>, ApiError> {
    metadata(&app, &name).await
}

/// A version of a model: there is one, `1`. It is loaded if it is not.
#[utoipa::path(get, path = "/v2/models/{name}/versions/{version}", tag = "open inference protocol",
    params(("name" = String, Path, description = "The model's name"), ("version" = String, Path, description = "`1`")),
    responses((status = 200, body = ModelMetadata), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 500, body = ErrorBody)))]
pub(super) async fn version(
    State(app): State<Arc<App>>,
    ApiPath((name, version)): ApiPath<(String, String)>,
) -> Result<Json<ModelMetadata>, ApiError> {
    check_version(&version)?;
    metadata(&app, &name).await
}

fn check_version(version: &str) -> Result<(), ApiError> {
    if version == VERSION {
        return Ok(());
    }
    Err(ApiError::NotFound { what: "version", name: version.chars().take(100).collect() })
}

async fn metadata(app: &App, name: &str) -> Result<Json<ModelMetadata>, ApiError> {
    let served = app.models.get(Some(name)).await?;
    let tensor = |name, datatype, shape: &[i64]| TensorMetadata { name, datatype, shape: shape.to_vec() };
    let labels = served.classifier.labels().len() as i64;
    Ok(Json(ModelMetadata {
        name: served.name.clone(),
        versions: [VERSION],
        platform: "albertine",
        inputs: vec![tensor(tensors::TEXT, tensors::BYTES, &[-1])],
        outputs: vec![
            tensor(tensors::LABEL, tensors::BYTES, &[-1]),
            tensor(tensors::SCORE, tensors::FP32, &[-1]),
            tensor(tensors::SCORES, tensors::FP32, &[-1, labels]),
        ],
    }))
}

/// Whether a model takes requests. It is loaded if it is not.
#[utoipa::path(get, path = "/v2/models/{name}/ready", tag = "open inference protocol",
    params(("name" = String, Path, description = "The model's name")),
    responses((status = 200, body = Ready), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 500, body = ErrorBody)))]
pub(super) async fn model_ready(
    State(app): State<Arc<App>>,
    ApiPath(name): ApiPath<String>,
) -> Result<Json<Ready>, ApiError> {
    app.models.get(Some(&name)).await?;
    Ok(Json(Ready { ready: true }))
}

/// Whether a version of a model takes requests. The model is loaded if it is not.
#[utoipa::path(get, path = "/v2/models/{name}/versions/{version}/ready", tag = "open inference protocol",
    params(("name" = String, Path, description = "The model's name"), ("version" = String, Path, description = "`1`")),
    responses((status = 200, body = Ready), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 500, body = ErrorBody)))]
pub(super) async fn version_ready(
    State(app): State<Arc<App>>,
    ApiPath((name, version)): ApiPath<(String, String)>,
) -> Result<Json<Ready>, ApiError> {
    check_version(&version)?;
    app.models.get(Some(&name)).await?;
    Ok(Json(Ready { ready: true }))
}

/// Classify the texts of a tensor: `text`, of `BYTES`. The outputs are `label` (`BYTES`, empty for a blank text), `score`
/// (`FP32`) and `scores` (`FP32`, one for each label). With the header `Inference-Header-Content-Length` the texts follow
/// the JSON, as the "binary tensor data" extension of the protocol has them.
#[utoipa::path(post, path = "/v2/models/{name}/infer", tag = "open inference protocol", request_body = InferRequest,
    params(("name" = String, Path, description = "The model's name")),
    responses(
        (status = 200, description = "The outputs; behind the JSON where binary ones are asked for",
            content((InferAnswer = "application/json"), (AnyBytes = "application/octet-stream"))),
        Failures))]
pub(super) async fn infer(
    State(app): State<Arc<App>>,
    ApiPath(name): ApiPath<String>,
    request: Request,
) -> Result<Response, ApiError> {
    classify(&app, name, request).await
}

/// Classify the texts of a tensor with a version of a model.
#[utoipa::path(post, path = "/v2/models/{name}/versions/{version}/infer", tag = "open inference protocol",
    request_body = InferRequest,
    params(("name" = String, Path, description = "The model's name"), ("version" = String, Path, description = "`1`")),
    responses(
        (status = 200, description = "The outputs; behind the JSON where binary ones are asked for",
            content((InferAnswer = "application/json"), (AnyBytes = "application/octet-stream"))),
        Failures))]
pub(super) async fn version_infer(
    State(app): State<Arc<App>>,
    ApiPath((name, version)): ApiPath<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    check_version(&version)?;
    classify(&app, name, request).await
}

async fn classify(app: &Arc<App>, name: String, request: Request) -> Result<Response, ApiError> {
    let header_length = binary::header_length(request.headers())?;
    let most = app.settings.limits.texts;
    let (body, _place) = read(request, app).await?;
    let (request, texts, wants_binary) = match header_length {
        None => {
            let request: InferRequest = parse_within(&body, most)?;
            let texts = request.texts()?;
            let wants_binary = request.wants_binary();
            (request, texts, wants_binary)
        }
        Some(length) => {
            let (json, data) = body.split_at_checked(length).ok_or_else(|| {
                ApiError::Json(format!(
                    "the header Inference-Header-Content-Length says {length} bytes, but the body has {}",
                    body.len()
                ))
            })?;
            let request: InferRequest = parse_within(json, most)?;
            let texts = request.binary_texts(data, most)?;
            let wants_binary = request.wants_binary();
            (request, texts, wants_binary)
        }
    };
    let outputs = request.output_names()?;
    let inputs = texts.into_iter().map(Into::into).collect();
    let answer = app.classify(Some(&name), inputs, app.truncation()).await?;
    let classifier: &Classifier = &answer.served.classifier;
    let scores: Vec<Option<Vec<f32>>> = answer.scores(None).collect();
    let answer = InferAnswer::new(name, request.id, &outputs, classifier.labels(), &scores);
    Ok(if wants_binary { binary::respond(answer)? } else { Json(answer).into_response() })
}
