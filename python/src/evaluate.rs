//! Evaluation on a labeled table.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use albertine::{Activation, Classify, Columns, Error, LongTexts};
use albertine_train::{LabelNames, LabeledEvaluation, Loss, Report, Run, TrainError};
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, RecordBatch};
use pyo3::prelude::*;
use pyo3_arrow::PyRecordBatchReader;
use pyo3_arrow::input::AnyRecordBatch;

use crate::batches::Batches;
use crate::classifier::Classifier;
use crate::error::Failure;
use crate::warnings::warn_of_labels;

/// The column of logits as [`Classify`] calls it where the table has none.
const LOGITS: &str = "logits";

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
    albertine::labels::require(&reader.schema(), &label_column).map_err(Failure::from)?;
    let class_names = albertine::labels::class_names(&reader.schema(), &label_column);
    let columns = Columns { text: text_columns.clone(), logits: true, ..Columns::default() };
    let classify = Classify::new(Arc::clone(classifier), columns).map_err(Failure::from)?;
    let renamed = classify.renamed(&reader.schema()).into_iter().find(|(usual, _)| usual == LOGITS);
    let logits_column = renamed.map_or_else(|| LOGITS.to_owned(), |(_, used)| used);
    let stream = AnyRecordBatch::Stream(PyRecordBatchReader::new(reader));
    let limits = vec![classifier.max_sentence_length()];
    let batches = Batches::new(stream, Arc::new(classify), &HashMap::new(), limits)?;
    let names = names(classifier.labels(), labels.as_deref(), class_names.as_deref()).map_err(Failure::from)?;
    let unmatched = names.unmatched().filter(|_| labels.is_none());
    let mut evaluation = LabeledEvaluation::new(names, loss(classifier)?).map_err(Failure::from)?;
    if let Some(folder) = &folder {
        fs::create_dir_all(folder).map_err(|error| output_error(folder, error))?;
    }
    let json = py.detach(|| {
        let started = Instant::now();
        while let Some(window) = batches.next()? {
            add(&mut evaluation, &window, &text_columns, &label_column, &logits_column)?;
        }
        let run = Run { runtime: started.elapsed(), truncated: batches.truncated(), ..Run::default() };
        let metrics = evaluation.metrics(run)?;
        let long_texts = match classifier.session().long_texts() {
            LongTexts::Windows { overlap } => format!("windows that overlap by {overlap} pieces"),
            _ => "truncated".to_owned(),
        };
        let facts = [
            ("model", classifier.source().to_string()),
            ("input", input),
            ("text columns", text_columns.join(", ")),
            ("label column", label_column),
            ("precision", classifier.model().precision().to_string()),
            ("cpu level", classifier.model().kernels().level().to_string()),
            ("threads", classifier.threads().to_string()),
            ("max sentence length", classifier.max_sentence_length().to_string()),
            ("long texts", long_texts),
            ("encoding", classifier.encoding().name().to_owned()),
            ("albertine", env!("CARGO_PKG_VERSION").to_owned()),
        ];
        let report = evaluation.report(&facts, &metrics);
        if let Some(folder) = &folder {
            write(&report, folder)?;
        }
        Ok::<_, Failure>(serde_json::to_string(&report).map_err(TrainError::from)?)
    })?;
    unmatched.map_or(Ok(()), |message| warn_of_labels(&message))?;
    Ok(json)
}

/// What a table calls the classes with these labels: as is given, and as it says itself.
fn names(
    labels: &[String],
    given: Option<&[String]>,
    class_names: Option<&[String]>,
) -> Result<LabelNames, TrainError> {
    let names = given.map_or_else(|| LabelNames::of_model(labels), |given| LabelNames::given(labels, given))?;
    if let Some(class_names) = class_names { names.with_table(class_names) } else { Ok(names) }
}

fn loss(classifier: &albertine::Classifier) -> Result<Loss, Failure> {
    match classifier.activation() {
        Activation::Softmax => Ok(Loss::CrossEntropy),
        Activation::Sigmoid => Ok(Loss::BinaryCrossEntropy),
        _ => Err(TrainError::Regression.into()),
    }
}

/// Counts the rows of a window that went through the model.
fn add(
    evaluation: &mut LabeledEvaluation,
    window: &RecordBatch,
    text_columns: &[String],
    label_column: &str,
    logits_column: &str,
) -> Result<(), Failure> {
    let labels = albertine::labels::read(&window[label_column])?;
    let logits = window[logits_column].as_list::<i32>();
    let texts = albertine::texts::read(window, text_columns)?;
    for (row, label) in labels.iter().enumerate() {
        let logits = logits.is_valid(row).then(|| logits.value(row));
        let logits = logits.as_ref().map(|logits| &**logits.as_primitive::<Float32Type>().values());
        evaluation.add(label, logits, || texts.value(row).to_owned())?;
    }
    Ok(())
}

fn write(report: &Report<'_>, folder: &Path) -> Result<(), Failure> {
    for (name, text) in [("metrics.json", report.json()?), ("report.html", report.page())] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| output_error(&path, error))?;
    }
    Ok(())
}

fn output_error(path: &Path, source: std::io::Error) -> Failure {
    Error::Io { path: path.to_owned(), source }.into()
}
