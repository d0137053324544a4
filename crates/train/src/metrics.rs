//! The metrics of an evaluation, under the names and in the order that model cards use.

use std::time::Duration;

use serde::Serialize;

use crate::{Calibration, Confusion, TrainError};

/// The rows of a step, of which [`Metrics::steps_per_second`] speaks: what the published card was made with. Rows are
/// not computed in steps.
pub const STEP_ROWS: u64 = 32;

/// Facts about the run, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Run {
    /// Time from the first row read to the last prediction.
    pub runtime: Duration,
    /// How long the model was trained, if that is known.
    pub epoch: Option<f64>,
    /// Rows without a text or a label, which were skipped.
    pub left_out: u64,
    /// Texts that were longer than the model's limit and were truncated.
    pub truncated: u64,
}

/// The metrics of an evaluation. As JSON, the keys of a Hugging Face `Trainer` come first, in its order.
///
/// A ratio whose denominator is 0 is 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// The mean loss of a row, in nats.
    #[serde(rename = "eval_loss")]
    pub loss: f64,
    /// The fraction of rows whose prediction is correct.
    #[serde(rename = "eval_accuracy")]
    pub accuracy: f64,
    /// Micro-averaged; equal to the accuracy, since each row has one class.
    #[serde(rename = "eval_f1")]
    pub f1: f64,
    /// Micro-averaged, as [`f1`](Self::f1).
    #[serde(rename = "eval_precision")]
    pub precision: f64,
    /// Micro-averaged, as [`f1`](Self::f1).
    #[serde(rename = "eval_recall")]
    pub recall: f64,
    /// Seconds, to four digits after the point.
    #[serde(rename = "eval_runtime")]
    pub runtime: f64,
    /// Rows per second, to three digits after the point.
    #[serde(rename = "eval_samples_per_second")]
    pub samples_per_second: f64,
    /// Steps of [`STEP_ROWS`] rows per second, to three digits after the point.
    #[serde(rename = "eval_steps_per_second")]
    pub steps_per_second: f64,
    /// How long the model was trained, if that is known.
    pub epoch: Option<f64>,
    /// The number of rows.
    #[serde(rename = "eval_samples")]
    pub samples: u64,
    /// Rows without a text or a label, which were skipped.
    #[serde(rename = "eval_left_out")]
    pub left_out: u64,
    /// Texts that were longer than the model's limit and were truncated.
    #[serde(rename = "eval_truncated")]
    pub truncated: u64,
    /// The mean F1 of the classes, over the classes that occur as a true or predicted class.
    #[serde(rename = "eval_macro_f1")]
    pub macro_f1: f64,
    /// The mean precision of the classes, as [`macro_f1`](Self::macro_f1).
    #[serde(rename = "eval_macro_precision")]
    pub macro_precision: f64,
    /// The mean recall of the classes, as [`macro_f1`](Self::macro_f1).
    #[serde(rename = "eval_macro_recall")]
    pub macro_recall: f64,
    /// The expected calibration error, see [`Calibration`].
    #[serde(rename = "eval_calibration_error")]
    pub calibration_error: f64,
    /// One entry for each class, in the order of the logits.
    pub per_class: Vec<ClassMetrics>,
    /// Rows by true class and predicted class, in the order of the logits.
    #[serde(rename = "confusion_matrix")]
    pub confusion: Confusion,
    /// Predictions by confidence; not in the JSON.
    #[serde(skip)]
    pub calibration: Calibration,
}

/// The metrics of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// Its label.
    pub label: String,
    /// The fraction of rows predicted as this class that belong to it.
    pub precision: f64,
    /// The fraction of rows of this class that are predicted as it.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
    /// The number of rows of this class.
    pub support: u64,
}

