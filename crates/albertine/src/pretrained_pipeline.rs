//! A whole pipeline by name or from disk.

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::annotation::Annotation;
use crate::light_pipeline::LightPipeline;
use crate::pipeline::PipelineModel;
use crate::{CancellationToken, Error, OutputSchema, Transform, Transformed, hub};

/// A saved [`PipelineModel`] with its [`LightPipeline`], as Spark NLP's class of this name.
///
/// ```
/// use albertine::prelude::*;
/// # use std::sync::Arc;
/// # use arrow_schema::{DataType, Field, Schema};
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("tokens");
/// # let schema = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, true)]));
/// # Pipeline::new().stages([DocumentAssembler::new().into(), Tokenizer::new().into()]).fit(&schema)?.save(&path)?;
/// let pipeline = PretrainedPipeline::from_disk(&path)?;
/// assert_eq!(pipeline.annotate("Oil is up.")?["token"], ["Oil", "is", "up", "."]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct PretrainedPipeline {
    model: PipelineModel,
    light_model: LightPipeline,
}

impl PretrainedPipeline {
    /// A pipeline by its name on the models hub and its language, or by its path.
    ///
    /// # Errors
    /// When no pipeline has the name, or as [`PipelineModel::load`].
    pub fn new(name: &str, lang: &str) -> Result<Self, Error> {
        match hub::resolve_language(name, lang)? {
            hub::ModelSource::Directory(path) => Self::from_disk(path),
            hub::ModelSource::BuiltIn(model) => Err(Error::NotAPipeline {
                path: model.name.into(),
                reason: "it is a model: put it behind a DocumentAssembler and a Tokenizer",
            }),
        }
    }

    /// A saved pipeline, ours or Spark NLP's, as a folder or an archive.
    ///
    /// # Errors
    /// As [`PipelineModel::load`].
    pub fn from_disk(path: impl AsRef<Path>) -> Result<Self, Error> {
        let model = PipelineModel::load(path)?;
        Ok(Self { light_model: LightPipeline::new(&model), model })
    }

    /// The pipeline, for tables.
    #[must_use]
    pub fn model(&self) -> &PipelineModel {
        &self.model
    }

    /// The pipeline, for texts in hand.
    #[must_use]
    pub fn light_model(&self) -> &LightPipeline {
        &self.light_model
    }

    /// As [`LightPipeline::annotate`].
    ///
    /// # Errors
    /// As [`PipelineModel::transform`].
    pub fn annotate(&self, text: &str) -> Result<BTreeMap<String, Vec<String>>, Error> {
        self.light_model.annotate(text)
    }

    /// As [`LightPipeline::full_annotate`].
    ///
    /// # Errors
    /// As [`PipelineModel::transform`].
    pub fn full_annotate(&self, text: &str) -> Result<BTreeMap<String, Vec<Annotation>>, Error> {
        self.light_model.full_annotate(text)
    }
}

impl Transform for PretrainedPipeline {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        self.model.output_schema(input)
    }

    fn run(&self, batch: &RecordBatch, cancellation: &CancellationToken) -> Result<Transformed, Error> {
        self.model.run(batch, cancellation)
    }
}
