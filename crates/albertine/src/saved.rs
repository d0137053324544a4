//! Pipelines on disk: our own form, written and read, and Spark NLP's, read.
//!
//! Ours is a folder with `pipeline.json`, which lists the stages with their parameters under Spark NLP's names, and a
//! model directory in Hugging Face's layout for each stage that has a model:
//!
//! ```text
//! pipeline.json      {"format": "albertine-pipeline", "version": 1,
//!                     "stages": [{"class": .., "params": {..}, "model": ..}]}
//! models/2/          config.json, model.safetensors, spiece.model, ...
//! ```

use std::fs;
use std::path::{Component, Path};
use std::sync::Arc;

use albertine_model::{Folder, SparkPipeline, WholeFolder};
use serde_json::{Map, Value, json};

use crate::annotators::Stage;
use crate::loaded_model::LoadedModel;
use crate::pipeline::PipelineModel;
use crate::{Classifier, ClassifierSettings, Error, files};

/// The file that lists the stages.
const LISTING: &str = "pipeline.json";
/// What it says it is.
const FORMAT: &str = "albertine-pipeline";
/// The newest form of it that is known.
const VERSION: u64 = 1;
/// The package of Spark NLP's stages.
const SPARK_NLP: &str = "com.johnsnowlabs.nlp.";
/// The package of our stages of Spark's pipelines, which have a model directory in `model/`.
const OURS: &str = "albertine.";
/// The largest listing that is read, in bytes.
const MAX_LISTING: u64 = 8 << 20;
/// The most stages that are read.
const MAX_STAGES: usize = 1024;

impl PipelineModel {
    /// Writes the pipeline and its models into a new folder, which appears when it is complete.
    ///
    /// # Errors
    /// [`Error::Exists`] when something is there that is not an empty folder, [`Error::Io`], and what reading a model
    /// again says.
    ///
    /// ```
    /// use albertine::prelude::*;
    /// # use std::sync::Arc;
    /// # use arrow_schema::{DataType, Field, Schema};
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("news");
    /// # let schema = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, true)]));
    /// let class = AlbertForSequenceClassification::pretrained("ag_news", "en")?;
    /// let stages = [DocumentAssembler::new().into(), Tokenizer::new().into(), class.into()];
    /// Pipeline::new().stages(stages).fit(&schema)?.save(&path)?;
    ///
    /// let model = PipelineModel::load(&path)?;
    /// let found = LightPipeline::new(&model).annotate("The striker scored twice in the final.")?;
    /// assert_eq!(found["class"], ["Sports"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let folder = WholeFolder::create(path.as_ref()).map_err(files::write_error)?;
        self.write(folder)
    }

    /// As [`save`](Self::save), in the place of a saved pipeline that is there.
    ///
    /// # Errors
    /// [`Error::Exists`] when something else is there, which is left as it is; otherwise as `save`.
    pub fn overwrite(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        if !path.join(LISTING).is_file() {
            return self.save(path);
        }
        self.write(WholeFolder::replace(path).map_err(files::write_error)?)
    }

    fn write(&self, folder: WholeFolder) -> Result<(), Error> {
        let mut stages = Vec::with_capacity(self.stages().len());
        for (index, stage) in self.stages().iter().enumerate() {
            let mut entry = json!({"class": stage.name(), "params": stage.params()});
            if let Some(classifier) = stage.classifier() {
                let model = format!("models/{index}");
                classifier.save(&folder.path().join(&model))?;
                entry["model"] = Value::from(model);
            }
            stages.push(entry);
        }
        let listing = json!({"format": FORMAT, "version": VERSION, "stages": stages});
        let file = folder.path().join(LISTING);
        fs::write(&file, format!("{listing:#}\n")).map_err(files::io(&file))?;
        folder.finish().map_err(files::write_error)
    }

    /// Reads a saved pipeline: one of ours, or one that Spark NLP saved (fitted or not), as a folder or an archive.
    ///
    /// # Errors
    /// [`Error::NotAPipeline`], [`Error::UnknownStage`] for a stage that is none of ours, and every way for a model or
    /// a parameter to be wrong.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = Folder::open(path.as_ref())?;
        let settings = ClassifierSettings::default();
        let stages = match stages_in(&folder, &settings)? {
            Some(stages) => stages,
            None if SparkPipeline::is_in(&folder) => read_spark(&SparkPipeline::read(&folder)?, &settings)?,
            None => return Err(not_a_pipeline(&folder, "it has neither pipeline.json nor Spark's metadata")),
        };
        Self::new(stages)
    }

    /// As [`PipelineModel::load`], but nothing where something else is, such as a model directory or a single saved
    /// stage.
    ///
    /// # Errors
    /// When nothing is at the path, and as [`PipelineModel::load`] for a pipeline that is unsound.
    ///
    /// ```
    /// use albertine::PipelineModel;
    /// let folder = tempfile::tempdir()?;
    /// assert!(PipelineModel::load_if_one(folder.path())?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_if_one(path: impl AsRef<Path>) -> Result<Option<Self>, Error> {
        let stages = stages_in(&Folder::open(path.as_ref())?, &ClassifierSettings::default())?;
        stages.map(Self::new).transpose()
    }
}

