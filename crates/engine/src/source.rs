//! Sources: files, patterns, folders, URLs and standard input as one stream of record batches, in order.
//!
//! ```no_run
//! use albertine_engine::{Source, SourceOptions};
//!
//! # fn main() -> Result<(), albertine_engine::EngineError> {
//! let mut source = Source::open(SourceOptions { inputs: vec!["news/*.csv.gz".into()], ..Default::default() })?;
//! println!("{}", source.schema());
//! while let Some(batch) = source.next().transpose()? {
//!     println!("{} rows", batch.num_rows());
//! }
//! # Ok(())
//! # }
//! ```

mod bytes;
mod csv;
mod int96;
mod jsonl;
mod lines;
mod object;
mod parquet;
mod records;
mod rejects;
mod shape;
mod table;
mod txt;
mod verbatim;

use std::collections::VecDeque;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};

use self::rejects::Policy;
pub use self::rejects::{OnError, Rejects};
use self::shape::Keys;
use self::table::{Looked, Origin, Ready};
use crate::error::clause;
use crate::format::{Compression, Format};
use crate::location::{InputFile, Location};
use crate::{EngineError, location::STDIN};

/// The most rows of a batch.
const BATCH_ROWS: usize = 4096;

/// The bytes of text after which a batch is complete. One row may have more.
const BATCH_BYTES: usize = 16 << 20;

/// The most columns of a table, with those within them: a row of very many would otherwise take all memory.
const COLUMNS: usize = 10_000;

/// The most values of a batch. Only tables of over 1,000 columns come to it before they come to [`BATCH_ROWS`].
const BATCH_VALUES: usize = 4 << 20;

/// The most rows of a batch with the columns of `schema`.
fn batch_rows(schema: &Schema) -> usize {
    (BATCH_VALUES / schema.flattened_fields().len().max(1)).clamp(1, BATCH_ROWS)
}

/// What to read and how.
#[derive(Debug, Clone, Default)]
pub struct SourceOptions {
    /// Paths, patterns (`*`, `?`, `[..]`, `**`), folders, `s3://`, `https://` or `http://` URLs, or `-` for standard
    /// input. Their rows follow each other in this order; the files of one pattern or folder are in the order of their
    /// names.
    pub inputs: Vec<String>,
    /// The format of all inputs; by default, the one of each file's extension.
    pub format: Option<Format>,
    /// What to do with a row that cannot be read.
    pub on_error: OnError,
}

/// An open source: an iterator over its batches.
///
/// A batch has at most 4,096 rows, and about 16 MiB unless one row is larger. Reading happens on a separate thread,
/// one batch ahead; it starts with the first call of [`next`](Iterator::next) and ends when the source is dropped.
#[derive(Debug)]
pub struct Source {
    files: Vec<InputFile>,
    schema: SchemaRef,
    rows_total: Option<u64>,
    bytes_total: Option<u64>,
    bytes_read: Arc<AtomicU64>,
    /// Nanoseconds that the reading thread has worked.
    busy: Arc<AtomicU64>,
    rejects: Rejects,
    state: State,
}

enum State {
    Waiting(Box<Reader>),
    Running { batches: Receiver<Result<RecordBatch, EngineError>>, thread: Option<JoinHandle<()>> },
    Done,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Waiting(_) => "Waiting",
            Self::Running { .. } => "Running",
            Self::Done => "Done",
        })
    }
}

impl Source {
    /// Finds the files and their columns; no row is read yet.
    ///
    /// The values of CSV, TSV and text files are text as they stand. The columns of JSON Lines are found from all lines
    /// of local files, and from the first 8 MiB of standard input and of URLs. A column of objects with over 1,000
    /// different keys in all is text, each value as it is written, marked as
    /// [`arrow.json`](https://arrow.apache.org/docs/format/CanonicalExtensions.html#json). Parquet keeps its types and
    /// its metadata.
    ///
    /// # Errors
    /// When an input is missing, empty or not of its format, has over 10,000 columns (the keys within objects counted),
    /// and when the columns of two files differ.
    pub fn open(options: SourceOptions) -> Result<Self, EngineError> {
        let files = InputFile::expand(&options.inputs, options.format)?;
        Self::look(files, None, options.on_error)
    }

