//! The one way to work on a table: a record batch in, the same rows with more columns out.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::{CancellationToken, Counts, Error, OutputSchema};

/// A step over record batches. What it does to their columns and rows it says before ([`OutputSchema`]), and keeps to.
///
/// [`Classify`](crate::Classify) and [`PipelineModel`](crate::PipelineModel) are the two kinds. The command, SQL and
/// Python turn their input into record batches and call this, most of them by [`Windowed`](crate::Windowed).
pub trait Transform: Send + Sync {
    /// What becomes of tables of the schema `input`.
    ///
    /// # Errors
    /// When a column that the step needs is missing or of the wrong type: known before any data is touched.
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error>;

    /// Works on one batch, whose schema must be one that [`output_schema`](Self::output_schema) accepts. With the
    /// result come the counts of each classifier in the step, in the order of the stages.
    ///
    /// # Errors
    /// As `output_schema`, when a row cannot be worked on, and [`Error::Cancelled`] soon after `cancellation` is asked
    /// for.
    fn run(&self, batch: &RecordBatch, cancellation: &CancellationToken) -> Result<Transformed, Error>;

    /// As [`run`](Self::run), without counts and cancellation.
    ///
    /// # Errors
    /// As `run`.
    fn transform(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        Ok(self.run(batch, &CancellationToken::default())?.0)
    }
}

/// A batch that went through a [`Transform`], and the counts of each classifier in it.
pub type Transformed = (RecordBatch, Vec<Counts>);

impl<T: Transform + ?Sized> Transform for &T {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        (**self).output_schema(input)
    }

    fn run(&self, batch: &RecordBatch, cancellation: &CancellationToken) -> Result<Transformed, Error> {
        (**self).run(batch, cancellation)
    }
}

impl<T: Transform + ?Sized> Transform for Arc<T> {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        (**self).output_schema(input)
    }

    fn run(&self, batch: &RecordBatch, cancellation: &CancellationToken) -> Result<Transformed, Error> {
        (**self).run(batch, cancellation)
    }
}