impl Metrics {
    pub(crate) fn new(
        labels: &[String],
        confusion: &Confusion,
        loss_sum: f64,
        calibration: &Calibration,
        run: Run,
    ) -> Result<Self, TrainError> {
        let (mut have, mut got, mut right) = (vec![0; labels.len()], vec![0; labels.len()], vec![0; labels.len()]);
        for (expected, predicted, rows) in confusion.pairs() {
            have[expected] += rows;
            got[predicted] += rows;
            right[expected] += if expected == predicted { rows } else { 0 };
        }
        let samples: u64 = have.iter().sum();
        if samples == 0 {
            return Err(TrainError::NoRows);
        }
        let accuracy = share(right.iter().sum(), samples);
        let per_class: Vec<ClassMetrics> = labels
            .iter()
            .enumerate()
            .map(|(class, label)| ClassMetrics {
                label: label.clone(),
                precision: share(right[class], got[class]),
                recall: share(right[class], have[class]),
                f1: share(2 * right[class], have[class] + got[class]),
                support: have[class],
            })
            .collect();
        let seen: Vec<&ClassMetrics> = per_class
            .iter()
            .zip(&got)
            .filter(|(class, got)| class.support + *got > 0)
            .map(|(class, _)| class)
            .collect();
        let mean = |of: fn(&ClassMetrics) -> f64| seen.iter().map(|class| of(class)).sum::<f64>() / seen.len() as f64;
        let seconds = run.runtime.as_secs_f64();
        let per_second = |count: u64| rounded(count as f64 / seconds.max(1e-9), 1e3);
        Ok(Self {
            loss: loss_sum / samples as f64,
            accuracy,
            f1: accuracy,
            precision: accuracy,
            recall: accuracy,
            runtime: rounded(seconds, 1e4),
            samples_per_second: per_second(samples),
            steps_per_second: per_second(samples.div_ceil(STEP_ROWS)),
            epoch: run.epoch,
            samples,
            left_out: run.left_out,
            truncated: run.truncated,
            macro_f1: mean(|class| class.f1),
            macro_precision: mean(|class| class.precision),
            macro_recall: mean(|class| class.recall),
            calibration_error: calibration.error(),
            per_class,
            confusion: confusion.clone(),
            calibration: calibration.clone(),
        })
    }

    /// The number of correct predictions.
    #[must_use]
    pub fn right(&self) -> u64 {
        (0..self.per_class.len()).map(|class| self.confusion.rows(class, class)).sum()
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn rounded(value: f64, places: f64) -> f64 {
    (value * places).round() / places
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::Value;

    use super::*;
    use crate::{Evaluation, Loss};

    /// The numbers of the published AG News card follow from 7,199 correct rows of 7,600 in 52.2405 seconds.
    #[test]
    fn the_published_card() {
        let labels = ["World", "Sports", "Business", "Sci/Tech"].map(str::to_owned).to_vec();
        let mut evaluation = Evaluation::new(labels, Loss::CrossEntropy).unwrap();
        for row in 0..7600 {
            let (expected, got) = (row % 4, if row < 7199 { row % 4 } else { (row + 1) % 4 });
            let mut logits = [0.0; 4];
            logits[got] = 5.0;
            evaluation.add(expected, &logits).unwrap();
        }
        let run = Run { runtime: Duration::from_nanos(52_240_500_000), epoch: Some(3.0), ..Run::default() };
        let json = serde_json::to_string(&evaluation.metrics(run).unwrap()).unwrap();
        let Value::Object(found) = serde_json::from_str(&json).unwrap() else { panic!() };
        let expected = [
            ("eval_accuracy", 0.947_236_842_105_263_2),
            ("eval_f1", 0.947_236_842_105_263_2),
            ("eval_precision", 0.947_236_842_105_263_2),
            ("eval_recall", 0.947_236_842_105_263_2),
            ("eval_runtime", 52.2405),
            ("eval_samples_per_second", 145.481),
            ("eval_steps_per_second", 4.556),
            ("epoch", 3.0),
        ];
        for (key, value) in expected {
            assert_eq!(found[key], value, "{key}");
        }
        let keys: Vec<usize> = ["eval_loss"]
            .into_iter()
            .chain(expected.map(|(key, _)| key))
            .map(|key| json.find(&format!("\"{key}\":")).unwrap())
            .collect();
        assert!(keys.is_sorted() && keys[0] == 1, "the card's keys come first, in its order: {json}");
        assert!(json.contains(r#""epoch":3.0,"eval_samples":7600"#), "{json}");
    }

    #[test]
    fn classes_that_no_row_has_or_got_are_not_in_the_mean() {
        let labels = ["a", "b", "c"].map(str::to_owned).to_vec();
        let mut evaluation = Evaluation::new(labels, Loss::CrossEntropy).unwrap();
        for (expected, logits) in [(0, [1.0, 0.0, 0.0]), (1, [1.0, 0.0, 0.0]), (1, [0.0, 1.0, 0.0])] {
            evaluation.add(expected, &logits).unwrap();
        }
        let metrics = evaluation.metrics(Run::default()).unwrap();
        let of = |class: usize| {
            let of = &metrics.per_class[class];
            (of.precision, of.recall, of.support)
        };
        assert_eq!([of(0), of(1), of(2)], [(0.5, 1.0, 1), (1.0, 0.5, 2), (0.0, 0.0, 0)]);
        assert!((metrics.macro_f1 - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!((metrics.macro_precision, metrics.macro_recall), (0.75, 0.75));
        assert_eq!(metrics.right(), 2);
    }
}
