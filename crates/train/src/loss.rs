//! Losses of logits, and their gradients.

use albertine_kernels::{Element, Matrix};
use albertine_model::ProblemType;
use rayon::prelude::*;

use crate::network::LogitLoss;

/// What a text is known to be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    /// Of this class.
    Class(usize),
    /// Of these classes and no others.
    Classes(&'a [u32]),
    /// Of this value.
    Value(f32),
    /// Nothing is known but what a teacher says.
    Unlabeled,
}

/// What the documents of a batch should have been, and how much each of it counts.
#[derive(Debug, Clone)]
pub(crate) struct BatchLoss<'a> {
    pub(crate) problem: ProblemType,
    pub(crate) targets: Vec<Target<'a>>,
    /// How much each class counts; all the same without.
    pub(crate) weights: Option<&'a [f32]>,
    /// How much of the target goes to all classes alike, from 0 to 1.
    pub(crate) smoothing: f32,
    /// What the losses of the documents are divided by.
    pub(crate) total: f64,
    pub(crate) teacher: Option<TeacherLoss<'a>>,
}

/// What teachers say of the documents of a batch.
#[derive(Debug, Clone)]
pub(crate) struct TeacherLoss<'a> {
    /// Their scores at the temperature: probabilities, or the value of a regression.
    pub(crate) scores: Vec<&'a [f32]>,
    pub(crate) temperature: f64,
    /// Their part of the loss, from 0 to 1.
    pub(crate) weight: f64,
    /// The documents of the whole step.
    pub(crate) documents: f64,
}

impl LogitLoss for BatchLoss<'_> {
    fn loss(&self, logits: &Matrix) -> (f64, Matrix) {
        let labels = logits.columns();
        let mut gradient = Matrix::default();
        gradient.reshape(Element::F32, logits.rows(), labels);
        let mut sum = 0.0;
        let mut row_gradient = vec![0.0; labels];
        for (document, &target) in self.targets.iter().enumerate() {
            let row = logits.row(document);
            row_gradient.fill(0.0);
            let soft = self.teacher.as_ref().map_or(0.0, |teacher| match target {
                Target::Unlabeled => 1.0,
                _ => teacher.weight,
            });
            if soft < 1.0 {
                sum += self.hard(target, row, (1.0 - soft) / self.total, &mut row_gradient);
            }
            if let Some(teacher) = self.teacher.as_ref().filter(|_| soft > 0.0) {
                let share = soft / teacher.documents;
                sum += teacher.loss(self.problem, teacher.scores[document], row, share, &mut row_gradient);
            }
            gradient.row_mut(document).iter_mut().zip(&row_gradient).for_each(|(to, from)| *to = *from as f32);
        }
        (sum, gradient)
    }
}

impl BatchLoss<'_> {
    /// `share` times the loss of a document by what is known of it, and its gradient added to `gradient`.
    fn hard(&self, target: Target<'_>, row: &[f32], share: f64, gradient: &mut [f64]) -> f64 {
        let (labels, smoothing) = (row.len() as f64, f64::from(self.smoothing));
        let weight =
            |label: usize| self.weights.map_or(1.0, |weights| f64::from(weights.get(label).copied().unwrap_or(1.0)));
        match (self.problem, target) {
            (_, Target::Unlabeled) => 0.0,
            (ProblemType::SingleLabel, target) => {
                let wanted = |label: usize| {
                    let sure =
                        if matches!(target, Target::Class(class) if class == label) { 1.0 - smoothing } else { 0.0 };
                    (sure + smoothing / labels) * weight(label)
                };
                let log = log_sum(row, 1.0);
                let all: f64 = (0..row.len()).map(wanted).sum();
                let mut sum = 0.0;
                for (label, gradient) in gradient.iter_mut().enumerate() {
                    let score = f64::from(row[label]) - log;
                    sum -= wanted(label) * score;
                    *gradient += share * (all * score.exp() - wanted(label));
                }
                share * sum
            }
            (ProblemType::MultiLabel, target) => {
                let mut sum = 0.0;
                for (label, gradient) in gradient.iter_mut().enumerate() {
                    let is_one = match target {
                        Target::Classes(classes) => classes.contains(&(label as u32)),
                        Target::Class(class) => class == label,
                        _ => false,
                    };
                    let wanted = if is_one { 1.0 - smoothing / 2.0 } else { smoothing / 2.0 };
                    let x = f64::from(row[label]);
                    sum += binary(x, wanted);
                    *gradient += share * (sigmoid(x) - wanted) / labels;
                }
                share * sum / labels
            }
            (ProblemType::Regression, target) => {
                let Target::Value(value) = target else { return 0.0 };
                let mut sum = 0.0;
                for (&x, gradient) in row.iter().zip(gradient) {
                    let off = f64::from(x) - f64::from(value);
                    sum += off * off;
                    *gradient += share * 2.0 * off / labels;
                }
                share * sum / labels
            }
        }
    }
}

