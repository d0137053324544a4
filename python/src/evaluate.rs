//! Evaluation on a labeled table.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use albertine::labels::LabeledColumns;
use albertine::{Classify, Columns};
use albertine_train::{LabelNames, LabeledEvaluation, Loss, ReportFolder, Run, TrainError};
use pyo3::prelude::*;
use pyo3_arrow::PyRecordBatchReader;
use pyo3_arrow::input::AnyRecordBatch;

use crate::batches::Batches;
use crate::classifier::Classifier;
use crate::error::Failure;
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
    let reader = stream.into_reader()?;
    let class_names = albertine::labels::class_names(&reader.schema(), &label_column);
    let columns = Columns { text: text_columns.clone(), logits: true, ..Columns::default() };
    let classify = Classify::new(Arc::clone(classifier), columns).map_err(Failure::from)?;
    let labeled = LabeledColumns::new(&classify, &reader.schema(), &label_column).map_err(Failure::from)?;
    let stream = AnyRecordBatch::Stream(PyRecordBatchReader::new(reader));
    let limits = vec![classifier.max_sentence_length()];
    let batches = Batches::new(stream, Arc::new(classify), &HashMap::new(), limits)?;
    let names = LabelNames::of_table(classifier.labels(), labels.as_deref(), class_names.as_deref());
    let names = names.map_err(Failure::from)?;
    let unmatched = names.unmatched().filter(|_| labels.is_none());
    let loss = Loss::of(classifier.activation().problem_type()).map_err(Failure::from)?;
    let mut evaluation = LabeledEvaluation::new(names, loss).map_err(Failure::from)?;
    let folder = folder.as_deref().map(ReportFolder::create).transpose().map_err(Failure::from)?;
    let json = py.detach(|| {
        let started = Instant::now();
        while let Some(window) = batches.next()? {
            labeled.rows(&window, |label, logits, text| Ok::<_, Failure>(evaluation.add(label, logits, text)?))?;
        }
        let run = Run { runtime: started.elapsed(), truncated: batches.truncated(), ..Run::default() };
        let metrics = evaluation.metrics(run)?;
        let mut facts = vec![
            ("model", classifier.source().to_string()),
            ("input", input),
            ("text columns", text_columns.join(", ")),
            ("label column", label_column),
        ];
        facts.extend(classifier.facts());
        let report = evaluation.report(&facts, &metrics);
        if let Some(folder) = folder {
            folder.finish(&report)?;
        }
        Ok::<_, Failure>(serde_json::to_string(&report).map_err(TrainError::from)?)
    })?;
    unmatched.map_or(Ok(()), |message| warn_of_labels(&message))?;
    Ok(json)
}
