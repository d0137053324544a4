//! A transform that waits its turn: each window of a file goes through the service's queue, between the requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use albertine::{CancellationToken, Classify, Error, OutputSchema, Transform, Transformed};
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};

use crate::queue::Queue;

/// Classifies windows on the service's engine, and counts the labels.
pub(super) struct Queued<'a> {
    pub(super) classify: Arc<Classify>,
    pub(super) queue: &'a Queue,
    pub(super) labels: &'a Mutex<BTreeMap<String, u64>>,
    /// The columns that are read.
    pub(super) text: &'a [String],
    /// Bytes of a value in them, at most: a text takes many times its bytes while it is tokenized.
    pub(super) longest: usize,
    /// Why the file is refused, if it is.
    pub(super) refused: &'a Mutex<Option<String>>,
}

impl Queued<'_> {
    fn check_texts(&self, batch: &RecordBatch) -> Result<(), Error> {
        let columns = self.text.iter().filter_map(|name| batch.column_by_name(name));
        if columns.map(|column| longest(column)).max().is_none_or(|longest| longest <= self.longest) {
            return Ok(());
        }
        let reason = format!("a text of the file has more than {} bytes", self.longest);
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        Err(Error::Cancelled)
    }
}

/// Bytes of the longest value of a column of texts; 0 for other columns.
fn longest(column: &dyn Array) -> usize {
    let lengths = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    match column.data_type() {
        DataType::Utf8 => lengths(&mut column.as_string::<i32>().iter().flatten().map(str::len)),
        DataType::LargeUtf8 => lengths(&mut column.as_string::<i64>().iter().flatten().map(str::len)),
        DataType::Utf8View => lengths(&mut column.as_string_view().iter().flatten().map(str::len)),
        DataType::Binary => lengths(&mut column.as_binary::<i32>().iter().flatten().map(<[u8]>::len)),
        DataType::LargeBinary => lengths(&mut column.as_binary::<i64>().iter().flatten().map(<[u8]>::len)),
        DataType::BinaryView => lengths(&mut column.as_binary_view().iter().flatten().map(<[u8]>::len)),
        _ => 0,
    }
}

impl Transform for Queued<'_> {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        self.classify.output_schema(input)
    }

    fn run(&self, batch: &RecordBatch, cancellation: &CancellationToken) -> Result<Transformed, Error> {
        self.check_texts(batch)?;
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
