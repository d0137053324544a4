//! Labeled texts, tokenized for a base model.

use std::collections::BTreeSet;

use albertine_model::{ProblemType, RaggedBatch};
use serde_json::Value;

use crate::examples::Known;
use crate::labels::{is_missing, whole};
use crate::{BaseModel, Examples, LabelNames, TrainError};

/// The tokens and the label of each text of a table.
///
/// ```no_run
/// use std::path::Path;
/// use albertine_model::Checkpoint;
/// use albertine_train::{BaseModel, LabeledTexts};
///
/// let base = BaseModel::new(Checkpoint::open(Path::new("albert-base-v2"))?, None)?;
/// let mut texts = LabeledTexts::new("train.csv");
/// texts.push(&base, Some("Oil prices rose on Monday."), Some("Business"))?;
/// texts.push(&base, None, Some("Sports"))?;
/// assert_eq!((texts.len(), texts.skipped()), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct LabeledTexts {
    name: String,
    problem: ProblemType,
    /// What stands between the labels of a cell, where a text may have several.
    separator: String,
    keeps_unlabeled: bool,
    tokens: RaggedBatch,
    labels: Vec<Option<String>>,
    /// The texts themselves, where a teacher reads them too.
    texts: Option<Vec<(String, Option<String>)>>,
    /// The row of the table that each text is from, from 0.
    rows: Vec<u64>,
    class_names: Option<Vec<String>>,
    skipped: u64,
    truncated: u64,
    ids: Vec<u32>,
    token_types: Vec<u32>,
}

