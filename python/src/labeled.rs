//! A model on a labeled table: what `evaluate` and `calibrate` have in common.

use std::collections::HashMap;
use std::sync::Arc;

use albertine::labels::LabeledColumns;
use albertine::{Classify, Columns};
use albertine_train::{LabelNames, LabeledEvaluation, Loss};
use pyo3::prelude::*;
use pyo3_arrow::PyRecordBatchReader;
use pyo3_arrow::input::AnyRecordBatch;

use crate::batches::Batches;
use crate::error::Failure;

/// A table on its way through a model, and what is counted of it.
pub(crate) struct LabeledTable {
    batches: Batches,
    columns: LabeledColumns,
    pub(crate) evaluation: LabeledEvaluation,
    /// What is to be known of the table's own names for its classes.
    pub(crate) unmatched: Option<String>,
}

impl LabeledTable {
    pub(crate) fn new(
        classifier: &Arc<albertine::Classifier>,
        stream: AnyRecordBatch,
        text_columns: &[String],
        label_column: &str,
        labels: Option<&[String]>,
    ) -> PyResult<Self> {
        let reader = stream.into_reader()?;
        let class_names = albertine::labels::class_names(&reader.schema(), label_column);
        let columns = Columns { text: text_columns.to_vec(), logits: true, ..Columns::default() };
        let classify = Classify::new(Arc::clone(classifier), columns).map_err(Failure::from)?;
        let columns = LabeledColumns::new(&classify, &reader.schema(), label_column).map_err(Failure::from)?;
        let stream = AnyRecordBatch::Stream(PyRecordBatchReader::new(reader));
        let limits = vec![classifier.max_sentence_length()];
        let batches = Batches::new(stream, Arc::new(classify), &HashMap::new(), limits)?;
        let names = LabelNames::of_table(classifier.labels(), labels, class_names.as_deref());
        let names = names.map_err(Failure::from)?;
        let unmatched = names.unmatched().filter(|_| labels.is_none());
        let loss = Loss::of(classifier.activation().problem_type()).map_err(Failure::from)?;
        let evaluation = LabeledEvaluation::new(names, loss).map_err(Failure::from)?;
        Ok(Self { batches, columns, evaluation, unmatched })
    }

    /// Runs the model over the table, which may be done without the interpreter's lock. `visit` gets the true class and the
    /// logits of each row that counts.
    pub(crate) fn measure(
        &mut self,
        mut visit: impl FnMut(usize, &[f32]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        while let Some(window) = self.batches.next()? {
            self.columns.rows(&window, |label, logits, text| {
                let class = self.evaluation.add(label, logits, text)?;
                class.zip(logits).map_or(Ok(()), |(class, logits)| visit(class, logits))
            })?;
        }
        Ok(())
    }

    /// Texts that were truncated so far.
    pub(crate) fn truncated(&self) -> u64 {
        self.batches.truncated()
    }
}
