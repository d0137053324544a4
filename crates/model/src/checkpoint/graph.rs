//! A configuration and weights out of a graph: by what the graph computes, or by the names of its tensors.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use albertine_formats::graph::{Graph, View, Weight};
use albertine_formats::onnx::{self, OnnxModel};
use albertine_formats::tensorflow::{self, TensorFlowModel};
use albertine_formats::{Contents, Folder, FormatError, MAX_SHARING, StoredTensor};

use super::trace::{Trace, trace};
use crate::config::{CONFIG, labels};
use crate::{Activation, AlbertConfig, Engine, ModelError, Weights, layout};

/// What two values that are added to a variance may differ by: f16 has no 1e-12, and variances are near 1.
const NEGLIGIBLE_EPS: f32 = 5e-7;

/// A graph that some format's reader has found in a file.
pub(super) struct Found<'f> {
    /// The graph's file.
    pub(super) path: &'f Path,
    pub(super) contents: Contents<'static>,
    pub(super) graph: Graph,
    /// Weights by canonical name ([`layout`]), as far as names tell.
    pub(super) names: HashMap<String, Weight>,
}

impl<'f> Found<'f> {
    /// Reads the graph of an engine in a folder; `name` is that of an ONNX file.
    pub(super) fn read(engine: Engine, folder: &Folder, path: &'f Path, name: &str) -> Result<Self, ModelError> {
        match engine {
            Engine::TensorFlow => {
                let TensorFlowModel { contents, graph, names } = tensorflow::read(folder)?;
                let names = names.into_iter().filter_map(|(name, constant)| {
                    let (name, transposed) = layout::name_in_tensorflow(&name)?;
                    Some((name, Weight { constant, transposed }))
                });
                Ok(Self { path, names: names.collect(), contents, graph })
            }
            Engine::Onnx => {
                let OnnxModel { contents, graph, names } = onnx::read(folder, name)?;
                let names = names.into_iter().map(|(name, constant)| {
                    (layout::canonical_name(&name).into_owned(), Weight { constant, transposed: false })
                });
                Ok(Self { path, names: names.collect(), contents, graph })
            }
        }
    }

    /// The model that the graph computes. A `config.json` in `folder` must agree with it, and stands for what a graph
    /// that is written in an unknown way does not tell; `labels` are those that stand
    /// elsewhere, with where they stand.
    pub(super) fn model(
        mut self,
        folder: &Folder,
        labels: Option<(Vec<String>, PathBuf)>,
    ) -> Result<(AlbertConfig, Weights<'static>), ModelError> {
        let stated = AlbertConfig::read(folder)?;
        let trace = trace(View { graph: &self.graph, contents: &self.contents });
        let config = match (&trace, stated) {
            (Ok(trace), Some(stated)) => {
                self.check(trace, &stated, &folder.path_of(CONFIG))?;
                stated
            }
            (Ok(trace), None) => self.config(trace)?,
            (Err(_), Some(stated)) => stated,
            (Err(fault), None) => {
                return Err(ModelError::Undetermined { path: self.path.to_owned(), fault: fault.clone() });
            }
        };
        let config = match labels {
            Some((labels, path)) => labels::merge(config, labels, &path)?,
            None => config,
        };
        let weights = match trace {
            Ok(trace) => trace.weights.into_iter().collect::<HashMap<_, _>>(),
            Err(fault) => self.named(&config, &fault)?,
        };
        self.check_sharing(&weights)?;
        for (name, weight) in weights {
            if let Some(tensor) = self.graph.constants.get(weight.constant) {
                self.contents.tensors.insert(name, placed(tensor, weight.transposed));
            }
        }
        Ok((config, Weights::from_canonical(self.path, self.contents)))
    }

    /// Refuses a file whose few bytes are the weights of a model many times as large.
    fn check_sharing(&self, weights: &HashMap<String, Weight>) -> Result<(), ModelError> {
        let tensors = weights.values().filter_map(|weight| self.graph.constants.get(weight.constant));
        let viewed = tensors.fold(0_u64, |viewed, tensor| viewed.saturating_add(tensor.cost()));
        let stored = self.contents.buffers.iter().map(|buffer| buffer.bytes.len() as u64).sum::<u64>();
        if viewed > stored.saturating_mul(MAX_SHARING) {
            return Err(FormatError::SharedStorage { path: self.path.to_owned(), viewed, stored }.into());
        }
        Ok(())
    }

    /// The weights that the configuration calls for, each by its name.
    fn named(&self, config: &AlbertConfig, fault: &str) -> Result<HashMap<String, Weight>, ModelError> {
        let specs = layout::tensors(config).into_iter();
        specs
            .map(|spec| match self.names.get(&spec.name) {
                Some(weight) => Ok((spec.name, *weight)),
                None => Err(ModelError::Untraceable {
                    path: self.path.to_owned(),
                    tensor: spec.name,
                    fault: fault.to_owned(),
                }),
            })
            .collect()
    }

