//! Temperature scaling: the one number that makes the scores of a model mean what they say.

use std::path::Path;

use albertine_model::{Checkpoint, HeldOutScores, Weights, softmax};

use crate::{Evaluation, Loss, Run, Tensors, TrainError};

/// The inverse temperatures that are looked at.
const LEAST: f64 = 1e-3;
const MOST: f64 = 1e3;

/// Newton's method doubles the digits each time; where it is of no use, each bisection adds one.
const ITERATIONS: usize = 100;

/// The logits of labeled texts that a model was not trained on.
///
/// ```
/// use albertine_train::{HeldOutLogits, Loss};
///
/// // Of a hundred answers with odds of 99 to 1, only 90 are right.
/// let labels = ["no", "yes"].map(str::to_owned).to_vec();
/// let mut held_out = HeldOutLogits::new(labels, Loss::CrossEntropy)?;
/// for text in 0..100 {
///     held_out.add(usize::from(text < 10), &[99_f32.ln(), 0.0])?;
/// }
/// let scaling = held_out.fit_temperature()?;
/// assert!((scaling.temperature() - 99_f64.ln() / 9_f64.ln()).abs() < 1e-4);
/// assert!((scaling.before().calibration_error - 0.09).abs() < 1e-6);
/// assert!(scaling.after().calibration_error < 1e-4);
/// # Ok::<(), albertine_train::TrainError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HeldOutLogits {
    labels: Vec<String>,
    /// `[texts, labels]`
    logits: Vec<f32>,
    classes: Vec<usize>,
    evaluation: Evaluation,
}

/// How good the scores of a model are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The mean negative log-likelihood of the true classes, in nats.
    pub loss: f64,
    /// The expected calibration error, see [`Calibration`](crate::Calibration).
    pub calibration_error: f64,
}

/// A fitted temperature, with what it is good for.
#[derive(Debug, Clone, PartialEq)]
pub struct TemperatureScaling {
    before: Fit,
    after: Fit,
    accuracy: f64,
    held_out: HeldOutScores,
}

impl HeldOutLogits {
    /// Of a model with these labels, in the order of its logits.
    ///
    /// # Errors
    /// [`TrainError::TooFewLabels`], and [`TrainError::NotSoftmax`] for a model that scores each label independently.
    pub fn new(labels: Vec<String>, loss: Loss) -> Result<Self, TrainError> {
        if loss != Loss::CrossEntropy {
            return Err(TrainError::NotSoftmax);
        }
        let evaluation = Evaluation::new(labels.clone(), loss)?;
        Ok(Self { labels, logits: Vec::new(), classes: Vec::new(), evaluation })
    }

    /// Adds a text by its true class and its logits.
    ///
    /// # Errors
    /// As [`Evaluation::add`].
    pub fn add(&mut self, class: usize, logits: &[f32]) -> Result<(), TrainError> {
        self.evaluation.add(class, logits)?;
        self.logits.extend_from_slice(logits);
        self.classes.push(class);
        Ok(())
    }

    /// The temperature whose scores make the true classes likeliest. It changes no predicted class.
    ///
    /// Source: Guo et al., On Calibration of Modern Neural Networks, 2017, section 4.2, <https://arxiv.org/abs/1706.04599>.
    ///
    /// # Errors
    /// [`TrainError::NoRows`]; [`TrainError::NoErrors`] when the model is right about all of the texts, which any lower
    /// temperature fits better; [`TrainError::Uninformative`] when its scores say nothing of them, which any higher
    /// temperature fits better.
    pub fn fit_temperature(&self) -> Result<TemperatureScaling, TrainError> {
        let metrics = self.evaluation.metrics(Run::default())?;
        let texts = self.classes.len();
        if metrics.right() == metrics.samples {
            return Err(TrainError::NoErrors { texts });
        }
        if self.slope(LEAST).0 >= 0.0 {
            return Err(TrainError::Uninformative { texts });
        }
        let temperature = 1.0 / self.best_inverse();
        let mut after = Evaluation::new(self.labels.clone(), Loss::CrossEntropy)?;
        let mut held_out = HeldOutScores::new(self.labels.clone(), temperature);
        for (row, &class) in self.rows().zip(&self.classes) {
            let scaled: Vec<f32> = row.iter().map(|&logit| (f64::from(logit) / temperature) as f32).collect();
            after.add(class, &scaled)?;
            held_out.add(class, &softmax(&scaled));
        }
        let scaled = after.metrics(Run::default())?;
        Ok(TemperatureScaling {
            before: Fit { loss: metrics.loss, calibration_error: metrics.calibration_error },
            after: Fit { loss: scaled.loss, calibration_error: scaled.calibration_error },
            accuracy: metrics.accuracy,
            held_out,
        })
    }

    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.logits.chunks_exact(self.labels.len())
    }

    /// Where the loss, which is convex in the inverse temperature, has no slope.
    fn best_inverse(&self) -> f64 {
        let (mut low, mut high, mut inverse) = (LEAST, MOST, 1.0);
        for _ in 0..ITERATIONS {
            let (slope, curvature) = self.slope(inverse);
            if slope < 0.0 {
                low = inverse;
            } else {
                high = inverse;
            }
            let newton = inverse - slope / curvature;
            // Outside of what is left, or where the slope is flat, halve it.
            let next = if newton > low && newton < high { newton } else { (low * high).sqrt() };
            if (next / inverse - 1.0).abs() < 1e-12 {
                return next;
            }
            inverse = next;
        }
        inverse
    }

    /// The mean slope and curvature of the loss at an inverse temperature: the expected logit under the scores minus that
    /// of the true class, and the variance of the logits.
    fn slope(&self, inverse: f64) -> (f64, f64) {
        let (mut slope, mut curvature) = (0.0, 0.0);
        for (row, &class) in self.rows().zip(&self.classes) {
            let most = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
            for &logit in row {
                // Counted from the greatest, so that large logits lose no digits.
                let logit = f64::from(logit) - most;
                let power = (inverse * logit).exp();
                sum += power;
                first += power * logit;
                second += power * logit * logit;
            }
            let mean = first / sum;
            slope += mean - (f64::from(row[class]) - most);
            curvature += second / sum - mean * mean;
        }
        let texts = self.classes.len() as f64;
        (slope / texts, curvature / texts)
    }
}

