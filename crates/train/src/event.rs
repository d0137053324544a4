//! What a listener hears of a training.

use std::path::Path;
use std::time::Duration;

use albertine_model::ProblemType;

use crate::{TaskMetrics, TrainError};

/// An event during training.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The classification head was chosen. Only [`fine_tune`](crate::fine_tune) tells of it.
    Head {
        /// The labels, in the order of the logits.
        labels: &'a [String],
        /// How many of them, the last ones, have a new row in the head: all of those of a new one.
        new: usize,
        /// What the logits mean.
        problem: ProblemType,
        /// Whether the labels of the texts are the indices of the model's, from 0.
        class_indices: bool,
    },
    /// Training begins.
    Start {
        /// The texts of the training set.
        training: usize,
        /// The texts of the validation set.
        validation: usize,
        /// Total number of steps.
        steps: u64,
        /// About how much memory training takes, in bytes.
        memory: u64,
    },
    /// A model that teaches has read some of the texts. Only [`fine_tune`](crate::fine_tune) tells of it.
    Teacher {
        /// What it is called.
        name: &'a str,
        /// Texts that it has read.
        texts: usize,
        /// All of them.
        of: usize,
    },
    /// Training goes on from a checkpoint.
    Resumed {
        /// The checkpoint.
        path: &'a Path,
        /// Steps completed before.
        step: u64,
        /// Total number of steps.
        steps: u64,
        /// The CPU level of the steps before, where it is another one: the weights will not be those of an unbroken run,
        /// bit for bit.
        other_level: Option<&'a str>,
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
        /// The training accuracy of the epoch, where predictions are right or wrong.
        accuracy: Option<f64>,
        /// The duration of the epoch.
        elapsed: Duration,
        /// The metrics on the validation set, if there is one.
        validation: Option<&'a TaskMetrics>,
    },
    /// A checkpoint could not be written. The one before it is still there, and training goes on.
    CheckpointFailed {
        /// Steps completed so far.
        step: u64,
        /// Why.
        error: &'a TrainError,
    },
}
