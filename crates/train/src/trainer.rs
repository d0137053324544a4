//! Epochs of optimizer steps over shuffled examples, with events for a listener.

mod checkpoints;
mod state;

use std::path::PathBuf;
use std::time::Instant;

use albertine_model::{CancellationToken, Kernels};
use rand::seq::SliceRandom;
use rayon::ThreadPoolBuilder;

pub use self::checkpoints::Checkpoints;
use self::checkpoints::{CheckpointFolder, Restored};
use self::state::{EpochSums, State};
use crate::adamw::clip;
use crate::classification::{Classification, is_divergence};
use crate::fingerprint::Fingerprint;
use crate::metrics_log::MetricsLog;
use crate::objective::Objective;
use crate::random::{Draw, derived, random};
use crate::{Event, Examples, TaskMetrics, Tensors, TrainError, TrainSettings};

/// How a training is carried out: nothing of it changes the result.
#[derive(Debug, Clone)]
pub struct Execution {
    /// What computes, and with how many threads.
    pub kernels: Kernels,
    /// Stops the training after the step at work. What was trained until then is in the newest checkpoint, which
    /// [`TrainError::Interrupted`] names; without checkpoints it is the result.
    pub cancellation: CancellationToken,
    /// Where checkpoints are kept, if they are.
    pub checkpoints: Option<Checkpoints>,
    /// A file for the lines of `metrics.jsonl` while they come; `None`: that of this name beside the checkpoints, if there
    /// are any.
    pub metrics: Option<PathBuf>,
}

impl Execution {
    /// With these kernels and nothing else.
    #[must_use]
    pub fn new(kernels: Kernels) -> Self {
        Self { kernels, cancellation: CancellationToken::default(), checkpoints: None, metrics: None }
    }

    fn metrics_file(&self) -> Option<PathBuf> {
        let beside = || self.checkpoints.as_ref().map(|checkpoints| checkpoints.folder.join("metrics.jsonl"));
        self.metrics.clone().or_else(beside)
    }
}

/// The result of training.
#[derive(Debug)]
pub(crate) struct Trained {
    /// The weights: those of the best epoch by the validation metric; without a validation set, the last ones.
    pub(crate) weights: Tensors,
    /// The epoch of these weights, from 1.
    pub(crate) epoch: u32,
    /// Total number of steps completed.
    pub(crate) steps: u64,
    /// The validation metrics after that epoch.
    pub(crate) validation: Option<TaskMetrics>,
    /// The step at which the model diverged; the weights are those of an epoch before it.
    pub(crate) diverged: Option<u64>,
    /// What happened, line by line.
    pub(crate) log: MetricsLog,
}

/// A model that is being trained.
#[derive(Debug)]
pub(crate) struct Trainer<'a> {
    settings: &'a TrainSettings,
    execution: &'a Execution,
    checkpoints: Option<CheckpointFolder>,
    /// The step of the newest checkpoint; none where the last one could not be written.
    checkpoint: Option<u64>,
    state: State,
    /// The gradient of a step, whose memory the next one uses again.
    gradient: Tensors,
    frozen: Vec<bool>,
    log: MetricsLog,
    /// The metrics of the best epoch so far.
    best: Option<TaskMetrics>,
    /// The weights of the last epoch whose steps all had losses, where no best epoch is kept.
    sound: Option<(u32, Tensors)>,
}

/// Why the steps came to an end.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Complete,
    Cancelled,
    Diverged { step: u64 },
}

type Listener<'l> = dyn FnMut(&Event<'_>) + Send + 'l;

