//! What is told while a model is trained: a line on standard error for each epoch, a line of JSON for each step too.

use std::fmt::Write;
use std::path::Path;

use albertine_train::{Event, Examples, Metrics, TrainSettings};
use serde::Serialize;

use crate::printer::Printer;
use crate::progress::Progress;

/// A line of JSON. Which keys it has tells what it is of: a step, an epoch, or the whole training.
#[derive(Debug, Default, Serialize)]
pub(super) struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    learning_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gradient_norm: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eval_loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eval_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eval_macro_f1: Option<f64>,
}

impl<'a> Line<'a> {
    /// With what was measured, if something was.
    pub(super) fn measured(metrics: Option<&Metrics>) -> Self {
        Self {
            eval_loss: metrics.map(|metrics| metrics.loss),
            eval_accuracy: metrics.map(|metrics| metrics.accuracy),
            eval_macro_f1: metrics.map(|metrics| metrics.macro_f1),
            ..Self::default()
        }
    }

    /// Of the whole training: where the model is, and of which epoch.
    pub(super) fn of_model(self, output: &'a Path, epoch: u32) -> Self {
        Self { model: Some(output), epoch: Some(epoch), ..self }
    }
}

/// What is told of a training while it runs, and kept.
pub(super) struct Log<'a> {
    printer: &'a Printer,
    progress: Progress,
    epochs: u32,
    lines: String,
    /// Epochs that came to their end.
    epochs_run: u32,
    /// Rows that are seen in all.
    rows: u64,
}

impl<'a> Log<'a> {
    pub(super) fn new(printer: &'a Printer, learned: &Examples, settings: &TrainSettings) -> Self {
        let rows = learned.len() as u64 * u64::from(settings.epochs);
        let progress = Progress::new(printer.may_draw_progress(), Some(rows), None);
        Self { printer, progress, epochs: settings.epochs, lines: String::new(), epochs_run: 0, rows }
    }

    pub(super) fn hear(&mut self, event: &Event<'_>) {
        match *event {
            Event::Step { step, steps, loss, learning_rate, gradient_norm } => {
                self.progress.update(self.rows * step / steps.max(1), 0);
                self.write(&Line {
                    step: Some(step),
                    loss: Some(loss),
                    learning_rate: Some(learning_rate),
                    gradient_norm: Some(gradient_norm),
                    ..Line::default()
                });
            }
            Event::Epoch { epoch, loss, accuracy, elapsed, validation } => {
                let seconds = elapsed.as_secs_f64();
                self.epochs_run = epoch;
                self.write(&Line {
                    epoch: Some(epoch),
                    loss: Some(loss),
                    accuracy: Some(accuracy),
                    seconds: Some(seconds),
                    ..Line::measured(validation)
                });
                let mut said = format!("epoch {epoch}/{}: loss {loss:.4}, accuracy {accuracy:.4}", self.epochs);
                if let Some(metrics) = validation {
                    let _ = write!(said, "; validation loss {:.4}, accuracy {:.4}", metrics.loss, metrics.accuracy);
                }
                self.progress.suspend(|| self.printer.note(format_args!("{said}; {seconds:.1} s")));
            }
        }
    }

    fn write(&mut self, line: &Line<'_>) {
        // Numbers and no more: nothing that JSON cannot hold.
        self.lines.push_str(&serde_json::to_string(line).unwrap_or_default());
        self.lines.push('\n');
    }

    /// The lines of JSON, and the epochs that came to their end.
    pub(super) fn finish(self) -> (String, u32) {
        self.progress.finish();
        (self.lines, self.epochs_run)
    }
}
