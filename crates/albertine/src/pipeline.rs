//! Stages in a row: checked against a schema once, then run over batches.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::annotators::Stage;
use crate::{CancellationToken, Error, OutputSchema, Transform, Transformed};

/// A list of stages that is not yet checked against a table.
#[derive(Debug, Clone, Default)]
pub struct Pipeline {
    stages: Vec<Stage>,
}

impl Pipeline {
    /// A pipeline without stages.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The stages, in the order in which they work.
    #[must_use]
    pub fn stages(mut self, stages: impl IntoIterator<Item = Stage>) -> Self {
        self.stages = stages.into_iter().collect();
        self
    }

    /// Checks every stage's parameters and, through the columns that the stages before it add, its input columns.
    ///
    /// # Errors
    /// The first stage's error: a column that is missing or of the wrong kind, or a parameter that the model does not
    /// allow.
    pub fn fit(self, schema: &SchemaRef) -> Result<PipelineModel, Error> {
        let model = PipelineModel::new(self.stages)?;
        model.output_schema(schema)?;
        Ok(model)
    }
}

/// A checked pipeline, ready for batches of any table that has its input columns.
#[derive(Debug, Clone)]
pub struct PipelineModel {
    stages: Vec<Stage>,
}

impl PipelineModel {
    /// Checks every stage's parameters, without a table: its columns are checked when there is one.
    ///
    /// # Errors
    /// The first stage's error: a parameter that the model does not allow, a pattern that is none.
    pub fn new(stages: impl IntoIterator<Item = Stage>) -> Result<Self, Error> {
        let stages = stages.into_iter().map(Stage::fit).collect::<Result<_, _>>()?;
        Ok(Self { stages })
    }

    /// The stages, in the order in which they work.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Works on one batch: as [`Transform::transform`], without the trait in scope.
    ///
    /// # Errors
    /// When a column is missing or of the wrong kind, or a row cannot be worked on.
    pub fn transform(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        Transform::transform(self, batch)
    }
}

impl Transform for PipelineModel {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        let start = OutputSchema::unchanged(input);
        self.stages.iter().enumerate().try_fold(start, |output, (number, stage)| {
            let next = stage.output_schema(output.schema())?;
            Ok(output.then(number, next))
        })
    }

    fn run(&self, batch: &RecordBatch, cancellation: &CancellationToken) -> Result<Transformed, Error> {
        // contracts of all stages first: no stage works for nothing
        self.output_schema(&batch.schema())?;
        run_stages(&self.stages, batch.clone(), cancellation)
    }
}

/// A batch through stages, and the counts of each classifier among them.
pub(crate) fn run_stages(
    stages: &[Stage],
    batch: RecordBatch,
    cancellation: &CancellationToken,
) -> Result<Transformed, Error> {
    stages.iter().try_fold((batch, Vec::new()), |(batch, mut counts), stage| {
        let (batch, counted) = stage.run(&batch, cancellation)?;
        counts.extend(counted);
        Ok((batch, counts))
    })
}