impl<'a> Trainer<'a> {
    /// Trains weights, and sends events to `listen`. `fingerprint` says what checkpoints are of. The result does not
    /// depend on the number of threads.
    ///
    /// # Errors
    /// [`TrainError::NoRows`] without examples, [`TrainError::Diverged`] when a loss is no number and nothing before it
    /// is worth keeping, [`TrainError::Interrupted`] when it is cancelled and a checkpoint goes on from there, what is
    /// wrong with a checkpoint that training is to go on from, and what the model says of pieces that it does not know.
    pub(crate) fn train(
        objective: &mut dyn Objective,
        weights: Tensors,
        settings: &'a TrainSettings,
        execution: &'a Execution,
        fingerprint: Fingerprint,
        listen: &mut Listener<'_>,
    ) -> Result<Trained, TrainError> {
        let pool = ThreadPoolBuilder::new().num_threads(execution.kernels.threads()).build()?;
        pool.install(|| {
            let trainer = Self::new(&*objective, weights, settings, execution, fingerprint, listen)?;
            trainer.run(objective, listen)
        })
    }

    fn new(
        objective: &dyn Objective,
        weights: Tensors,
        settings: &'a TrainSettings,
        execution: &'a Execution,
        fingerprint: Fingerprint,
        listen: &mut Listener<'_>,
    ) -> Result<Self, TrainError> {
        if objective.examples() == 0 {
            return Err(TrainError::NoRows);
        }
        let level = execution.kernels.level().to_string();
        let opened = execution
            .checkpoints
            .as_ref()
            .map(|checkpoints| CheckpointFolder::open(checkpoints, fingerprint, level, weights.specs(), settings));
        let (checkpoints, restored) = opened.transpose()?.unzip();
        let gradient = weights.zeros_like();
        let frozen = (0..weights.specs().len()).map(|index| objective.is_frozen(index)).collect();
        let steps = steps(objective, settings);
        // Weights, packed twice, gradient, two means, and what is kept of an epoch; maybe of two, and an average.
        let copies = 7 + u64::from(objective.validation_examples() > 0) + u64::from(settings.ema_decay.is_some());
        let memory = copies * (weights.elements() * size_of::<f32>()) as u64 + objective.memory();
        let (training, validation) = (objective.examples(), objective.validation_examples());
        listen(&Event::Start { training, validation, steps, memory });
        let restored = restored.flatten();
        let checkpoint = restored.as_ref().map(|restored| restored.state.step);
        let (state, lines) = match restored {
            None => (State::new(weights, settings), String::new()),
            Some(Restored { path, state, log, other_level }) => {
                listen(&Event::Resumed { path: &path, step: state.step, steps, other_level: other_level.as_deref() });
                (state, log)
            }
        };
        let epochs = (state.step / steps_of_epoch(objective, settings)) as u32;
        let log = MetricsLog::create(lines, epochs, execution.metrics_file())?;
        Ok(Self { settings, execution, checkpoints, checkpoint, state, gradient, frozen, log, best: None, sound: None })
    }

    fn run(mut self, objective: &mut dyn Objective, listen: &mut Listener<'_>) -> Result<Trained, TrainError> {
        let cancellation = &self.execution.cancellation;
        // Nothing that this computes once is changed by a step.
        if !objective.prepare(&self.state.weights, cancellation)? {
            return self.finish(objective, &End::Cancelled);
        }
        if let Some((epoch, weights)) = &self.state.best {
            self.best = objective.evaluate(weights, *epoch, cancellation)?;
            if self.best.is_none() {
                return self.finish(objective, &End::Cancelled);
            }
        }
        let end = self.epochs(objective, listen)?;
        self.finish(objective, &end)
    }

