//! The metrics of whatever a model was trained for.

use std::time::Duration;

use serde::Serialize;

use crate::loss::sigmoid;
use crate::{BestMetric, ClassMetrics, Metrics, TrainError};

/// The metrics of an evaluation, by what the model predicts. As JSON they are those of the variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum TaskMetrics {
    /// Of one class per text.
    Classes(Metrics),
    /// Of any number of classes per text.
    Labels(LabelMetrics),
    /// Of a value per text.
    Values(ValueMetrics),
    /// Of hidden pieces.
    Pieces(PieceMetrics),
}

/// The metrics of a model that gives a text any number of classes: those whose score is above 0.5.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelMetrics {
    /// The mean binary cross-entropy of a text and class, in nats.
    #[serde(rename = "eval_loss")]
    pub loss: f64,
    /// The fraction of texts whose classes are all as they should be.
    #[serde(rename = "eval_accuracy")]
    pub accuracy: f64,
    /// Over all texts and classes (micro-averaged).
    #[serde(rename = "eval_f1")]
    pub f1: f64,
    /// Micro-averaged.
    #[serde(rename = "eval_precision")]
    pub precision: f64,
    /// Micro-averaged.
    #[serde(rename = "eval_recall")]
    pub recall: f64,
    /// The mean F1 of the classes.
    #[serde(rename = "eval_macro_f1")]
    pub macro_f1: f64,
    /// Seconds.
    #[serde(rename = "eval_runtime")]
    pub runtime: f64,
    /// How long the model was trained.
    pub epoch: f64,
    /// The number of texts.
    #[serde(rename = "eval_samples")]
    pub samples: u64,
    /// One entry for each class, in the order of the logits.
    pub per_class: Vec<ClassMetrics>,
}

/// The metrics of a model that predicts a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueMetrics {
    /// The mean squared error.
    #[serde(rename = "eval_loss")]
    pub loss: f64,
    /// The mean absolute error.
    #[serde(rename = "eval_mae")]
    pub mae: f64,
    /// The fraction of the variance that is explained; 0 where there is none.
    #[serde(rename = "eval_r2")]
    pub r2: f64,
    /// Pearson's correlation of predictions and values; 0 where one of them does not vary.
    #[serde(rename = "eval_pearson")]
    pub pearson: f64,
    /// Seconds.
    #[serde(rename = "eval_runtime")]
    pub runtime: f64,
    /// How long the model was trained.
    pub epoch: f64,
    /// The number of texts.
    #[serde(rename = "eval_samples")]
    pub samples: u64,
}

/// The metrics of a masked language model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PieceMetrics {
    /// The mean cross-entropy of a hidden piece, in nats.
    #[serde(rename = "eval_loss")]
    pub loss: f64,
    /// The fraction of hidden pieces that are predicted.
    #[serde(rename = "eval_accuracy")]
    pub accuracy: f64,
    /// `exp(loss)`
    #[serde(rename = "eval_perplexity")]
    pub perplexity: f64,
    /// Seconds.
    #[serde(rename = "eval_runtime")]
    pub runtime: f64,
    /// How long the model was trained.
    pub epoch: f64,
    /// The number of hidden pieces.
    #[serde(rename = "eval_samples")]
    pub samples: u64,
}

impl TaskMetrics {
    /// The most important ones by name, the loss first.
    #[must_use]
    pub fn summary(&self) -> Vec<(&'static str, f64)> {
        match self {
            Self::Classes(metrics) => {
                vec![("loss", metrics.loss), ("accuracy", metrics.accuracy), ("macro_f1", metrics.macro_f1)]
            }
            Self::Labels(metrics) => vec![
                ("loss", metrics.loss),
                ("accuracy", metrics.accuracy),
                ("f1", metrics.f1),
                ("macro_f1", metrics.macro_f1),
            ],
            Self::Values(metrics) => {
                vec![("loss", metrics.loss), ("mae", metrics.mae), ("r2", metrics.r2), ("pearson", metrics.pearson)]
            }
            Self::Pieces(metrics) => {
                vec![("loss", metrics.loss), ("accuracy", metrics.accuracy), ("perplexity", metrics.perplexity)]
            }
        }
    }

    /// The value of a metric, if the evaluation has it.
    #[must_use]
    pub fn get(&self, metric: BestMetric) -> Option<f64> {
        self.summary().into_iter().find(|(name, _)| *name == metric.name()).map(|(_, value)| value)
    }

    /// The mean loss.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.summary().first().map_or(f64::NAN, |(_, loss)| *loss)
    }

    /// The texts that were evaluated.
    #[must_use]
    pub fn samples(&self) -> u64 {
        match self {
            Self::Classes(metrics) => metrics.samples,
            Self::Labels(metrics) => metrics.samples,
            Self::Values(metrics) => metrics.samples,
            Self::Pieces(metrics) => metrics.samples,
        }
    }

    /// Whether they are better than others by this metric.
    pub(crate) fn better(&self, than: &Self, metric: BestMetric) -> bool {
        match (self.get(metric), than.get(metric)) {
            (Some(one), Some(other)) if metric.is_error() => one < other,
            (Some(one), Some(other)) => one > other,
            _ => false,
        }
    }
}

/// Counts over texts with any number of classes.
#[derive(Debug)]
pub(crate) struct LabelEvaluation {
    labels: Vec<String>,
    /// Of each class: true and predicted, predicted, true.
    counts: Vec<[u64; 3]>,
    loss: f64,
    exact: u64,
    samples: u64,
}

impl LabelEvaluation {
    pub(crate) fn new(labels: &[String]) -> Self {
        Self { labels: labels.to_vec(), counts: vec![[0; 3]; labels.len()], loss: 0.0, exact: 0, samples: 0 }
    }

