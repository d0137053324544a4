//! A part of the work: the rows of a stretch of one input, written when all of them are done.
//!
//! A part is a line of JSON, with what was counted and the SHA-256 of the rest, and then a stream of Arrow's IPC format. Rows
//! keep their types in it whatever the format of the output is.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Cursor, Read};
use std::ops::AddAssign;
use std::path::Path;

use albertine::Counts;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use super::fingerprint::sha256;
use crate::error::clause;
use crate::guard::guarded;
use crate::{EngineError, Target, WholeFile};

/// How many errors of rows are kept word for word.
const KEPT: usize = 5;

/// The longest first line that is read, in bytes.
const LONGEST_HEAD: u64 = 16 << 20;

/// What was counted over some rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    pub(super) rows: u64,
    pub(super) failed: u64,
    /// The errors of the first few rows that failed.
    pub(super) failures: Vec<String>,
    documents: u64,
    blank: u64,
    abstained: u64,
    truncated: u64,
}

impl Totals {
    /// Takes over what a transform counted beyond what it had counted `before`.
    fn count(&mut self, counts: &Counts, before: &Counts) {
        self.documents = counts.documents - before.documents;
        self.blank = counts.blank - before.blank;
        self.abstained = counts.abstained - before.abstained;
        self.truncated = counts.truncated - before.truncated;
    }

    /// The same as the counts of a transform.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        (counts.documents, counts.blank) = (self.documents, self.blank);
        (counts.abstained, counts.truncated) = (self.abstained, self.truncated);
        counts
    }
}

impl AddAssign<&Self> for Totals {
    fn add_assign(&mut self, other: &Self) {
        // What a file says of itself may be any number.
        let add = |sum: &mut u64, count: u64| *sum = sum.saturating_add(count);
        add(&mut self.rows, other.rows);
        add(&mut self.failed, other.failed);
        self.failures.extend(other.failures.iter().take(KEPT.saturating_sub(self.failures.len())).cloned());
        add(&mut self.documents, other.documents);
        add(&mut self.blank, other.blank);
        add(&mut self.abstained, other.abstained);
        add(&mut self.truncated, other.truncated);
    }
}

/// The first line of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) totals: Totals,
    /// Whether its input ends with it.
    pub(super) is_last: bool,
    sha256: String,
}

/// A part that is being filled, in memory.
pub(super) struct PartWriter {
    stream: StreamWriter<Vec<u8>>,
    /// The column of errors, if there is one.
    error: Option<usize>,
    totals: Totals,
}

impl PartWriter {
    pub(super) fn new(schema: &SchemaRef, error_column: Option<&str>) -> Result<Self, EngineError> {
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD));
        let stream = options.and_then(|options| StreamWriter::try_new_with_options(Vec::new(), schema, options));
        let error = error_column.and_then(|name| schema.index_of(name).ok());
        Ok(Self { stream: stream.map_err(|error| cannot(&error))?, error, totals: Totals::default() })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), EngineError> {
        self.stream.write(batch).map_err(|error| cannot(&error))?;
        self.totals.rows += batch.num_rows() as u64;
        if let Some(error) = self.error {
            for error in batch.column(error).as_string::<i32>().iter().flatten() {
                self.totals.failed += 1;
                if self.totals.failures.len() < KEPT {
                    self.totals.failures.push(error.to_owned());
                }
            }
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> u64 {
        self.totals.rows
    }

    /// The bytes that it takes so far.
    pub(super) fn size(&self) -> usize {
        self.stream.get_ref().len()
    }

    /// Writes the part whole. Its rows were counted as `counts` minus `before`.
    pub(super) fn finish(
        mut self,
        path: &Path,
        is_last: bool,
        counts: &Counts,
        before: &Counts,
    ) -> Result<Head, EngineError> {
        let rows = self.stream.finish().and_then(|()| self.stream.into_inner()).map_err(|error| cannot(&error))?;
        self.totals.count(counts, before);
        let writing = |source| EngineError::writing(&path.display().to_string(), source);
        let sha256 = sha256(&mut rows.as_slice()).map_err(writing)?;
        let head = Head { totals: self.totals, is_last, sha256 };
        let mut bytes = serde_json::to_vec(&head).map_err(|error| writing(error.into()))?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&rows);
        WholeFile::create(&Target::File(path.to_owned()))?.finish(&bytes)?;
        Ok(head)
    }
}

