//! The one way to work on a table: a record batch in, the same rows with more columns out.

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use crate::Error;

/// A step over record batches that keeps every row, in order, with all its columns.
///
/// [`Classify`](crate::Classify) and [`PipelineModel`](crate::PipelineModel) are the two kinds. Every door (the command, SQL, a
/// service) adapts its input to record batches and calls this.
pub trait Transform: Send + Sync {
    /// The schema of [`transform`](Self::transform)'s result for batches of the schema `input`.
    ///
    /// # Errors
    /// When a column that the step needs is missing or of the wrong type: known before any data is touched.
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, Error>;

    /// Works on one batch, whose schema must be one that [`output_schema`](Self::output_schema) accepts.
    ///
    /// # Errors
    /// As `output_schema`, and when a row cannot be worked on.
    fn transform(&self, batch: &RecordBatch) -> Result<RecordBatch, Error>;
}
