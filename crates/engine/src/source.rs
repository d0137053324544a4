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

mod align;
mod bytes;
mod csv;
mod dialect;
mod each_file;
mod encoding;
mod errors;
mod gzip;
mod int128;
mod jsonl;
mod lines;
mod live;
mod object;
mod parquet;
mod parquet_types;
mod plain_json;
mod records;
mod rejects;
mod shape;
mod table;
mod txt;
mod values;
mod verbatim;
mod window;

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};

use self::align::Alignment;
use self::rejects::Policy;
pub use self::rejects::{OnError, Rejects};
use self::shape::Keys;
use self::table::{Looked, Origin};
use crate::error::clause;
use crate::format::{Compression, Format};
use crate::location::{InputFile, Location};
use crate::{EngineError, TextOptions, location::STDIN};

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
    pub inputs: Vec<OsString>,
    /// The format of all inputs; by default, the one of each file's extension.
    pub format: Option<Format>,
    /// How text files are written; what is not given is found from the beginning of each.
    pub text: TextOptions,
    /// What to do with a row that cannot be read.
    pub on_error: OnError,
}

/// An open source: an iterator over its batches.
///
/// A batch has at most 4,096 rows, and about 16 MiB unless one row is larger. Of a pipe, rows come as its writer writes
/// them; a batch without rows says that it has paused. Of a pipe, the rows
/// before a fault come before its error. Reading happens on a separate thread, one batch ahead; it starts
/// with the first call of [`next`](Iterator::next) and ends when the source is dropped.
#[derive(Debug)]
pub struct Source {
    files: Vec<InputFile>,
    /// The columns of each file, with its own metadata; JSON Lines have none.
    schemas: Vec<Option<SchemaRef>>,
    schema: SchemaRef,
    rows_total: Option<u64>,
    bytes_total: Option<u64>,
    bytes_read: Arc<AtomicU64>,
    /// Nanoseconds that the reading thread has worked.
    busy: Arc<AtomicU64>,
    rejects: Rejects,
    notes: Vec<String>,
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
    /// The values of CSV, TSV and text files are text as they stand. How they are written is found from the first 256 KiB
    /// of each file: delimiter, quote, escape, header and encoding; [`notes`](Self::notes) tells what was found. The
    /// columns of JSON Lines are found from all lines of local files, and from the first 8 MiB of standard input and of URLs. A column of objects with over 1,000
    /// different keys in all is text, each value as it is written, marked as
    /// [`arrow.json`](https://arrow.apache.org/docs/format/CanonicalExtensions.html#json). Parquet keeps its types and
    /// its metadata.
    ///
    /// # Errors
    /// When an input is missing or not of its format, has over 10,000 columns (the keys within objects counted), when all
    /// inputs are empty, and when columns of one name have different types in two files.
    pub fn open(options: SourceOptions) -> Result<Self, EngineError> {
        let files = InputFile::expand(&options.inputs, options.format)?;
        Self::look(files, None, &options)
    }

