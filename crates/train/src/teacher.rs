//! Teachers: what others say of the texts of a training.

use albertine_model::{CancellationToken, Kernels, Precision, ProblemType, RaggedBatch, Scratch, SequenceClassifier};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::classification::TOKENS;
use crate::examples::parts;
use crate::loss::{log_sum, sigmoid};
use crate::{BaseModel, Event, LabeledTexts, TrainError};

/// Who says something of each text of the training set.
#[derive(Debug)]
pub enum Teacher {
    /// A model with the labels that are trained.
    Model {
        /// What errors call it.
        name: String,
        /// The model.
        model: Box<BaseModel>,
    },
    /// Scores that were computed before.
    Scores(SoftLabels),
}

impl Teacher {
    /// What it has scores of.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        match self {
            Self::Model { model, .. } => model.config().labels(),
            Self::Scores(soft) => &soft.labels,
        }
    }
}

/// Scores of labels for each row of the training set, in its order.
///
/// ```
/// use albertine_train::SoftLabels;
///
/// let labels = ["no", "yes"].map(str::to_owned);
/// let mut soft = SoftLabels::new("soft.csv");
/// soft.push(&labels, Some(&[0.25, 0.75]))?;
/// soft.push(&labels, None)?; // a row without scores, which must have no text
/// assert_eq!(soft.rows(), 2);
/// # Ok::<(), albertine_train::TrainError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct SoftLabels {
    name: String,
    labels: Vec<String>,
    /// `[rows, labels]`, not a number where a row has none.
    scores: Vec<f32>,
    rows: u64,
}

impl SoftLabels {
    /// Without any row. Errors call the table `name`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds a row: scores of labels, which are the same in every row.
    ///
    /// # Errors
    /// [`TrainError::SoftLabels`] for other labels than before, or another number of scores.
    pub fn push(&mut self, labels: &[String], scores: Option<&[f32]>) -> Result<(), TrainError> {
        if self.rows == 0 {
            self.labels = labels.to_vec();
        }
        self.rows += 1;
        if labels != self.labels || scores.is_some_and(|scores| scores.len() != labels.len()) {
            return Err(self.wrong(self.rows - 1, "has scores of other labels than the rows before"));
        }
        match scores {
            Some(scores) => self.scores.extend_from_slice(scores),
            None => self.scores.resize(self.scores.len() + labels.len(), f32::NAN),
        }
        Ok(())
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    fn wrong(&self, row: u64, reason: &str) -> TrainError {
        TrainError::SoftLabels { teacher: self.name.clone(), row: row + 1, reason: reason.to_owned() }
    }

    /// The scores of a row for these labels, at a temperature.
    fn at(&self, row: u64, columns: &[usize], problem: ProblemType, temperature: f64) -> Result<Vec<f64>, TrainError> {
        let all = &self.scores[row as usize * self.labels.len()..][..self.labels.len()];
        let scores: Vec<f64> = columns.iter().map(|&column| f64::from(all[column])).collect();
        if scores.iter().any(|score| !score.is_finite()) {
            return Err(self.wrong(row, "has no score for every label"));
        }
        if problem == ProblemType::Regression {
            return Ok(scores);
        }
        if !scores.iter().all(|score| (0.0..=1.0).contains(score)) {
            return Err(self.wrong(row, "has a score that is not from 0 to 1"));
        }
        if problem == ProblemType::MultiLabel {
            let logit = |score: f64| score.max(1e-12).ln() - (1.0 - score).max(1e-12).ln();
            return Ok(scores.into_iter().map(|score| sigmoid(logit(score) / temperature)).collect());
        }
        let powers: Vec<f64> = scores.iter().map(|score| score.powf(1.0 / temperature)).collect();
        let sum: f64 = powers.iter().sum();
        if sum <= 0.0 {
            return Err(self.wrong(row, "has no score above 0"));
        }
        Ok(powers.into_iter().map(|power| power / sum).collect())
    }
}

/// What a training asks of its teachers.
pub(crate) struct Question<'a> {
    pub(crate) texts: &'a LabeledTexts,
    /// The labels that are trained, in the order of the logits.
    pub(crate) labels: &'a [String],
    pub(crate) problem: ProblemType,
    pub(crate) temperature: f64,
    pub(crate) kernels: Kernels,
    pub(crate) cancellation: &'a CancellationToken,
}