/// Reads the first line of a part.
pub(super) fn head(path: &Path) -> Result<Head, EngineError> {
    open(path).map(|(head, _)| head)
}

fn open(path: &Path) -> Result<(Head, impl Read), EngineError> {
    let reading = |source| EngineError::reading(&path.display().to_string(), source);
    let mut reader = BufReader::new(File::open(path).map_err(reading)?);
    let mut line = Vec::new();
    reader.by_ref().take(LONGEST_HEAD).read_until(b'\n', &mut line).map_err(reading)?;
    let head = serde_json::from_slice(&line).map_err(|error| damaged(path, &error.to_string()))?;
    Ok((head, reader))
}

/// Gives the rows of a part with the columns of `schema` to `visit`, after it has made sure of all of them.
pub(super) fn read(
    path: &Path,
    schema: &Schema,
    mut visit: impl FnMut(RecordBatch) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let (head, mut reader) = open(path)?;
    let mut rows = Vec::new();
    reader.read_to_end(&mut rows).map_err(|source| EngineError::reading(&path.display().to_string(), source))?;
    let sum =
        sha256(&mut rows.as_slice()).map_err(|source| EngineError::reading(&path.display().to_string(), source))?;
    if sum != head.sha256 {
        return Err(damaged(path, "its checksum is another one"));
    }
    // A panic of the decoder would be over a file that another program has made.
    let decoded = guarded(|| StreamReader::try_new(Cursor::new(rows), None)?.collect::<Result<Vec<_>, _>>());
    let batches = decoded.unwrap_or_else(|| Err(ArrowError::IpcError("it is not a part".to_owned())));
    let batches = batches.map_err(|error| damaged(path, &clause(&error.to_string())))?;
    if !batches.iter().all(|batch| has_columns_of(batch, schema)) {
        return Err(damaged(path, "its columns are others"));
    }
    if batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>() != head.totals.rows {
        return Err(damaged(path, "it does not have as many rows as it says"));
    }
    batches.into_iter().try_for_each(&mut visit)
}

/// Whether a batch has the columns of a schema. Inputs that came later may have made one nullable.
fn has_columns_of(batch: &RecordBatch, schema: &Schema) -> bool {
    let (found, wanted) = (batch.schema_ref().fields().iter(), schema.fields().iter());
    found.map(|field| (field.name(), field.data_type())).eq(wanted.map(|field| (field.name(), field.data_type())))
}

/// Writes what was counted over an input that is done.
pub(super) fn write_totals(path: &Path, totals: &Totals) -> Result<(), EngineError> {
    let bytes = serde_json::to_vec(totals);
    let bytes = bytes.map_err(|error| EngineError::writing(&path.display().to_string(), error.into()))?;
    WholeFile::create(&Target::File(path.to_owned()))?.finish(&bytes)
}

/// Reads what [`write_totals`] wrote.
pub(super) fn read_totals(path: &Path) -> Result<Totals, EngineError> {
    let bytes = fs::read(path).map_err(|source| EngineError::reading(&path.display().to_string(), source))?;
    serde_json::from_slice(&bytes).map_err(|error| damaged(path, &error.to_string()))
}

fn damaged(path: &Path, reason: &str) -> EngineError {
    EngineError::Damaged { path: path.display().to_string(), reason: reason.to_owned() }
}

fn cannot(error: &ArrowError) -> EngineError {
    EngineError::Encode { path: "a part".to_owned(), reason: clause(&error.to_string()) }
}
