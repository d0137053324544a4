//! What texts are known to be: the objective of fine-tuning.

use std::path::Path;
use std::time::Instant;

use albertine_kernels::{CpuError, Element, Matrix};
use albertine_model::{
    CancellationToken, Kernels, ModelConfig, ModelError, Precision, ProblemType, Scratch, SequenceClassifier, Weights,
    argmax,
};

use crate::loss::{BatchLoss, Target, TeacherLoss};
use crate::network::{Arithmetic, Classifier, Drops, Network, Workspace};
use crate::objective::{Objective, StepLoss};
use crate::random::mixed;
use crate::task_metrics::{LabelEvaluation, ValueEvaluation};
use crate::{Evaluation, Examples, Loss, Run, TaskMetrics, Tensors, TrainError, TrainSettings};

/// Pieces that go through the model at a time: what a step keeps for its gradient depends on it. A batch that has more
/// goes in parts whose gradients are added up, which is the same step.
pub(crate) const TOKENS: usize = 4096;

/// Texts and what they are known to be, and what the loss makes of them.
#[derive(Debug)]
pub(crate) struct Classification<'a> {
    config: &'a ModelConfig,
    settings: &'a TrainSettings,
    kernels: Kernels,
    /// The memory that its steps use.
    workspace: Workspace,
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
    ) -> Result<Self, TrainError> {
        let class_weights = settings.class_weights.of(config.labels(), examples)?;
        Ok(Self {
            config,
            settings,
            kernels,
            workspace: Workspace::default(),
            examples,
            validation,
            class_weights,
            pooled: None,
        })
    }

    fn arithmetic(&self) -> Result<Arithmetic<'_>, CpuError> {
        Arithmetic::new(self.kernels, self.settings.precision, &self.workspace)
    }

    /// What goes into the classifier for each example.
    fn pool(&self, weights: &Tensors, cancellation: &CancellationToken) -> Result<Option<Vec<f32>>, TrainError> {
        let network = Network::new(self.config, weights, self.arithmetic()?)?;
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

    /// How much an example counts by what is known of it.
    fn weight(&self, index: usize) -> f64 {
        match self.examples.target(index) {
            Target::Class(class) => {
                let weight = |weights: &Vec<f32>| f64::from(weights.get(class).copied().unwrap_or(1.0));
                self.class_weights.as_ref().map_or(1.0, weight)
            }
            Target::Unlabeled => 0.0,
            Target::Classes(_) | Target::Value(_) => 1.0,
        }
    }

    /// The loss of a part of a step, whose examples count `total` and are `documents` in all.
    fn loss(&self, part: &[usize], total: f64, documents: usize) -> BatchLoss<'_> {
        let scores: Option<Vec<&[f32]>> = part.iter().map(|&index| self.examples.scores(index)).collect();
        BatchLoss {
            problem: problem(self.config),
            targets: part.iter().map(|&index| self.examples.target(index)).collect(),
            weights: self.class_weights.as_deref(),
            smoothing: self.settings.label_smoothing,
            total: if total > 0.0 { total } else { 1.0 },
            teacher: scores.map(|scores| TeacherLoss {
                scores,
                temperature: self.settings.teacher_temperature,
                weight: self.settings.teacher_weight,
                documents: documents as f64,
            }),
        }
    }
}

