//! The classifier of a saved Spark NLP annotator, or of a saved pipeline.

use std::path::PathBuf;

use albertine_formats::{Folder, FormatError, MAX_WEIGHTS, SparkPipeline, SparkStage, tensorflow};

use super::graph::Found;
use super::{CheckpointKind, Engine, MAX_VOCABULARY};
use crate::config::labels;
use crate::{AlbertConfig, ModelError, Weights};

/// The class of the annotator, without its package.
const CLASS: &str = "AlbertForSequenceClassification";

/// The endings of the names of engines' files, and the engines.
const ENGINES: [(&str, Option<Engine>); 3] =
    [("_tensorflow", Some(Engine::TensorFlow)), ("_onnx", Some(Engine::Onnx)), ("_openvino", None)];

/// What a stage holds.
pub(super) struct Annotator {
    pub(super) stage: SparkStage,
    pub(super) kind: CheckpointKind,
    pub(super) config: AlbertConfig,
    pub(super) weights: Weights<'static>,
    /// The SentencePiece model.
    pub(super) spiece: Option<Vec<u8>>,
}

/// Reads the one classifier of a folder.
pub(super) fn read(folder: &Folder) -> Result<Annotator, ModelError> {
    let pipeline = SparkPipeline::read(folder)?;
    let found = pipeline.listing();
    let mut classifiers = pipeline.stages.into_iter().filter(|stage| stage.name() == CLASS);
    let (Some(stage), None) = (classifiers.next(), classifiers.next()) else {
        return Err(ModelError::Stages { path: folder.path().to_owned(), found });
    };
    let (engine, name) = engine(&stage)?;
    let path = stage.folder.path_of(&name);
    let bytes =
        stage.folder.read(&name, MAX_WEIGHTS)?.ok_or_else(|| FormatError::MissingFile { path: path.clone() })?;
    let inside = Folder::from_zip(bytes, &path)?;
    let graph = graph(engine, &inside)?;
    let path_of_labels = stage.folder.path_of("fields/labels");
    let labels = stage.labels()?;
    if let Some(labels) = &labels {
        labels::check(labels).map_err(|fault| ModelError::Labels { path: path_of_labels.clone(), fault })?;
    }
    let labels = labels.map(|labels| (labels, path_of_labels));
    let path = inside.path_of(&graph);
    let (config, weights) = Found::read(engine, &inside, &path, &graph)?.model(&stage.folder, labels)?;
    let spiece = stage.folder.names()?.into_iter().find(|name| name.ends_with("_spp"));
    let spiece = match spiece {
        Some(name) => stage.folder.read(&name, MAX_VOCABULARY)?,
        None => None,
    };
    Ok(Annotator { kind: CheckpointKind::SparkNlp { engine }, stage, config, weights, spiece })
}

/// The engine that a stage was saved with, and its file.
fn engine(stage: &SparkStage) -> Result<(Engine, String), ModelError> {
    let names = stage.folder.names()?;
    for (ending, engine) in ENGINES {
        let Some(name) = names.iter().find(|name| name.ends_with(ending) && !name.starts_with('.')) else { continue };
        return match engine {
            Some(engine) => Ok((engine, name.clone())),
            None => Err(FormatError::Malformed {
                path: stage.folder.path_of(name),
                form: "a model of TensorFlow or ONNX",
                fault: "it is one of OpenVINO, which is not read".to_owned(),
            }
            .into()),
        };
    }
    let path: PathBuf = stage.folder.path_of("albert_classification_tensorflow");
    Err(FormatError::MissingFile { path }.into())
}

/// The name of the graph in an engine's archive.
fn graph(engine: Engine, inside: &Folder) -> Result<String, ModelError> {
    if engine == Engine::TensorFlow {
        return Ok(tensorflow::GRAPH.to_owned());
    }
    let names = inside.names()?;
    let found = names.iter().find(|name| name.ends_with(".onnx")).or(match names.as_slice() {
        [only] => Some(only),
        _ => None,
    });
    found.cloned().ok_or_else(|| FormatError::MissingFile { path: inside.path_of("model.onnx") }.into())
}