/// The stages of the pipeline that a folder holds, ours or Spark NLP's; none for anything else, a single saved stage of
/// Spark NLP's among it. Models are loaded in the precision of `settings`.
pub(crate) fn stages_in(folder: &Folder, settings: &ClassifierSettings) -> Result<Option<Vec<Stage>>, Error> {
    if let Some(listing) = folder.read(LISTING, MAX_LISTING)? {
        return read_ours(folder, &listing, settings).map(Some);
    }
    if !SparkPipeline::is_in(folder) || !folder.has_folder("stages") {
        return Ok(None);
    }
    read_spark(&SparkPipeline::read(folder)?, settings).map(Some)
}

/// The classifier that our annotator of Spark's pipelines was saved as, alone; none for anything else.
pub(crate) fn classifier_in(folder: &Folder, settings: &ClassifierSettings) -> Result<Option<Stage>, Error> {
    if !SparkPipeline::is_in(folder) || folder.has_folder("stages") {
        return Ok(None);
    }
    let saved = SparkPipeline::read(folder)?;
    if !saved.stages.iter().all(|stage| stage.class.starts_with(OURS)) {
        return Ok(None);
    }
    Ok(read_spark(&saved, settings)?.into_iter().find(|stage| stage.classifier().is_some()))
}

fn read_ours(folder: &Folder, listing: &[u8], settings: &ClassifierSettings) -> Result<Vec<Stage>, Error> {
    let path = folder.path_of(LISTING);
    let json: Value = serde_json::from_slice(listing).map_err(|source| Error::Json { path: path.clone(), source })?;
    if json["format"] != FORMAT {
        return Err(not_a_pipeline(folder, "its pipeline.json is of another format"));
    }
    match json["version"].as_u64() {
        Some(version) if version <= VERSION => {}
        _ => return Err(Error::PipelineVersion { path, found: json["version"].to_string(), known: VERSION }),
    }
    let stages = json["stages"].as_array().filter(|stages| stages.len() <= MAX_STAGES);
    let stages = stages.ok_or_else(|| not_a_pipeline(folder, "its pipeline.json has no list of stages"))?;
    stages
        .iter()
        .map(|entry| {
            let none = Map::new();
            let params = entry["params"].as_object().unwrap_or(&none);
            let class = entry["class"].as_str().unwrap_or_default();
            let classifier = || {
                let model = entry["model"].as_str().filter(|model| is_inside(model));
                let model = model.ok_or_else(|| not_a_pipeline(folder, "a stage names no folder for its model"))?;
                load_model(&folder.sub(model), settings)
            };
            Stage::from_params(class, params, classifier)?
                .ok_or_else(|| Error::UnknownStage { path: path.clone(), class: class.to_owned() })
        })
        .collect()
}

fn read_spark(pipeline: &SparkPipeline, settings: &ClassifierSettings) -> Result<Vec<Stage>, Error> {
    pipeline
        .stages
        .iter()
        .map(|stage| {
            let unknown = || Error::UnknownStage { path: stage.folder.path().to_owned(), class: stage.class.clone() };
            let ours = stage.class.starts_with(OURS);
            if !ours && !stage.class.starts_with(SPARK_NLP) {
                return Err(unknown());
            }
            let model = if ours { stage.folder.sub("model") } else { stage.folder.clone() };
            let mut params = stage.params.clone();
            // what a fitted tokenizer does not keep among its parameters
            if let Some(rules) = stage.patterns("rules")? {
                params.insert("rules".to_owned(), rules.into());
            }
            Stage::from_params(stage.name(), &params, || load_model(&model, settings))?.ok_or_else(unknown)
        })
        .collect()
}

fn load_model(folder: &Folder, settings: &ClassifierSettings) -> Result<Classifier, Error> {
    let settings = ClassifierSettings { precision: settings.precision, ..ClassifierSettings::default() };
    Classifier::of_model(Arc::new(LoadedModel::read(folder.clone(), settings.precision)?), &settings)
}

fn not_a_pipeline(folder: &Folder, reason: &'static str) -> Error {
    Error::NotAPipeline { path: folder.path().to_owned(), reason }
}

/// Whether a name leads into the folder that it stands in.
fn is_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}
