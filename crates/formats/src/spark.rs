//! What Spark NLP and Spark ML save: annotators, and pipelines of them.
//!
//! A saved stage is a folder with `metadata/part-00000` (one line of JSON: class, uid, parameters), what it keeps beside
//! its parameters in `fields/`, and the files of its engine. A pipeline has `metadata/` and `stages/`, a folder for each
//! stage, which may be a pipeline again.

mod fields;
mod java;
mod sequence_file;

use serde_json::{Map, Value};

use super::folder::Folder;
use super::place::is_inside;
use crate::FormatError;

/// The largest metadata file that is read, in bytes.
const MAX_METADATA: u64 = 8 << 20;

/// The most stages of a pipeline, those of pipelines in it included.
const MAX_STAGES: usize = 1024;

/// How deep pipelines may stand in pipelines.
const MAX_DEPTH: usize = 8;

/// The longest class name or uid, in bytes.
const MAX_NAME: usize = 512;

/// One saved stage of Spark ML: an annotator, or any other transformer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SparkStage {
    /// Its Java class, such as `com.johnsnowlabs.nlp.DocumentAssembler`.
    pub class: String,
    /// Its name in its pipeline, such as `REGEX_TOKENIZER_0123456789ab`.
    pub uid: String,
    /// Its parameters by name: its defaults, and over them what was set.
    pub params: Map<String, Value>,
    /// Its folder.
    pub folder: Folder,
}

impl SparkStage {
    /// Reads the metadata of the stage that a folder holds.
    ///
    /// # Errors
    /// [`FormatError::MissingFile`] where there is none, [`FormatError::Json`] and [`FormatError::Malformed`].
    pub fn read(folder: &Folder) -> Result<Self, FormatError> {
        let metadata = folder.sub("metadata");
        // Hadoop numbers the parts of a text file; metadata is one line, in the first.
        let part = metadata.names()?.into_iter().find(|name| name.starts_with("part-"));
        let part = part.unwrap_or_else(|| "part-00000".to_owned());
        let path = metadata.path_of(&part);
        let bytes =
            metadata.read(&part, MAX_METADATA)?.ok_or_else(|| FormatError::MissingFile { path: path.clone() })?;
        let mut json: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|source| FormatError::Json { path: path.clone(), source })?;
        let malformed =
            |fault: String| FormatError::Malformed { path: path.clone(), form: "the metadata of a saved stage", fault };
        let mut text = |key: &str| match json.remove(key) {
            Some(Value::String(text)) if text.len() <= MAX_NAME => Ok(text),
            None => Ok(String::new()),
            Some(_) => Err(malformed(format!("`{key}` is no short string"))),
        };
        let (class, uid) = (text("class")?, text("uid")?);
        let mut params = Map::new();
        for key in ["defaultParamMap", "paramMap"] {
            match json.remove(key) {
                Some(Value::Object(map)) => params.extend(map),
                None | Some(Value::Null) => {}
                Some(_) => return Err(malformed(format!("`{key}` is no object"))),
            }
        }
        Ok(Self { class, uid, params, folder: folder.clone() })
    }

    /// The class without its package.
    ///
    /// ```no_run
    /// # use std::path::Path;
    /// # use albertine_formats::{Folder, SparkStage};
    /// let stage = SparkStage::read(&Folder::open(Path::new("saved/stages/0_document_0123456789ab"))?)?;
    /// assert_eq!(stage.name(), "DocumentAssembler");
    /// # Ok::<(), albertine_formats::FormatError>(())
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        self.class.rsplit('.').next().unwrap_or(&self.class)
    }
}

/// A saved pipeline, fitted or not, or a single saved stage seen as a pipeline of one.
///
/// ```no_run
/// use std::path::Path;
/// use albertine_formats::{Folder, SparkPipeline};
///
/// let pipeline = SparkPipeline::read(&Folder::open(Path::new("saved_pipeline"))?)?;
/// for stage in &pipeline.stages {
///     println!("{} {:?}", stage.name(), stage.params.get("outputCol"));
/// }
/// # Ok::<(), albertine_formats::FormatError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SparkPipeline {
    /// The pipeline's name, or that of the single stage.
    pub uid: String,
    /// The stages in order; those of a pipeline in the pipeline stand in its place.
    pub stages: Vec<SparkStage>,
}