    /// All epochs that are left.
    fn epochs(&mut self, objective: &dyn Objective, listen: &mut Listener<'_>) -> Result<End, TrainError> {
        let (examples, steps_of_epoch) = (objective.examples(), steps_of_epoch(objective, self.settings));
        let steps = steps(objective, self.settings);
        while self.state.step < steps && !self.has_waited((self.state.step / steps_of_epoch) as u32) {
            let epoch = (self.state.step / steps_of_epoch) as u32 + 1;
            let started = Instant::now();
            let mut order: Vec<usize> = (0..examples).collect();
            order.shuffle(&mut random(self.settings.seed, Draw::Order, epoch.into()));
            for batch in order.chunks(self.settings.step_size()).skip((self.state.step % steps_of_epoch) as usize) {
                let event = match self.step(objective, batch, epoch, steps) {
                    Err(TrainError::Diverged { step, .. }) if self.keeps_an_epoch() => {
                        return Ok(End::Diverged { step });
                    }
                    made => made?,
                };
                self.log.add(&event)?;
                listen(&event);
                let ends_epoch = self.state.step.is_multiple_of(steps_of_epoch);
                let is_cancelled = self.execution.cancellation.is_cancelled();
                if !ends_epoch && (is_cancelled || self.is_due(false)) {
                    self.save(listen);
                }
                if is_cancelled {
                    return Ok(End::Cancelled);
                }
            }
            if let Some(end) = self.end_epoch(objective, epoch, started, listen)? {
                return Ok(end);
            }
            let is_cancelled = self.execution.cancellation.is_cancelled();
            if is_cancelled || self.is_due(true) {
                self.save(listen);
            }
            if is_cancelled {
                return Ok(End::Cancelled);
            }
        }
        Ok(End::Complete)
    }

    /// One step over the examples at `indices`.
    fn step(
        &mut self,
        objective: &dyn Objective,
        indices: &[usize],
        epoch: u32,
        steps: u64,
    ) -> Result<Event<'static>, TrainError> {
        self.gradient.clear();
        let seed = derived(self.settings.seed, Draw::Step, self.state.step);
        let made = objective.step(&self.state.weights, indices, seed, &mut self.gradient)?;
        let gradient_norm = clip(&mut self.gradient, self.settings.clip);
        if !made.loss.is_finite() || !gradient_norm.is_finite() {
            return Err(TrainError::Diverged { step: self.state.step + 1, epoch });
        }
        let learning_rate = self.settings.rate(self.state.step, steps);
        self.state.adam.step(&mut self.state.weights, &self.gradient, learning_rate, &self.frozen);
        self.state.step += 1;
        if let (Some(average), Some(decay)) = (&mut self.state.average, self.settings.ema_decay) {
            average.average(&self.state.weights, ema_weight(decay, self.state.step));
        }
        let EpochSums { loss, predictions, correct } = &mut self.state.sums;
        *loss += made.loss * indices.len() as f64;
        *predictions += made.predictions;
        *correct += made.correct;
        Ok(Event::Step { step: self.state.step, steps, epoch, loss: made.loss, learning_rate, gradient_norm })
    }

    /// Evaluates the model after an epoch and keeps the best one. Says what ends the training, if something does.
    fn end_epoch(
        &mut self,
        objective: &dyn Objective,
        epoch: u32,
        started: Instant,
        listen: &mut Listener<'_>,
    ) -> Result<Option<End>, TrainError> {
        let metrics = match objective.evaluate(self.state.model(), epoch, &self.execution.cancellation) {
            Err(error) if is_divergence(&error) && !self.keeps_an_epoch() => {
                return Err(TrainError::Diverged { step: self.state.step, epoch });
            }
            Err(error) if is_divergence(&error) => return Ok(Some(End::Diverged { step: self.state.step })),
            measured => measured?,
        };
        let has_validation = objective.validation_examples() > 0;
        if has_validation && metrics.is_none() && self.execution.cancellation.is_cancelled() {
            return Ok(Some(End::Cancelled));
        }
        let EpochSums { loss, predictions, correct } = std::mem::take(&mut self.state.sums);
        let event = Event::Epoch {
            epoch,
            loss: loss / objective.examples() as f64,
            accuracy: (predictions > 0).then(|| correct as f64 / predictions as f64),
            elapsed: started.elapsed(),
            validation: metrics.as_ref(),
        };
        self.log.add(&event)?;
        listen(&event);
        match metrics {
            Some(metrics) => {
                if self.best.as_ref().is_none_or(|best| metrics.better(best, self.settings.best_metric)) {
                    self.state.best = Some((epoch, self.state.model().clone()));
                    self.best = Some(metrics);
                }
            }
            None => self.sound = Some((epoch, self.state.model().clone())),
        }
        Ok(None)
    }

    /// What is kept: the best epoch, else the weights as they are, unless they are no longer sound.
    fn finish(self, objective: &dyn Objective, end: &End) -> Result<Trained, TrainError> {
        if let (End::Cancelled, Some(step), Some(checkpoints)) = (end, self.checkpoint, &self.execution.checkpoints) {
            return Err(TrainError::Interrupted { step, folder: checkpoints.folder.clone() });
        }
        let Self { mut state, settings, log, best, sound, .. } = self;
        let (steps, of_epoch) = (state.step, steps_of_epoch(objective, settings));
        let diverged = if let End::Diverged { step } = end { Some(*step) } else { None };
        if let (Some((epoch, weights)), Some(metrics)) = (state.best.take(), best) {
            return Ok(Trained { weights, epoch, steps, validation: Some(metrics), diverged, log });
        }
        let at_work = steps.div_ceil(of_epoch) as u32;
        let (epoch, weights) = match sound {
            Some(sound) if diverged.is_some() => sound,
            _ => (at_work, state.into_model()),
        };
        // The last step was made after its loss was seen.
        if steps > 0 && !objective.is_sound(&weights)? {
            return Err(TrainError::Diverged { step: diverged.unwrap_or(steps), epoch: at_work.max(1) });
        }
        Ok(Trained { weights, epoch, steps, validation: None, diverged, log })
    }

    /// Whether there are weights of an epoch to go back to.
    fn keeps_an_epoch(&self) -> bool {
        self.best.is_some() || self.sound.is_some()
    }

    /// Whether the validation metric has been no better for as many epochs as it may.
    fn has_waited(&self, epochs: u32) -> bool {
        let best = self.state.best.as_ref().map_or(0, |(epoch, _)| *epoch);
        self.settings.patience.is_some_and(|patience| epochs.saturating_sub(best) >= patience)
    }

    fn is_due(&self, ends_epoch: bool) -> bool {
        self.checkpoints.as_ref().is_some_and(|folder| folder.is_due(self.state.step, ends_epoch))
    }

    /// Writes a checkpoint. One that cannot be written does not end the training.
    fn save(&mut self, listen: &mut Listener<'_>) {
        let Some(folder) = &self.checkpoints else { return };
        let (step, saved) = (self.state.step, folder.save(&self.state, self.log.lines()));
        self.checkpoint = saved.is_ok().then_some(step);
        if let Err(error) = saved {
            listen(&Event::CheckpointFailed { step, error: &error });
        }
    }
}

