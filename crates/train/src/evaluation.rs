//! Evaluation, row by row: a true class and the logits of the model.

use albertine_model::ProblemType;

use crate::{Calibration, Confusion, Metrics, Run, TrainError};

/// The loss that a model was trained with, which also determines how its logits become confidences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// One class out of many, by softmax.
    CrossEntropy,
    /// Each class independently, by sigmoid; the mean over the classes.
    BinaryCrossEntropy,
}

impl Loss {
    /// That of a model for this problem.
    ///
    /// # Errors
    /// [`TrainError::Regression`].
    pub fn of(problem: ProblemType) -> Result<Self, TrainError> {
        match problem {
            ProblemType::SingleLabel => Ok(Self::CrossEntropy),
            ProblemType::MultiLabel => Ok(Self::BinaryCrossEntropy),
            ProblemType::Regression => Err(TrainError::Regression),
        }
    }
}

/// The prediction for one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The class with the highest logit (the first of equals), whatever its score.
    pub predicted: usize,
    /// Its score, from 0 to 1.
    pub confidence: f64,
    /// The loss, in nats.
    pub loss: f64,
}

/// Counts over the rows so far.
#[derive(Debug, Clone)]
pub struct Evaluation {
    labels: Vec<String>,
    loss: Loss,
    confusion: Confusion,
    loss_sum: f64,
    calibration: Calibration,
}

impl Evaluation {
    /// Of a model with these labels, in the order of its logits.
    ///
    /// # Errors
    /// [`TrainError::TooFewLabels`] for fewer than two.
    pub fn new(labels: Vec<String>, loss: Loss) -> Result<Self, TrainError> {
        let count = labels.len();
        if count < 2 {
            return Err(TrainError::TooFewLabels { count });
        }
        let confusion = Confusion::new(count);
        Ok(Self { labels, loss, confusion, loss_sum: 0.0, calibration: Calibration::default() })
    }

    /// Counts a row of the true class `expected`, for which the model gave `logits`.
    ///
    /// # Errors
    /// [`TrainError::Shape`], [`TrainError::NotANumber`]; the row is then not counted.
    pub fn add(&mut self, expected: usize, logits: &[f32]) -> Result<Verdict, TrainError> {
        let labels = self.labels.len();
        if logits.len() != labels || expected >= labels {
            return Err(TrainError::Shape { expected, logits: logits.len(), labels });
        }
        if !logits.iter().all(|logit| logit.is_finite()) {
            return Err(TrainError::NotANumber { label: self.labels[expected].clone() });
        }
        let verdict = self.loss.verdict(expected, logits);
        self.confusion.add(expected, verdict.predicted);
        self.loss_sum += verdict.loss;
        self.calibration.add(verdict.confidence, verdict.predicted == expected);
        Ok(verdict)
    }

    /// The labels, in the order of the logits.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The metrics over all rows so far.
    ///
    /// # Errors
    /// [`TrainError::NoRows`] when there was none.
    pub fn metrics(&self, run: Run) -> Result<Metrics, TrainError> {
        Metrics::new(&self.labels, &self.confusion, self.loss_sum, &self.calibration, run)
    }
}

impl Loss {
    fn verdict(self, expected: usize, logits: &[f32]) -> Verdict {
        let predicted = albertine_model::argmax(logits);
        let at = |class: usize| f64::from(logits[class]);
        match self {
            Self::CrossEntropy => {
                let most = at(predicted);
                let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - most).exp()).sum();
                Verdict { predicted, confidence: 1.0 / sum, loss: sum.ln() + most - at(expected) }
            }
            Self::BinaryCrossEntropy => {
                let loss: f64 = (0..logits.len()).map(|class| binary_loss(at(class), class == expected)).sum();
                let confidence = 1.0 / (1.0 + (-at(predicted)).exp());
                Verdict { predicted, confidence, loss: loss / logits.len() as f64 }
            }
        }
    }
}

/// The loss of one sigmoid: -ln σ(logit) for a class that is true, -ln (1 - σ(logit)) for one that is not.
fn binary_loss(logit: f64, is_true: bool) -> f64 {
    let x = if is_true { -logit } else { logit };
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn labels(count: usize) -> Vec<String> {
        (0..count).map(|label| format!("L{label}")).collect()
    }

    #[test]
    fn a_row_must_fit() {
        let mut evaluation = Evaluation::new(labels(2), Loss::CrossEntropy).unwrap();
        assert!(matches!(evaluation.add(0, &[1.0]), Err(TrainError::Shape { .. })));
        assert!(matches!(evaluation.add(2, &[1.0, 0.0]), Err(TrainError::Shape { .. })));
        for wrong in [f32::NAN, f32::INFINITY] {
            let said = evaluation.add(1, &[1.0, wrong]).unwrap_err().to_string();
            assert!(said.contains("class `L1`"), "{said}");
        }
        assert!(matches!(evaluation.metrics(Run::default()), Err(TrainError::NoRows)));
        assert!(matches!(Evaluation::new(labels(1), Loss::CrossEntropy), Err(TrainError::TooFewLabels { count: 1 })));
    }

    #[test]
    fn losses_of_any_size_are_finite() {
        for loss in [Loss::CrossEntropy, Loss::BinaryCrossEntropy] {
            let mut evaluation = Evaluation::new(labels(2), loss).unwrap();
            let verdict = evaluation.add(0, &[-3e38, 3e38]).unwrap();
            assert!(verdict.loss.is_finite() && verdict.loss > 1e38, "{verdict:?}");
            assert_eq!((verdict.predicted, verdict.confidence), (1, 1.0));
        }
    }

    proptest! {
        #[test]
        fn the_order_of_rows_does_not_matter(
            rows in prop::collection::vec((0..3usize, prop::array::uniform3(-9f32..9.0)), 1..40)
        ) {
            let metrics = |rows: &mut dyn Iterator<Item = &(usize, [f32; 3])>| {
                let mut evaluation = Evaluation::new(labels(3), Loss::CrossEntropy).unwrap();
                for (expected, logits) in rows {
                    evaluation.add(*expected, logits).unwrap();
                }
                evaluation.metrics(Run::default()).unwrap()
            };
            let (forth, back) = (metrics(&mut rows.iter()), metrics(&mut rows.iter().rev()));
            prop_assert_eq!(&forth.confusion, &back.confusion);
            prop_assert_eq!((forth.accuracy, forth.macro_f1), (back.accuracy, back.macro_f1));
            prop_assert!((forth.loss - back.loss).abs() < 1e-9);
            prop_assert!((forth.calibration_error - back.calibration_error).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&forth.accuracy) && (0.0..=1.0).contains(&forth.macro_f1));
        }
    }
}