    /// Reads a table from `reader`, as from standard input; errors call it that. Compression is detected from the first
    /// bytes.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_reader(reader: Box<dyn Read + Send>, format: Format, on_error: OnError) -> Result<Self, EngineError> {
        let file = InputFile { location: Location::Stdin, format, compression: Compression::None };
        Self::look(vec![file], Some(reader), on_error)
    }

    /// Finds the columns of files that [`InputFile::expand`] found; a row that cannot be read is an error.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn of_files(files: Vec<InputFile>) -> Result<Self, EngineError> {
        Self::look(files, None, OnError::Fail)
    }

    fn look(
        files: Vec<InputFile>,
        mut reader: Option<Box<dyn Read + Send>>,
        on_error: OnError,
    ) -> Result<Self, EngineError> {
        let bytes_read = Arc::new(AtomicU64::new(0));
        let rejects = Rejects::default();
        let policy = Policy { on_error, rejects: rejects.clone() };
        let mut keys = Keys::default();
        let mut looked = Vec::with_capacity(files.len());
        for (index, file) in files.iter().enumerate() {
            let origin = reader.take().map_or(Origin::Location, Origin::Reader);
            looked.push(table::look(file, origin, &mut keys, &policy, &bytes_read, index == 0)?);
        }
        let schema = common_schema(&files, &looked, &keys)?;
        let rows_total = looked.iter().map(|file| file.rows).sum();
        let bytes_total = looked.iter().map(|file| file.size).sum();
        let waiting: VecDeque<_> = files.iter().cloned().zip(looked.into_iter().map(|file| file.ready)).collect();
        let busy = Arc::new(AtomicU64::new(0));
        let reader = Reader {
            waiting,
            current: None,
            schema: Arc::clone(&schema),
            policy,
            count: Arc::clone(&bytes_read),
            busy: Arc::clone(&busy),
        };
        let state = State::Waiting(Box::new(reader));
        Ok(Self { files, schema, rows_total, bytes_total, bytes_read, busy, rejects, state })
    }

    /// The columns of every batch.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The number of rows, if the files state it before they are read (Parquet does).
    #[must_use]
    pub fn rows_total(&self) -> Option<u64> {
        self.rows_total
    }

    /// The size of all files as they are stored, if it is known.
    #[must_use]
    pub fn bytes_total(&self) -> Option<u64> {
        self.bytes_total
    }

    /// The bytes read so far, of those in [`bytes_total`](Self::bytes_total).
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// The time that the reading thread was busy so far, without waiting for its batches to be consumed.
    #[must_use]
    pub fn time(&self) -> Duration {
        Duration::from_nanos(self.busy.load(Ordering::Relaxed))
    }

    /// The rows that could not be read, with [`OnError::Null`].
    #[must_use]
    pub fn rejects(&self) -> &Rejects {
        &self.rejects
    }

    /// The names of the files, in order.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.files.iter().map(|file| file.location.to_string())
    }

    /// The paths of the local files, in order.
    pub(crate) fn local_paths(&self) -> impl Iterator<Item = &Path> + '_ {
        self.files.iter().filter_map(|file| match &file.location {
            Location::File(path) => Some(path.as_path()),
            Location::Stdin | Location::Url(_) => None,
        })
    }
}

