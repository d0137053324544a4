//! Fine-tuning: epochs of optimizer steps over shuffled examples, with events for a listener.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use albertine_kernels::{Element, Matrix};
use albertine_model::{
    CancellationToken, Kernels, ModelConfig, ModelError, Precision, Scratch, SequenceClassifier, Weights,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rayon::ThreadPoolBuilder;

use crate::adamw::{AdamW, clip, linear};
use crate::network::{Classifier, Network, Targets, dropped};
use crate::{Evaluation, Examples, Loss, Metrics, Run, Tensors, TrainError};

/// Pieces that go through the model at a time: what a step keeps for its gradient depends on it. A batch that has more
/// goes in parts whose gradients are added up, which is the same step.
const TOKENS: usize = 4096;

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainSettings {
    /// Number of epochs.
    pub epochs: u32,
    /// Batch size: examples per optimizer step.
    pub batch_size: usize,
    /// Peak learning rate of AdamW.
    pub learning_rate: f64,
    /// Fraction of all steps over which the learning rate warms up linearly; it then decays linearly to 0.
    pub warmup: f64,
    /// Weight decay, not applied to biases and LayerNorm weights.
    pub weight_decay: f64,
    /// Maximum gradient norm; larger gradients are clipped to it.
    pub clip: f64,
    /// Label smoothing: the part of each target that is spread evenly over all classes, from 0 to 1.
    pub label_smoothing: f32,
    /// Class weights in the loss.
    pub class_weights: ClassWeights,
    /// Dropout probability before the classifier.
    pub dropout: f32,
    /// Train only the classifier (and not the pooler).
    pub freeze_encoder: bool,
    /// Early-stopping patience: the number of epochs without a lower validation loss after which training stops.
    pub patience: Option<u32>,
    /// Random seed: the same seed on the same kind of CPU gives the same weights, bit for bit.
    pub seed: u64,
}

impl Default for TrainSettings {
    /// Three epochs of 32 at 2e-5, the usual starting point for fine-tuning published ALBERTs.
    fn default() -> Self {
        Self {
            epochs: 3,
            batch_size: 32,
            learning_rate: 2e-5,
            warmup: 0.1,
            weight_decay: 0.01,
            clip: 1.0,
            label_smoothing: 0.0,
            class_weights: ClassWeights::Equal,
            dropout: 0.1,
            freeze_encoder: false,
            patience: None,
            seed: 42,
        }
    }
}

impl TrainSettings {
    /// Checks that every setting is one to train with.
    ///
    /// # Errors
    /// [`TrainError::Setting`].
    pub fn check(&self) -> Result<(), TrainError> {
        let fraction = |value: f64| (0.0..1.0).contains(&value);
        let above_zero = |value: f64| value > 0.0 && value.is_finite();
        let must_be = |name: &'static str, value: f64, expected: &'static str| {
            Err(TrainError::Setting { name, value: value.to_string(), expected })
        };
        if !(1..=100_000).contains(&self.epochs) {
            return must_be("epochs", f64::from(self.epochs), "from 1 to 100000");
        }
        if self.batch_size == 0 {
            return must_be("batch_size", 0.0, "at least 1");
        }
        for (name, value) in [("learning_rate", self.learning_rate), ("clip", self.clip)] {
            if !above_zero(value) {
                return must_be(name, value, "greater than 0");
            }
        }
        let dropout = f64::from(self.dropout);
        for (name, value) in [("warmup", self.warmup), ("weight_decay", self.weight_decay), ("dropout", dropout)] {
            if !fraction(value) {
                return must_be(name, value, "at least 0 and below 1");
            }
        }
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            return must_be("label_smoothing", f64::from(self.label_smoothing), "from 0 to 1");
        }
        if self.patience == Some(0) {
            return must_be("patience", 0.0, "at least 1");
        }
        Ok(())
    }
}

/// Class weights in the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClassWeights {
    /// Every row counts the same.
    #[default]
    Equal,
    /// Every class counts the same, however many rows it has.
    Balanced,
}

impl ClassWeights {
    /// Its name, as flags and reports have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Balanced => "balanced",
        }
    }
}

