//! The model families that are read, each as data: what its configuration and its tensors are called.

mod albert;
mod bert;
mod naming;

pub(crate) use self::naming::{Naming, NamingFault};
pub(crate) use crate::architecture::{Family, Names, is_classifier};

/// Every family. The first is meant where a `config.json` does not say.
pub(crate) static ALL: [&Family; 2] = [&albert::FAMILY, &bert::FAMILY];

/// Something of every family, for a message.
pub(crate) fn listed(of: impl Fn(&Family) -> String) -> String {
    ALL.map(of).join(" or ")
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
