//! One class for each text: the objective of fine-tuning a classifier.

use std::path::Path;
use std::time::Instant;

use albertine_kernels::{Element, Matrix};
use albertine_model::{
    CancellationToken, Kernels, ModelConfig, ModelError, Precision, Scratch, SequenceClassifier, Weights, argmax,
};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::network::{Classifier, Network, Targets, dropped};
use crate::objective::{Objective, StepLoss};
use crate::random::mixed;
use crate::{ClassWeights, Evaluation, Examples, Loss, Run, TaskMetrics, Tensors, TrainError, TrainSettings};

/// Pieces that go through the model at a time: what a step keeps for its gradient depends on it. A batch that has more
/// goes in parts whose gradients are added up, which is the same step.
pub(crate) const TOKENS: usize = 4096;

/// Texts and their classes, and what the loss makes of them.
#[derive(Debug)]
pub(crate) struct Classification<'a> {
    config: &'a ModelConfig,
    settings: &'a TrainSettings,
    kernels: Kernels,
    examples: &'a Examples,
    validation: Option<&'a Examples>,
    class_weights: Option<Vec<f32>>,
    /// What goes into the classifier for each example, `[examples, hidden]`, where nothing else is trained: it stays
    /// the same.
    pooled: Option<Vec<f32>>,
}

impl<'a> Classification<'a> {
    pub(crate) fn new(
        config: &'a ModelConfig,
        settings: &'a TrainSettings,
        kernels: Kernels,
        examples: &'a Examples,
        validation: Option<&'a Examples>,
    ) -> Self {
        let balanced = settings.class_weights == ClassWeights::Balanced;
        let class_weights = balanced.then(|| examples.balanced_weights(config.labels().len()));
        Self { config, settings, kernels, examples, validation, class_weights, pooled: None }
    }

    /// What goes into the classifier for each example.
    fn pool(&self, weights: &Tensors, cancellation: &CancellationToken) -> Result<Option<Vec<f32>>, TrainError> {
        let network = Network::new(self.config, weights, self.kernels)?;
        let indices: Vec<usize> = (0..self.examples.len()).collect();
        let mut pooled = Vec::with_capacity(indices.len() * self.config.architecture().hidden_size());
        for part in self.examples.parts(&indices, TOKENS) {
            if cancellation.is_cancelled() {
                return Ok(None);
            }
            let rows = network.pooled(&self.examples.batch(part));
            (0..rows.rows()).for_each(|row| pooled.extend_from_slice(rows.row(row)));
        }
        Ok(Some(pooled))
    }

    fn weight(&self, index: usize) -> f64 {
        let class = self.examples.classes()[index];
        self.class_weights.as_ref().map_or(1.0, |weights| f64::from(weights.get(class).copied().unwrap_or(1.0)))
    }
}

impl Objective for Classification<'_> {
    fn examples(&self) -> usize {
        self.examples.len()
    }

    fn validation_examples(&self) -> usize {
        self.validation.map_or(0, Examples::len)
    }

    fn prepare(&mut self, weights: &Tensors, cancellation: &CancellationToken) -> Result<bool, TrainError> {
        if !self.settings.freeze_encoder {
            return Ok(true);
        }
        self.pooled = self.pool(weights, cancellation)?;
        Ok(self.pooled.is_some())
    }

    fn step(
        &self,
        weights: &Tensors,
        indices: &[usize],
        seed: u64,
        gradient: &mut Tensors,
    ) -> Result<StepLoss, TrainError> {
        let work = match &self.pooled {
            Some(pooled) => Work::Classifier(Box::new(Classifier::new(self.config, weights, self.kernels)?), pooled),
            None => Work::Network(Box::new(Network::new(self.config, weights, self.kernels)?)),
        };
        let total: f64 = indices.iter().map(|&index| self.weight(index)).sum();
        let hidden = self.config.architecture().hidden_size();
        let mut sums = StepLoss::default();
        for (number, part) in self.examples.parts(indices, TOKENS).into_iter().enumerate() {
            let classes: Vec<usize> = part.iter().map(|&index| self.examples.classes()[index]).collect();
            let drop = drop_factors(self.settings.dropout, part.len() * hidden, mixed(seed ^ number as u64));
            let targets = Targets {
                classes: &classes,
                weights: self.class_weights.as_deref(),
                smoothing: self.settings.label_smoothing,
                total,
                loss: Loss::CrossEntropy,
            };
            let step = match &work {
                Work::Network(network) => network.step(&self.examples.batch(part), &targets, drop.as_deref(), gradient),
                Work::Classifier(classifier, pooled) => {
                    classifier.step(&rows_of(pooled, part, hidden, drop.as_deref()), &targets, gradient)
                }
            };
            sums.loss += step.loss;
            let rows = step.logits.chunks_exact(self.config.labels().len());
            sums.correct += rows.zip(&classes).filter(|(row, class)| argmax(row) == **class).count() as u64;
            sums.predictions += part.len() as u64;
        }
        Ok(sums)
    }

    fn evaluate(
        &self,
        weights: &Tensors,
        epoch: u32,
        cancellation: &CancellationToken,
    ) -> Result<Option<TaskMetrics>, TrainError> {
        let Some(validation) = self.validation else { return Ok(None) };
        evaluate_weights(self.config, weights, self.kernels, validation, epoch, cancellation)
    }

    fn is_sound(&self, weights: &Tensors) -> Result<bool, TrainError> {
        let few: Vec<usize> = (0..self.examples.len().min(self.settings.batch_size)).collect();
        let few = self.examples.of(&few);
        match evaluate_weights(self.config, weights, self.kernels, &few, 0, &CancellationToken::default()) {
            Err(error) if is_divergence(&error) => Ok(false),
            measured => measured.map(|_| true),
        }
    }

    fn is_frozen(&self, index: usize) -> bool {
        let classifier = self.config.tensors().indices().classifier;
        self.settings.freeze_encoder && index != classifier.weight && index != classifier.bias
    }

    fn memory(&self) -> u64 {
        if self.settings.freeze_encoder {
            return (self.examples.len() * self.config.architecture().hidden_size() * size_of::<f32>()) as u64;
        }
        let longest = (0..self.examples.len()).map(|index| self.examples.pieces(index)).max().unwrap_or(0);
        let tokens = TOKENS.max(longest).min(longest * self.settings.step_size());
        Network::memory(self.config.architecture(), tokens)
    }
}