/// An event during training.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The classification head was chosen. Only [`fine_tune`](crate::fine_tune) tells of it.
    Head {
        /// The labels, in the order of the logits.
        labels: &'a [String],
        /// Whether they are those of a new classification head.
        new_head: bool,
        /// Whether the labels of the texts are the indices of the model's, from 0.
        class_indices: bool,
    },
    /// Training begins. Only [`fine_tune`](crate::fine_tune) tells of it.
    Start {
        /// The texts of the training set.
        training: usize,
        /// The texts of the validation set.
        validation: usize,
    },
    /// An optimizer step was completed.
    Step {
        /// Steps completed so far.
        step: u64,
        /// Total number of steps.
        steps: u64,
        /// The epoch that it is part of, from 1.
        epoch: u32,
        /// The mean loss of the step's examples.
        loss: f64,
        /// The learning rate.
        learning_rate: f64,
        /// The norm of the gradient before clipping.
        gradient_norm: f64,
    },
    /// An epoch was completed.
    Epoch {
        /// Epochs completed so far.
        epoch: u32,
        /// The mean training loss of the epoch.
        loss: f64,
        /// The training accuracy of the epoch.
        accuracy: f64,
        /// The duration of the epoch.
        elapsed: Duration,
        /// The metrics on the validation set, if there is one.
        validation: Option<&'a Metrics>,
    },
}

/// The result of training.
#[derive(Debug)]
pub struct Trained {
    /// The weights: those of the epoch with the lowest validation loss; without a validation set, the last ones.
    pub weights: Tensors,
    /// The epoch of these weights, from 1.
    pub epoch: u32,
    /// Total number of steps completed.
    pub steps: u64,
    /// The validation metrics after that epoch.
    pub validation: Option<Metrics>,
    /// The step at which the model diverged; the weights are those of an epoch before it.
    pub diverged: Option<u64>,
}

/// A model that is being trained.
#[derive(Debug)]
pub struct Trainer {
    config: ModelConfig,
    settings: TrainSettings,
    kernels: Kernels,
    weights: Tensors,
    adam: AdamW,
    /// What goes into the classifier for each example, `[examples, hidden]`, where nothing else is trained: it stays
    /// the same.
    pooled: Option<Vec<f32>>,
    frozen: Vec<bool>,
    random: Xoshiro256PlusPlus,
    class_weights: Option<Vec<f32>>,
    step: u64,
}

impl Trainer {
    /// Of a model with those weights, with as many threads as `kernels` allow. The result does not depend on their
    /// number.
    #[must_use]
    pub fn new(config: ModelConfig, weights: Tensors, settings: TrainSettings, kernels: Kernels) -> Self {
        let tensors = config.tensors();
        let classifier = tensors.indices().classifier;
        let frozen = |index| settings.freeze_encoder && index != classifier.weight && index != classifier.bias;
        Self {
            adam: AdamW::new(&config, settings.weight_decay),
            frozen: (0..tensors.iter().len()).map(frozen).collect(),
            random: Xoshiro256PlusPlus::seed_from_u64(settings.seed),
            class_weights: None,
            step: 0,
            pooled: None,
            config,
            settings,
            kernels,
            weights,
        }
    }