impl TeacherLoss<'_> {
    /// `share` times the divergence of a document's scores from the teachers' at the temperature, times its square
    /// ([Hinton et al. 2015](https://arxiv.org/abs/1503.02531)); the gradient is added to `gradient`.
    fn loss(&self, problem: ProblemType, scores: &[f32], row: &[f32], share: f64, gradient: &mut [f64]) -> f64 {
        let (t, labels) = (self.temperature, row.len() as f64);
        let rows = row.iter().map(|&x| f64::from(x)).zip(scores.iter().map(|&score| f64::from(score))).zip(gradient);
        let mut sum = 0.0;
        match problem {
            ProblemType::SingleLabel => {
                let log = log_sum(row, t);
                for ((x, wanted), gradient) in rows {
                    let score = x / t - log;
                    if wanted > 0.0 {
                        sum += wanted * (wanted.ln() - score);
                    }
                    *gradient += share * t * (score.exp() - wanted);
                }
                share * t * t * sum
            }
            ProblemType::MultiLabel => {
                for ((x, wanted), gradient) in rows {
                    let entropy = [wanted, 1.0 - wanted].into_iter().filter(|p| *p > 0.0).map(|p| -p * p.ln());
                    sum += binary(x / t, wanted) - entropy.sum::<f64>();
                    *gradient += share * t * (sigmoid(x / t) - wanted) / labels;
                }
                share * t * t * sum / labels
            }
            ProblemType::Regression => {
                for ((x, wanted), gradient) in rows {
                    sum += (x - wanted) * (x - wanted);
                    *gradient += share * 2.0 * (x - wanted) / labels;
                }
                share * sum / labels
            }
        }
    }
}

/// The cross-entropy of hidden pieces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PieceLoss<'a> {
    /// The piece of each row of logits.
    pub(crate) pieces: &'a [u32],
    /// What the losses are divided by.
    pub(crate) total: f64,
}

impl LogitLoss for PieceLoss<'_> {
    fn loss(&self, logits: &Matrix) -> (f64, Matrix) {
        let mut gradient = Matrix::default();
        gradient.reshape(Element::F32, logits.rows(), logits.columns());
        let losses: Vec<f64> = gradient
            .par_rows_mut()
            .zip(self.pieces)
            .enumerate()
            .map(|(row, (gradient, &piece))| {
                let row = logits.row(row);
                let log = log_sum(row, 1.0);
                for (gradient, &x) in gradient.iter_mut().zip(row) {
                    *gradient = ((f64::from(x) - log).exp() / self.total) as f32;
                }
                gradient[piece as usize] -= (1.0 / self.total) as f32;
                (log - f64::from(row[piece as usize])) / self.total
            })
            .collect();
        (losses.iter().sum(), gradient)
    }
}

/// `ln Σ exp(x / temperature)`
pub(crate) fn log_sum(row: &[f32], temperature: f64) -> f64 {
    let most = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max)) / temperature;
    row.iter().map(|&x| (f64::from(x) / temperature - most).exp()).sum::<f64>().ln() + most
}

pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The cross-entropy of a sigmoid with a target from 0 to 1.
fn binary(x: f64, wanted: f64) -> f64 {
    x.max(0.0) - x * wanted + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[&[f32]]) -> Matrix {
        let mut matrix = Matrix::default();
        matrix.reshape(Element::F32, rows.len(), rows[0].len());
        rows.iter().enumerate().for_each(|(row, values)| matrix.row_mut(row).copy_from_slice(values));
        matrix
    }

    /// Every gradient is that of its loss, by small steps.
    #[test]
    fn gradients_are_those_of_the_losses() {
        let logits: [&[f32]; 3] = [&[0.5, -1.0, 2.0], &[0.0, 0.3, -0.2], &[1.5, 1.0, -2.0]];
        let scores: [&[f32]; 3] = [&[0.2, 0.5, 0.3], &[0.0, 1.0, 0.0], &[0.1, 0.1, 0.8]];
        let teacher = TeacherLoss { scores: scores.to_vec(), temperature: 2.0, weight: 0.3, documents: 3.0 };
        let classes = [0, 2];
        let weights = [1.0, 2.0, 0.5];
        let losses = [
            (ProblemType::SingleLabel, vec![Target::Class(1), Target::Unlabeled, Target::Class(0)], 0.1),
            (ProblemType::MultiLabel, vec![Target::Classes(&classes), Target::Classes(&[]), Target::Unlabeled], 0.2),
            (ProblemType::Regression, vec![Target::Value(0.5), Target::Value(-2.0), Target::Unlabeled], 0.0),
        ];
        for (problem, targets, smoothing) in losses {
            for teacher in [None, Some(teacher.clone())] {
                let weights = (problem == ProblemType::SingleLabel).then_some(&weights[..]);
                let loss = BatchLoss { problem, targets: targets.clone(), weights, smoothing, total: 2.5, teacher };
                let (_, gradient) = loss.loss(&matrix(&logits));
                for row in 0..3 {
                    for column in 0..3 {
                        let at = |step: f32| {
                            let mut moved = matrix(&logits);
                            moved.row_mut(row)[column] += step;
                            loss.loss(&moved).0
                        };
                        let expected = (at(1e-2) - at(-1e-2)) / 2e-2;
                        let found = f64::from(gradient.row(row)[column]);
                        assert!((found - expected).abs() < 1e-4, "{problem:?} {row} {column}: {found} for {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_student_that_says_what_its_teacher_says_has_no_loss() {
        let logits = matrix(&[&[0.5, -1.0, 2.0]]);
        let log = log_sum(logits.row(0), 3.0);
        let scores: Vec<f32> = logits.row(0).iter().map(|&x| (f64::from(x) / 3.0 - log).exp() as f32).collect();
        let teacher = TeacherLoss { scores: vec![&scores], temperature: 3.0, weight: 1.0, documents: 1.0 };
        let targets = vec![Target::Class(0)];
        let problem = ProblemType::SingleLabel;
        let loss = BatchLoss { problem, targets, weights: None, smoothing: 0.0, total: 1.0, teacher: Some(teacher) };
        let (loss, gradient) = loss.loss(&logits);
        assert!(loss.abs() < 1e-6 && gradient.row(0).iter().all(|value| value.abs() < 1e-6), "{loss}");
    }

    #[test]
    fn a_piece_is_a_class() {
        let logits = matrix(&[&[0.5, -1.0, 2.0], &[0.0, 0.3, -0.2]]);
        let (one, gradient) = PieceLoss { pieces: &[2, 0], total: 2.0 }.loss(&logits);
        let targets = vec![Target::Class(2), Target::Class(0)];
        let problem = ProblemType::SingleLabel;
        let loss = BatchLoss { problem, targets, weights: None, smoothing: 0.0, total: 2.0, teacher: None };
        let (two, same) = loss.loss(&logits);
        assert!((one - two).abs() < 1e-12);
        for row in 0..2 {
            assert!(gradient.row(row).iter().zip(same.row(row)).all(|(one, two)| (one - two).abs() < 1e-6));
        }
    }
}
