//! The numbers that training changes: every tensor of a classifier, by its index in the order of the computation.

use albertine_model::{ModelConfig, ModelError, Parts, TensorSpec, Weights};
use rand::{Rng, RngExt};
use rayon::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

use crate::TrainError;
use crate::fingerprint::Hash;

/// The deviation of the weights of a new classifier, `initializer_range` of transformers' models.
const DEVIATION: f32 = 0.02;

/// Values per task of a thread.
pub(crate) const CHUNK: usize = 1 << 14;

/// The tensors of a classifier in the order of [`ModelConfig::tensors`]: its weights, or a number for each of them.
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
    pub fn read(config: &ModelConfig, weights: &Weights<'_>) -> Result<Self, ModelError> {
        let specs: Vec<TensorSpec> = config.tensors().iter().cloned().collect();
        Self::of_specs(&specs, weights)
    }

    /// The tensors of these names and shapes.
    pub(crate) fn of_specs(specs: &[TensorSpec], weights: &Weights<'_>) -> Result<Self, ModelError> {
        let values = specs.iter().map(|spec| weights.tensor(spec)).collect::<Result<_, _>>()?;
        Ok(Self { specs: specs.to_vec(), values })
    }

    /// The weights of a model whose classifier is new: its weights are random, from a normal distribution of that deviation,
    /// and its biases 0. `weights` need not have one. Where they have no pooler, as those of a masked language model, it is
    /// new in the same way.
    ///
    /// # Errors
    /// As [`Tensors::read`], but of the classifier.
    pub fn with_new_classifier(
        config: &ModelConfig,
        weights: &Weights<'_>,
        random: &mut impl Rng,
    ) -> Result<Self, ModelError> {
        let mut tensors = Self::zeros(config);
        let Parts { classifier, pooler, .. } = config.tensors().indices();
        let has = |index: usize| tensors.specs.get(index).is_some_and(|spec| weights.has(&spec.name));
        let mut new = vec![classifier];
        // In this order: whether the pooler is new does not change the classifier.
        new.extend([pooler].into_iter().filter(|pooler| !has(pooler.weight) && !has(pooler.bias)));
        for (index, (spec, values)) in tensors.specs.iter().zip(&mut tensors.values).enumerate() {
            if !new.iter().any(|part| index == part.weight || index == part.bias) {
                *values = weights.tensor(spec)?;
            }
        }
        for part in new {
            tensors.values[part.weight].fill_with(|| DEVIATION * normal(random));
        }
        Ok(tensors)
    }

    /// The weights of a model whose classifier has the rows of a stored one, and new ones for more labels.
    ///
    /// # Errors
    /// As [`Tensors::read`].
    pub(crate) fn with_more_labels(
        before: &ModelConfig,
        config: &ModelConfig,
        weights: &Weights<'_>,
        random: &mut impl Rng,
    ) -> Result<Self, ModelError> {
        let old = Self::read(before, weights)?;
        let mut tensors = Self::with_new_classifier_of(config, &old, random);
        let classifier = config.tensors().indices().classifier;
        for index in [classifier.weight, classifier.bias] {
            let kept = old.at(index);
            tensors.at_mut(index)[..kept.len()].copy_from_slice(kept);
        }
        Ok(tensors)
    }

    /// The weights of another model but for its classifier, which is new.
    fn with_new_classifier_of(config: &ModelConfig, other: &Self, random: &mut impl Rng) -> Self {
        let mut tensors = Self::zeros(config);
        let classifier = config.tensors().indices().classifier;
        for (index, values) in tensors.values.iter_mut().enumerate() {
            if index != classifier.weight && index != classifier.bias {
                values.clone_from(&other.values[index]);
            }
        }
        tensors.values[classifier.weight].fill_with(|| DEVIATION * normal(random));
        tensors
    }

    /// New weights as transformers makes them: matrices and tables from a normal distribution whose deviation is
    /// `initializer_range`, the scales of LayerNorms 1, and all else 0.
    pub(crate) fn new<'s>(
        config: &ModelConfig,
        specs: impl Iterator<Item = &'s TensorSpec>,
        random: &mut impl Rng,
    ) -> Self {
        let deviation = config.initializer_range();
        let specs: Vec<TensorSpec> = specs.cloned().collect();
        let new = |spec: &TensorSpec| match spec.shape.len() {
            1 if spec.name.ends_with(".weight") => vec![1.0; spec.elements()],
            1 => vec![0.0; spec.elements()],
            _ => (0..spec.elements()).map(|_| deviation * normal(random)).collect(),
        };
        let values = specs.iter().map(new).collect();
        Self { specs, values }
    }

    /// Reads the first `required` tensors, and those of the others that are stored.
    pub(crate) fn read_known(&mut self, weights: &Weights<'_>, required: usize) -> Result<(), ModelError> {
        for (index, (spec, values)) in self.specs.iter().zip(&mut self.values).enumerate() {
            if index < required || weights.has(&spec.name) {
                *values = weights.tensor(spec)?;
            }
        }
        Ok(())
    }

    /// A zero for each weight of a model of that shape.
    #[must_use]
    pub fn zeros(config: &ModelConfig) -> Self {
        let specs: Vec<TensorSpec> = config.tensors().iter().cloned().collect();
        let values = specs.iter().map(|spec| vec![0.0; spec.elements()]).collect();
        Self { specs, values }
    }

    /// A zero for each number of these.
    pub(crate) fn zeros_like(&self) -> Self {
        let values = self.values.iter().map(|values| vec![0.0; values.len()]).collect();
        Self { specs: self.specs.clone(), values }
    }

    /// Makes every number 0.
    pub(crate) fn clear(&mut self) {
        self.values.iter_mut().for_each(|values| values.par_chunks_mut(CHUNK).for_each(|chunk| chunk.fill(0.0)));
    }

    /// Moves every number by this part of the way to that of `newest`.
    pub(crate) fn average(&mut self, newest: &Self, part: f32) {
        for (average, newest) in self.values.iter_mut().zip(&newest.values) {
            average.par_chunks_mut(CHUNK).zip(newest.par_chunks(CHUNK)).for_each(|(average, newest)| {
                average.iter_mut().zip(newest).for_each(|(average, newest)| *average += part * (newest - *average));
            });
        }
    }

    /// Names and shapes.
    pub(crate) fn specs(&self) -> &[TensorSpec] {
        &self.specs
    }

    /// How many numbers there are.
    pub(crate) fn elements(&self) -> usize {
        self.values.iter().map(Vec::len).sum()
    }

    /// A hash of all numbers, and how they are arranged.
    pub(crate) fn hash(&self) -> Hash {
        self.specs.iter().zip(&self.values).fold(Hash::default(), |hash, (spec, values)| {
            hash.text(&spec.name).numbers(values.iter().map(|value| u64::from(value.to_bits())))
        })
    }

    /// The bytes of a `model.safetensors` with these weights.
    ///
    /// # Errors
    /// [`TrainError::Safetensors`] when they cannot be written as one.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, TrainError> {
        let bytes: Vec<Vec<u8>> =
            self.values.iter().map(|values| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
        let views = self.specs.iter().zip(&bytes).map(|(spec, bytes)| {
            TensorView::new(Dtype::F32, spec.shape.clone(), bytes).map(|view| (&spec.stored_name, view))
        });
        Ok(serialize(views.collect::<Result<Vec<_>, _>>()?, None)?)
    }

    /// Name, shape and values of each tensor.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&TensorSpec, &[f32])> {
        self.specs.iter().zip(self.values.iter().map(Vec::as_slice))
    }

    /// The values of the tensor of an index.
    pub(crate) fn at(&self, index: usize) -> &[f32] {
        &self.values[index]
    }

    /// The same to change.
    pub(crate) fn at_mut(&mut self, index: usize) -> &mut [f32] {
        &mut self.values[index]
    }

    /// All values to change, tensor by tensor.
    pub(crate) fn all_mut(&mut self) -> &mut [Vec<f32>] {
        &mut self.values
    }

    /// Adds `values` to the tensor of an index.
    pub(crate) fn add(&mut self, index: usize, values: &[f32]) {
        self.values[index].iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
}

/// A number from the standard normal distribution, by the method of Box and Muller.
fn normal(random: &mut impl Rng) -> f32 {
    // From above 0, whose logarithm is finite.
    let (radius, angle) = (1.0 - random.random::<f64>(), random.random::<f64>());
    ((-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()) as f32
}