impl Iterator for Source {
    type Item = Result<RecordBatch, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match &mut self.state {
                State::Done => return None,
                State::Waiting(_) => {
                    let State::Waiting(reader) = std::mem::replace(&mut self.state, State::Done) else { return None };
                    // A rendezvous: while one batch is worked on, one is read and waits to be taken.
                    let (sender, batches) = sync_channel(0);
                    match std::thread::Builder::new().name("albertine-read".into()).spawn(move || reader.run(&sender)) {
                        Ok(thread) => self.state = State::Running { batches, thread: Some(thread) },
                        Err(source) => return Some(Err(EngineError::Read { path: STDIN.into(), source })),
                    }
                }
                State::Running { batches, thread } => {
                    let item = batches.recv().ok();
                    if matches!(item, Some(Ok(_))) {
                        return item;
                    }
                    // The thread has ended: of itself, or in a panic over damaged data, which must not look like the
                    // end of the rows.
                    let panicked = thread.take().is_some_and(|thread| thread.join().is_err());
                    self.state = State::Done;
                    return item.or_else(|| panicked.then_some(Err(EngineError::Stopped { stage: "reader" })));
                }
            }
        }
    }
}

/// The columns that all files share.
fn common_schema(files: &[InputFile], looked: &[Looked], keys: &Keys) -> Result<SchemaRef, EngineError> {
    let mut common: Option<(String, SchemaRef)> = None;
    let keyed = jsonl::schema_of(keys);
    for (file, looked) in files.iter().zip(looked) {
        let name = file.location.to_string();
        if looked.schema.is_none() && keys.is_empty() {
            return Err(EngineError::EmptyFile { path: name });
        }
        let schema = looked.schema.as_ref().unwrap_or(&keyed);
        common = Some(match common {
            None => (name, Arc::clone(schema)),
            Some((first, before)) => {
                let schema = table::unify((&first, &before), (&name, schema))?;
                (first, schema)
            }
        });
    }
    common.map(|(_, schema)| schema).ok_or(EngineError::NoInput)
}

/// A table whose rows are being read. Batches keep to [`BATCH_ROWS`] and [`BATCH_BYTES`].
trait TableReader: Send {
    /// The next rows, or nothing at the end.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError>;
}

/// The reading thread's work: one file after the other.
struct Reader {
    waiting: VecDeque<(InputFile, Ready)>,
    current: Option<(String, Box<dyn TableReader>)>,
    schema: SchemaRef,
    policy: Policy,
    count: Arc<AtomicU64>,
    busy: Arc<AtomicU64>,
}

impl Reader {
    /// Sends batches until the files or the receiver end; an error is the last thing sent.
    fn run(mut self, sender: &SyncSender<Result<RecordBatch, EngineError>>) {
        while let Some(item) = self.timed_batch().transpose() {
            let failed = item.is_err();
            if sender.send(item).is_err() || failed {
                return;
            }
        }
    }

    fn timed_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        let since = Instant::now();
        let batch = self.next_batch();
        self.busy.fetch_add(u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        batch
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        loop {
            if let Some((path, reader)) = &mut self.current {
                match reader.next_batch()? {
                    Some(batch) if batch.num_rows() == 0 => continue,
                    Some(batch) => return with_schema(batch, &self.schema, path).map(Some),
                    None => self.current = None,
                }
            }
            let Some((file, ready)) = self.waiting.pop_front() else { return Ok(None) };
            let reader = table::open(&file, ready, &self.schema, &self.policy, &self.count)?;
            self.current = Some((file.location.to_string(), reader));
        }
    }
}

/// The batch under the source's schema. A file that changed since it was looked at is found here.
fn with_schema(batch: RecordBatch, schema: &SchemaRef, path: &str) -> Result<RecordBatch, EngineError> {
    if batch.schema_ref() == schema {
        return Ok(batch);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options)
        .map_err(|error| changed(path, &error))
}

/// Columns that were built for `schema` as a batch.
fn batch_of(schema: &SchemaRef, columns: Vec<ArrayRef>, path: &str) -> Result<RecordBatch, EngineError> {
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|error| changed(path, &error))
}

fn changed(path: &str, error: &arrow_schema::ArrowError) -> EngineError {
    let difference = clause(&error.to_string());
    EngineError::ColumnsDiffer { first: path.to_owned(), other: path.to_owned(), difference }
}
