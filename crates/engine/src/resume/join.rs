//! Parts become a table.
//!
//! A writer's bytes may depend on how many rows it is given at once. Here it is given the same number each time, whatever
//! the parts are, so that the table is the same however often a run was interrupted.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;

use crate::error::clause;
use crate::{EngineError, Sink};

/// Rows that the writer is given at once.
const ROWS: usize = 1024;

/// A table that is being written from parts.
pub(super) struct Joined {
    sink: Sink,
    schema: SchemaRef,
    waiting: Vec<RecordBatch>,
    rows: usize,
}

impl Joined {
    /// Into a sink with these columns.
    pub(super) fn new(sink: Sink, schema: SchemaRef) -> Self {
        Self { sink, schema, waiting: Vec::new(), rows: 0 }
    }

    /// Adds rows.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), EngineError> {
        let mut start = 0;
        while start < batch.num_rows() {
            let taken = (ROWS - self.rows).min(batch.num_rows() - start);
            self.waiting.push(batch.slice(start, taken));
            self.rows += taken;
            start += taken;
            if self.rows == ROWS {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Completes the table and moves it into place.
    pub(super) fn finish(mut self) -> Result<(), EngineError> {
        self.flush()?;
        self.sink.finish()
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.rows = 0;
        if waiting.is_empty() {
            return Ok(());
        }
        // The columns are those of the run that ends it: inputs that came later may have made one nullable.
        let same = |batch: RecordBatch| RecordBatch::try_new(self.schema.clone(), batch.columns().to_vec());
        let batches = waiting.into_iter().map(same).collect::<Result<Vec<_>, _>>();
        let rows = batches.and_then(|batches| concat_batches(&self.schema, &batches));
        let path = || self.sink.target().name();
        self.sink
            .write(&rows.map_err(|error| EngineError::Encode { path: path(), reason: clause(&error.to_string()) })?)
    }
}
