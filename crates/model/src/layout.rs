//! The tensors of an ALBERT sequence classifier: one table of canonical names and shapes.
//!
//! Names are those of transformers' `AlbertForSequenceClassification` without the `albert.` that it puts before all
//! but the head. A linear layer's weight is `[outputs, inputs]`, row-major, as PyTorch keeps it.

use std::borrow::Cow;

use crate::AlbertConfig;

/// A tensor that a configuration calls for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its canonical name, such as `encoder.albert_layer_groups.0.albert_layers.0.ffn.weight`.
    pub name: String,
    /// Its shape, outermost axis first.
    pub shape: Vec<usize>,
}

/// Every tensor of a model of that shape, in the order of the computation.
pub fn tensors(config: &AlbertConfig) -> Vec<TensorSpec> {
    let AlbertConfig { embedding_size: embedding, hidden_size: hidden, intermediate_size: inner, .. } = *config;
    let mut table = Table(Vec::new());
    table.add("embeddings.word_embeddings.weight", &[config.vocab_size, embedding]);
    table.add("embeddings.position_embeddings.weight", &[config.max_position_embeddings, embedding]);
    table.add("embeddings.token_type_embeddings.weight", &[config.type_vocab_size, embedding]);
    table.norm("embeddings.LayerNorm", embedding);
    table.linear("encoder.embedding_hidden_mapping_in", hidden, embedding);
    for group in 0..config.num_hidden_groups {
        for layer in 0..config.inner_group_num {
            let prefix = format!("encoder.albert_layer_groups.{group}.albert_layers.{layer}");
            for projection in ["query", "key", "value", "dense"] {
                table.linear(&format!("{prefix}.attention.{projection}"), hidden, hidden);
            }
            table.norm(&format!("{prefix}.attention.LayerNorm"), hidden);
            table.linear(&format!("{prefix}.ffn"), inner, hidden);
            table.linear(&format!("{prefix}.ffn_output"), hidden, inner);
            table.norm(&format!("{prefix}.full_layer_layer_norm"), hidden);
        }
    }
    table.linear("pooler", hidden, hidden);
    table.linear("classifier", config.labels.len(), hidden);
    table.0
}

struct Table(Vec<TensorSpec>);

impl Table {
    fn add(&mut self, name: &str, shape: &[usize]) {
        self.0.push(TensorSpec { name: name.to_owned(), shape: shape.to_owned() });
    }

    fn linear(&mut self, name: &str, outputs: usize, inputs: usize) {
        self.add(&format!("{name}.weight"), &[outputs, inputs]);
        self.add(&format!("{name}.bias"), &[outputs]);
    }

    fn norm(&mut self, name: &str, width: usize) {
        self.add(&format!("{name}.weight"), &[width]);
        self.add(&format!("{name}.bias"), &[width]);
    }
}

/// The canonical name of a tensor as a checkpoint names it: without `albert.`, and with TensorFlow's `gamma` and
/// `beta` of old conversions in PyTorch's words.
pub(crate) fn canonical_name(stored: &str) -> Cow<'_, str> {
    let name = stored.strip_prefix("albert.").unwrap_or(stored);
    if let Some(layer) = name.strip_suffix(".gamma") {
        Cow::Owned(format!("{layer}.weight"))
    } else if let Some(layer) = name.strip_suffix(".beta") {
        Cow::Owned(format!("{layer}.bias"))
    } else {
        Cow::Borrowed(name)
    }
}

/// The canonical name of a variable as TensorFlow's models name it, and whether it is kept the other way round.
///
/// transformers calls a variable `tf_albert_for_sequence_classification/albert/pooler/kernel`; the part before the
/// last `albert/` is a model's own.
pub(crate) fn name_in_tensorflow(stored: &str) -> Option<(String, bool)> {
    let start = match stored.rfind("albert/") {
        Some(place) => place + "albert/".len(),
        None => stored.rfind("classifier/")?,
    };
    let (layer, kind) = stored.get(start..)?.rsplit_once('/')?;
    let (kind, transposed) = match kind {
        "kernel" => ("weight", true),
        "gamma" | "embeddings" | "weight" => ("weight", false),
        "bias" | "beta" => ("bias", false),
        _ => return None,
    };
    Some((format!("{}.{kind}", layer.replace("_._", ".").replace('/', ".")), transposed))
}

/// The name of a tensor in transformers' checkpoints, where the encoder is a part called `albert`.
#[must_use]
pub fn stored_name(canonical: &str) -> String {
    if is_head(canonical) { canonical.to_owned() } else { format!("albert.{canonical}") }
}

/// Whether a canonical name belongs to the classification head, which pretrained checkpoints lack.
pub(crate) fn is_head(name: &str) -> bool {
    name.starts_with("classifier.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_checkpoints_become_canonical() {
        let cases = [
            ("albert.pooler.weight", "pooler.weight"),
            ("classifier.bias", "classifier.bias"),
            ("embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"),
            ("albert.embeddings.LayerNorm.beta", "embeddings.LayerNorm.bias"),
            ("albert.albert.x", "albert.x"),
        ];
        for (stored, canonical) in cases {
            assert_eq!(canonical_name(stored), canonical);
        }
    }

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
