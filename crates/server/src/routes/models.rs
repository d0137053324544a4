//! The models of the service.

use std::sync::Arc;

use albertine::builtin::BUILT_IN;
use albertine::hub::ModelSource;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::{ApiError, ErrorBody};
use crate::models::Served;
use crate::path::ApiPath;

/// Bytes of a model card that are read.
const MOST_CARD_BYTES: u64 = 1 << 20;

/// The models of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelList {
    object: &'static str,
    data: Vec<ModelEntry>,
    /// Whether the service keeps corrections of labels.
    corrections: bool,
}

/// A model of the service.
#[derive(Debug, Serialize, ToSchema)]
struct ModelEntry {
    /// Its name in requests.
    id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
    /// Whether it answers requests that name no model.
    default: bool,
    /// Whether it is in memory.
    loaded: bool,
    /// Its labels; null until it is loaded.
    labels: Option<Vec<String>>,
}

/// The models of the service, the default one first.
#[utoipa::path(get, path = "/v1/models", tag = "albertine",
    responses((status = 200, body = ModelList), (status = 401, body = ErrorBody)))]
pub(super) async fn list(State(app): State<Arc<App>>) -> Json<ModelList> {
    let default = app.models.default_name();
    let entry = |(name, served): (&str, Option<Arc<Served>>)| ModelEntry {
        id: name.to_owned(),
        object: "model",
        created: 0,
        owned_by: "albertine",
        default: name == default,
        loaded: served.is_some(),
        labels: served.map(|served| served.classifier.labels().to_vec()),
    };
    let data = app.models.list().map(entry).collect();
    Json(ModelList { object: "list", data, corrections: app.corrections.is_some() })
}

/// What a model is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelDescription {
    /// Its name in requests.
    id: String,
    object: &'static str,
    owned_by: &'static str,
    labels: Vec<String>,
    /// The annotator for models of its family, by its name in Spark NLP.
    annotator: &'static str,
    /// What turns its outputs into scores: `softmax`, `sigmoid` or `identity`.
    activation: &'static str,
    /// The most tokens of a text that are read.
    max_sentence_length: usize,
    precision: &'static str,
    parameters: usize,
    /// The model card, in Markdown; null if there is none.
    card: Option<String>,
    /// Texts to try it with.
    examples: Vec<String>,
}

/// What a model is. It is loaded if it is not.
#[utoipa::path(get, path = "/v1/models/{name}", tag = "albertine",
    params(("name" = String, Path, description = "The model's name")),
    responses((status = 200, body = ModelDescription), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 500, body = ErrorBody)))]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    ApiPath(name): ApiPath<String>,
) -> Result<Json<ModelDescription>, ApiError> {
    Ok(Json(describe(&*app.models.get(Some(&name)).await?)))
}

/// What a model is that is named as a repository. It is loaded if it is not.
#[utoipa::path(get, path = "/v1/models/{owner}/{name}", tag = "albertine",
    params(("owner" = String, Path, description = "The owner"), ("name" = String, Path, description = "The model's name")),
    responses((status = 200, body = ModelDescription), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 500, body = ErrorBody)))]
pub(super) async fn one_of(
    State(app): State<Arc<App>>,
    ApiPath((owner, name)): ApiPath<(String, String)>,
) -> Result<Json<ModelDescription>, ApiError> {
    Ok(Json(describe(&*app.models.get(Some(&format!("{owner}/{name}"))).await?)))
}

fn describe(served: &Served) -> ModelDescription {
    let classifier = &served.classifier;
    let card = card(&classifier.source());
    ModelDescription {
        id: served.name.clone(),
        object: "model",
        owned_by: "albertine",
        labels: classifier.labels().to_vec(),
        annotator: classifier.annotator(),
        activation: classifier.activation().name(),
        max_sentence_length: classifier.max_sentence_length(),
        precision: classifier.model().precision().name(),
        parameters: classifier.config().parameters(),
        examples: card.as_deref().map(examples).unwrap_or_default(),
        card,
    }
}

/// The model card in a model's folder, or of a built-in model.
fn card(source: &ModelSource) -> Option<String> {
    match source {
        ModelSource::BuiltIn(model) => {
            BUILT_IN.iter().find(|known| known.name == model.name).map(|model| model.card.to_owned())
        }
        ModelSource::Directory(path) => {
            let path = path.join("README.md");
            let is_small = std::fs::metadata(&path).is_ok_and(|found| found.len() <= MOST_CARD_BYTES);
            is_small.then(|| std::fs::read_to_string(&path).ok()).flatten()
        }
    }
}

/// The example texts in the front matter of a model card: the lines `- text: ...` below `widget:`.
///
/// Source: the Hugging Face hub's model cards.
fn examples(card: &str) -> Vec<String> {
    let front = card.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---")).map_or("", |(front, _)| front);
    let widget = front.lines().skip_while(|line| line.trim_end() != "widget:").skip(1);
    let lines = widget.take_while(|line| line.starts_with([' ', '-']));
    let texts = lines.filter_map(|line| line.trim_start().trim_start_matches('-').trim_start().strip_prefix("text:"));
    texts
        .map(|text| text.trim().trim_matches(['"', '\'']).to_owned())
        .filter(|text| !text.is_empty())
        .take(20)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_those_of_the_widget() {
        let card = "---\nlicense: mit\nwidget:\n  - text: \"Oil: up\"\n    example_title: Oil\n- text: Goal\ntags:\n- text: no\n---\n- text: no\n";
        assert_eq!(examples(card), ["Oil: up", "Goal"]);
        assert!(examples("# No front matter\nwidget:\n- text: x\n").is_empty());
    }

    #[test]
    fn the_built_in_model_has_examples() {
        assert!(BUILT_IN.iter().all(|model| examples(model.card).len() >= 3));
    }
}
