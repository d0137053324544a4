//! `metrics.jsonl`: a line of JSON for each step and each epoch.

use serde::Serialize;

use crate::Event;

/// A line: its keys say whether it is of a step or of an epoch.
#[derive(Debug, Default, Serialize)]
struct Line {
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

/// The lines so far.
#[derive(Debug, Default)]
pub(super) struct StepsLog {
    lines: String,
    epochs: u32,
}

impl StepsLog {
    pub(super) fn add(&mut self, event: &Event<'_>) {
        let line = match *event {
            Event::Head { .. } | Event::Start { .. } => return,
            Event::Step { step, loss, learning_rate, gradient_norm, .. } => Line {
                step: Some(step),
                loss: Some(loss),
                learning_rate: Some(learning_rate),
                gradient_norm: Some(gradient_norm),
                ..Line::default()
            },
            Event::Epoch { epoch, loss, accuracy, elapsed, validation } => {
                self.epochs = epoch;
                Line {
                    epoch: Some(epoch),
                    loss: Some(loss),
                    accuracy: Some(accuracy),
                    seconds: Some(elapsed.as_secs_f64()),
                    eval_loss: validation.map(|metrics| metrics.loss),
                    eval_accuracy: validation.map(|metrics| metrics.accuracy),
                    eval_macro_f1: validation.map(|metrics| metrics.macro_f1),
                    ..Line::default()
                }
            }
        };
        // Numbers and no more: nothing that JSON cannot hold.
        self.lines.push_str(&serde_json::to_string(&line).unwrap_or_default());
        self.lines.push('\n');
    }

    /// The epochs that were completed.
    pub(super) fn epochs(&self) -> u32 {
        self.epochs
    }

    pub(super) fn into_lines(self) -> String {
        self.lines
    }
}
