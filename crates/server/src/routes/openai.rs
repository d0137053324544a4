//! The classification API of vLLM and SGLang, in the style of OpenAI's.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use albertine::Activation;
use albertine::model::argmax;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::inputs::{OneOrMany, texts_schema};
use super::integer::{self, Integer};
use crate::app::App;
use crate::body::ApiJson;
use crate::context::Context;
use crate::error::{ApiError, NestedFailures};

/// Texts to classify.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClassifyRequest {
    /// The model's name; the default one if it is not given.
    model: Option<String>,
    /// A text or a list of texts.
    #[schema(schema_with = texts_schema)]
    input: OneOrMany<String>,
    /// `false`: give the model's outputs before softmax or sigmoid.
    #[serde(alias = "activation", alias = "softmax")]
    use_activation: Option<bool>,
    /// -1: truncate texts that are too long to what the model reads, which is the only length that may be given; the
    /// service's setting decides if it is not given.
    #[schema(schema_with = integer::minus_one)]
    truncate_prompt_tokens: Option<Integer>,
    /// It changes nothing: the model's special tokens are always added.
    #[expect(dead_code, reason = "it is accepted and changes nothing")]
    add_special_tokens: Option<bool>,
    /// The client's name for the request; it changes nothing, the header `x-request-id` does.
    #[serde(alias = "rid")]
    #[expect(dead_code, reason = "it is accepted and changes nothing")]
    request_id: Option<String>,
    /// Who asks; it changes nothing.
    #[expect(dead_code, reason = "it is accepted and changes nothing")]
    user: Option<String>,
    /// It changes nothing: requests take turns.
    #[expect(dead_code, reason = "it is accepted and changes nothing")]
    #[schema(schema_with = integer::any)]
    priority: Option<Integer>,
}

/// The classes of texts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClassifyAnswer {
    /// The id of the request.
    id: String,
    object: &'static str,
    /// Seconds since 1970.
    created: u64,
    /// The model's name.
    model: String,
    /// One for each text, in their order.
    data: Vec<Class>,
    usage: TokenUsage,
}

/// The class of a text.
#[derive(Debug, Serialize, ToSchema)]
struct Class {
    /// The text's index.
    index: usize,
    /// The best label; null for a blank text.
    label: Option<String>,
    /// The score of each label, in the model's order; empty for a blank text.
    probs: Vec<f32>,
    num_classes: usize,
}

/// Tokens that were read.
#[derive(Debug, Serialize, ToSchema)]
struct TokenUsage {
    prompt_tokens: usize,
    total_tokens: usize,
    completion_tokens: usize,
}

/// Classify texts.
#[utoipa::path(post, path = "/v1/classify", tag = "openai", request_body = ClassifyRequest,
    responses((status = 200, body = ClassifyAnswer), NestedFailures))]
pub(super) async fn v1_classify(
    state: State<Arc<App>>,
    body: ApiJson<ClassifyRequest>,
) -> Result<Json<ClassifyAnswer>, ApiError> {
    classify(state, body).await
}

/// Classify texts.
#[utoipa::path(post, path = "/classify", tag = "openai", request_body = ClassifyRequest,
    responses((status = 200, body = ClassifyAnswer), NestedFailures))]
pub(super) async fn classify(
    State(app): State<Arc<App>>,
    ApiJson(request, _place): ApiJson<ClassifyRequest>,
) -> Result<Json<ClassifyAnswer>, ApiError> {
    let (inputs, _) = request.input.into_inputs();
    let mut truncation = app.truncation();
    match request.truncate_prompt_tokens {
        None => {}
        Some(Integer(-1)) => truncation.allowed = true,
        Some(_) => {
            return Err(ApiError::Invalid(
                "truncate_prompt_tokens: only -1, the length that the model reads, is possible".to_owned(),
            ));
        }
    }
    let answer = app.classify(request.model.as_deref(), inputs, truncation).await?;
    let labels = answer.labels();
    let activation = (request.use_activation == Some(false)).then_some(Activation::Identity);
    let one = |(index, scores): (usize, Option<Vec<f32>>)| {
        let label = scores.as_ref().map(|scores| labels[argmax(scores)].clone());
        Class { index, label, probs: scores.unwrap_or_default(), num_classes: labels.len() }
    };
    Ok(Json(ClassifyAnswer {
        id: format!("classify-{}", Context::current().id),
        object: "list",
        created: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        model: answer.served.name.clone(),
        data: answer.scores(activation).enumerate().map(one).collect(),
        usage: TokenUsage { prompt_tokens: answer.tokens, total_tokens: answer.tokens, completion_tokens: 0 },
    }))
}
