//! The numbers that training changes: every tensor of a classifier, by its place in the layout.

use albertine_model::layout::{self, TensorSpec};
use albertine_model::{AlbertConfig, ModelError, Weights};
use rand::{Rng, RngExt};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

use crate::TrainError;

/// The deviation of the weights of a new classifier, `initializer_range` of transformers' ALBERT.
const DEVIATION: f32 = 0.02;

/// The tensors of a classifier in the order of [`layout::tensors`]: its weights, or a number for each of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensors {
    specs: Vec<TensorSpec>,
    values: Vec<Vec<f32>>,
}

impl Tensors {
    /// The weights of a model of that shape.
    ///
    /// # Errors
    /// What [`Weights::get`] says of a tensor that is missing or has another shape.
    pub fn read(config: &AlbertConfig, weights: &Weights<'_>) -> Result<Self, ModelError> {
        let specs = layout::tensors(config);
        let values = specs.iter().map(|spec| weights.get(&spec.name, &spec.shape)).collect::<Result<_, _>>()?;
        Ok(Self { specs, values })
    }

    /// The weights of a model whose classifier is new: its weights are random, from a normal distribution of that deviation,
    /// and its biases 0. `weights` need not have one.
    ///
    /// # Errors
    /// As [`Tensors::read`], but of the classifier.
    pub fn with_new_classifier(
        config: &AlbertConfig,
        weights: &Weights<'_>,
        random: &mut impl Rng,
    ) -> Result<Self, ModelError> {
        let mut tensors = Self::zeros(config);
        let classifier = Places::new(config).classifier;
        for place in 0..classifier.weight {
            let spec = &tensors.specs[place];
            tensors.values[place] = weights.get(&spec.name, &spec.shape)?;
        }
        tensors.values[classifier.weight].fill_with(|| DEVIATION * normal(random));
        Ok(tensors)
    }

    /// A zero for each weight of a model of that shape.
    #[must_use]
    pub fn zeros(config: &AlbertConfig) -> Self {
        let specs = layout::tensors(config);
        let values = specs.iter().map(|spec| vec![0.0; spec.shape.iter().product()]).collect();
        Self { specs, values }
    }

    /// The bytes of a `model.safetensors` with these weights.
    ///
    /// # Errors
    /// [`TrainError::Safetensors`] when they cannot be written as one.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, TrainError> {
        let bytes: Vec<Vec<u8>> =
            self.values.iter().map(|values| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
        let views = self.specs.iter().zip(&bytes).map(|(spec, bytes)| {
            TensorView::new(Dtype::F32, spec.shape.clone(), bytes).map(|view| (layout::stored_name(&spec.name), view))
        });
        Ok(serialize(views.collect::<Result<Vec<_>, _>>()?, None)?)
    }

    /// Name, shape and values of each tensor.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&TensorSpec, &[f32])> {
        self.specs.iter().zip(self.values.iter().map(Vec::as_slice))
    }

    /// The values of the tensor at a place.
    pub(crate) fn at(&self, place: usize) -> &[f32] {
        &self.values[place]
    }

    /// The same to change.
    pub(crate) fn at_mut(&mut self, place: usize) -> &mut [f32] {
        &mut self.values[place]
    }

    /// All values to change, tensor by tensor.
    pub(crate) fn all_mut(&mut self) -> &mut [Vec<f32>] {
        &mut self.values
    }

    /// Adds `values` to the tensor at a place.
    pub(crate) fn add(&mut self, place: usize, values: &[f32]) {
        self.values[place].iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
}

/// Where the tensors of a linear layer or of a LayerNorm are: its weight, and its bias right after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) weight: usize,
    pub(crate) bias: usize,
}

/// Where the tensors of a layer are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerPlaces {
    /// Query, key and value.
    pub(crate) qkv: [Pair; 3],
    pub(crate) dense: Pair,
    pub(crate) attention_norm: Pair,
    pub(crate) feed_forward: Pair,
    pub(crate) feed_forward_output: Pair,
    pub(crate) output_norm: Pair,
}

/// Where the tensors of a model are, in the order of [`layout::tensors`].
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) words: usize,
    pub(crate) positions: usize,
    pub(crate) types: usize,
    pub(crate) embedding_norm: Pair,
    pub(crate) projection: Pair,
    pub(crate) layers: Vec<LayerPlaces>,
    pub(crate) pooler: Pair,
    pub(crate) classifier: Pair,
}

impl Places {
    pub(crate) fn new(config: &AlbertConfig) -> Self {
        let mut next = 0;
        let mut one = || {
            next += 1;
            next - 1
        };
        let (words, positions, types) = (one(), one(), one());
        let mut pair = || Pair { weight: one(), bias: one() };
        let (embedding_norm, projection) = (pair(), pair());
        let layers = (0..config.num_hidden_groups * config.inner_group_num)
            .map(|_| LayerPlaces {
                qkv: [pair(), pair(), pair()],
                dense: pair(),
                attention_norm: pair(),
                feed_forward: pair(),
                feed_forward_output: pair(),
                output_norm: pair(),
            })
            .collect();
        let (pooler, classifier) = (pair(), pair());
        Self { words, positions, types, embedding_norm, projection, layers, pooler, classifier }
    }
}

/// A number from the standard normal distribution, by the method of Box and Muller.
fn normal(random: &mut impl Rng) -> f32 {
    // From above 0, whose logarithm is finite.
    let (radius, angle) = (1.0 - random.random::<f64>(), random.random::<f64>());
    ((-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()) as f32
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    #[test]
    fn places_are_those_of_the_layout() {
        let json = br#"{"model_type": "albert", "hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 4,
            "num_hidden_groups": 2, "inner_group_num": 2, "intermediate_size": 32, "vocab_size": 50}"#;
        let config = AlbertConfig::from_slice(json, Path::new("config.json")).unwrap();
        let (tensors, places) = (Tensors::zeros(&config), Places::new(&config));
        let name = |place: usize| tensors.specs[place].name.as_str();
        let is = |pair: Pair, expected: &str| {
            assert_eq!(name(pair.weight), format!("{expected}.weight"));
            assert_eq!(name(pair.bias), format!("{expected}.bias"));
        };
        assert_eq!(name(places.words), "embeddings.word_embeddings.weight");
        assert_eq!(name(places.positions), "embeddings.position_embeddings.weight");
        assert_eq!(name(places.types), "embeddings.token_type_embeddings.weight");
        is(places.embedding_norm, "embeddings.LayerNorm");
        is(places.projection, "encoder.embedding_hidden_mapping_in");
        assert_eq!(places.layers.len(), 4);
        for (index, layer) in places.layers.iter().enumerate() {
            let part =
                |part: &str| format!("encoder.albert_layer_groups.{}.albert_layers.{}.{part}", index / 2, index % 2);
            for (pair, name) in layer.qkv.iter().zip(["query", "key", "value"]) {
                is(*pair, &part(&format!("attention.{name}")));
            }
            is(layer.dense, &part("attention.dense"));
            is(layer.attention_norm, &part("attention.LayerNorm"));
            is(layer.feed_forward, &part("ffn"));
            is(layer.feed_forward_output, &part("ffn_output"));
            is(layer.output_norm, &part("full_layer_layer_norm"));
        }
        is(places.pooler, "pooler");
        is(places.classifier, "classifier");
        assert_eq!(places.classifier.bias + 1, tensors.iter().len());
    }
}
