//! What is told while a model is trained: its classes at the start, a line for each epoch, and a bar in between.

use std::fmt::Write;

use albertine::model::{CheckpointKind, ProblemType};
use albertine_train::{BaseModel, BestMetric, Event, TrainSettings};

use super::plain;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::report::{count, grouped};

/// How many labels a note names.
const NAMED: usize = 12;

/// Steps whose mean loss the bar shows.
const SMOOTHED: f64 = 50.0;

/// Tells of a training while it runs.
pub(super) struct TrainProgress<'a> {
    printer: &'a Printer,
    /// The most tokens of a text.
    limit: usize,
    /// What the new model does otherwise than the base model.
    changes: Vec<&'static str>,
    epochs: u32,
    best_metric: BestMetric,
    /// Rows that are seen in all.
    rows: u64,
    /// The mean loss of the last steps.
    loss: Option<f64>,
    /// The last value of the best epoch's metric, as the bar shows it.
    metric: String,
    bar: Option<Progress>,
}

impl<'a> TrainProgress<'a> {
    pub(super) fn new(printer: &'a Printer, settings: &TrainSettings, base: &BaseModel) -> Self {
        Self {
            printer,
            limit: base.limit(),
            changes: changes(base),
            epochs: settings.epochs,
            best_metric: settings.best_metric,
            rows: 0,
            loss: None,
            metric: String::new(),
            bar: None,
        }
    }

    pub(super) fn hear(&mut self, event: &Event<'_>) {
        match *event {
            Event::Head { labels, new_head, class_indices } => {
                self.head(labels, new_head, class_indices);
                self.changes.iter().for_each(|change| self.printer.warn(change));
            }
            Event::Start { training, validation, memory, .. } => {
                self.printer.note(format_args!(
                    "{} for training, {} for validation, at most {} pieces per text; about {} of memory",
                    count(training as u64, "text"),
                    grouped(validation as u64),
                    self.limit,
                    bytes(memory)
                ));
                self.rows = training as u64 * u64::from(self.epochs);
                self.bar = Some(Progress::new(self.printer.may_draw_progress(), Some(self.rows), None));
            }
            Event::Resumed { path, step, steps, other_level } => {
                self.say(|printer| {
                    printer.note(format_args!("going on after step {step} of {steps}, from {}", path.display()));
                    if let Some(level) = other_level {
                        printer.warn(format_args!(
                            "the steps before were made at the CPU level {level}: the result is not that of an unbroken \
                             run, bit for bit"
                        ));
                    }
                });
                if let Some(bar) = &mut self.bar {
                    bar.begin_at(self.rows * step / steps.max(1));
                }
            }
            Event::Step { step, steps, loss, .. } => {
                // A mean over the last steps, as far as there are that many.
                let share = 1.0 / (step as f64).min(SMOOTHED);
                let mean = self.loss.map_or(loss, |mean| mean + share * (loss - mean));
                self.loss = Some(mean);
                if let Some(bar) = &self.bar {
                    bar.update(self.rows * step / steps.max(1), 0);
                    bar.tell(format!("loss {mean:.4}{}", self.metric));
                }
            }
            Event::Epoch { epoch, loss, accuracy, elapsed, validation } => {
                let mut line = format!("epoch {epoch}/{}: loss {loss:.4}, accuracy {accuracy:.4}", self.epochs);
                if let Some(metrics) = validation {
                    let values: Vec<String> = metrics
                        .summary()
                        .into_iter()
                        .map(|(name, value)| format!("{} {value:.4}", words(name)))
                        .collect();
                    let _ = write!(line, "; validation {}", values.join(", "));
                    let value = metrics.get(self.best_metric).unwrap_or_else(|| metrics.loss());
                    self.metric = format!(", validation {} {value:.4}", words(self.best_metric.name()));
                }
                self.say(|printer| printer.note(format_args!("{line}; {:.1} s", elapsed.as_secs_f64())));
            }
            Event::CheckpointFailed { step, error } => {
                self.say(|printer| {
                    printer.warn(format_args!("no checkpoint after step {step}: {error}; the one before it is kept"));
                });
            }
        }
    }

    /// Says something, beside the bar if there is one.
    fn say(&self, say: impl FnOnce(&Printer)) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(self.printer)),
            None => say(self.printer),
        }
    }

    /// Which classification head is trained.
    fn head(&self, labels: &[String], new_head: bool, class_indices: bool) {
        let mut names: Vec<String> = labels.iter().take(NAMED).map(|label| plain(label)).collect();
        names.extend((labels.len() > NAMED).then(|| "...".to_owned()));
        let which = if new_head { "a new" } else { "the model's own" };
        self.printer.note(format_args!(
            "{which} classification head with {} classes: {}",
            labels.len(),
            names.join(", ")
        ));
        if class_indices {
            self.printer.note("numeric labels are read as indices of these classes, from 0");
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(self) {
        self.bar.into_iter().for_each(Progress::finish);
    }
}

/// What the new model does otherwise than the base model.
fn changes(base: &BaseModel) -> Vec<&'static str> {
    let mut changes = Vec::new();
    if matches!(base.config().problem_type(), Some(ProblemType::MultiLabel | ProblemType::Regression)) {
        changes.push(
            "the base model was trained for multi-label classification or regression; the new model predicts one class per text",
        );
    }
    if !base.has_pooler() {
        changes.push("the base model has no pooler, as masked language models have none; the new model gets a new one");
    }
    if let CheckpointKind::SparkNlp { .. } = base.checkpoint().kind() {
        changes.push("Spark NLP encodes texts token by token for this model; the new model reads each text as a whole");
    }
    changes
}

/// The name of a metric as a line has it.
fn words(name: &str) -> String {
    name.replace('_', " ").replace("f1", "F1")
}

/// A size of memory in round numbers.
fn bytes(size: u64) -> String {
    let size = size as f64;
    if size < 1e9 { format!("{:.0} MB", (size / 1e6).max(1.0)) } else { format!("{:.1} GB", size / 1e9) }
}
