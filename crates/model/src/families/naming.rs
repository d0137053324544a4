//! From the names that programs give the tensors of a checkpoint to the canonical ones.
//!
//! What wraps a model puts its own name before or into those of the tensors: `module.` of PyTorch's data parallelism,
//! `_orig_mod.` of its compiler, `base_model.model.` of PEFT, or whatever a training loop calls its model. The embeddings
//! tell: what stands before their name stands before all others.

use std::collections::BTreeSet;

use super::{ALL, Family};

/// Parts of a name that a wrapper has put there, wherever they stand.
const WRAPPERS: [&str; 5] = ["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "module", "base_layer"];

/// Before the name of an adapter, in those of layers that PEFT trains whole.
const TRAINED_WHOLE: &str = "modules_to_save";

/// Such a layer as it was before.
const UNTRAINED: &str = "original_module";

/// How parts of names begin that belong to an adapter: those of PEFT's LoRA, and of IA³.
const ADAPTERS: [&str; 2] = ["lora_", "ia3_"];

/// How the tensors of one checkpoint are called.
#[derive(Debug, Default)]
pub(crate) struct Naming {
    /// What stands before the names that transformers gives.
    prefix: String,
}

/// Why names do not tell which tensor is which.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NamingFault {
    /// An adapter has not been merged into the model; one of its tensors.
    Adapter(String),
    /// There are several encoders, under these prefixes.
    Encoders(Vec<String>),
}

impl Naming {
    /// The naming of a checkpoint with these names.
    pub(crate) fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, NamingFault> {
        let mut prefixes = BTreeSet::new();
        let mut adapter: Option<&str> = None;
        for name in names {
            if name.split('.').any(|part| ADAPTERS.iter().any(|adapter| part.starts_with(adapter))) {
                // The first by name, so that errors do not depend on the run.
                adapter = Some(adapter.map_or(name, |first| first.min(name)));
            }
            let Some(name) = unwrapped(name) else { continue };
            let before = |family: &&Family| {
                let before = name.strip_suffix(".weight")?.strip_suffix(family.names.word_embeddings)?;
                (before.is_empty() || before.ends_with('.')).then_some(before)
            };
            prefixes.extend(ALL.iter().find_map(before).map(|before| without_encoder(before).to_owned()));
        }
        if let Some(adapter) = adapter {
            return Err(NamingFault::Adapter(adapter.to_owned()));
        }
        // Without a prefix the names are those that transformers reads, whatever else is there.
        if prefixes.is_empty() || prefixes.contains("") {
            return Ok(Self::default());
        }
        let mut prefixes = prefixes.into_iter();
        match (prefixes.next(), prefixes.next()) {
            (Some(prefix), None) => Ok(Self { prefix }),
            (first, second) => Err(NamingFault::Encoders(first.into_iter().chain(second).chain(prefixes).collect())),
        }
    }

    /// The canonical name of a tensor: without what wraps the model and without the encoder's name, and with TensorFlow's
    /// `gamma` and `beta` of old conversions in PyTorch's words. `None` for one that another has replaced.
    pub(crate) fn canonical(&self, stored: &str) -> Option<String> {
        let name = unwrapped(stored)?;
        let name = name.strip_prefix(&self.prefix).unwrap_or(&name);
        let inside = |family: &&Family| name.strip_prefix(family.names.encoder)?.strip_prefix('.');
        let name = ALL.iter().find_map(inside).unwrap_or(name);
        Some(match (name.strip_suffix(".gamma"), name.strip_suffix(".beta")) {
            (Some(layer), _) => format!("{layer}.weight"),
            (_, Some(layer)) => format!("{layer}.bias"),
            _ => name.to_owned(),
        })
    }
}

/// A name without the parts of wrappers; `None` for a layer that PEFT has trained whole, as it was before.
fn unwrapped(name: &str) -> Option<String> {
    let mut parts = Vec::new();
    let mut all = name.split('.');
    while let Some(part) = all.next() {
        match part {
            UNTRAINED => return None,
            TRAINED_WHOLE => drop(all.next()),
            _ if WRAPPERS.contains(&part) => {}
            _ => parts.push(part),
        }
    }
    Some(parts.join("."))
}