impl SparkPipeline {
    /// Whether a folder holds a saved stage or pipeline.
    #[must_use]
    pub fn is_in(folder: &Folder) -> bool {
        folder.has_folder("metadata") && !crate::has_weights(folder)
    }

    /// Reads the metadata of every stage.
    ///
    /// # Errors
    /// [`FormatError::MissingFile`] where there is no metadata, [`FormatError::Json`], and [`FormatError::Malformed`] when
    /// the folders of the stages are not those that the pipeline names.
    pub fn read(folder: &Folder) -> Result<Self, FormatError> {
        let top = SparkStage::read(folder)?;
        let uid = top.uid.clone();
        let mut stages = Vec::new();
        flatten(top, 0, &mut stages)?;
        Ok(Self { uid, stages })
    }

    /// The stages in words, for a message.
    #[must_use]
    pub fn listing(&self) -> String {
        match self.stages.as_slice() {
            [] => "no stages".to_owned(),
            stages => stages.iter().map(SparkStage::name).collect::<Vec<_>>().join(", "),
        }
    }
}

/// Adds a stage, or the stages of a pipeline.
fn flatten(stage: SparkStage, depth: usize, stages: &mut Vec<SparkStage>) -> Result<(), FormatError> {
    let malformed = |fault: String| {
        Err(FormatError::Malformed { path: stage.folder.path().to_owned(), form: "a saved pipeline", fault })
    };
    let is_pipeline = match stage.class.as_str() {
        "org.apache.spark.ml.PipelineModel" | "org.apache.spark.ml.Pipeline" => true,
        // with a stage that Java does not know
        "pyspark.ml.pipeline.PipelineModel" | "pyspark.ml.pipeline.Pipeline" => true,
        class => class.is_empty() && stage.folder.has_folder("stages"),
    };
    if !is_pipeline {
        if stages.len() == MAX_STAGES {
            return malformed(format!("it has more than {MAX_STAGES} stages"));
        }
        stages.push(stage);
        return Ok(());
    }
    if depth == MAX_DEPTH {
        return malformed(format!("pipelines stand in pipelines more than {MAX_DEPTH} deep"));
    }
    let folder = stage.folder.sub("stages");
    // `<place>_<uid>`, the place padded with zeros to the same width in all of them.
    let mut found: Vec<(usize, String, String)> = Vec::new();
    if stage.folder.has_folder("stages") {
        for name in folder.names()? {
            let Some(name) = name.strip_suffix('/') else { continue };
            let parts = name.split_once('_').and_then(|(place, uid)| Some((place.parse().ok()?, uid)));
            let Some((place, uid)) = parts else { return malformed(format!("a stage's folder is called {name:?}")) };
            found.push((place, uid.to_owned(), name.to_owned()));
        }
    }
    found.sort();
    if let Some(wrong) = found.iter().enumerate().find(|(place, stage)| *place != stage.0) {
        return malformed(format!("its stage {} is missing or there twice", wrong.0));
    }
    if let Some(uids) = stage.params.get("stageUids") {
        let named = uids.as_array().map(|uids| uids.iter().filter_map(Value::as_str).collect::<Vec<_>>());
        if named.is_none_or(|named| named != found.iter().map(|stage| stage.1.as_str()).collect::<Vec<_>>()) {
            return malformed("its metadata names other stages than there are folders".to_owned());
        }
    }
    for (_, _, name) in found {
        if !is_inside(&name) {
            return malformed(format!("a stage's folder is called {name:?}"));
        }
        flatten(SparkStage::read(&folder.sub(&name))?, depth + 1, stages)?;
    }
    Ok(())
}