    pub(crate) fn add(&mut self, classes: &[u32], logits: &[f32]) -> Result<(), TrainError> {
        finite(logits, &self.labels)?;
        let mut is_exact = true;
        for (class, (&logit, counts)) in logits.iter().zip(&mut self.counts).enumerate() {
            let (predicted, wanted) = (logit > 0.0, classes.contains(&(class as u32)));
            let all = [predicted && wanted, predicted, wanted];
            counts.iter_mut().zip(all).for_each(|(count, is_one)| *count += u64::from(is_one));
            is_exact &= predicted == wanted;
            let score = sigmoid(f64::from(if wanted { logit } else { -logit }));
            self.loss -= score.max(f64::MIN_POSITIVE).ln() / logits.len() as f64;
        }
        self.exact += u64::from(is_exact);
        self.samples += 1;
        Ok(())
    }

    pub(crate) fn metrics(self, epoch: u32, runtime: Duration) -> Result<LabelMetrics, TrainError> {
        let Self { labels, counts, loss, exact, samples } = self;
        if samples == 0 {
            return Err(TrainError::NoRows);
        }
        let all = counts.iter().fold([0; 3], |all, counts| [0, 1, 2].map(|at| all[at] + counts[at]));
        let of_class = |(label, [both, predicted, wanted]): (&String, &[u64; 3])| ClassMetrics {
            label: label.clone(),
            precision: share(*both, *predicted),
            recall: share(*both, *wanted),
            f1: share(2 * both, predicted + wanted),
            support: *wanted,
        };
        let per_class: Vec<ClassMetrics> = labels.iter().zip(&counts).map(of_class).collect();
        Ok(LabelMetrics {
            loss: loss / samples as f64,
            accuracy: share(exact, samples),
            f1: share(2 * all[0], all[1] + all[2]),
            precision: share(all[0], all[1]),
            recall: share(all[0], all[2]),
            macro_f1: per_class.iter().map(|class| class.f1).sum::<f64>() / per_class.len().max(1) as f64,
            runtime: runtime.as_secs_f64(),
            epoch: f64::from(epoch),
            samples,
            per_class,
        })
    }
}

/// Sums over predicted values `x` and true ones `y`.
#[derive(Debug, Default)]
pub(crate) struct ValueEvaluation {
    rows: Vec<(f64, f64)>,
}

impl ValueEvaluation {
    pub(crate) fn add(&mut self, value: f32, logits: &[f32]) -> Result<(), TrainError> {
        finite(logits, &[])?;
        self.rows.push((f64::from(logits[0]), f64::from(value)));
        Ok(())
    }

    pub(crate) fn metrics(self, epoch: u32, runtime: Duration) -> Result<ValueMetrics, TrainError> {
        let rows = self.rows;
        if rows.is_empty() {
            return Err(TrainError::NoRows);
        }
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| rows.iter().map(of).sum::<f64>() / rows.len() as f64;
        let (x, y) = (mean(&|row| row.0), mean(&|row| row.1));
        let loss = mean(&|row| (row.0 - row.1).powi(2));
        let (xx, yy) = (mean(&|row| (row.0 - x).powi(2)), mean(&|row| (row.1 - y).powi(2)));
        let xy = mean(&|row| (row.0 - x) * (row.1 - y));
        let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        Ok(ValueMetrics {
            loss,
            mae: mean(&|row| (row.0 - row.1).abs()),
            r2: if yy > 0.0 { 1.0 - loss / yy } else { 0.0 },
            pearson: ratio(xy, (xx * yy).sqrt()),
            runtime: runtime.as_secs_f64(),
            epoch: f64::from(epoch),
            samples: rows.len() as u64,
        })
    }
}

fn finite(logits: &[f32], labels: &[String]) -> Result<(), TrainError> {
    let label = || labels.first().cloned().unwrap_or_default();
    if logits.iter().all(|logit| logit.is_finite()) { Ok(()) } else { Err(TrainError::NotANumber { label: label() }) }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// `f1_score(..., average="micro")` and so on of scikit-learn, and `accuracy_score`.
    #[test]
    fn texts_of_several_classes_are_counted_as_scikit_learn_does() {
        let labels = ["a", "b", "c"].map(str::to_owned);
        let mut evaluation = LabelEvaluation::new(&labels);
        for (classes, logits) in [
            (&[0, 2][..], [1.0, -1.0, 2.0]),
            (&[1], [1.0, 1.0, -1.0]),
            (&[], [-2.0, -1.0, -3.0]),
            (&[2], [-1.0, -1.0, -1.0]),
        ] {
            evaluation.add(classes, &logits).unwrap();
        }
        let metrics = evaluation.metrics(1, Duration::ZERO).unwrap();
        assert_eq!((metrics.accuracy, metrics.precision, metrics.recall, metrics.f1), (0.5, 0.75, 0.75, 0.75));
        assert!((metrics.macro_f1 - (2.0 / 3.0 + 1.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
        assert_eq!(metrics.per_class[2].support, 2);
    }

    #[test]
    fn values_are_measured_by_their_distance_and_correlation() {
        let mut evaluation = ValueEvaluation::default();
        for (value, logit) in [(1.0, 1.5), (2.0, 2.0), (3.0, 2.5), (4.0, 4.0)] {
            evaluation.add(value, &[logit]).unwrap();
        }
        let metrics = evaluation.metrics(1, Duration::ZERO).unwrap();
        assert_eq!((metrics.loss, metrics.mae, metrics.r2), (0.125, 0.25, 0.9));
        // numpy.corrcoef
        assert!((metrics.pearson - 0.956_182_887_467_514_6).abs() < 1e-12, "{}", metrics.pearson);
        assert!(ValueEvaluation::default().metrics(1, Duration::ZERO).is_err());
    }
}
