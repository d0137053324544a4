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
    pretrains: bool,
    /// Rows that are seen in all.
    rows: u64,
    /// The mean loss of the last steps.
    loss: Option<f64>,
    /// The last value of the best epoch's metric, as the bar shows it.
    metric: String,
    bar: Option<Progress>,
}

impl<'a> TrainProgress<'a> {
    /// For a training of such a problem; `None`: a pre-training.
    pub(super) fn new(
        printer: &'a Printer,
        settings: &TrainSettings,
        base: &BaseModel,
        problem: Option<ProblemType>,
    ) -> Self {
        Self {
            printer,
            limit: base.limit(),
            changes: problem.map_or_else(Vec::new, |problem| changes(base, problem)),
            epochs: settings.epochs,
            best_metric: settings.best_metric,
            pretrains: problem.is_none(),
            rows: 0,
            loss: None,
            metric: String::new(),
            bar: None,
        }
    }

    pub(super) fn hear(&mut self, event: &Event<'_>) {
        match *event {
            Event::Head { labels, new, class_indices, problem } => {
                self.head(labels, new, class_indices, problem);
                self.changes.iter().for_each(|change| self.printer.warn(change));
            }
            Event::Teacher { name, texts, of } => {
                let bar = self.bar.get_or_insert_with(|| {
                    self.printer.note(format_args!("{name} reads {}", count(of as u64, "text")));
                    Progress::new(self.printer.may_draw_progress(), Some(of as u64), None)
                });
                bar.update(texts as u64, 0);
                if texts == of {
                    self.bar.take().into_iter().for_each(Progress::finish);
                }
            }
            Event::Start { training, validation, memory, .. } => {
                let (training_rows, validation) = (grouped(training as u64), grouped(validation as u64));
                let (limit, memory) = (self.limit, bytes(memory));
                if self.pretrains {
                    self.printer.note(format_args!(
                        "{training_rows} parts of texts for training, {validation} for validation, at most {limit} pieces \
                         each; about {memory} of memory"
                    ));
                } else {
                    self.printer.note(format_args!(
                        "{} for training, {validation} for validation, at most {limit} pieces per text; about {memory} of \
                         memory",
                        count(training as u64, "text"),
                    ));
                }
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
                let mut line = format!("epoch {epoch}/{}: loss {loss:.4}", self.epochs);
                if let Some(accuracy) = accuracy {
                    let _ = write!(line, ", accuracy {accuracy:.4}");
                }
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

    /// Which head is trained.
    fn head(&self, labels: &[String], new: usize, class_indices: bool, problem: ProblemType) {
        let which = if new > 0 { "a new" } else { "the model's own" };
        if problem == ProblemType::Regression {
            self.printer.note(format_args!("{which} regression head"));
            return;
        }
        let named = |labels: &[String]| {
            let mut names: Vec<String> = labels.iter().take(NAMED).map(|label| plain(label)).collect();
            names.extend((labels.len() > NAMED).then(|| "...".to_owned()));
            names.join(", ")
        };
        let (old, added) = labels.split_at(labels.len() - new);
        if old.is_empty() || added.is_empty() {
            let count = labels.len();
            self.printer.note(format_args!("{which} classification head with {count} classes: {}", named(labels)));
        } else {
            self.printer.note(format_args!(
                "the model's own classification head with {} classes: {}; added: {}",
                old.len(),
                named(old),
                named(added)
            ));
        }
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
fn changes(base: &BaseModel, problem: ProblemType) -> Vec<&'static str> {
    let mut changes = Vec::new();
    if base.checkpoint().is_untrained() {
        return changes;
    }
    let is_other = matches!(base.config().problem_type(), Some(ProblemType::MultiLabel | ProblemType::Regression));
    if is_other && problem == ProblemType::SingleLabel {
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
