//! Albertine's own: annotations as Spark NLP has them, and which words speak for which label.

use std::collections::BTreeMap;
use std::sync::Arc;

use albertine::annotation::Annotation;
use albertine::explain::{self, DEFAULT_EVALUATIONS, Settings};
use albertine::{Activation, CancellationToken, Document};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::inputs::at_least_one;
use super::integer::Integer;
use super::usage::Usage;
use crate::app::App;
use crate::body::ApiJson;
use crate::error::{ApiError, Failures};

/// The most evaluations that an explanation may take.
const MOST_EVALUATIONS: usize = 5000;

/// The most bytes of a text to explain: it is read and masked as a whole, many times.
const MOST_BYTES: usize = 1 << 20;

/// Texts to annotate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnnotateRequest {
    /// The texts.
    #[schema(min_items = 1)]
    texts: Vec<String>,
    /// The model's name; the default one if it is not given.
    model: Option<String>,
    /// What turns the model's outputs into scores; if it is not given, what the model was trained with.
    activation: Option<ActivationName>,
}

/// What turns the model's outputs into scores.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ActivationName {
    Softmax,
    Sigmoid,
    Identity,
}

impl From<ActivationName> for Activation {
    fn from(name: ActivationName) -> Self {
        match name {
            ActivationName::Softmax => Self::Softmax,
            ActivationName::Sigmoid => Self::Sigmoid,
            ActivationName::Identity => Self::Identity,
        }
    }
}

/// What the model says of each text, in the order of the texts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AnnotateAnswer {
    /// The model's name.
    model: String,
    /// The category annotations of each text; none of a blank one.
    annotations: Vec<Vec<AnnotationBody>>,
    /// The score of every label; null for a blank text.
    scores: Vec<Option<BTreeMap<String, f32>>>,
    usage: Usage,
}

/// An annotation, with Spark NLP's fields.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AnnotationBody {
    /// `category`.
    annotator_type: String,
    /// The first UTF-16 code unit of the document.
    begin: i32,
    /// The last one, inclusive.
    end: i32,
    /// The label.
    result: String,
    /// The document's number and the scores of all labels, as text.
    metadata: BTreeMap<String, Option<String>>,
    /// Empty.
    embeddings: Vec<f32>,
}

impl From<Annotation> for AnnotationBody {
    fn from(annotation: Annotation) -> Self {
        Self {
            annotator_type: annotation.annotator_type,
            begin: annotation.begin,
            end: annotation.end,
            result: annotation.result,
            metadata: annotation.metadata.into_iter().rev().collect(),
            embeddings: annotation.embeddings,
        }
    }
}

/// Annotate texts as the annotator of the model's family does in Spark NLP.
#[utoipa::path(post, path = "/v1/annotate", tag = "albertine", request_body = AnnotateRequest,
    responses((status = 200, body = AnnotateAnswer), Failures))]
pub(super) async fn annotate(
    State(app): State<Arc<App>>,
    ApiJson(request, _place): ApiJson<AnnotateRequest>,
) -> Result<Json<AnnotateAnswer>, ApiError> {
    at_least_one(&request.texts)?;
    let activation = request.activation.map(Into::into);
    let inputs = request.texts.into_iter().map(Into::into).collect();
    let answer = app.classify(request.model.as_deref(), inputs, app.truncation()).await?;
    let annotations = answer.outputs.iter().map(|output| {
        let annotations = answer.served.classifier.annotations(output, activation)?;
        Ok(annotations.into_iter().map(Into::into).collect())
    });
    let by_label = |scores: Vec<f32>| answer.labels().iter().cloned().zip(scores).collect();
    Ok(Json(AnnotateAnswer {
        model: answer.served.name.clone(),
        annotations: annotations.collect::<Result<_, albertine::Error>>()?,
        scores: answer.scores(activation).map(|scores| scores.map(by_label)).collect(),
        usage: Usage::of(&answer),
    }))
}

/// A text to explain.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainRequest {
    /// The text.
    text: String,
    /// The model's name; the default one if it is not given.
    model: Option<String>,
    /// How words are credited; `shap` if it is not given.
    method: Option<Method>,
    /// About how many evaluations of the model `shap` takes, at least two; 500 if it is not given.
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    evaluations: Option<Integer>,
    /// What is explained: scores under this function; if it is not given, what the model was trained with.
    activation: Option<ActivationName>,
}

/// How words are credited.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Method {
    /// Partition SHAP.
    Shap,
    /// What hiding a word alone takes from the score.
    LeaveOneOut,
}

