//! The classifier of a saved Spark NLP annotator, or of a saved pipeline.

use std::path::PathBuf;

use albertine_formats::{Folder, FormatError, MAX_WEIGHTS, SparkPipeline, SparkStage, tensorflow};

use super::graph::GraphFile;
use super::vocabulary::MAX_BYTES;
use super::{CheckpointKind, Runtime};
use crate::config::labels;
use crate::{ModelConfig, ModelError, Weights, families};

/// The endings of the names of runtimes' files, and the runtimes.
const RUNTIMES: [(&str, Option<Runtime>); 3] =
    [("_tensorflow", Some(Runtime::TensorFlow)), ("_onnx", Some(Runtime::Onnx)), ("_openvino", None)];

/// What a stage holds.
pub(super) struct Annotator {
    pub(super) stage: SparkStage,
    pub(super) kind: CheckpointKind,
    pub(super) config: ModelConfig,
    pub(super) weights: Weights<'static>,
    /// The SentencePiece model.
    pub(super) spiece: Option<Vec<u8>>,
    /// The WordPiece vocabulary, one piece a line.
    pub(super) vocabulary: Option<Vec<u8>>,
}

/// Reads the one classifier of a folder.
pub(super) fn read(folder: &Folder) -> Result<Annotator, ModelError> {
    let pipeline = SparkPipeline::read(folder)?;
    let found = pipeline.listing();
    let mut classifiers =
        pipeline.stages.into_iter().filter(|stage| families::ALL.iter().any(|family| stage.name() == family.class));
    let (Some(stage), None) = (classifiers.next(), classifiers.next()) else {
        let expected = families::listed(|family| family.class.to_owned());
        return Err(ModelError::Stages { path: folder.path().to_owned(), found, expected });
    };
    let (runtime, name) = runtime(&stage)?;
    let path = stage.folder.path_of(&name);
    let bytes =
        stage.folder.read(&name, MAX_WEIGHTS)?.ok_or_else(|| FormatError::MissingFile { path: path.clone() })?;
    let inside = Folder::from_archive(bytes, &path)?;
    let graph = graph(runtime, &inside)?;
    let path_of_labels = stage.folder.path_of("fields/labels");
    let labels = stage.labels()?;
    if let Some(labels) = &labels {
        labels::check(labels).map_err(|fault| ModelError::Labels { path: path_of_labels.clone(), fault })?;
    }
    let labels = labels.map(|labels| (labels, path_of_labels));
    let path = inside.path_of(&graph);
    let (config, weights) = GraphFile::read(runtime, &inside, &path, &graph)?.model(&stage.folder, labels)?;
    let spiece = stage.folder.names()?.into_iter().find(|name| name.ends_with("_spp"));
    let spiece = match spiece {
        Some(name) => stage.folder.read(&name, MAX_BYTES)?,
        None => None,
    };
    let vocabulary = stage.vocabulary()?;
    Ok(Annotator { kind: CheckpointKind::SparkNlp { runtime }, stage, config, weights, spiece, vocabulary })
}

/// The runtime that a stage was saved for, and its file.
fn runtime(stage: &SparkStage) -> Result<(Runtime, String), ModelError> {
    let names = stage.folder.names()?;
    for (ending, runtime) in RUNTIMES {
        let Some(name) = names.iter().find(|name| name.ends_with(ending) && !name.starts_with('.')) else { continue };
        return match runtime {
            Some(runtime) => Ok((runtime, name.clone())),
            None => Err(FormatError::Malformed {
                path: stage.folder.path_of(name),
                form: "a model of TensorFlow or ONNX",
                fault: "it is one of OpenVINO, which is not read".to_owned(),
            }
            .into()),
        };
    }
    let family = families::ALL.into_iter().find(|family| stage.name() == family.class);
    let model_type = family.map_or("model", |family| family.model_type);
    let path: PathBuf = stage.folder.path_of(&format!("{model_type}_classification_tensorflow"));
    Err(FormatError::MissingFile { path }.into())
}

/// The name of the graph in an runtime's archive.
fn graph(runtime: Runtime, inside: &Folder) -> Result<String, ModelError> {
    if runtime == Runtime::TensorFlow {
        return Ok(tensorflow::GRAPH.to_owned());
    }
    let names = inside.names()?;
    let found = names.iter().find(|name| name.ends_with(".onnx")).or(match names.as_slice() {
        [only] => Some(only),
        _ => None,
    });
    found.cloned().ok_or_else(|| FormatError::MissingFile { path: inside.path_of("model.onnx") }.into())
}
