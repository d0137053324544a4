//! The columns of a labeled table that went through a model, as an evaluation reads them.

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, RecordBatch};
use arrow_schema::Schema;

use crate::{Classify, Error, labels, texts};

/// The column of logits as [`Classify`] calls it where the table has none.
const LOGITS: &str = "logits";

/// The columns of texts, labels and logits of a table that [`Classify`] has added logits to.
///
/// ```
/// use std::sync::Arc;
/// use albertine::labels::LabeledColumns;
/// use albertine::{Classifier, ClassifierSettings, Classify, Columns, Error, Transform};
/// use arrow_array::{RecordBatch, StringArray};
///
/// let column = |values: [Option<&str>; 2]| Arc::new(StringArray::from(values.to_vec())) as _;
/// let (texts, labels) = (column([Some("A late goal"), None]), column([Some("Sports"), Some("World")]));
/// let table = RecordBatch::try_from_iter_with_nullable([("text", texts, true), ("label", labels, true)])?;
/// let classifier = Arc::new(Classifier::pretrained("ag_news", ClassifierSettings::default())?);
/// let classify = Classify::new(classifier, Columns { logits: true, ..Columns::default() })?;
///
/// let columns = LabeledColumns::new(&classify, &table.schema(), "label")?;
/// let mut rows = Vec::new();
/// columns.rows(&classify.transform(&table)?, |label, logits, text| {
///     rows.push((label.map(str::to_owned), logits.map(<[f32]>::len), text()));
///     Ok::<_, Error>(())
/// })?;
/// assert_eq!(rows[0], (Some("Sports".to_owned()), Some(4), "A late goal".to_owned()));
/// assert_eq!(rows[1], (Some("World".to_owned()), None, String::new()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct LabeledColumns {
    text: Vec<String>,
    label: String,
    logits: String,
}

impl LabeledColumns {
    /// Those of a table with the columns `input`, whose true labels are in the column `label`.
    ///
    /// # Errors
    /// As [`labels::require`].
    pub fn new(classify: &Classify, input: &Schema, label: &str) -> Result<Self, Error> {
        labels::require(input, label)?;
        let renamed = classify.renamed(input).into_iter().find(|(usual, _)| usual == LOGITS);
        let logits = renamed.map_or_else(|| LOGITS.to_owned(), |(_, used)| used);
        Ok(Self { text: classify.text_columns().to_vec(), label: label.to_owned(), logits })
    }

    /// Visits the rows of a window that [`Classify`] gave: the true label and the logits, where there are any, and the
    /// text.
    ///
    /// # Errors
    /// Those of `visit`, and what reading the columns gives.
    pub fn rows<E: From<Error>>(
        &self,
        window: &RecordBatch,
        mut visit: impl FnMut(Option<&str>, Option<&[f32]>, &dyn Fn() -> String) -> Result<(), E>,
    ) -> Result<(), E> {
        let labels = labels::read(&window[self.label.as_str()])?;
        let logits = window[self.logits.as_str()].as_list::<i32>();
        let texts = texts::read(window, &self.text)?;
        for (row, label) in labels.iter().enumerate() {
            let logits = logits.is_valid(row).then(|| logits.value(row));
            let logits = logits.as_ref().map(|logits| &**logits.as_primitive::<Float32Type>().values());
            visit(label, logits, &|| if texts.is_valid(row) { texts.value(row).to_owned() } else { String::new() })?;
        }
        Ok(())
    }
}