impl Question<'_> {
    /// The mean scores of all teachers for each text at the temperature, `[texts, labels]`; nothing when it is cancelled.
    pub(crate) fn asked(
        &self,
        teachers: &[Teacher],
        listen: &mut (dyn FnMut(&Event<'_>) + Send),
    ) -> Result<Option<Vec<f32>>, TrainError> {
        let mut sums = vec![0.0_f64; self.texts.len() * self.labels.len()];
        for teacher in teachers {
            let scores = match teacher {
                Teacher::Model { name, model } => self.asked_model(name, model, listen)?,
                Teacher::Scores(soft) => Some(self.looked_up(soft)?),
            };
            let Some(scores) = scores else { return Ok(None) };
            sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score / teachers.len() as f64);
        }
        Ok(Some(sums.into_iter().map(|sum| sum as f32).collect()))
    }

    /// For each label its place among those of a teacher, which has no others if it is `strict`.
    fn columns(&self, teacher: &str, known: &[String], strict: bool) -> Result<Vec<usize>, TrainError> {
        let other = || TrainError::TeacherLabels {
            teacher: teacher.to_owned(),
            labels: known.to_vec(),
            expected: self.labels.to_vec(),
        };
        if self.problem == ProblemType::Regression && self.labels.len() == 1 {
            return if known.len() == 1 { Ok(vec![0]) } else { Err(other()) };
        }
        let place = |label: &String| known.iter().position(|known| known == label).ok_or_else(other);
        let columns = self.labels.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        if strict && known.len() != columns.len() { Err(other()) } else { Ok(columns) }
    }

    fn looked_up(&self, soft: &SoftLabels) -> Result<Vec<f64>, TrainError> {
        let columns = self.columns(&soft.name, &soft.labels, false)?;
        if soft.rows != self.texts.rows() {
            let (teacher, rows, expected) = (soft.name.clone(), soft.rows, self.texts.rows());
            return Err(TrainError::TeacherRows { teacher, rows, expected });
        }
        let mut all = Vec::with_capacity(self.texts.len() * columns.len());
        for index in 0..self.texts.len() {
            all.extend(soft.at(self.texts.row(index), &columns, self.problem, self.temperature)?);
        }
        Ok(all)
    }

    fn asked_model(
        &self,
        name: &str,
        teacher: &BaseModel,
        listen: &mut (dyn FnMut(&Event<'_>) + Send),
    ) -> Result<Option<Vec<f64>>, TrainError> {
        let columns = self.columns(name, teacher.config().labels(), true)?;
        let (config, weights) = (teacher.config().clone(), teacher.checkpoint().weights());
        let model = SequenceClassifier::new(config, weights, self.kernels, Precision::F32)?;
        let (mut pieces, mut ids, mut types) = (RaggedBatch::new(), Vec::new(), Vec::new());
        for (text, second) in self.texts.texts() {
            ids.clear();
            types.clear();
            teacher.encode_document(text, second.as_deref(), &mut ids, &mut types)?;
            pieces.push_with_types(&ids, &types);
        }
        let pool = ThreadPoolBuilder::new().num_threads(self.kernels.threads()).build()?;
        let indices: Vec<usize> = (0..pieces.documents()).collect();
        let parts = parts(&indices, TOKENS / 2, |index| pieces.document(index).len());
        let mut all = Vec::with_capacity(indices.len() * columns.len());
        for group in parts.chunks(8 * self.kernels.threads()) {
            if self.cancellation.is_cancelled() {
                return Ok(None);
            }
            let logits = |part: &&[usize]| {
                let mut batch = RaggedBatch::new();
                part.iter().for_each(|&index| batch.push_from(&pieces, index));
                let mut logits = Vec::new();
                model.logits(&batch, 1, &mut Scratch::new(), &mut logits).map(|()| logits)
            };
            let logits: Vec<Vec<f32>> = pool.install(|| group.par_iter().map(logits).collect::<Result<_, _>>())?;
            for row in logits.iter().flat_map(|logits| logits.chunks_exact(teacher.config().labels().len())) {
                let row: Vec<f32> = columns.iter().map(|&column| row[column]).collect();
                all.extend(scores_of(&row, self.problem, self.temperature));
            }
            listen(&Event::Teacher { name, texts: all.len() / columns.len(), of: indices.len() });
        }
        Ok(Some(all))
    }
}

/// The scores of logits at a temperature.
fn scores_of(logits: &[f32], problem: ProblemType, temperature: f64) -> Vec<f64> {
    let scaled = logits.iter().map(|&logit| f64::from(logit) / temperature);
    match problem {
        ProblemType::SingleLabel => {
            let log = log_sum(logits, temperature);
            scaled.map(|logit| (logit - log).exp()).collect()
        }
        ProblemType::MultiLabel => scaled.map(sigmoid).collect(),
        ProblemType::Regression => logits.iter().copied().map(f64::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn soft(rows: &[[f32; 2]]) -> SoftLabels {
        let labels = ["a", "b"].map(str::to_owned);
        let mut soft = SoftLabels::new("soft.csv");
        rows.iter().for_each(|row| soft.push(&labels, Some(row)).unwrap());
        soft
    }

    #[test]
    fn scores_at_a_temperature_are_those_of_their_logits() {
        let logits = [0.3_f32, -1.2];
        let one = scores_of(&logits, ProblemType::SingleLabel, 1.0);
        let soft = soft(&[[one[0] as f32, one[1] as f32]]);
        for (problem, temperature) in [(ProblemType::SingleLabel, 2.0), (ProblemType::SingleLabel, 1.0)] {
            let expected = scores_of(&logits, problem, temperature);
            let found = soft.at(0, &[0, 1], problem, temperature).unwrap();
            assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6), "{found:?}");
        }
        let turned = soft.at(0, &[1, 0], ProblemType::SingleLabel, 1.0).unwrap();
        assert!(turned[0] < turned[1]);
    }

    #[test]
    fn rows_that_are_no_scores_are_told_by_their_number() {
        let soft = soft(&[[0.5, 0.5], [1.5, -0.5], [0.0, 0.0], [f32::NAN, 1.0]]);
        let said = |row| soft.at(row, &[0, 1], ProblemType::SingleLabel, 1.0).map_err(|error| error.to_string());
        assert_eq!(said(0).unwrap(), [0.5, 0.5]);
        assert_eq!(said(1).unwrap_err(), "row 2 of soft.csv has a score that is not from 0 to 1");
        assert_eq!(said(2).unwrap_err(), "row 3 of soft.csv has no score above 0");
        assert_eq!(said(3).unwrap_err(), "row 4 of soft.csv has no score for every label");
        let mut other = soft.clone();
        let error = other.push(&["a".to_owned()], Some(&[1.0])).unwrap_err().to_string();
        assert_eq!(error, "row 5 of soft.csv has scores of other labels than the rows before");
    }
}
