//! Stages in a row, and what they make of tables.

use std::sync::Arc;

use albertine::annotators::Stage;
use albertine::column::annotator_type;
use albertine::{Counts, Error, LightPipeline, Origin, PipelineModel, Rows, Transform};
use arrow_schema::SchemaRef;
use serde_json::Value;

use crate::failure::Failure;
use crate::message::{Reader, Writer};
use crate::{batch, handles, schema};

/// A pipeline for tables and for texts in hand.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) model: PipelineModel,
    pub(crate) light: LightPipeline,
}

/// A pipeline over tables with certain columns.
#[derive(Debug)]
pub(crate) struct Run {
    pipeline: Arc<Pipeline>,
    schema: SchemaRef,
    /// The columns of its batches that Java does not have yet.
    written: Vec<usize>,
}

impl From<PipelineModel> for Pipeline {
    fn from(model: PipelineModel) -> Self {
        Self { light: LightPipeline::new(&model), model }
    }
}

/// A pipeline of stages: the number of threads (0 for one a core); for each stage the name of its class, its parameters
/// and the number of its model, 0 where it has none.
pub(crate) fn new(request: &mut Reader<'_>) -> Result<Pipeline, Failure> {
    let threads = request.count()?;
    let stages = request.list(|request| {
        let (name, params, number) = (request.text()?, request.params()?, request.long()?);
        let classifier = if number == 0 { None } else { Some(handles::classifier(number)?) };
        let stage = Stage::with_classifier(name, &params, classifier.as_deref())?;
        let unknown = || Error::UnknownStage { path: "the pipeline".into(), class: name.to_owned() };
        Ok(stage.ok_or_else(unknown)?.with_threads(threads))
    })?;
    Ok(PipelineModel::new(stages)?.into())
}

/// The parameters that a stage of a class without a model has when nothing is set.
pub(crate) fn defaults(request: &mut Reader<'_>, answer: &mut Writer) -> Result<(), Failure> {
    let name = request.text()?;
    let unknown = || Error::UnknownStage { path: "the pipeline".into(), class: name.to_owned() };
    let stage = Stage::with_classifier(name, &serde_json::Map::new(), None)?.ok_or_else(unknown)?;
    write_params(answer, &stage.params());
    Ok(())
}

/// Names and values as JSON.
pub(crate) fn write_params(answer: &mut Writer, params: &serde_json::Map<String, Value>) {
    answer.count(params.len());
    for (name, value) in params {
        answer.text(name);
        answer.text(&value.to_string());
    }
}

impl Pipeline {
    /// Its stages, as [`new`] reads them, each with a number of its own for its model.
    pub(crate) fn stages(&self, answer: &mut Writer) {
        answer.count(self.model.stages().len());
        for stage in self.model.stages() {
            answer.text(stage.name());
            write_params(answer, &stage.params());
            answer.long(stage.classifier().map_or(0, |classifier| handles::put_classifier(Arc::clone(classifier))));
        }
    }

    /// What becomes of the columns of a table: whether its rows are multiplied; for each column its name, the place
    /// that it had (-1 for one that is written), and of one that is written whether it may be null, its annotator type
    /// and its type.
    pub(crate) fn output(&self, json: &str, answer: &mut Writer) -> Result<(), Failure> {
        let output = self.model.output_schema(&Arc::new(schema::read(json)?))?;
        answer.byte((output.rows() == Rows::Multiplied).into());
        answer.count(output.origins().len());
        for (field, origin) in output.schema().fields().iter().zip(output.origins()) {
            answer.text(field.name());
            match *origin {
                Origin::Input(index) => answer.count(index),
                Origin::Stage(_) => {
                    answer.int(-1);
                    answer.byte(field.is_nullable().into());
                    answer.optional(annotator_type(field));
                    answer.text(&schema::type_json(field.data_type()).to_string());
                }
            }
        }
        Ok(())
    }
}

impl Run {
    /// The pipeline over tables with the columns `json`, whose output has those columns of the input that are named
    /// `kept`, and those that stages write.
    pub(crate) fn new(pipeline: Arc<Pipeline>, json: &str, kept: Option<&str>) -> Result<Self, Failure> {
        let schema = Arc::new(schema::read(json)?);
        let output = pipeline.model.output_schema(&schema)?;
        let columns = output.schema().fields().iter().zip(output.origins()).enumerate();
        let written = columns.filter(|(_, (field, origin))| match origin {
            Origin::Input(_) => kept.is_some_and(|kept| kept == field.name()),
            Origin::Stage(_) => true,
        });
        Ok(Self { written: written.map(|(index, _)| index).collect(), pipeline, schema })
    }

    /// A batch through the stages. The request has the token of the call, the number of its first row and the batch;
    /// the answer the number of its rows, the texts that each classifier cut with its limit, and the columns.
    pub(crate) fn transform(&self, request: &mut Reader<'_>, answer: &mut Writer) -> Result<(), Failure> {
        let (token, first) = (handles::token(request.long()?)?, request.long()?);
        let batch = batch::read(request, &self.schema)?;
        let outcome = self.pipeline.model.run(&batch, &token);
        let (transformed, counts) =
            outcome.map_err(|error| error.of_rows_from(usize::try_from(first).unwrap_or_default()))?;
        answer.count(transformed.num_rows());
        write_counts(answer, &counts, self.pipeline.model.stages());
        let written = || self.written.iter().map(|&index| transformed.column(index));
        answer.reserve(written().map(batch::size).sum())?;
        written().try_for_each(|column| batch::write(answer, column))
    }
}

/// The texts that each classifier cut, and the most tokens that it reads of one.
pub(crate) fn write_counts(answer: &mut Writer, counts: &[Counts], stages: &[Stage]) {
    let classifiers: Vec<_> = stages.iter().filter_map(Stage::classifier).collect();
    answer.count(classifiers.len());
    for (number, classifier) in classifiers.iter().enumerate() {
        answer.long(counts.get(number).map_or(0, |counts| counts.truncated as i64));
        answer.count(classifier.max_sentence_length());
    }
}
