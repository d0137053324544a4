//! What is particular to a family of encoders: what its configuration and its tensors are called.

use std::fmt;

use super::{LayerParts, Size};
use crate::HiddenActivation;

/// What is particular to a family of encoders.
pub(crate) struct Family {
    /// `model_type` in `config.json`.
    pub(crate) model_type: &'static str,
    /// What a person calls a model of it, with the article.
    pub(crate) noun: &'static str,
    /// The classifier's class in transformers and in Spark NLP.
    pub(crate) class: &'static str,
    /// The tokenizer's class in transformers.
    pub(crate) tokenizer: &'static str,
    /// The sizes that `config.json` says, with their fields there and transformers' defaults.
    pub(crate) sizes: &'static [(Size, &'static str, usize)],
    /// The default of `hidden_act`.
    pub(crate) activation: HiddenActivation,
    /// Switches of `config.json` that make another network of it, which is not read.
    pub(crate) refused: &'static [&'static str],
    /// The dropout probabilities that `config.json` says, for training: of hidden states, of attention and before the
    /// classifier, with their fields there and transformers' defaults. Without a default, the last one is the first.
    pub(crate) dropout: [(&'static str, Option<f32>); 3],
    /// Whether dropout comes between the feed-forward part and its residual, as it does behind attention.
    pub(crate) output_dropout: bool,
    /// The row of the position embeddings that a document's first token has.
    pub(crate) position_offset: usize,
    pub(crate) names: Names,
}

/// The canonical names of a family's layers, without `.weight` and `.bias`.
pub(crate) struct Names {
    /// What transformers calls the encoder, and puts before the names of all but the classifier.
    pub(crate) encoder: &'static str,
    pub(crate) word_embeddings: &'static str,
    pub(crate) position_embeddings: &'static str,
    pub(crate) token_type_embeddings: &'static str,
    pub(crate) embedding_norm: &'static str,
    /// Between embeddings and layers, if the family has it.
    pub(crate) projection: Option<&'static str>,
    /// A layer, with `{group}` and `{inner}` for its place.
    pub(crate) layer: &'static str,
    /// What is in a layer, by names that follow the layer's.
    pub(crate) layer_parts: LayerParts<&'static str>,
    pub(crate) pooler: &'static str,
    pub(crate) classifier: &'static str,
    /// The head of a masked language model: its linear layer, its LayerNorm, and what its bias follows.
    pub(crate) masked_language: [&'static str; 3],
}

impl Names {
    /// The name of a layer.
    pub(crate) fn layer(&self, group: usize, inner: usize) -> String {
        self.layer.replace("{group}", &group.to_string()).replace("{inner}", &inner.to_string())
    }

    /// The name of a tensor in transformers' checkpoints.
    pub(crate) fn stored(&self, canonical: &str) -> String {
        let is_head = |name: &&str| canonical.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let is_outside = is_classifier(canonical) || self.masked_language.iter().any(is_head);
        if is_outside { canonical.to_owned() } else { format!("{}.{canonical}", self.encoder) }
    }
}

impl Family {
    /// What `config.json` calls a size.
    pub(crate) fn field(&self, size: Size) -> &'static str {
        self.sizes.iter().find(|(known, ..)| *known == size).map_or("", |(_, field, _)| field)
    }

    /// Whether `config.json` has a field for a size.
    pub(crate) fn states(&self, size: Size) -> bool {
        !self.field(size).is_empty()
    }
}

impl PartialEq for Family {
    fn eq(&self, other: &Self) -> bool {
        self.model_type == other.model_type
    }
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.model_type)
    }
}

/// Whether a canonical name belongs to the classifier, which pretrained checkpoints lack.
pub(crate) fn is_classifier(name: &str) -> bool {
    name.starts_with("classifier.")
}
