//! What is told while a model is trained: its classes at the start, a line for each epoch, and a bar in between.

use std::fmt::Write;

use albertine::model::{CheckpointKind, ProblemType};
use albertine_train::{BaseModel, Event, TrainSettings};

use super::plain;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::report::{count, grouped};

/// How many labels a note names.
const NAMED: usize = 12;

/// Tells of a training while it runs.
pub(super) struct TrainProgress<'a> {
    printer: &'a Printer,
    /// The most tokens of a text.
    limit: usize,
    /// What the new model does otherwise than the base model.
    changes: Vec<&'static str>,
    epochs: u32,
    /// Rows that are seen in all.
    rows: u64,
    bar: Option<Progress>,
}

impl<'a> TrainProgress<'a> {
    pub(super) fn new(printer: &'a Printer, settings: &TrainSettings, base: &BaseModel) -> Self {
        Self { printer, limit: base.limit(), changes: changes(base), epochs: settings.epochs, rows: 0, bar: None }
    }

    pub(super) fn hear(&mut self, event: &Event<'_>) {
        match *event {
            Event::Head { labels, new_head, class_indices } => {
                self.head(labels, new_head, class_indices);
                self.changes.iter().for_each(|change| self.printer.warn(change));
            }
            Event::Start { training, validation } => {
                self.printer.note(format_args!(
                    "{} for training, {} for validation, at most {} pieces per text",
                    count(training as u64, "text"),
                    grouped(validation as u64),
                    self.limit
                ));
                self.rows = training as u64 * u64::from(self.epochs);
                self.bar = Some(Progress::new(self.printer.may_draw_progress(), Some(self.rows), None));
            }
            Event::Step { step, steps, .. } => {
                if let Some(bar) = &self.bar {
                    bar.update(self.rows * step / steps.max(1), 0);
                }
            }
            Event::Epoch { epoch, loss, accuracy, elapsed, validation } => {
                let mut line = format!("epoch {epoch}/{}: loss {loss:.4}, accuracy {accuracy:.4}", self.epochs);
                if let Some(metrics) = validation {
                    let _ = write!(line, "; validation loss {:.4}, accuracy {:.4}", metrics.loss, metrics.accuracy);
                }
                let say = || self.printer.note(format_args!("{line}; {:.1} s", elapsed.as_secs_f64()));
                self.bar.as_ref().map_or_else(say, |bar| bar.suspend(say));
            }
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