    /// Trains on `examples` and sends events to `listen`, which can stop training. `cancellation` is asked between the
    /// parts of what takes long without a step: the pass of a frozen encoder, and an evaluation. Stopped there, the
    /// result is what was trained until then.
    ///
    /// # Errors
    /// [`TrainError::NoRows`] without examples, [`TrainError::Diverged`] when a loss is no number, and what the model
    /// says of pieces that it does not know.
    pub fn train(
        self,
        examples: &Examples,
        validation: Option<&Examples>,
        cancellation: &CancellationToken,
        listen: &mut (dyn FnMut(&Event<'_>) -> ControlFlow<()> + Send),
    ) -> Result<Trained, TrainError> {
        let pool = ThreadPoolBuilder::new().num_threads(self.kernels.threads()).build()?;
        pool.install(|| self.epochs(examples, validation, cancellation, listen))
    }

    fn epochs(
        mut self,
        examples: &Examples,
        validation: Option<&Examples>,
        cancellation: &CancellationToken,
        listen: &mut (dyn FnMut(&Event<'_>) -> ControlFlow<()> + Send),
    ) -> Result<Trained, TrainError> {
        if examples.is_empty() {
            return Err(TrainError::NoRows);
        }
        if self.settings.class_weights == ClassWeights::Balanced {
            self.class_weights = Some(examples.balanced_weights(self.config.labels().len()));
        }
        if self.settings.freeze_encoder {
            let Some(pooled) = self.pool(examples, cancellation)? else {
                return Ok(Trained { weights: self.weights, epoch: 0, steps: 0, validation: None, diverged: None });
            };
            self.pooled = Some(pooled);
        }
        let batch_size = self.settings.batch_size.max(1);
        let steps = u64::from(self.settings.epochs) * examples.len().div_ceil(batch_size) as u64;
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let mut best: Option<Best> = None;
        let mut epoch = 0;
        let mut diverged = None;
        'epochs: while epoch < self.settings.epochs {
            epoch += 1;
            let started = Instant::now();
            order.shuffle(&mut self.random);
            let (mut loss, mut right) = (0.0, 0);
            for batch in order.chunks(batch_size) {
                let (step_loss, step_right, event) = match self.step(examples, batch, epoch, steps) {
                    Err(TrainError::Diverged { step }) if best.is_some() => {
                        diverged = Some(step);
                        break 'epochs;
                    }
                    made => made?,
                };
                loss += step_loss * batch.len() as f64;
                right += step_right;
                if listen(&event).is_break() {
                    break 'epochs;
                }
            }
            let metrics = match validation.map(|texts| self.measured(texts, epoch, cancellation)).transpose() {
                Ok(Some(None)) => break,
                Err(TrainError::Diverged { step }) if best.is_some() => {
                    diverged = Some(step);
                    break;
                }
                measured => measured?.flatten(),
            };
            let total = examples.len() as f64;
            let stop = listen(&Event::Epoch {
                epoch,
                loss: loss / total,
                accuracy: right as f64 / total,
                elapsed: started.elapsed(),
                validation: metrics.as_ref(),
            });
            if let Some(metrics) = metrics
                && best.as_ref().is_none_or(|best| metrics.loss < best.metrics.loss)
            {
                best = Some(Best { epoch, weights: self.weights.clone(), metrics });
            }
            let since = best.as_ref().map_or(0, |best| epoch - best.epoch);
            if stop.is_break() || self.settings.patience.is_some_and(|patience| since >= patience) {
                break;
            }
        }
        let steps = self.step;
        if let Some(Best { epoch, weights, metrics }) = best {
            return Ok(Trained { weights, epoch, steps, validation: Some(metrics), diverged });
        }
        // The last step was made after its loss was seen.
        let few: Vec<usize> = (0..examples.len().min(batch_size)).collect();
        self.measured(&examples.of(&few), epoch, &CancellationToken::default())?;
        Ok(Trained { weights: self.weights, epoch, steps, validation: None, diverged })
    }

    /// What goes into the classifier for each example.
    fn pool(&self, examples: &Examples, cancellation: &CancellationToken) -> Result<Option<Vec<f32>>, TrainError> {
        let network = Network::new(&self.config, &self.weights, self.kernels)?;
        let indices: Vec<usize> = (0..examples.len()).collect();
        let mut pooled = Vec::with_capacity(examples.len() * self.config.architecture().hidden_size());
        for part in examples.parts(&indices, TOKENS) {
            if cancellation.is_cancelled() {
                return Ok(None);
            }
            let rows = network.pooled(&examples.batch(part));
            (0..rows.rows()).for_each(|row| pooled.extend_from_slice(rows.row(row)));
        }
        Ok(Some(pooled))
    }

    /// The metrics of the current model; nothing if that was cancelled.
    fn measured(
        &self,
        examples: &Examples,
        epoch: u32,
        cancellation: &CancellationToken,
    ) -> Result<Option<Metrics>, TrainError> {
        match evaluate_weights(&self.config, &self.weights, self.kernels, examples, epoch, cancellation) {
            Ok(metrics) => Ok(metrics),
            Err(TrainError::NotANumber { .. } | TrainError::Model(ModelError::NotFinite { .. })) => {
                Err(TrainError::Diverged { step: self.step })
            }
            Err(error) => Err(error),
        }
    }

    /// One step over the examples at `indices`: the mean loss, the number of correct predictions, and the event.
    fn step(
        &mut self,
        examples: &Examples,
        indices: &[usize],
        epoch: u32,
        steps: u64,
    ) -> Result<(f64, usize, Event<'static>), TrainError> {
        let work = match &self.pooled {
            Some(pooled) => {
                Work::Classifier(Box::new(Classifier::new(&self.config, &self.weights, self.kernels)?), pooled)
            }
            None => Work::Network(Box::new(Network::new(&self.config, &self.weights, self.kernels)?)),
        };
        let class_weights = self.class_weights.as_deref();
        let weight = |index: &usize| {
            class_weights
                .map_or(1.0, |weights| f64::from(weights.get(examples.classes()[*index]).copied().unwrap_or(1.0)))
        };
        let total: f64 = indices.iter().map(weight).sum();
        let mut gradient = Tensors::zeros(&self.config);
        let (mut loss, mut right) = (0.0, 0);
        for part in examples.parts(indices, TOKENS) {
            let classes: Vec<usize> = part.iter().map(|&index| examples.classes()[index]).collect();
            let drop = drop_factors(
                self.settings.dropout,
                part.len() * self.config.architecture().hidden_size(),
                &mut self.random,
            );
            let targets = Targets {
                classes: &classes,
                weights: class_weights,
                smoothing: self.settings.label_smoothing,
                total,
                loss: Loss::CrossEntropy,
            };
            let step = match &work {
                Work::Network(network) => network.step(&examples.batch(part), &targets, drop.as_deref(), &mut gradient),
                Work::Classifier(classifier, pooled) => {
                    let rows = rows_of(pooled, part, self.config.architecture().hidden_size(), drop.as_deref());
                    classifier.step(&rows, &targets, &mut gradient)
                }
            };
            loss += step.loss;
            let rows = step.logits.chunks_exact(self.config.labels().len());
            right += rows.zip(&classes).filter(|(row, class)| largest(row) == **class).count();
        }
        let gradient_norm = clip(&mut gradient, self.settings.clip);
        if !loss.is_finite() || !gradient_norm.is_finite() {
            return Err(TrainError::Diverged { step: self.step + 1 });
        }
        let warmup = (self.settings.warmup * steps as f64).ceil() as u64;
        let learning_rate = self.settings.learning_rate * linear(self.step, warmup, steps);
        self.adam.step(&mut self.weights, &gradient, learning_rate, &self.frozen);
        self.step += 1;
        Ok((loss, right, Event::Step { step: self.step, steps, epoch, loss, learning_rate, gradient_norm }))
    }
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

/// The epoch with the lowest validation loss so far.
struct Best {
    epoch: u32,
    weights: Tensors,
    metrics: Metrics,
}

/// The metrics of a model with those weights on `examples`, computed as in inference; `epoch` is included in them.
/// Nothing, when it is cancelled meanwhile.
///
/// # Errors
/// [`TrainError::NoRows`], [`TrainError::NotANumber`], and what the model says of pieces that it does not know.
pub fn evaluate_weights(
    config: &ModelConfig,
    weights: &Tensors,
    kernels: Kernels,
    examples: &Examples,
    epoch: u32,
    cancellation: &CancellationToken,
) -> Result<Option<Metrics>, TrainError> {
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
    evaluation.metrics(Run { runtime: started.elapsed(), epoch: Some(f64::from(epoch)), ..Run::default() }).map(Some)
}

/// What is left out of so many values, as factors: 0, or what keeps the mean.
fn drop_factors(share: f32, count: usize, random: &mut Xoshiro256PlusPlus) -> Option<Vec<f32>> {
    let kept = 1.0 / (1.0 - share);
    (share > 0.0).then(|| (0..count).map(|_| if random.random::<f32>() < share { 0.0 } else { kept }).collect())
}

fn largest(row: &[f32]) -> usize {
    (0..row.len()).fold(0, |best, index| if row[index] > row[best] { index } else { best })
}

#[cfg(test)]
mod tests;
