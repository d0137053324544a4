//! What a training minimizes.

use albertine_model::CancellationToken;

use crate::{TaskMetrics, Tensors, TrainError};

/// What is trained: the loss of examples and its gradient, and how well the model does on others.
pub(crate) trait Objective: Send + Sync {
    /// The number of training examples.
    fn examples(&self) -> usize;

    /// The number of validation examples.
    fn validation_examples(&self) -> usize;

    /// Prepares what all steps share, given the weights before the first one. `false` when that was cancelled.
    fn prepare(&mut self, weights: &Tensors, cancellation: &CancellationToken) -> Result<bool, TrainError>;

    /// The loss of the training examples at `indices`, and its gradient added to `gradient`. All chance is from `seed`.
    fn step(
        &self,
        weights: &Tensors,
        indices: &[usize],
        seed: u64,
        gradient: &mut Tensors,
    ) -> Result<StepLoss, TrainError>;

    /// The metrics on the validation set after so many epochs; nothing without one, or when it is cancelled.
    fn evaluate(
        &self,
        weights: &Tensors,
        epoch: u32,
        cancellation: &CancellationToken,
    ) -> Result<Option<TaskMetrics>, TrainError>;

    /// Whether the loss of a few training examples is a number.
    fn is_sound(&self, weights: &Tensors) -> Result<bool, TrainError>;

    /// Whether the tensor of an index stays as it is.
    fn is_frozen(&self, index: usize) -> bool;

    /// About how much memory a step takes beside the weights, in bytes.
    fn memory(&self) -> u64;
}

/// What a step made of its examples.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StepLoss {
    /// The mean loss.
    pub(crate) loss: f64,
    /// Predictions so far as they are right or wrong, and how many of them are right.
    pub(crate) predictions: u64,
    pub(crate) correct: u64,
}
