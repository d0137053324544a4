//! A loaded model.

use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use albertine::{
    Activation, CancellationToken, ClassifierSettings, Classify, Columns, Encoding, Error, LongTexts, Precision, Words,
};
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::PyDict;
use pyo3_arrow::input::AnyRecordBatch;

use crate::batches::Batches;
use crate::error::Failure;
use crate::explain::method;
use crate::hub;
use crate::work::{abandonable, interruptible};

/// A model that is ready to work, shared by whatever stages name it.
#[pyclass(module = "albertine._albertine", frozen, weakref)]
pub(crate) struct Classifier {
    inner: Arc<albertine::Classifier>,
}

impl From<Arc<albertine::Classifier>> for Classifier {
    fn from(inner: Arc<albertine::Classifier>) -> Self {
        Self { inner }
    }
}

/// What is predicted for a text: label, score, and the score of every label.
type Prediction<'py> = (Option<String>, f32, Bound<'py, PyDict>);

impl Classifier {
    /// The model as the library has it.
    pub(crate) fn inner(&self) -> &Arc<albertine::Classifier> {
        &self.inner
    }

    fn transform(&self, columns: Columns) -> PyResult<Arc<Classify>> {
        Ok(Arc::new(Classify::new(self.inner.clone(), columns).map_err(Failure::from)?))
    }

    fn limits(&self) -> Vec<usize> {
        vec![self.inner.max_sentence_length()]
    }
}

fn precision(name: &str) -> PyResult<Precision> {
    Precision::from_str(name).map_err(|_| param("precision", name, "f32, bf16 or int8"))
}

pub(crate) fn param(name: &'static str, value: &str, expected: &'static str) -> PyErr {
    let value = value.to_owned();
    Failure::from(Error::Param { stage: "the classifier", name, value, expected }).into()
}

pub(crate) fn activation(name: &str) -> PyResult<Activation> {
    match name {
        "softmax" => Ok(Activation::Softmax),
        "sigmoid" => Ok(Activation::Sigmoid),
        _ => Err(param("activation", name, "softmax or sigmoid")),
    }
}

fn encoding(name: &str) -> PyResult<Encoding> {
    match name {
        "document" => Ok(Encoding::Document),
        "token" => Ok(Encoding::Token),
        _ => Err(param("encoding", name, "document or token")),
    }
}

#[pymethods]
impl Classifier {
    /// A model by name, repository, address or path.
    #[staticmethod]
    #[pyo3(signature = (name, *, lang=None, precision="f32", max_sentence_length=None, case_sensitive=None, encoding=None,
        window_overlap=None, threads=0, remote_loc=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, of one caller in Python")]
    fn load(
        name: String,
        lang: Option<String>,
        precision: &str,
        max_sentence_length: Option<usize>,
        case_sensitive: Option<bool>,
        encoding: Option<&str>,
        window_overlap: Option<usize>,
        threads: usize,
        remote_loc: Option<String>,
    ) -> PyResult<Self> {
        let settings = ClassifierSettings {
            precision: self::precision(precision)?,
            max_sentence_length,
            case_sensitive,
            encoding: encoding.map(self::encoding).transpose()?,
            long_texts: window_overlap.map_or(LongTexts::Truncate, |overlap| LongTexts::Windows { overlap }),
            threads,
            ..ClassifierSettings::default()
        };
        let load = move || {
            let source = hub::resolve(&name, lang.as_deref(), remote_loc.as_deref())?;
            Ok::<_, Error>(Arc::new(albertine::Classifier::load(&source, settings)?))
        };
        Ok(abandonable(load)?.into())
    }

    /// The labels, in the order of the model's logits.
    #[getter]
    fn labels(&self) -> Vec<String> {
        self.inner.labels().to_vec()
    }

    /// The path of its files; none for the built-in model.
    #[getter]
    fn path(&self) -> Option<PathBuf> {
        self.inner.source().path().map(std::path::Path::to_owned)
    }