impl LabeledTexts {
    /// Without any text. Errors call the table `name`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            problem: ProblemType::SingleLabel,
            separator: ",".to_owned(),
            keeps_unlabeled: false,
            tokens: RaggedBatch::new(),
            labels: Vec::new(),
            texts: None,
            rows: Vec::new(),
            class_names: None,
            skipped: 0,
            truncated: 0,
            ids: Vec::new(),
            token_types: Vec::new(),
        }
    }

    /// The same table, whose labels are for this problem: a class; any number of classes, with `separator` between them
    /// or as a JSON list; or a number.
    #[must_use]
    pub fn with_problem(self, problem: ProblemType, separator: impl Into<String>) -> Self {
        Self { problem, separator: separator.into(), ..self }
    }

    /// The same table, for a training with teachers: texts without a label are kept, and, for teachers that are models, the
    /// texts themselves.
    #[must_use]
    pub fn with_teachers(self, has_models: bool) -> Self {
        Self { keeps_unlabeled: true, texts: has_models.then(Vec::new), ..self }
    }

    /// The same table, which itself names its numbers from 0 if it has names; -1 is then a row without a label.
    ///
    /// ```no_run
    /// # use std::path::Path;
    /// # use albertine_model::Checkpoint;
    /// use albertine_train::{BaseModel, LabeledTexts};
    ///
    /// let base = BaseModel::new(Checkpoint::open(Path::new("albert-base-v2"))?, None)?;
    /// let names = ["neg", "pos"].map(str::to_owned).to_vec();
    /// let mut texts = LabeledTexts::new("train.parquet").with_class_names(Some(names));
    /// texts.push(&base, Some("A great film"), Some("1"))?;
    /// texts.push(&base, Some("Who knows"), Some("-1"))?;
    /// assert_eq!((texts.len(), texts.skipped()), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_class_names(self, names: Option<Vec<String>>) -> Self {
        Self { class_names: names, ..self }
    }

    /// Adds a row. One without a text or a label, or with a blank one, is skipped and counted; a text that is longer
    /// than [`BaseModel::limit`] is truncated and counted.
    ///
    /// # Errors
    /// [`TrainError::Text`] when a text cannot be tokenized.
    pub fn push(&mut self, base: &BaseModel, text: Option<&str>, label: Option<&str>) -> Result<(), TrainError> {
        self.push_row(base, text, None, label)
    }

    /// Adds a row with a pair of texts, as [`push`](Self::push).
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_pair(
        &mut self,
        base: &BaseModel,
        (text, second): (Option<&str>, Option<&str>),
        label: Option<&str>,
    ) -> Result<(), TrainError> {
        self.push_row(base, text, Some(second.unwrap_or_default()), label)
    }

    fn push_row(
        &mut self,
        base: &BaseModel,
        text: Option<&str>,
        second: Option<&str>,
        label: Option<&str>,
    ) -> Result<(), TrainError> {
        let row = self.rows();
        let is_blank = |value: Option<&str>| value.is_none_or(|value| value.trim().is_empty());
        let label = label.filter(|label| self.class_names.is_none() || !is_missing(label));
        let label = match self.problem {
            // A text may have none of the labels.
            ProblemType::MultiLabel if !self.keeps_unlabeled => Some(label.unwrap_or_default()),
            ProblemType::MultiLabel => label,
            _ => label.filter(|label| !is_blank(Some(label))),
        };
        let is_kept = label.is_some() || self.keeps_unlabeled;
        let (Some(text), true, false) = (text, is_kept, is_blank(text) || (second.is_some() && is_blank(second)))
        else {
            self.skipped += 1;
            return Ok(());
        };
        self.ids.clear();
        self.token_types.clear();
        let truncated = base.encode_document(text, second, &mut self.ids, &mut self.token_types)?;
        self.truncated += u64::from(truncated);
        self.tokens.push_with_types(&self.ids, &self.token_types);
        self.labels.push(label.map(str::to_owned));
        self.rows.push(row);
        if let Some(texts) = &mut self.texts {
            texts.push((text.to_owned(), second.map(str::to_owned)));
        }
        Ok(())
    }

    /// The rows of the table, those that were skipped included.
    pub(crate) fn rows(&self) -> u64 {
        self.labels.len() as u64 + self.skipped
    }

    /// The row that a text is from, from 0.
    pub(crate) fn row(&self, index: usize) -> u64 {
        self.rows[index]
    }

    /// The texts themselves, as far as they were kept.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &(String, Option<String>)> {
        self.texts.iter().flatten()
    }

    /// The tokens of all texts.
    #[cfg(test)]
    pub(crate) fn tokens_for_test(&self) -> &RaggedBatch {
        &self.tokens
    }

    /// What the labels are for.
    #[must_use]
    pub fn problem(&self) -> ProblemType {
        self.problem
    }

    /// What the table is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Rows without a text or a label.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Texts that were truncated.
    #[must_use]
    pub fn truncated(&self) -> u64 {
        self.truncated
    }

    /// The table's names for its numbers from 0.
    #[must_use]
    pub fn class_names(&self) -> Option<&[String]> {
        self.class_names.as_deref()
    }

    /// The labels that occur: the names of numbers if the table names them, and whole numbers without a fraction if
    /// there is nothing else.
    ///
    /// # Errors
    /// [`TrainError::UnnamedClass`].
    pub(crate) fn labels(&self) -> Result<BTreeSet<String>, TrainError> {
        let found: BTreeSet<String> = self.labels.iter().flatten().flat_map(|cell| self.cells(cell)).collect();
        if let Some(names) = &self.class_names {
            let named = |label: String| match whole(&label) {
                None => Ok(label),
                Some(number) => {
                    usize::try_from(number).ok().and_then(|number| names.get(number)).cloned().ok_or_else(|| {
                        TrainError::UnnamedClass { dataset: self.name.clone(), label, names: names.clone() }
                    })
                }
            };
            return found.into_iter().map(named).collect();
        }
        let numbers: Option<BTreeSet<String>> =
            found.iter().map(|label| whole(label).map(|number| number.to_string())).collect();
        Ok(numbers.unwrap_or(found))
    }

    /// The labels of a cell.
    fn cells(&self, cell: &str) -> Vec<String> {
        if self.problem != ProblemType::MultiLabel {
            return vec![cell.to_owned()];
        }
        let list = cell.starts_with('[').then(|| serde_json::from_str::<Vec<Value>>(cell).ok()).flatten();
        if let Some(list) = list {
            return list.iter().map(|label| label.as_str().map_or_else(|| label.to_string(), str::to_owned)).collect();
        }
        let labels = cell.split(self.separator.as_str()).map(str::trim);
        labels.filter(|label| !label.is_empty()).map(str::to_owned).collect()
    }

    /// The texts with what they are known to be.
    pub(crate) fn examples(self, names: &LabelNames) -> Result<Examples, TrainError> {
        let class = |label: &str| names.class(label);
        let cells = self.labels.iter().map(Option::as_deref);
        let known = match self.problem {
            ProblemType::SingleLabel => {
                Known::Class(cells.map(|cell| cell.map(class).transpose()).collect::<Result<_, _>>()?)
            }
            ProblemType::MultiLabel => {
                let classes = |cell: &str| {
                    let mut classes = self
                        .cells(cell)
                        .iter()
                        .map(|label| class(label).map(|class| class as u32))
                        .collect::<Result<Vec<_>, _>>()?;
                    classes.sort_unstable();
                    classes.dedup();
                    Ok::<_, TrainError>(classes)
                };
                Known::Classes(cells.map(|cell| cell.map(classes).transpose()).collect::<Result<_, _>>()?)
            }
            ProblemType::Regression => {
                let value = |cell: &str| {
                    let number = cell.trim().parse().ok().filter(|number: &f32| number.is_finite());
                    number.ok_or_else(|| TrainError::NotAValue { dataset: self.name.clone(), label: cell.to_owned() })
                };
                Known::Value(cells.map(|cell| cell.map(value).transpose()).collect::<Result<_, _>>()?)
            }
        };
        Ok(Examples::of_tokens(self.tokens, known))
    }
}