/// What the words of a text contribute to each label. Lists of numbers are in the order of `labels`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExplainAnswer {
    /// The model's name.
    model: String,
    /// The label with the highest value; null for a blank text.
    label: Option<String>,
    method: &'static str,
    activation: &'static str,
    /// How many evaluations of the model were taken into account.
    evaluations: usize,
    /// Whether the text is longer than what the model reads of it: the rest has no words here.
    truncated: bool,
    labels: Vec<String>,
    /// The values of the text with everything hidden.
    base: Vec<f32>,
    /// The values of the text; with `shap` they are `base` and the weights of all words added up.
    values: Vec<f32>,
    words: Vec<Word>,
}

/// A word with its weights.
#[derive(Debug, Serialize, ToSchema)]
struct Word {
    word: String,
    /// Where it begins in the text, in characters (Unicode code points).
    begin: usize,
    /// Where it ends, exclusive.
    end: usize,
    /// What it adds to the value of each label.
    weights: Vec<f32>,
}

/// Which words of a text speak for which label. Its evaluations take turns with other requests.
#[utoipa::path(post, path = "/v1/explain", tag = "albertine", request_body = ExplainRequest,
    responses((status = 200, body = ExplainAnswer), Failures))]
pub(super) async fn explain(
    State(app): State<Arc<App>>,
    ApiJson(request, _place): ApiJson<ExplainRequest>,
) -> Result<Json<ExplainAnswer>, ApiError> {
    let evaluations = request.evaluations.map_or(DEFAULT_EVALUATIONS, |number| number.count().unwrap_or(0));
    if !(1..=MOST_EVALUATIONS).contains(&evaluations) {
        return Err(ApiError::Invalid(format!("evaluations must be from 1 to {MOST_EVALUATIONS}")));
    }
    if request.text.len() > MOST_BYTES {
        return Err(ApiError::TextsTooLarge { what: "a text to explain may not have", limit: MOST_BYTES });
    }
    app.queue.check(evaluations)?;
    let served = app.models.get(request.model.as_deref()).await?;
    let method = match request.method {
        Some(Method::LeaveOneOut) => explain::Method::LeaveOneOut,
        Some(Method::Shap) | None => explain::Method::Shap,
    };
    let activation = request.activation.map(Into::into);
    let settings = Settings { method, evaluations, activation };
    let waiting = Waiting(CancellationToken::default());
    let cancellation = waiting.0.clone();
    let answer = tokio::task::spawn_blocking(move || explained(&app, &served, &request.text, &settings, &cancellation));
    let answer = answer.await.map_err(|_| ApiError::Internal)??;
    drop(waiting);
    Ok(Json(answer))
}

/// Stops an explanation that nobody waits for any more.
struct Waiting(CancellationToken);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn explained(
    app: &App,
    served: &Arc<crate::models::Served>,
    text: &str,
    settings: &Settings,
    cancellation: &CancellationToken,
) -> Result<ExplainAnswer, ApiError> {
    let classifier = &served.classifier;
    let activation = settings.activation.unwrap_or(classifier.activation());
    // why the queue took no more
    let mut refused = None;
    let mut scores = |texts: &[Option<&str>]| {
        cancellation.check()?;
        let encoded = texts.iter().map(|text| classifier.encode(Document::from(text.unwrap_or_default()), None));
        let encoded = encoded.collect::<Result<Vec<_>, _>>()?;
        let reply = app.queue.push_more(Arc::clone(served), encoded).map_err(|error| {
            refused = Some(error);
            albertine::Error::Cancelled
        })?;
        let outputs = reply.blocking_recv().map_err(|_| albertine::Error::Cancelled)??;
        Ok(outputs.iter().map(|output| output.scores(activation)).collect())
    };
    let found = explain::explain_by(&mut scores, classifier, &[Some(text)], settings);
    let found = found.map_err(|error| refused.take().unwrap_or_else(|| error.into()))?;
    let explanation = found.into_iter().next().flatten();
    let labels = classifier.labels().to_vec();
    let mut answer = ExplainAnswer {
        model: served.name.clone(),
        label: None,
        method: settings.method.name(),
        activation: activation.name(),
        evaluations: 0,
        truncated: false,
        labels,
        base: Vec::new(),
        values: Vec::new(),
        words: Vec::new(),
    };
    if let Some(explanation) = explanation {
        answer.label = Some(answer.labels[explanation.best()].clone());
        answer.evaluations = explanation.evaluations;
        answer.truncated = explanation.truncated;
        let word = |part: explain::Part| Word {
            word: text[part.bytes].to_owned(),
            begin: part.begin,
            end: part.end,
            weights: part.weights,
        };
        answer.words = explanation.words.into_iter().map(word).collect();
        (answer.base, answer.values) = (explanation.base, explanation.values);
    }
    Ok(answer)
}