    /// The name of a built-in model, or the path of its files.
    #[getter]
    fn name(&self) -> String {
        self.inner.source().to_string()
    }

    /// The class of annotators for models of its family.
    #[getter]
    fn annotator(&self) -> &'static str {
        self.inner.annotator()
    }

    /// `f32`, `bf16` or `int8`.
    #[getter]
    fn precision(&self) -> &'static str {
        self.inner.model().precision().name()
    }

    /// The parameters of an annotator with this model when nothing is set, as JSON under Spark NLP's names; those too
    /// that follow from the model.
    #[getter]
    fn params(&self) -> PyResult<String> {
        let params = self.inner.annotator_params().map_err(Failure::from)?;
        Ok(serde_json::Value::from(params).to_string())
    }

    /// The same model in another precision.
    fn in_precision(&self, precision: &str) -> PyResult<Self> {
        let (classifier, precision) = (self.inner.clone(), self::precision(precision)?);
        let load = || classifier.in_precision(precision);
        Ok(Arc::new(interruptible(&CancellationToken::default(), load)?).into())
    }

    /// Itself: nothing changes it, so that copies of stages share it.
    fn __deepcopy__(this: Py<Self>, _memo: Bound<'_, PyAny>) -> Py<Self> {
        this
    }

    /// Writes a model directory in Hugging Face's layout.
    fn save(&self, directory: PathBuf) -> PyResult<()> {
        let classifier = self.inner.clone();
        Ok(interruptible(&CancellationToken::default(), || classifier.save(&directory))?)
    }

    /// What each text is; none for a null or blank one.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<Option<PyBackedStr>>,
        activation: Option<&str>,
        threshold: Option<f32>,
        abstain: Option<f64>,
    ) -> PyResult<Vec<Option<Prediction<'py>>>> {
        let activation = activation.map(self::activation).transpose()?;
        let columns = Columns { all_scores: true, activation, threshold, abstain, ..Columns::default() };
        let transform = self.transform(columns)?;
        let texts: StringArray = texts.iter().map(|text| text.as_deref()).collect();
        let batch = RecordBatch::try_from_iter_with_nullable([("text", Arc::new(texts) as ArrayRef, true)]);
        let batches =
            Batches::of_batch(batch.map_err(|error| Failure::from(Error::from(error)))?, transform, self.limits())?;
        let mut found = Vec::new();
        while let Some(batch) = py.detach(|| batches.next())? {
            let [labels, scores, all] = [1, 2, 3].map(|index| batch.column(index));
            let (labels, scores) = (labels.as_string::<i32>(), scores.as_primitive::<Float32Type>());
            let all = all.as_struct();
            for row in 0..batch.num_rows() {
                if scores.is_null(row) {
                    found.push(None);
                    continue;
                }
                let by_label = PyDict::new(py);
                for (name, column) in all.column_names().into_iter().zip(all.columns()) {
                    by_label.set_item(name, column.as_primitive::<Float32Type>().value(row))?;
                }
                let label = labels.is_valid(row).then(|| labels.value(row).to_owned());
                found.push(Some((label, scores.value(row), by_label)));
            }
        }
        Ok(found)
    }

    /// The batches of a stream with `label` and `score`.
    #[expect(clippy::too_many_arguments, reason = "keyword arguments, of one caller in Python")]
    fn classify(
        &self,
        stream: AnyRecordBatch,
        text: Vec<String>,
        all_scores: bool,
        logits: bool,
        annotations: bool,
        words: Option<(usize, String)>,
        activation: Option<&str>,
        threshold: Option<f32>,
        abstain: Option<f64>,
        coverage: Option<f64>,
    ) -> PyResult<Batches> {
        let activation = activation.map(self::activation).transpose()?;
        let words = words.map(|(most, name)| Ok::<_, PyErr>(Words { most, method: method(&name)? })).transpose()?;
        let columns =
            Columns { text, all_scores, logits, annotations, words, activation, threshold, abstain, coverage };
        Batches::new(stream, self.transform(columns)?, &HashMap::new(), self.limits())
    }
}