/// What the newest weights count in a moving average with this decay after so many steps: more at first, so that the
/// average soon forgets the weights that training began with (as in TensorFlow's `ExponentialMovingAverage`).
fn ema_weight(decay: f64, steps: u64) -> f32 {
    let steps = steps as f64;
    (1.0 - decay.min((1.0 + steps) / (10.0 + steps))) as f32
}

/// The optimizer steps of an epoch.
fn steps_of_epoch(objective: &dyn Objective, settings: &TrainSettings) -> u64 {
    objective.examples().div_ceil(settings.step_size()) as u64
}

/// All optimizer steps.
fn steps(objective: &dyn Objective, settings: &TrainSettings) -> u64 {
    u64::from(settings.epochs) * steps_of_epoch(objective, settings)
}

/// Trains weights on examples, for a benchmark of its steps; [`fine_tune`](crate::fine_tune) goes from texts to a model.
///
/// # Errors
/// As [`fine_tune`](crate::fine_tune).
#[doc(hidden)]
pub fn train_weights(
    config: &albertine_model::ModelConfig,
    weights: Tensors,
    examples: &Examples,
    settings: &TrainSettings,
    kernels: Kernels,
    listen: &mut (dyn FnMut(&Event<'_>) + Send),
) -> Result<Tensors, TrainError> {
    let mut objective = Classification::new(config, settings, kernels, examples, None)?;
    let execution = Execution::new(kernels);
    Trainer::train(&mut objective, weights, settings, &execution, Fingerprint::default(), listen)
        .map(|trained| trained.weights)
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