    /// The sizes of a weight, `[outputs, inputs]` for one of a linear layer.
    fn shape(&self, trace: &Trace, name: &str) -> Vec<usize> {
        let weight = trace.weights.iter().find(|(known, _)| known == name).map(|(_, weight)| *weight);
        let tensor = weight.and_then(|weight| Some((self.graph.constants.get(weight.constant)?, weight.transposed)));
        tensor.map(|(tensor, transposed)| placed(tensor, transposed).shape).unwrap_or_default()
    }

    /// The configuration's fields that are sizes, by what the graph says.
    fn sizes(&self, trace: &Trace) -> [(&'static str, usize); 10] {
        let size = |name: &str, axis: usize| self.shape(trace, name).get(axis).copied().unwrap_or(0);
        [
            ("vocab_size", size("embeddings.word_embeddings.weight", 0)),
            ("embedding_size", size("embeddings.word_embeddings.weight", 1)),
            ("hidden_size", size("encoder.embedding_hidden_mapping_in.weight", 0)),
            ("num_hidden_layers", trace.num_hidden_layers),
            ("num_hidden_groups", trace.num_hidden_groups),
            ("num_attention_heads", trace.num_attention_heads),
            ("intermediate_size", size("encoder.albert_layer_groups.0.albert_layers.0.ffn.weight", 0)),
            ("inner_group_num", trace.inner_group_num),
            ("max_position_embeddings", size("embeddings.position_embeddings.weight", 0)),
            ("type_vocab_size", size("embeddings.token_type_embeddings.weight", 0)),
        ]
    }

    fn labels(&self, trace: &Trace) -> usize {
        self.shape(trace, "classifier.weight").first().copied().unwrap_or(0)
    }

    /// The configuration by what the graph says alone, with the checks that a file goes through.
    fn config(&self, trace: &Trace) -> Result<AlbertConfig, ModelError> {
        let mut json = serde_json::Map::new();
        for (field, size) in self.sizes(trace) {
            json.insert(field.to_owned(), size.into());
        }
        json.insert("num_labels".to_owned(), self.labels(trace).into());
        json.insert("hidden_act".to_owned(), trace.hidden_act.name().into());
        json.insert("layer_norm_eps".to_owned(), trace.layer_norm_eps.into());
        AlbertConfig::from_json(&json, self.path)
    }

    /// Refuses a `config.json` that says something else than the graph does.
    fn check(&self, trace: &Trace, stated: &AlbertConfig, path: &Path) -> Result<(), ModelError> {
        let computed = self.config(trace)?;
        let graph = self.path.display();
        let wrong = |field: &'static str, found: String, expected: String| {
            let expected = format!("{expected}, which is what {graph} computes");
            Err(ModelError::Field { path: path.to_owned(), field, value: found, expected })
        };
        let sizes = |config: &AlbertConfig| {
            [
                ("vocab_size", config.vocab_size),
                ("embedding_size", config.embedding_size),
                ("hidden_size", config.hidden_size),
                ("num_hidden_layers", config.num_hidden_layers),
                ("num_hidden_groups", config.num_hidden_groups),
                ("num_attention_heads", config.num_attention_heads),
                ("intermediate_size", config.intermediate_size),
                ("inner_group_num", config.inner_group_num),
                ("max_position_embeddings", config.max_position_embeddings),
                ("type_vocab_size", config.type_vocab_size),
                ("num_labels", config.labels.len()),
            ]
        };
        for ((field, found), (_, expected)) in sizes(stated).into_iter().zip(sizes(&computed)) {
            if found != expected {
                return wrong(field, found.to_string(), expected.to_string());
            }
        }
        // The tanh approximation of GELU has two names.
        let curve = |act: Activation| if act == Activation::GeluPytorchTanh { Activation::GeluNew } else { act };
        if curve(stated.hidden_act) != curve(computed.hidden_act) {
            return wrong("hidden_act", stated.hidden_act.name().to_owned(), computed.hidden_act.name().to_owned());
        }
        let (found, expected) = (stated.layer_norm_eps, computed.layer_norm_eps);
        if (found - expected).abs() > NEGLIGIBLE_EPS {
            return wrong("layer_norm_eps", format!("{found:e}"), format!("{expected:e}"));
        }
        Ok(())
    }
}

/// A constant as a weight, `[outputs, inputs]` for one of a linear layer.
fn placed(tensor: &StoredTensor, transposed: bool) -> StoredTensor {
    let mut placed = tensor.clone();
    if let ([inputs, outputs], true) = (tensor.shape.as_slice(), transposed) {
        placed.shape = vec![*outputs, *inputs];
        placed.strides = Some(vec![1, *outputs]);
    }
    placed
}
