//! A transform that waits its turn: each window of a file goes through the service's queue, between the requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use albertine::{CancellationToken, Classify, Error, OutputSchema, Transform, Transformed};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::SchemaRef;

use crate::queue::Queue;

/// Classifies windows on the service's engine, and counts the labels.
pub(super) struct Queued<'a> {
    pub(super) classify: Arc<Classify>,
    pub(super) queue: &'a Queue,
    pub(super) labels: &'a Mutex<BTreeMap<String, u64>>,
}

impl Transform for Queued<'_> {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        self.classify.output_schema(input)
    }

    fn run(&self, batch: &RecordBatch, cancellation: &CancellationToken) -> Result<Transformed, Error> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let (classify, window, cancellation) = (Arc::clone(&self.classify), batch.clone(), cancellation.clone());
        let work = move || {
            // the receiver is gone only if the file is
            let _ = sender.send(classify.run(&window, &cancellation));
        };
        self.queue.push_work(Box::new(work)).map_err(|_| Error::Cancelled)?;
        let (labeled, counts) = receiver.recv().map_err(|_| Error::Cancelled)??;
        // the first column that `Classify` adds
        let column = labeled.column(batch.num_columns()).as_string::<i32>();
        let mut labels = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        for label in column.iter().flatten() {
            match labels.get_mut(label) {
                Some(count) => *count += 1,
                None => drop(labels.insert(label.to_owned(), 1)),
            }
        }
        Ok((labeled, counts))
    }
}
