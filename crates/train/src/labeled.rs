//! Labeled texts, tokenized for a base model.

use std::collections::BTreeSet;

use albertine_model::RaggedBatch;

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
            skipped: 0,
            truncated: 0,
            ids: Vec::new(),
        }
    }

    /// Adds a row. One without a text or a label, or with a blank one, is skipped and counted; a text that is longer
    /// than [`BaseModel::limit`] is truncated and counted.
    ///
    /// # Errors
    /// [`TrainError::Text`] when a text cannot be tokenized.
    pub fn push(&mut self, base: &BaseModel, text: Option<&str>, label: Option<&str>) -> Result<(), TrainError> {
        let is_blank = |value: Option<&str>| value.is_none_or(|value| value.trim().is_empty());
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

    /// The labels that occur.
    pub(crate) fn labels(&self) -> BTreeSet<String> {
        self.labels.iter().cloned().collect()
    }

    /// The texts with the indices of their classes.
    pub(crate) fn examples(self, names: &LabelNames) -> Result<Examples, TrainError> {
        let classes = self.labels.iter().map(|label| names.class(label)).collect::<Result<_, _>>()?;
        Ok(Examples::of_tokens(self.tokens, classes))
    }
}
