//! Calibration on a labeled table.

use std::path::PathBuf;

use albertine::Error;
use albertine::model::ModelError;
use albertine_train::{HeldOutLogits, Loss, TrainError, create_output};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_arrow::input::AnyRecordBatch;

use crate::classifier::Classifier;
use crate::error::Failure;
use crate::labeled::LabeledTable;
use crate::warnings::warn_of_labels;

/// Calibrates a model on a labeled table and writes it to a folder; gives what the command prints.
#[pyfunction]
pub(crate) fn calibrate<'py>(
    py: Python<'py>,
    classifier: &Classifier,
    stream: AnyRecordBatch,
    output: PathBuf,
    text_columns: Vec<String>,
    label_column: String,
    labels: Option<Vec<String>>,
) -> PyResult<Bound<'py, PyDict>> {
    let classifier = classifier.inner();
    let mut table = LabeledTable::new(classifier, stream, &text_columns, &label_column, labels.as_deref())?;
    let scaling = py.detach(|| {
        let source = classifier.source();
        if let Some(path) = source.path().filter(|_| classifier.is_of_pipeline()) {
            return Err(TrainError::Pipeline { path: path.to_owned() }.into());
        }
        let loss = Loss::of(classifier.activation().problem_type())?;
        let mut held_out = HeldOutLogits::new(classifier.labels().to_vec(), loss)?;
        let folder = create_output(&output)?;
        table.measure(|class, logits| Ok(held_out.add(class, logits)?))?;
        let scaling = held_out.fit_temperature()?;
        let checkpoint = source.checkpoint().map_err(Error::from)?;
        let checkpoint = scaling.clone().apply(checkpoint)?;
        checkpoint.save(folder.path()).map_err(Error::from)?;
        folder.finish_or_keep().map_err(ModelError::from).map_err(Error::from)?;
        Ok::<_, Failure>(scaling)
    })?;
    table.unmatched.map_or(Ok(()), |message| warn_of_labels(&message))?;
    let (found, before, after) = (PyDict::new(py), scaling.before(), scaling.after());
    found.set_item("temperature", scaling.temperature())?;
    found.set_item("accuracy", scaling.accuracy())?;
    found.set_item("loss_before", before.loss)?;
    found.set_item("loss", after.loss)?;
    found.set_item("calibration_error_before", before.calibration_error)?;
    found.set_item("calibration_error", after.calibration_error)?;
    found.set_item("samples", scaling.held_out().len())?;
    found.set_item("left_out", table.evaluation.skipped())?;
    Ok(found)
}