/// Whether an error of an evaluation says that the weights are no longer numbers to compute with.
pub(crate) fn is_divergence(error: &TrainError) -> bool {
    matches!(error, TrainError::NotANumber { .. } | TrainError::Model(ModelError::NotFinite { .. }))
}

/// What a step goes through.
enum Work<'a> {
    Network(Box<Network>),
    /// And what goes into it for each example.
    Classifier(Box<Classifier>, &'a [f32]),
}

/// The rows at `indices`, `[indices, width]`, with what is dropped of them.
fn rows_of(all: &[f32], indices: &[usize], width: usize, drop: Option<&[f32]>) -> Matrix {
    let mut rows = Matrix::default();
    rows.reshape(Element::F32, indices.len(), width);
    for (row, &index) in indices.iter().enumerate() {
        rows.row_mut(row).copy_from_slice(&all[index * width..][..width]);
        dropped(rows.row_mut(row), row, drop);
    }
    rows
}

/// The metrics of a model with those weights on `examples`, computed as in inference; `epoch` is included in them.
/// Nothing, when it is cancelled meanwhile.
///
/// # Errors
/// [`TrainError::NoRows`], [`TrainError::NotANumber`], and what the model says of pieces that it does not know.
pub(crate) fn evaluate_weights(
    config: &ModelConfig,
    weights: &Tensors,
    kernels: Kernels,
    examples: &Examples,
    epoch: u32,
    cancellation: &CancellationToken,
) -> Result<Option<TaskMetrics>, TrainError> {
    let started = Instant::now();
    let bytes = weights.to_safetensors()?;
    let weights = Weights::from_safetensors(&bytes, Path::new("the trained model"))?;
    let model = SequenceClassifier::new(config.clone(), &weights, kernels, Precision::F32)?;
    let mut evaluation = Evaluation::new(config.labels().to_vec(), Loss::CrossEntropy)?;
    let indices: Vec<usize> = (0..examples.len()).collect();
    let (mut scratch, mut logits) = (Scratch::new(), Vec::new());
    for part in examples.parts(&indices, TOKENS) {
        if cancellation.is_cancelled() {
            return Ok(None);
        }
        logits.clear();
        model.logits(&examples.batch(part), kernels.threads(), &mut scratch, &mut logits)?;
        for (&index, row) in part.iter().zip(logits.chunks_exact(config.labels().len())) {
            evaluation.add(examples.classes()[index], row)?;
        }
    }
    let run = Run { runtime: started.elapsed(), epoch: Some(f64::from(epoch)), ..Run::default() };
    Ok(Some(TaskMetrics::Classes(evaluation.metrics(run)?)))
}

/// What is left out of so many values, as factors: 0, or what keeps the mean.
pub(crate) fn drop_factors(share: f32, count: usize, seed: u64) -> Option<Vec<f32>> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let kept = 1.0 / (1.0 - share);
    (share > 0.0).then(|| (0..count).map(|_| if random.random::<f32>() < share { 0.0 } else { kept }).collect())
}

#[cfg(test)]
mod tests;
