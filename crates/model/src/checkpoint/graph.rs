//! A configuration and weights out of a graph: by what the graph computes, or by the names of its tensors.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use albertine_formats::graph::{Graph, View, Weight};
use albertine_formats::onnx::{self, OnnxModel};
use albertine_formats::tensorflow::{self, TensorFlowModel};
use albertine_formats::{Contents, Folder, FormatError, MAX_SHARING, StoredTensor};

use super::trace::{Trace, trace};
use crate::architecture::Size;
use crate::config::{CONFIG, labels};
use crate::families::{self, Family, Naming};
use crate::{ModelConfig, ModelError, Parts, Runtime, Weights};

/// What two values that are added to a variance may differ by: f16 has no 1e-12, and variances are near 1.
const NEGLIGIBLE_EPS: f32 = 5e-7;

/// A graph that some format's reader has found in a file.
pub(super) struct GraphFile<'f> {
    /// The graph's file.
    pub(super) path: &'f Path,
    pub(super) contents: Contents<'static>,
    pub(super) graph: Graph,
    /// Weights by canonical name ([`crate::TensorSpec::name`]), as far as names tell.
    pub(super) names: HashMap<String, Weight>,
}

impl<'f> GraphFile<'f> {
    /// Reads the graph of a runtime in a folder; `name` is that of an ONNX file.
    pub(super) fn read(runtime: Runtime, folder: &Folder, path: &'f Path, name: &str) -> Result<Self, ModelError> {
        match runtime {
            Runtime::TensorFlow => {
                let TensorFlowModel { contents, graph, names } = tensorflow::read(folder)?;
                let names = names.into_iter().filter_map(|(name, constant)| {
                    let (name, transposed) = families::name_in_tensorflow(&name)?;
                    Some((name, Weight { constant, transposed }))
                });
                Ok(Self { path, names: names.collect(), contents, graph })
            }
            Runtime::Onnx => {
                let OnnxModel { contents, graph, names } = onnx::read(folder, name)?;
                // Names are for a graph that does not tell by itself, and may tell nothing.
                let naming = Naming::of(names.keys().map(String::as_str)).unwrap_or_default();
                let names = names.into_iter().filter_map(|(name, constant)| {
                    Some((naming.canonical(&name)?, Weight { constant, transposed: false }))
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
    ) -> Result<(ModelConfig, Weights<'static>), ModelError> {
        let stated = ModelConfig::read(folder)?;
        let trace = trace(View { graph: &self.graph, contents: &self.contents });
        let config = match (&trace, stated) {
            (Ok(trace), Some(stated)) => {
                self.check(trace, &stated, &folder.path_of(CONFIG))?;
                stated
            }
            (Ok(trace), None) => self.config(trace, self.family(trace, None)?)?,
            (Err(_), Some(stated)) => stated,
            (Err(fault), None) => {
                return Err(ModelError::Undetermined { path: self.path.to_owned(), fault: fault.clone() });
            }
        };
        let config = match labels {
            Some((labels, path)) => labels::merge(config, labels, &path)?,
            None => config,
        };
        let weights: Vec<(String, Weight)> = match trace {
            Ok(trace) => {
                let tensors = config.tensors();
                tensors.iter().map(|spec| spec.name.clone()).zip(trace.parts.iter().copied()).collect()
            }
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
    fn check_sharing(&self, weights: &[(String, Weight)]) -> Result<(), ModelError> {
        let tensors = weights.iter().filter_map(|(_, weight)| self.graph.constants.get(weight.constant));
        let viewed = tensors.fold(0_u64, |viewed, tensor| viewed.saturating_add(tensor.cost()));
        let stored = self.contents.buffers.iter().map(|buffer| buffer.bytes.len() as u64).sum::<u64>();
        if viewed > stored.saturating_mul(MAX_SHARING) {
            return Err(FormatError::SharedStorage { path: self.path.to_owned(), viewed, stored }.into());
        }
        Ok(())
    }

    /// The weights that the configuration calls for, each by its name.
    fn named(&self, config: &ModelConfig, fault: &str) -> Result<Vec<(String, Weight)>, ModelError> {
        let tensors = config.tensors();
        let named = tensors.iter().map(|spec| match self.names.get(&spec.name) {
            Some(weight) => Ok((spec.name.clone(), *weight)),
            None => Err(ModelError::Untraceable {
                path: self.path.to_owned(),
                tensor: spec.name.clone(),
                fault: fault.to_owned(),
            }),
        });
        named.collect()
    }

    /// A family whose models have the parts that the graph has: that of a stated configuration, if it fits.
    fn family(&self, trace: &Trace, stated: Option<&ModelConfig>) -> Result<&'static Family, ModelError> {
        let layers = trace.parts.layers.len();
        let shares = trace.hidden_groups != trace.hidden_layers || trace.inner_groups != 1;
        let fits = |family: &&'static Family| {
            let projects = family.names.projection.is_some();
            projects == trace.parts.projection.is_some() && (!shares || family.states(Size::Groups))
        };
        let stated = stated.map(|config| config.architecture().family());
        stated.into_iter().chain(families::ALL).find(fits).ok_or_else(|| {
            let fault = format!("no family that is read has its {layers} layers with these weights in common");
            ModelError::Undetermined { path: self.path.to_owned(), fault }
        })
    }

    /// The shapes of all weights, `[outputs, inputs]` for those of linear layers.
    fn shapes(&self, trace: &Trace) -> Parts<Vec<usize>> {
        trace.parts.map(|weight| {
            let tensor = self.graph.constants.get(weight.constant);
            tensor.map(|tensor| placed(tensor, weight.transposed).shape).unwrap_or_default()
        })
    }

    /// The configuration by what the graph says alone, with the checks that a file goes through.
    fn config(&self, trace: &Trace, family: &Family) -> Result<ModelConfig, ModelError> {
        let shapes = self.shapes(trace);
        let axis = |shape: &[usize], axis: usize| shape.get(axis).copied().unwrap_or(0);
        let hidden = shapes.projection.as_ref().map_or(axis(&shapes.word_embeddings, 1), |part| axis(&part.weight, 0));
        let size = |size: Size| match size {
            Size::Vocabulary => axis(&shapes.word_embeddings, 0),
            Size::Embedding => axis(&shapes.word_embeddings, 1),
            Size::Hidden => hidden,
            Size::Layers => trace.hidden_layers,
            Size::Groups => trace.hidden_groups,
            Size::Heads => trace.attention_heads,
            Size::Intermediate => shapes.layers.first().map_or(0, |layer| axis(&layer.intermediate.weight, 0)),
            Size::InnerLayers => trace.inner_groups,
            Size::Positions => axis(&shapes.position_embeddings, 0),
            Size::TokenTypes => axis(&shapes.token_type_embeddings, 0),
        };
        let mut json = serde_json::Map::new();
        json.insert("model_type".to_owned(), family.model_type.into());
        for (known, field, _) in family.sizes {
            json.insert((*field).to_owned(), size(*known).into());
        }
        json.insert("num_labels".to_owned(), axis(&shapes.classifier.weight, 0).into());
        json.insert("hidden_act".to_owned(), trace.activation.name().into());
        json.insert("layer_norm_eps".to_owned(), trace.layer_norm_eps.into());
        ModelConfig::from_json(&json, self.path)
    }

    /// Refuses a `config.json` that says something else than the graph does.
    fn check(&self, trace: &Trace, stated: &ModelConfig, path: &Path) -> Result<(), ModelError> {
        let family = self.family(trace, Some(stated))?;
        let computed = self.config(trace, family)?;
        let graph = self.path.display();
        let wrong = |field: &'static str, found: String, expected: String| {
            let expected = format!("{expected}, which is what {graph} computes");
            Err(ModelError::Field { path: path.to_owned(), field, value: found, expected })
        };
        let (found, expected) = (stated.architecture(), computed.architecture());
        if found.family() != family {
            return wrong("model_type", found.model_type().to_owned(), family.model_type.to_owned());
        }
        let sizes = family.sizes.iter().map(|(size, field, _)| (*field, found.size(*size), expected.size(*size)));
        let labels = ("num_labels", stated.labels().len(), computed.labels().len());
        for (field, found, expected) in sizes.chain([labels]) {
            if found != expected {
                return wrong(field, found.to_string(), expected.to_string());
            }
        }
        // The tanh approximation of GELU has two names.
        let (act, computed) = (found.activation(), expected.activation());
        if act.kernel() != computed.kernel() {
            return wrong("hidden_act", act.name().to_owned(), computed.name().to_owned());
        }
        let (found, expected) = (found.layer_norm_eps(), expected.layer_norm_eps());
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