/// What stands before the name of an embedding, without the name of the encoder.
fn without_encoder(before: &str) -> &str {
    let inside = |family: &&Family| {
        let before = before.strip_suffix('.')?.strip_suffix(family.names.encoder)?;
        (before.is_empty() || before.ends_with('.')).then_some(before)
    };
    ALL.iter().find_map(inside).unwrap_or(before)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_of_checkpoints_become_canonical() {
        let cases = [
            ("albert.pooler.weight", "pooler.weight"),
            ("classifier.bias", "classifier.bias"),
            ("embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight"),
            ("albert.embeddings.LayerNorm.beta", "embeddings.LayerNorm.bias"),
            ("albert.albert.x", "albert.x"),
            ("module.albert._orig_mod.pooler.weight", "pooler.weight"),
        ];
        for (stored, canonical) in cases {
            assert_eq!(Naming::default().canonical(stored).unwrap(), canonical);
        }
    }

    #[test]
    fn what_stands_before_the_embeddings_stands_before_all_names() {
        let query = "encoder.layer.0.attention.self.query.weight";
        for (prefix, encoder) in [
            ("", "bert."),
            ("", ""),
            ("module.", "bert."),
            ("module.", ""),
            ("_orig_mod.module.", "bert."),
            ("model.", "bert."),
            ("model.", ""),
            ("base_model.model.", "bert."),
            ("module.base_model.model.", "bert."),
            ("trainer.net.0.", "bert."),
            ("net.bert_classifier.", ""),
        ] {
            let name = |canonical: &str| format!("{prefix}{encoder}{canonical}");
            let stored = [
                name("embeddings.word_embeddings.weight"),
                name(query),
                name("pooler.dense.bias"),
                format!("{prefix}classifier.weight"),
                "step".to_owned(),
            ];
            let naming = Naming::of(stored.iter().map(String::as_str)).unwrap();
            let canonical: Vec<_> = stored.iter().map(|name| naming.canonical(name).unwrap()).collect();
            let expected =
                ["embeddings.word_embeddings.weight", query, "pooler.dense.bias", "classifier.weight", "step"];
            assert_eq!(canonical, expected, "{prefix}{encoder}");
        }
    }

    #[test]
    fn layers_that_peft_has_wrapped_are_those_inside() {
        let naming = Naming::of(["base_model.model.albert.embeddings.word_embeddings.weight"]).unwrap();
        let canonical = |name: &str| naming.canonical(&format!("base_model.model.{name}"));
        assert_eq!(canonical("albert.pooler.base_layer.weight").unwrap(), "pooler.weight");
        assert_eq!(canonical("classifier.modules_to_save.default.bias").unwrap(), "classifier.bias");
        assert_eq!(canonical("classifier.original_module.bias"), None);
        // The embeddings may be wrapped, too.
        let wrapped = ["model.albert.embeddings.word_embeddings.base_layer.weight"];
        assert_eq!(Naming::of(wrapped).unwrap().prefix, "model.");
    }

    #[test]
    fn adapters_and_several_encoders_are_told() {
        let word = "albert.embeddings.word_embeddings.weight";
        let layer = "base_model.model.albert.encoder.x.query";
        let (a, b) = (format!("{layer}.lora_A.default.weight"), format!("{layer}.lora_B.default.weight"));
        assert_eq!(Naming::of([word, &b, &a]).unwrap_err(), NamingFault::Adapter(a));
        assert!(matches!(Naming::of(["albert.x.ia3_l.default", word]), Err(NamingFault::Adapter(_))));
        let [student, teacher] = ["student.", "teacher."].map(|prefix| format!("{prefix}{word}"));
        let both = vec!["student.".to_owned(), "teacher.".to_owned()];
        assert_eq!(Naming::of([teacher.as_str(), student.as_str()]).unwrap_err(), NamingFault::Encoders(both));
        // One of them is where transformers looks.
        assert_eq!(Naming::of([word, teacher.as_str()]).unwrap().prefix, "");
    }
}
