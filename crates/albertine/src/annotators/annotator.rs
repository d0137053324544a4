//! What every annotator does.

use std::any::Any;
use std::fmt::Debug;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde_json::{Map, Value};

use super::{SequenceClassification, Stage};
use crate::{CancellationToken, Counts, Error, OutputSchema};

/// A kind of stage of a pipeline.
///
/// A new one is a file with a type that implements this and its [`Registration`](super::Registration), and its line in the
/// registry of `annotators.rs`.
pub trait Annotator: Any + Debug + Send + Sync {
    /// The name of its class in Spark NLP, without the package.
    fn name(&self) -> &'static str;

    /// Its parameters as JSON under Spark NLP's names: those that are set and those that have a value without being
    /// set.
    fn params(&self) -> Map<String, Value>;

    /// Checks the parameters and gives the stage that works with them; `None`: this one does.
    ///
    /// # Errors
    /// A parameter that cannot be used.
    fn fit(&self) -> Result<Option<Stage>, Error> {
        Ok(None)
    }

    /// The columns after it, all of its own added by stage 0.
    ///
    /// # Errors
    /// When a column that it needs is missing or of the wrong type.
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error>;

    /// Works on one batch, and gives what was counted if there is a classifier in it.
    ///
    /// # Errors
    /// As [`output_schema`](Self::output_schema), when a row cannot be worked on, and [`Error::Cancelled`].
    fn run(
        &self,
        batch: &RecordBatch,
        cancellation: &CancellationToken,
    ) -> Result<(RecordBatch, Option<Counts>), Error>;

    /// The stage as it works on texts in hand, without columns that only a table has and with one row for each text;
    /// `None`: as it is.
    fn on_texts_alone(&self) -> Option<Stage> {
        None
    }

    /// The stage with so many threads, 0 for one for each core; `None`: it has no threads of its own.
    fn with_threads(&self, _threads: usize) -> Option<Stage> {
        None
    }

    /// Itself, if it classifies sequences.
    fn sequence_classification(&self) -> Option<&dyn SequenceClassification> {
        None
    }
}
