//! A pipeline of stages, checked and ready to work.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use albertine::annotation::Annotation;
use albertine::annotators::Stage;
use albertine::hub::ModelSource;
use albertine::{CancellationToken, Counts, Error, LightPipeline, PipelineModel, Transform};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3_arrow::PySchema;
use pyo3_arrow::input::AnyRecordBatch;
use serde_json::{Map, Value};

use crate::batches::Batches;
use crate::classifier::Classifier;
use crate::error::Failure;
use crate::hub;
use crate::input::InputColumns;
use crate::warnings;
use crate::work::{abandonable, interruptible};

/// Texts in hand that are worked on together: not so many that Ctrl-C would wait for them.
const CHUNK: usize = 1024;

/// Stages in a row.
#[pyclass(module = "albertine._albertine", frozen)]
pub(crate) struct Pipeline {
    model: Arc<PipelineModel>,
    light: Arc<LightPipeline>,
}

/// A stage as Python has it: the name of its class, its parameters as JSON, and its model.
type StageSpec = (String, String, Option<Py<Classifier>>);

/// An annotation as Python has it: its six fields.
type Fields = (String, i32, i32, String, Vec<(String, Option<String>)>, Vec<f32>);

impl From<PipelineModel> for Pipeline {
    fn from(model: PipelineModel) -> Self {
        Self { light: Arc::new(LightPipeline::new(&model)), model: Arc::new(model) }
    }
}

impl Pipeline {
    fn limits(&self) -> Vec<usize> {
        warnings::limits(self.model.stages())
    }
}

fn params(json: &str) -> Result<Map<String, Value>, Error> {
    serde_json::from_str(json).map_err(|source| Error::Json { path: "the parameters of a stage".into(), source })
}

fn stage(name: &str, json: &str, classifier: Option<&Classifier>) -> Result<Stage, Error> {
    let unknown = || Error::UnknownStage { path: "the pipeline".into(), class: name.to_owned() };
    let classifier = classifier.map(|classifier| &**classifier.inner());
    Stage::with_classifier(name, &params(json)?, classifier)?.ok_or_else(unknown)
}

fn fields(annotation: Annotation) -> Fields {
    let Annotation { annotator_type, begin, end, result, metadata, embeddings } = annotation;
    (annotator_type, begin, end, result, metadata, embeddings)
}

/// The parameters that a stage of a class without a model has when nothing is set, as JSON.
#[pyfunction]
pub(crate) fn default_params(name: &str) -> PyResult<String> {
    let stage = stage(name, "{}", None).map_err(Failure::from)?;
    Ok(Value::from(stage.params()).to_string())
}

/// Moves a complete folder to its place on the same disk, in the place of what stood there.
#[pyfunction]
pub(crate) fn replace_folder(complete: PathBuf, place: PathBuf) -> PyResult<()> {
    Ok(albertine::model::replace_folder(&complete, &place)?)
}

/// The exceptions of a tokenizer in a file, one a line.
#[pyfunction]
pub(crate) fn read_exceptions(path: PathBuf) -> PyResult<Vec<String>> {
    Ok(albertine::text::read_exceptions(&path).map_err(|error| Failure::from(Error::from(error)))?)
}

#[pymethods]
impl Pipeline {
    #[new]
    #[pyo3(signature = (stages, threads=0))]
    fn new(py: Python<'_>, stages: Vec<StageSpec>, threads: usize) -> PyResult<Self> {
        let stages: Vec<_> =
            stages.iter().map(|(name, json, model)| (name, json, model.as_ref().map(|model| model.get()))).collect();
        let build = || {
            let built = stages.iter().map(|(name, json, model)| Ok(stage(name, json, *model)?.with_threads(threads)));
            PipelineModel::new(built.collect::<Result<Vec<_>, Error>>()?)
        };
        Ok(py.detach(build).map_err(Failure::from)?.into())
    }

    /// What was saved, by us or by Spark NLP.
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        Ok(abandonable(move || PipelineModel::load(path))?.into())
    }

    /// What was saved, if it is a pipeline, and not a model alone.
    #[staticmethod]
    fn load_if_one(path: PathBuf) -> PyResult<Option<Self>> {
        Ok(abandonable(move || PipelineModel::load_if_one(path))?.map(Self::from))
    }

    /// A pipeline by name, repository, address or path.
    #[staticmethod]
    #[pyo3(signature = (name, lang, remote_loc=None))]
    fn pretrained(name: String, lang: String, remote_loc: Option<String>) -> PyResult<Self> {
        let load = move || match hub::resolve(&name, Some(&lang), remote_loc.as_deref())? {
            ModelSource::Directory(path) => PipelineModel::load(path),
            ModelSource::BuiltIn(model) => Err(Error::NotAPipeline {
                path: model.name.into(),
                reason: "it is a model: put it behind a DocumentAssembler and a Tokenizer",
            }),
        };
        Ok(abandonable(load)?.into())
    }

    /// Its stages: name, parameters and model of each.
    fn stages(&self) -> Vec<(&'static str, String, Option<Classifier>)> {
        let stages = self.model.stages().iter().map(|stage| {
            let model = stage.classifier().map(|classifier| Arc::clone(classifier).into());
            (stage.name(), Value::from(stage.params()).to_string(), model)
        });
        stages.collect()
    }

    /// The columns that a table with the columns `schema` has after it. `kinds` names the annotator types of annotation
    /// columns that do not say it themselves.
    fn output_schema(&self, schema: PySchema, kinds: HashMap<String, String>) -> PyResult<PySchema> {
        let columns = InputColumns::new(schema.as_ref(), &kinds);
        let output = self.model.output_schema(columns.schema()).map_err(Failure::from)?;
        Ok(PySchema::new(output.into_schema()))
    }

    /// The batches of a stream with what its stages add.
    fn transform(&self, stream: AnyRecordBatch, kinds: HashMap<String, String>) -> PyResult<Batches> {
        Batches::new(stream, self.model.clone(), &kinds, self.limits())
    }

    /// The annotations of each text by column.
    fn annotate(&self, texts: Vec<PyBackedStr>) -> PyResult<Vec<HashMap<String, Vec<Fields>>>> {
        let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
        let cancellation = CancellationToken::default();
        let mut counts = Vec::new();
        let mut rows = Vec::with_capacity(texts.len());
        for some in texts.chunks(CHUNK) {
            let first = rows.len();
            let work = || self.light.run(some, &cancellation).map_err(|error| error.of_rows_from(first));
            let (annotated, counted) = interruptible(&cancellation, work)?;
            rows.extend(annotated);
            Counts::add_each(&mut counts, counted);
        }
        warnings::warn(&counts, &self.limits())?;
        let row = |row: std::collections::BTreeMap<String, Vec<Annotation>>| {
            row.into_iter().map(|(column, found)| (column, found.into_iter().map(fields).collect())).collect()
        };
        Ok(rows.into_iter().map(row).collect())
    }
}
