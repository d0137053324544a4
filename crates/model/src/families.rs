//! The model families that are read, each as data: what its configuration and its tensors are called.

mod albert;
mod bert;
mod naming;

use std::fmt;

pub(crate) use self::naming::{Naming, NamingFault};
use crate::HiddenActivation;
use crate::architecture::{LayerParts, Size};

/// Every family. The first is meant where a `config.json` does not say.
pub(crate) static ALL: [&Family; 2] = [&albert::FAMILY, &bert::FAMILY];

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
}

impl Names {
    /// The name of a layer.
    pub(crate) fn layer(&self, group: usize, inner: usize) -> String {
        self.layer.replace("{group}", &group.to_string()).replace("{inner}", &inner.to_string())
    }

    /// The name of a tensor in transformers' checkpoints.
    pub(crate) fn stored(&self, canonical: &str) -> String {
        if is_classifier(canonical) { canonical.to_owned() } else { format!("{}.{canonical}", self.encoder) }
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

/// Something of every family, for a message.
pub(crate) fn listed(of: impl Fn(&Family) -> String) -> String {
    ALL.map(of).join(" or ")
}

/// Whether a canonical name belongs to the classifier, which pretrained checkpoints lack.
pub(crate) fn is_classifier(name: &str) -> bool {
    name.starts_with("classifier.")
}

/// Whether a canonical name belongs to the head of a sequence classifier, which checkpoints that were trained for something
/// else lack: those of masked language models have no pooler either.
pub(crate) fn is_head(name: &str) -> bool {
    is_classifier(name) || name.starts_with("pooler.")
}

/// The canonical name of a variable as TensorFlow's models name it, and whether it is kept the other way round.
///
/// transformers calls a variable `tf_albert_for_sequence_classification/albert/pooler/kernel`; the part before the
/// encoder's last name is a model's own.
pub(crate) fn name_in_tensorflow(stored: &str) -> Option<(String, bool)> {
    let behind = |family: &&Family| {
        let name = format!("{}/", family.names.encoder);
        stored.rfind(&name).map(|start| start + name.len())
    };
    let start = ALL.iter().filter_map(behind).max().or_else(|| stored.rfind("classifier/"))?;
    let (layer, kind) = stored.get(start..)?.rsplit_once('/')?;
    let (kind, transposed) = match kind {
        "kernel" => ("weight", true),
        "gamma" | "embeddings" | "weight" => ("weight", false),
        "bias" | "beta" => ("bias", false),
        _ => return None,
    };
    Some((format!("{}.{kind}", layer.replace("_._", ".").replace('/', ".")), transposed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tensorflow_become_canonical() {
        let model = "tf_albert_for_sequence_classification_1";
        let layer = "encoder/albert_layer_groups_._0/albert_layers_._1";
        let cases = [
            (format!("{model}/albert/pooler/kernel"), Some(("pooler.weight", true))),
            (format!("{model}/classifier/bias"), Some(("classifier.bias", false))),
            ("classifier/kernel".to_owned(), Some(("classifier.weight", true))),
            (
                format!("albert/{layer}/attention/LayerNorm/gamma"),
                Some(("encoder.albert_layer_groups.0.albert_layers.1.attention.LayerNorm.weight", false)),
            ),
            (
                format!("{model}/albert/embeddings/position_embeddings/embeddings"),
                Some(("embeddings.position_embeddings.weight", false)),
            ),
            ("save_counter".to_owned(), None),
            (format!("{model}/albert/pooler"), None),
            ("albert/".to_owned(), None),
        ];
        for (stored, expected) in cases {
            let found = name_in_tensorflow(&stored);
            assert_eq!(found.as_ref().map(|(name, transposed)| (name.as_str(), *transposed)), expected, "{stored}");
        }
    }
}
