//! The metrics of whatever a model was trained for.

use serde::Serialize;

use crate::{BestMetric, Metrics};

/// The metrics of an evaluation, by what the model predicts. As JSON they are those of the variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum TaskMetrics {
    /// Of one class per text.
    Classes(Metrics),
}

impl TaskMetrics {
    /// The most important ones by name, the loss first.
    #[must_use]
    pub fn summary(&self) -> Vec<(&'static str, f64)> {
        match self {
            Self::Classes(metrics) => {
                vec![("loss", metrics.loss), ("accuracy", metrics.accuracy), ("macro_f1", metrics.macro_f1)]
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
        }
    }

    /// Whether they are better than others by this metric.
    pub(crate) fn better(&self, than: &Self, metric: BestMetric) -> bool {
        match (self.get(metric), than.get(metric)) {
            (Some(one), Some(other)) if metric == BestMetric::Loss => one < other,
            (Some(one), Some(other)) => one > other,
            _ => false,
        }
    }
}
