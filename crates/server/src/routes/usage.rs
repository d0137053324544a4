//! What a request took.

use serde::Serialize;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::app::Answer;

/// What a request took.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Usage {
    /// Texts.
    texts: usize,
    /// Tokens of all texts, special ones included.
    tokens: usize,
    /// Texts whose end (or start) was not read, because they have more tokens than the model reads.
    truncated: usize,
}

impl Usage {
    pub(super) fn of(answer: &Answer) -> Self {
        Self { texts: answer.outputs.len(), tokens: answer.tokens, truncated: answer.truncated }
    }
}

/// A label with its score.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct LabelScore {
    /// The label.
    pub(super) label: String,
    /// Its score: a probability, or what was asked for.
    pub(super) score: f32,
}

/// The labels of a text, the best first, or a list of such lists for several texts; empty for a blank text.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Ranked {
    /// Of one text.
    One(Vec<LabelScore>),
    /// Of each text.
    Many(Vec<Vec<LabelScore>>),
}

impl PartialSchema for Ranked {
    fn schema() -> RefOr<Schema> {
        // any of, not one of: an empty list is both
        let list = |of: RefOr<Schema>| ArrayBuilder::new().items(of);
        let one = || list(Ref::from_schema_name(LabelScore::name()).into());
        AnyOfBuilder::new().item(one()).item(list(Schema::from(one()).into())).into()
    }
}

impl ToSchema for Ranked {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((LabelScore::name().into_owned(), LabelScore::schema()));
    }
}

impl Ranked {
    /// Without a list around it if the request had one text.
    pub(super) fn new(mut texts: Vec<Vec<LabelScore>>, one: bool) -> Self {
        if one { Self::One(texts.pop().unwrap_or_default()) } else { Self::Many(texts) }
    }
}

/// All labels with their scores, the best first.
pub(super) fn ranked(labels: &[String], scores: &[f32]) -> Vec<LabelScore> {
    let pairs = labels.iter().zip(scores);
    let mut ranked: Vec<_> = pairs.map(|(label, &score)| LabelScore { label: label.clone(), score }).collect();
    // a stable sort: the first of equal scores stays the first
    ranked.sort_by(|one, other| other.score.total_cmp(&one.score));
    ranked
}
