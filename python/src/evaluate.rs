//! Evaluation on a labeled table.

use std::path::PathBuf;
use std::time::Instant;

use albertine_train::{ReportFolder, Run, TrainError};
use pyo3::prelude::*;
use pyo3_arrow::input::AnyRecordBatch;

use crate::classifier::Classifier;
use crate::error::Failure;
use crate::labeled::LabeledTable;
use crate::warnings::warn_of_labels;

/// Evaluates a model on a labeled table that is called `input`; gives the report as JSON, and writes it to a folder if
/// one is named.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "arguments of one caller in Python")]
pub(crate) fn evaluate(
    py: Python<'_>,
    classifier: &Classifier,
    input: String,
    stream: AnyRecordBatch,
    text_columns: Vec<String>,
    label_column: String,
    labels: Option<Vec<String>>,
    folder: Option<PathBuf>,
) -> PyResult<String> {
    let classifier = classifier.inner();
    let mut table = LabeledTable::new(classifier, stream, &text_columns, &label_column, labels.as_deref())?;
    let folder = folder.as_deref().map(ReportFolder::create).transpose().map_err(Failure::from)?;
    let json = py.detach(|| {
        let started = Instant::now();
        table.measure(|_, _| Ok(()))?;
        let run = Run { runtime: started.elapsed(), truncated: table.truncated(), ..Run::default() };
        let metrics = table.evaluation.metrics(run)?;
        let mut facts = vec![
            ("model", classifier.source().to_string()),
            ("input", input),
            ("text columns", text_columns.join(", ")),
            ("label column", label_column),
        ];
        facts.extend(classifier.facts());
        let report = table.evaluation.report(&facts, &metrics);
        if let Some(folder) = folder {
            folder.finish(&report)?;
        }
        Ok::<_, Failure>(serde_json::to_string(&report).map_err(TrainError::from)?)
    })?;
    table.unmatched.map_or(Ok(()), |message| warn_of_labels(&message))?;
    Ok(json)
}
