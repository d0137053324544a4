//! The evaluation of a model on a labeled table, row by row.

use crate::{ConfidentError, ConfidentErrors, Evaluation, LabelNames, Loss, Metrics, Report, Run, TrainError};

/// The most confident errors that a report shows, and how much of their texts, in characters.
const ERRORS: usize = 20;
const CHARACTERS: usize = 300;

/// Counts over the rows of a table so far: their labels and the logits that a model gave for their texts.
///
/// ```
/// use albertine_train::{LabelNames, LabeledEvaluation, Loss, Run};
///
/// let names = LabelNames::of_model(&["no", "yes"].map(str::to_owned))?;
/// let mut evaluation = LabeledEvaluation::new(names, Loss::CrossEntropy)?;
/// evaluation.add(Some("yes"), Some(&[-1.0, 2.0]), || "A great film".to_owned())?;
/// evaluation.add(Some("0"), Some(&[0.0, 1.0]), || "A dull one".to_owned())?;
/// evaluation.add(None, Some(&[0.0, 1.0]), String::new)?;
/// assert_eq!((evaluation.skipped(), evaluation.errors()[0].row), (1, 2));
/// assert_eq!(evaluation.metrics(Run::default())?.accuracy, 0.5);
/// # Ok::<(), albertine_train::TrainError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LabeledEvaluation {
    names: LabelNames,
    evaluation: Evaluation,
    errors: ConfidentErrors,
    rows: u64,
    skipped: u64,
    class_indices: bool,
}

impl LabeledEvaluation {
    /// Of a model whose classes the table calls by these names.
    ///
    /// # Errors
    /// [`TrainError::TooFewLabels`] for fewer than two.
    pub fn new(names: LabelNames, loss: Loss) -> Result<Self, TrainError> {
        Ok(Self {
            evaluation: Evaluation::new(names.names().to_vec(), loss)?,
            names,
            errors: ConfidentErrors::new(ERRORS),
            rows: 0,
            skipped: 0,
            class_indices: false,
        })
    }

    /// Counts the next row: its label, and the logits for its text in the order of the model's labels. Without a label
    /// or logits it is skipped; else its true class is returned. `text` is asked for where the row is one of the most
    /// confident errors.
    ///
    /// # Errors
    /// [`TrainError::Row`] around what [`LabelNames::class`] and [`Evaluation::add`] say.
    pub fn add(
        &mut self,
        label: Option<&str>,
        logits: Option<&[f32]>,
        text: impl FnOnce() -> String,
    ) -> Result<Option<usize>, TrainError> {
        self.rows += 1;
        let label = label.filter(|label| !label.is_empty() && !self.names.is_missing(label));
        let (Some(label), Some(logits)) = (label, logits) else {
            self.skipped += 1;
            return Ok(None);
        };
        let row = self.rows;
        let of_row = |error| TrainError::Row { row, source: Box::new(error) };
        let expected = self.names.class(label).map_err(of_row)?;
        let verdict = self.evaluation.add(expected, logits).map_err(of_row)?;
        self.class_indices |= self.names.is_number(label);
        if verdict.predicted != expected && self.errors.wants(verdict.confidence) {
            let (text, predicted, confidence) = (beginning(text()), verdict.predicted, verdict.confidence);
            self.errors.offer(ConfidentError { row, text, expected, predicted, confidence });
        }
        Ok(Some(expected))
    }

    /// What the table calls the classes, in the order of the logits.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.names.names()
    }

    /// Rows without a text or a label.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// What cells of the table are read as.
    #[must_use]
    pub fn label_names(&self) -> &LabelNames {
        &self.names
    }

    /// Whether labels were read as numbers of the table or class indices, from 0.
    #[must_use]
    pub fn has_class_indices(&self) -> bool {
        self.class_indices
    }

    /// The most confident errors.
    #[must_use]
    pub fn errors(&self) -> &[ConfidentError] {
        self.errors.most_confident()
    }

    /// The metrics over all rows so far; the rows that were skipped are those of the evaluation, whatever `run` says.
    ///
    /// # Errors
    /// [`TrainError::NoRows`] when none was counted.
    pub fn metrics(&self, run: Run) -> Result<Metrics, TrainError> {
        self.evaluation.metrics(Run { left_out: self.skipped, ..run })
    }

    /// A report of these metrics; `facts` say how they came about.
    #[must_use]
    pub fn report<'a>(&'a self, facts: &'a [(&'a str, String)], metrics: &'a Metrics) -> Report<'a> {
        Report { facts, metrics, errors: self.errors(), curves: None }
    }
}

/// The beginning of a text, with a mark where it is cut.
fn beginning(text: String) -> String {
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
