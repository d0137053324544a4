//! The routes of text-embeddings-inference for classifiers.

use std::collections::BTreeMap;
use std::sync::Arc;

use albertine::{Activation, TruncationSide};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::inputs::{OneOrMany, TeiInputs, tei_schema, texts_schema};
use super::usage::{LabelScore, Ranked, ranked};
use crate::app::{App, Truncation};
use crate::body::ApiJson;
use crate::error::{ApiError, Failures};

/// Bytes of texts that are answered with their tokens, each of which takes a hundred times its own bytes.
const MOST_TOKENIZED_BYTES: usize = 1 << 20;

/// Texts or pairs to classify.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PredictRequest {
    /// A text; a list of one text, or of the two texts of a pair; or a list of such lists.
    #[schema(schema_with = tei_schema)]
    inputs: TeiInputs,
    /// Whether a text that is too long is truncated or refused; the service's setting decides if it is not given.
    truncate: Option<bool>,
    /// Which end of a text that is too long is not read.
    truncation_direction: Option<Direction>,
    /// Give the model's outputs before softmax or sigmoid.
    raw_scores: Option<bool>,
    /// The model's name; the default one if it is not given.
    model: Option<String>,
}

/// Which end of a text that is too long is not read.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
enum Direction {
    /// The start.
    #[serde(rename = "left", alias = "Left")]
    Left,
    /// The end.
    #[serde(rename = "right", alias = "Right")]
    Right,
}

/// Classify a text, a pair of texts, or a batch.
#[utoipa::path(post, path = "/predict", tag = "tei", request_body = PredictRequest,
    responses((status = 200, body = Ranked), Failures))]
pub(super) async fn predict(
    State(app): State<Arc<App>>,
    ApiJson(request, _place): ApiJson<PredictRequest>,
) -> Result<Json<Ranked>, ApiError> {
    let TeiInputs { inputs, single } = request.inputs;
    let truncation = Truncation {
        allowed: request.truncate.unwrap_or(app.settings.truncate),
        side: request.truncation_direction.map(|direction| match direction {
            Direction::Left => TruncationSide::Left,
            Direction::Right => TruncationSide::Right,
        }),
    };
    let answer = app.classify(request.model.as_deref(), inputs, truncation).await?;
    let activation = request.raw_scores.unwrap_or(false).then_some(Activation::Identity);
    let of_text = |scores: Option<Vec<f32>>| ranked(answer.labels(), &scores.unwrap_or_default());
    let texts: Vec<Vec<LabelScore>> = answer.scores(activation).map(of_text).collect();
    Ok(Json(Ranked::new(texts, single)))
}

/// The service and its default model.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Info {
    model_id: String,
    model_sha: Option<String>,
    model_dtype: &'static str,
    model_type: ModelType,
    max_concurrent_requests: usize,
    max_input_length: usize,
    max_batch_tokens: usize,
    max_batch_requests: Option<usize>,
    max_client_batch_size: usize,
    max_payload_limit: usize,
    auto_truncate: bool,
    tokenization_workers: usize,
    version: &'static str,
    sha: Option<String>,
    docker_label: Option<String>,
}

/// What the model does.
#[derive(Debug, Serialize, ToSchema)]
struct ModelType {
    classifier: Labels,
}

/// The labels of a classifier.
#[derive(Debug, Serialize, ToSchema)]
struct Labels {
    id2label: BTreeMap<String, String>,
    label2id: BTreeMap<String, usize>,
}

/// The service and its default model.
#[utoipa::path(get, path = "/info", tag = "tei",
    responses((status = 200, body = Info), (status = 401, body = crate::error::ErrorBody),
        (status = 500, body = crate::error::ErrorBody)))]
pub(super) async fn info(State(app): State<Arc<App>>) -> Result<Json<Info>, ApiError> {
    let served = app.models.get(None).await?;
    let (classifier, limits) = (&served.classifier, &app.settings.limits);
    let labels = || classifier.labels().iter().enumerate();
    Ok(Json(Info {
        model_id: served.name.clone(),
        model_sha: None,
        model_dtype: classifier.model().precision().name(),
        model_type: ModelType {
            classifier: Labels {
                id2label: labels().map(|(id, label)| (id.to_string(), label.clone())).collect(),
                label2id: labels().map(|(id, label)| (label.clone(), id)).collect(),
            },
        },
        max_concurrent_requests: limits.concurrent_requests,
        max_input_length: classifier.max_sentence_length(),
        max_batch_tokens: limits.batch_tokens,
        max_batch_requests: None,
        max_client_batch_size: limits.texts,
        max_payload_limit: limits.body_bytes,
        auto_truncate: app.settings.truncate,
        tokenization_workers: classifier.threads(),
        version: env!("CARGO_PKG_VERSION"),
        sha: None,
        docker_label: None,
    }))
}

/// Texts to tokenize.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenizeRequest {
    /// A text or a list of texts.
    #[schema(schema_with = texts_schema)]
    inputs: OneOrMany<String>,
    /// Whether `[CLS]` and `[SEP]` are among the tokens; they are if it is not given.
    add_special_tokens: Option<bool>,
    /// The model's name; the default one if it is not given.
    model: Option<String>,
}

/// A token of a text.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Token {
    id: u32,
    /// As it stands in the vocabulary.
    text: String,
    /// Whether it is not of the text.
    special: bool,
    /// Where it begins in the text, in characters (Unicode code points); null for a special token.
    start: Option<usize>,
    /// Where it ends in the text, in characters, exclusive; null for a special token.
    stop: Option<usize>,
}

/// The tokens of each text, whole: nothing is truncated.
#[utoipa::path(post, path = "/tokenize", tag = "tei", request_body = TokenizeRequest,
    responses((status = 200, body = Vec<Vec<Token>>), Failures))]
pub(super) async fn tokenize(
    State(app): State<Arc<App>>,
    ApiJson(request, _place): ApiJson<TokenizeRequest>,
) -> Result<Json<Vec<Vec<Token>>>, ApiError> {
    let served = app.models.get(request.model.as_deref()).await?;
    let (inputs, _) = request.inputs.into_inputs();
    let limit = app.settings.limits.texts;
    if inputs.len() > limit {
        return Err(ApiError::TooManyTexts { count: inputs.len(), limit });
    }
    if inputs.iter().map(|input| input.text.len()).sum::<usize>() > MOST_TOKENIZED_BYTES {
        return Err(ApiError::TextsTooLarge {
            what: "the texts to tokenize may not have",
            limit: MOST_TOKENIZED_BYTES,
        });
    }
    let specials = request.add_special_tokens.unwrap_or(true);
    let work = move || {
        let one = |input: crate::app::Input| {
            let pieces = served.classifier.inspect(&input.text)?;
            let tokens = pieces.into_iter().map(|piece| {
                let special = piece.begin == piece.end;
                let place = |at: usize| (!special).then_some(at);
                Token { id: piece.id, text: piece.text, special, start: place(piece.begin), stop: place(piece.end) }
            });
            Ok(tokens.filter(|token| specials || !token.special).collect())
        };
        inputs.into_iter().map(one).collect::<Result<Vec<Vec<Token>>, albertine::Error>>()
    };
    Ok(Json(app.tokenize(work).await??))
}