    /// Reads a table from `reader`, as from standard input; errors call it that. Compression is detected from the first
    /// bytes.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_reader(reader: Box<dyn Read + Send>, format: Format, on_error: OnError) -> Result<Self, EngineError> {
        let file =
            InputFile { location: Location::Stdin, format, compression: Compression::None, partitions: Vec::new() };
        Self::look(vec![file], Some(reader), &SourceOptions { on_error, ..SourceOptions::default() })
    }

    /// Finds the columns of files that [`InputFile::expand`] found; a row that cannot be read is an error.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn of_files(files: Vec<InputFile>) -> Result<Self, EngineError> {
        Self::look(files, None, &SourceOptions::default())
    }

    fn look(
        files: Vec<InputFile>,
        mut reader: Option<Box<dyn Read + Send>>,
        options: &SourceOptions,
    ) -> Result<Self, EngineError> {
        let bytes_read = Arc::new(AtomicU64::new(0));
        let rejects = Rejects::default();
        let policy = Policy { on_error: options.on_error, rejects: rejects.clone() };
        let mut keys = Keys::default();
        let (mut waiting, mut notes) = (VecDeque::with_capacity(files.len()), Notes::default());
        let (mut rows_total, mut bytes_total, mut empty) = (Some(0), Some(0), None);
        let mut schemas = Vec::with_capacity(files.len());
        for file in &files {
            let origin = reader.take().map_or(Origin::Location, Origin::Reader);
            let keep = waiting.is_empty();
            let looked = match table::look(file, origin, &mut keys, options, &policy, &bytes_read, keep) {
                // Of several files some may have no rows, as the parts that Spark writes.
                Err(error @ EngineError::EmptyFile { .. }) => {
                    notes.add(&file.location.to_string(), vec!["no rows".to_owned()]);
                    empty.get_or_insert(error);
                    schemas.push(None);
                    continue;
                }
                looked => looked?,
            };
            notes.add(&file.location.to_string(), looked.notes.clone());
            schemas.push(looked.schema.clone());
            rows_total = rows_total.zip(looked.rows).map(|(all, rows): (u64, u64)| all + rows);
            bytes_total = bytes_total.zip(looked.size).map(|(all, size): (u64, u64)| all + size);
            waiting.push_back((file.clone(), looked));
        }
        let keyed = jsonl::schema_of(&keys);
        let has_columns = |looked: &Looked| looked.schema.is_some() || !keys.is_empty();
        if let Some((file, _)) = waiting.iter().find(|(_, looked)| !has_columns(looked)) {
            return Err(EngineError::EmptyFile { path: file.location.to_string() });
        }
        if let (true, Some(empty)) = (waiting.is_empty(), empty) {
            return Err(empty);
        }
        let parts: Vec<(&InputFile, &SchemaRef)> =
            waiting.iter().map(|(file, looked)| (file, looked.schema.as_ref().unwrap_or(&keyed))).collect();
        let schema = align::common_schema(&parts)?;
        if let Some((file, _)) = waiting.iter().find(|(_, looked)| looked.schema.is_none()) {
            notes.add(&file.location.to_string(), jsonl::notes_on(&keys));
        }
        for (file, own) in &parts {
            notes.add(&file.location.to_string(), align::lacking(file, own, &schema));
        }
        let busy = Arc::new(AtomicU64::new(0));
        let reader = Reader {
            waiting,
            current: None,
            schema: Arc::clone(&schema),
            keys: Arc::new(keys),
            text: options.text.clone(),
            policy,
            count: Arc::clone(&bytes_read),
            busy: Arc::clone(&busy),
            has_paused: true,
            is_stream: false,
            skip: 0,
            error_column: None,
        };
        let state = State::Waiting(Box::new(reader));
        let notes = notes.all;
        Ok(Self { files, schemas, schema, rows_total, bytes_total, bytes_read, busy, rejects, notes, state })
    }

    /// Reads these columns as text where they hold bytes, as older writers of Parquet keep texts. For before the first
    /// batch.
    pub fn read_bytes_as_text(&mut self, columns: &[String]) {
        let field = |field: &FieldRef| match field.data_type() {
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView if columns.contains(field.name()) => {
                Arc::new(Field::clone(field).with_data_type(DataType::Utf8))
            }
            _ => Arc::clone(field),
        };
        let fields: Fields = self.schema.fields().iter().map(field).collect();
        self.schema = Arc::new(Schema::new_with_metadata(fields, self.schema.metadata().clone()));
        if let State::Waiting(reader) = &mut self.state {
            reader.read_as(&self.schema);
        }
    }

    /// The columns of every batch.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The names that the files give for the numbers of a label column ([`albertine::labels::class_names`]).
    ///
    /// # Errors
    /// [`EngineError::ColumnsDiffer`] when two files give different names.
    pub fn class_names(&self, column: &str) -> Result<Option<Vec<String>>, EngineError> {
        let mut first: Option<(&InputFile, Vec<String>)> = None;
        for (file, schema) in self.files.iter().zip(&self.schemas) {
            let names = schema.as_ref().and_then(|schema| albertine::labels::class_names(schema, column));
            match (&first, names) {
                (_, None) => {}
                (None, Some(names)) => first = Some((file, names)),
                (Some((_, before)), Some(names)) if *before == names => {}
                (Some((before, _)), Some(_)) => {
                    return Err(EngineError::ColumnsDiffer {
                        first: before.location.to_string(),
                        other: file.location.to_string(),
                        difference: format!("the numbers of {column:?} stand for other classes in the second"),
                    });
                }
            }
        }
        Ok(first.map(|(_, names)| names))
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

    /// What was found of the files that neither their names nor the options say: a line for each kind of file, for a
    /// person to read.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The names of the files, in order.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.files.iter().map(|file| file.location.to_string())
    }

    /// The files, in order.
    pub(crate) fn files(&self) -> &[InputFile] {
        &self.files
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

/// What was found of files; the same of several files is told once.
#[derive(Default)]
struct Notes {
    all: Vec<String>,
    seen: HashSet<Vec<String>>,
}

/// The most things told of one file.
const TOLD: usize = 8;

impl Notes {
    fn add(&mut self, path: &str, mut notes: Vec<String>) {
        if notes.is_empty() || !self.seen.insert(notes.clone()) {
            return;
        }
        if notes.len() > TOLD {
            let more = notes.len() - TOLD;
            notes.truncate(TOLD);
            notes.push(format!("and {more} more"));
        }
        self.all.push(format!("{path}: {}", notes.join(", ")));
    }
}

/// A table whose rows are being read. Batches keep to [`BATCH_ROWS`] and [`BATCH_BYTES`].
trait TableReader: Send {
    /// The next rows, or nothing at the end.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError>;

    /// Whether the next row would have to be waited for.
    fn would_wait(&self) -> bool {
        false
    }
}

/// The reading thread's work: one file after the other.
struct Reader {
    waiting: VecDeque<(InputFile, Looked)>,
    current: Option<(Box<dyn TableReader>, Alignment)>,
    schema: SchemaRef,
    /// The keys of all JSON files together.
    keys: Arc<Keys>,
    text: TextOptions,
    policy: Policy,
    count: Arc<AtomicU64>,
    busy: Arc<AtomicU64>,
    /// Whether the last batch said that there is nothing to read at the moment.
    has_paused: bool,
    /// Whether the file at hand is a pipe.
    is_stream: bool,
    /// Rows that are read and not passed on.
    skip: u64,
    /// The columns with the one of errors, where there is one.
    error_column: Option<SchemaRef>,
}

impl Reader {
    /// Sends batches until the files or the receiver end; an error is the last thing sent.
    fn run(mut self, sender: &SyncSender<Result<RecordBatch, EngineError>>) {
        while let Some(item) = self.timed_batch().transpose() {
            let failed = item.is_err();
            if failed && self.is_stream {
                // Rows of a pipe are there once: those before a fault need not wait for a window that will not be
                // filled. A receiver that is gone is found below.
                let _ = sender.send(Ok(self.pause()));
            }
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
            if let Some((reader, alignment)) = &mut self.current {
                if !self.has_paused && reader.would_wait() {
                    self.has_paused = true;
                    return Ok(Some(self.pause()));
                }
                self.has_paused = false;
                match reader.next_batch()? {
                    Some(batch) if batch.num_rows() == 0 => continue,
                    Some(batch) => {
                        let batch = alignment.apply(&batch)?;
                        let batch = self.with_errors(batch)?;
                        match skipped(batch, &mut self.skip) {
                            Some(batch) => return Ok(Some(batch)),
                            None => continue,
                        }
                    }
                    None => self.current = None,
                }
            }
            let Some((file, looked)) = self.waiting.pop_front() else { return Ok(None) };
            let own = looked.schema.clone().unwrap_or_else(|| jsonl::schema_of(&self.keys));
            self.is_stream = file.location.is_stream();
            let alignment = Alignment::new(&file, &own, &self.schema);
            let reader = table::open(&file, looked.ready, &self.keys, &self.text, &self.policy, &self.count)?;
            self.current = Some((reader, alignment));
        }
    }
}

/// What is left of a batch when `skip` more rows are not passed on.
fn skipped(batch: RecordBatch, skip: &mut u64) -> Option<RecordBatch> {
    if *skip == 0 {
        return Some(batch);
    }
    let rows = batch.num_rows();
    let dropped = usize::try_from(*skip).unwrap_or(rows).min(rows);
    *skip -= dropped as u64;
    (dropped < rows).then(|| batch.slice(dropped, rows - dropped))
}

/// Columns that were built for `schema` as a batch.
fn batch_of(schema: &SchemaRef, columns: Vec<ArrayRef>, path: &str) -> Result<RecordBatch, EngineError> {
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|error| changed(path, &error))
}

fn changed(path: &str, error: &arrow_schema::ArrowError) -> EngineError {
    let difference = clause(&error.to_string());
    EngineError::ColumnsDiffer { first: path.to_owned(), other: path.to_owned(), difference }
}