impl TemperatureScaling {
    /// What logits are divided by: above 1 where the model was too sure of itself.
    #[must_use]
    pub fn temperature(&self) -> f64 {
        self.held_out.temperature()
    }

    /// The fit of the scores as they were.
    #[must_use]
    pub fn before(&self) -> Fit {
        self.before
    }

    /// The fit of the scores with the temperature, on the same texts: with one number fitted to them, it is hardly better
    /// than on others.
    #[must_use]
    pub fn after(&self) -> Fit {
        self.after
    }

    /// The fraction of the texts whose predicted class is the true one.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.accuracy
    }

    /// The scores of the texts with the temperature.
    #[must_use]
    pub fn held_out(&self) -> &HeldOutScores {
        &self.held_out
    }

    /// A model with that temperature, to be [saved](Checkpoint::save): the weights and the biases of its classifier are
    /// divided by it, so that whatever computes the model gives calibrated scores; what follows from the held-out texts
    /// is kept beside them.
    ///
    /// # Errors
    /// [`TrainError::Model`] for a tensor that is missing or has another shape, [`TrainError::Safetensors`].
    pub fn apply(self, checkpoint: Checkpoint) -> Result<Checkpoint, TrainError> {
        let config = checkpoint.config();
        let mut weights = Tensors::read(config, checkpoint.weights())?;
        let classifier = config.tensors().indices().classifier;
        for index in [classifier.weight, classifier.bias] {
            for value in weights.at_mut(index) {
                *value = (f64::from(*value) / self.temperature()) as f32;
            }
        }
        let weights = Weights::from_safetensors_vec(weights.to_safetensors()?, Path::new("the calibrated model"))?;
        Ok(checkpoint.calibrated(weights, self.held_out))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn held_out(rows: &[(usize, [f32; 3])]) -> HeldOutLogits {
        let labels = ["a", "b", "c"].map(str::to_owned).to_vec();
        let mut held_out = HeldOutLogits::new(labels, Loss::CrossEntropy).unwrap();
        rows.iter().for_each(|(class, logits)| held_out.add(*class, logits).unwrap());
        held_out
    }

    #[test]
    fn what_has_no_best_temperature_is_refused() {
        assert!(matches!(held_out(&[]).fit_temperature(), Err(TrainError::NoRows)));
        let right = [(0, [1.0, 0.0, 0.0]), (2, [0.0, 0.0, 0.5])];
        assert!(matches!(held_out(&right).fit_temperature(), Err(TrainError::NoErrors { texts: 2 })));
        let wrong = [(0, [-1.0, 0.0, 0.0]), (2, [0.0, 1.0, 0.0])];
        assert!(matches!(held_out(&wrong).fit_temperature(), Err(TrainError::Uninformative { texts: 2 })));
        let equal = [(0, [1.0, 1.0, 1.0]), (2, [0.0, 0.0, 0.0])];
        assert!(matches!(held_out(&equal).fit_temperature(), Err(TrainError::Uninformative { texts: 2 })));
        let labels = ["a", "b"].map(str::to_owned).to_vec();
        assert!(matches!(HeldOutLogits::new(labels, Loss::BinaryCrossEntropy), Err(TrainError::NotSoftmax)));
    }

    proptest! {
        #[test]
        fn no_other_temperature_fits_better(
            rows in prop::collection::vec((0..3usize, prop::array::uniform3(-9f32..9.0)), 20..60), scale in 0.01f32..100.0
        ) {
            let rows: Vec<_> = rows.iter().map(|(class, logits)| (*class, logits.map(|logit| logit * scale))).collect();
            let held_out = held_out(&rows);
            let Ok(scaling) = held_out.fit_temperature() else { return Ok(()) };
            let loss = |temperature: f64| {
                let losses = held_out.rows().zip(&held_out.classes).map(|(row, &class)| {
                    let power = |logit: f32| (f64::from(logit) / temperature).exp();
                    row.iter().map(|&logit| power(logit - row[class])).sum::<f64>().ln()
                });
                losses.sum::<f64>() / rows.len() as f64
            };
            let best = loss(scaling.temperature());
            prop_assert!((scaling.after().loss - best).abs() < 1e-5);
            for factor in [0.5, 0.99, 1.01, 2.0] {
                prop_assert!(loss(scaling.temperature() * factor) >= best - 1e-12);
            }
        }
    }
}
