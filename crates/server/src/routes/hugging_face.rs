//! Hugging Face inference: `InferenceClient.text_classification`, and whatever posts to a transformers pipeline.

use std::sync::Arc;

use albertine::Activation;
use axum::Json;
use axum::extract::State;
use http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::ToSchema;

use super::inputs::{OneOrMany, Text, pairs_schema};
use super::integer::{self, Integer};
use super::usage::{LabelScore, Ranked, ranked};
use crate::app::App;
use crate::body::ApiJson;
use crate::error::{ApiError, Failures};
use crate::path::ApiPath;

/// Texts to classify, and how.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HuggingFaceRequest {
    /// A text, a pair of texts, or a list of them.
    #[schema(schema_with = pairs_schema)]
    inputs: OneOrMany<Text>,
    /// How the answer is made.
    parameters: Option<ClassificationParameters>,
    /// Options of the hosted service. None of them changes an answer of this one.
    #[expect(dead_code, reason = "it is accepted and changes nothing")]
    options: Option<HostedOptions>,
}

/// How the answer is made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClassificationParameters {
    /// What turns the model's outputs into scores; if it is not given, what the model was trained with.
    function_to_apply: Option<Function>,
    /// How many labels are given, the best first; all if it is not given.
    #[schema(schema_with = integer::positive)]
    top_k: Option<Integer>,
    /// Whether a text that is too long is truncated or refused.
    truncation: Option<bool>,
}

/// What turns the model's outputs into scores.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Function {
    Sigmoid,
    Softmax,
    None,
}

/// Options of the hosted service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "they are accepted and change nothing")]
struct HostedOptions {
    wait_for_model: Option<bool>,
    use_cache: Option<bool>,
    use_gpu: Option<bool>,
}

/// Classify with the default model.
#[utoipa::path(post, path = "/", tag = "hugging face", request_body = HuggingFaceRequest,
    responses((status = 200, body = Ranked), Failures))]
pub(super) async fn root(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    ApiJson(request, _place): ApiJson<HuggingFaceRequest>,
) -> Result<Json<Ranked>, ApiError> {
    answer(&app, None, &headers, request).await
}

/// Classify with a model by its name.
#[utoipa::path(post, path = "/models/{name}", tag = "hugging face", request_body = HuggingFaceRequest,
    params(("name" = String, Path, description = "The model's name")),
    responses((status = 200, body = Ranked), Failures))]
pub(super) async fn named(
    State(app): State<Arc<App>>,
    ApiPath(name): ApiPath<String>,
    headers: HeaderMap,
    ApiJson(request, _place): ApiJson<HuggingFaceRequest>,
) -> Result<Json<Ranked>, ApiError> {
    answer(&app, Some(&name), &headers, request).await
}

/// Classify with a model that is named as a repository.
#[utoipa::path(post, path = "/models/{owner}/{name}", tag = "hugging face", request_body = HuggingFaceRequest,
    params(("owner" = String, Path, description = "The owner"), ("name" = String, Path, description = "The model's name")),
    responses((status = 200, body = Ranked), Failures))]
pub(super) async fn named_of(
    State(app): State<Arc<App>>,
    ApiPath((owner, name)): ApiPath<(String, String)>,
    headers: HeaderMap,
    ApiJson(request, _place): ApiJson<HuggingFaceRequest>,
) -> Result<Json<Ranked>, ApiError> {
    answer(&app, Some(&format!("{owner}/{name}")), &headers, request).await
}

async fn answer(
    app: &App,
    model: Option<&str>,
    headers: &HeaderMap,
    request: HuggingFaceRequest,
) -> Result<Json<Ranked>, ApiError> {
    let ClassificationParameters { function_to_apply, top_k, truncation } = request.parameters.unwrap_or_default();
    if top_k.is_some_and(|top_k| top_k.0 < 1) {
        return Err(ApiError::Invalid("parameters.top_k must be at least 1".to_owned()));
    }
    let most = top_k.and_then(Integer::count).unwrap_or(usize::MAX);
    let mut long = app.truncation();
    long.allowed = truncation.unwrap_or(long.allowed);
    let (inputs, one) = request.inputs.into_inputs();
    let answer = app.classify(model, inputs, long).await?;
    let activation = function_to_apply.map(|function| match function {
        Function::Sigmoid => Activation::Sigmoid,
        Function::Softmax => Activation::Softmax,
        Function::None => Activation::Identity,
    });
    let of_text = |scores: Option<Vec<f32>>| {
        let mut ranked = ranked(answer.labels(), &scores.unwrap_or_default());
        ranked.truncate(most);
        ranked
    };
    let texts: Vec<Vec<LabelScore>> = answer.scores(activation).map(of_text).collect();
    Ok(Json(Ranked::new(texts, one && !reads_lists_of_lists(headers))))
}

/// Whether a client takes the first list of what it gets, whatever it sent: Hugging Face's own clients do, since the
/// hosted service answers a single text with a list of lists.
///
/// Source: `InferenceClient.text_classification` of `huggingface_hub`, `textClassification` of `@huggingface/inference`.
fn reads_lists_of_lists(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    agent.contains("hf_hub/") || agent.contains("huggingface")
}
