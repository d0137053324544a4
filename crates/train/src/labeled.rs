//! Labeled texts, tokenized for a base model.

use std::collections::BTreeSet;

use albertine_model::RaggedBatch;

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
    tokens: RaggedBatch,
    labels: Vec<String>,
    class_names: Option<Vec<String>>,
    skipped: u64,
    truncated: u64,
    ids: Vec<u32>,
}

impl LabeledTexts {
    /// Without any text. Errors call the table `name`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            tokens: RaggedBatch::new(),
            labels: Vec::new(),
            class_names: None,
            skipped: 0,
            truncated: 0,
            ids: Vec::new(),
        }
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
        let is_blank = |value: Option<&str>| value.is_none_or(|value| value.trim().is_empty());
        let label = label.filter(|label| self.class_names.is_none() || !is_missing(label));
        let (Some(text), Some(label), false) = (text, label, is_blank(text) || is_blank(label)) else {
            self.skipped += 1;
            return Ok(());
        };
        self.ids.clear();
        self.truncated += u64::from(base.encode(text, &mut self.ids)?);
        self.tokens.push(&self.ids);
        self.labels.push(label.to_owned());
        Ok(())
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
        let found: BTreeSet<&String> = self.labels.iter().collect();
        if let Some(names) = &self.class_names {
            let named = |label: &String| match whole(label) {
                None => Ok(label.clone()),
                Some(number) => {
                    usize::try_from(number).ok().and_then(|number| names.get(number)).cloned().ok_or_else(|| {
                        TrainError::UnnamedClass {
                            dataset: self.name.clone(),
                            label: label.clone(),
                            names: names.clone(),
                        }
                    })
                }
            };
            return found.into_iter().map(named).collect();
        }
        let numbers: Option<BTreeSet<String>> =
            found.iter().map(|label| whole(label).map(|number| number.to_string())).collect();
        Ok(numbers.unwrap_or_else(|| found.into_iter().cloned().collect()))
    }

    /// The texts with the indices of their classes.
    pub(crate) fn examples(self, names: &LabelNames) -> Result<Examples, TrainError> {
        let classes = self.labels.iter().map(|label| names.class(label)).collect::<Result<_, _>>()?;
        Ok(Examples::of_tokens(self.tokens, classes))
    }
}