/// What the logits of a model mean.
pub(crate) fn problem(config: &ModelConfig) -> ProblemType {
    config.problem_type().unwrap_or(ProblemType::SingleLabel)
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
            Some(pooled) => {
                Work::Classifier(Box::new(Classifier::new(self.config, weights, self.arithmetic()?)?), pooled)
            }
            None => Work::Network(Box::new(Network::new(self.config, weights, self.arithmetic()?)?)),
        };
        let total: f64 = indices.iter().map(|&index| self.weight(index)).sum();
        let hidden = self.config.architecture().hidden_size();
        let mut sums = StepLoss::default();
        for (number, part) in self.examples.parts(indices, TOKENS).into_iter().enumerate() {
            let loss = self.loss(part, total, indices.len());
            let rates = self.settings.dropout_rates(self.config);
            let drops = Some(Drops { rates, seed: mixed(seed ^ number as u64) });
            let step = match &work {
                Work::Network(network) => network.step(&self.examples.batch(part), &loss, drops, gradient),
                Work::Classifier(classifier, pooled) => {
                    classifier.step(rows_of(pooled, part, hidden), &loss, drops, gradient)
                }
            };
            sums.loss += step.loss;
            for (row, target) in step.logits.chunks_exact(self.config.labels().len()).zip(&loss.targets) {
                let is_correct = match target {
                    Target::Class(class) => argmax(row) == *class,
                    Target::Classes(classes) => {
                        row.iter().zip(0..).all(|(&logit, label)| (logit > 0.0) == classes.contains(&label))
                    }
                    Target::Value(_) | Target::Unlabeled => continue,
                };
                sums.correct += u64::from(is_correct);
                sums.predictions += 1;
            }
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
        let labeled = (0..self.examples.len()).filter(|&index| self.weight(index) > 0.0);
        let few: Vec<usize> = labeled.take(self.settings.batch_size).collect();
        let few = self.examples.of(&few);
        if few.is_empty() {
            return Ok(weights.iter().all(|(_, values)| values.iter().all(|value| value.is_finite())));
        }
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
    Network(Box<Network<'a>>),
    /// And what goes into it for each example.
    Classifier(Box<Classifier<'a>>, &'a [f32]),
}

/// The rows at `indices`, `[indices, width]`.
fn rows_of(all: &[f32], indices: &[usize], width: usize) -> Matrix {
    let mut rows = Matrix::default();
    rows.reshape(Element::F32, indices.len(), width);
    for (row, &index) in indices.iter().enumerate() {
        rows.row_mut(row).copy_from_slice(&all[index * width..][..width]);
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
    let problem = problem(config);
    let mut evaluation = match problem {
        ProblemType::SingleLabel => Counting::Classes(Evaluation::new(config.labels().to_vec(), Loss::CrossEntropy)?),
        ProblemType::MultiLabel => Counting::Labels(LabelEvaluation::new(config.labels())),
        ProblemType::Regression => Counting::Values(ValueEvaluation::default()),
    };
    let indices: Vec<usize> = (0..examples.len()).collect();
    let (mut scratch, mut logits) = (Scratch::new(), Vec::new());
    for part in examples.parts(&indices, TOKENS) {
        if cancellation.is_cancelled() {
            return Ok(None);
        }
        logits.clear();
        model.logits(&examples.batch(part), kernels.threads(), &mut scratch, &mut logits)?;
        for (&index, row) in part.iter().zip(logits.chunks_exact(config.labels().len())) {
            match (&mut evaluation, examples.target(index)) {
                (Counting::Classes(evaluation), Target::Class(class)) => drop(evaluation.add(class, row)?),
                (Counting::Labels(evaluation), Target::Classes(classes)) => evaluation.add(classes, row)?,
                (Counting::Values(evaluation), Target::Value(value)) => evaluation.add(value, row)?,
                _ => {}
            }
        }
    }
    let (runtime, trained) = (started.elapsed(), Some(f64::from(epoch)));
    Ok(Some(match evaluation {
        Counting::Classes(evaluation) => {
            TaskMetrics::Classes(evaluation.metrics(Run { runtime, epoch: trained, ..Run::default() })?)
        }
        Counting::Labels(evaluation) => TaskMetrics::Labels(evaluation.metrics(epoch, runtime)?),
        Counting::Values(evaluation) => TaskMetrics::Values(evaluation.metrics(epoch, runtime)?),
    }))
}

/// What is counted of predictions.
enum Counting {
    Classes(Evaluation),
    Labels(LabelEvaluation),
    Values(ValueEvaluation),
}

#[cfg(test)]
mod tests;
