//! Parquet, local or over ranges of an object, in the file's order.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures::StreamExt;
use object_store::ObjectStoreExt;
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::async_reader::ParquetRecordBatchStream;
use parquet::file::metadata::ParquetMetaData;
use url::Url;

use super::int128::Int128Columns;
use super::object::ObjectReader;
use super::parquet_types::readable;
use super::{BATCH_BYTES, BATCH_ROWS, BATCH_VALUES, COLUMNS, TableReader};
use crate::error::clause;
use crate::guard::guarded;
use crate::redacted::redacted;
use crate::remote::RemoteRead;
use crate::{EngineError, remote};

/// The rows of a Parquet file.
pub(super) struct ParquetReader {
    path: String,
    schema: SchemaRef,
    int128: Option<Int128Columns>,
    notes: Vec<String>,
    batches: Batches,
    rows: u64,
    progress: Progress,
}

enum Batches {
    Local(ParquetRecordBatchReader),
    Remote(Box<ParquetRecordBatchStream<ObjectReader>>),
}

/// Bytes are not read from first to last, so that they are counted by the rows' share.
struct Progress {
    count: Arc<AtomicU64>,
    size: u64,
    done: u64,
}

impl ParquetReader {
    /// Reads the footer of a local file, `size` bytes long.
    pub(super) fn open(path: String, file: File, count: &Arc<AtomicU64>) -> Result<Self, EngineError> {
        let size = file.metadata().map_err(|source| EngineError::reading(&path, source))?.len();
        if size == 0 {
            return Err(EngineError::EmptyFile { path });
        }
        let footer = known_types(&mut |options| ArrowReaderMetadata::load(&file, options)).and_then(readable);
        let (footer, notes) = footer.map_err(|error| fault(&path, &error))?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer);
        let (schema, metadata) = (Arc::clone(builder.schema()), Arc::clone(builder.metadata()));
        let reader = builder.with_batch_size(batch_rows(&metadata)).build().map_err(|error| fault(&path, &error))?;
        Self::new(path, (schema, notes), &metadata, Batches::Local(reader), size, count)
    }

    /// Reads the footer of an object. A server that gives no parts of it is asked for all of it.
    pub(super) fn open_url(url: &Url, count: &Arc<AtomicU64>) -> Result<Self, EngineError> {
        match Self::open_parts(url, count) {
            Err(EngineError::Remote { .. } | EngineError::Parquet { .. }) if url.scheme() != "s3" => {
                let (reader, _) = RemoteRead::open(url)?;
                Self::open_stream(redacted(url.as_str()), Box::new(reader), count)
            }
            opened => opened,
        }
    }

    fn open_parts(url: &Url, count: &Arc<AtomicU64>) -> Result<Self, EngineError> {
        let path = redacted(url.as_str());
        let (store, key) = remote::store(url)?;
        let runtime = remote::runtime()?;
        let size = runtime.block_on(store.head(&key)).map_err(|error| remote::fault(url.as_str(), &error))?.size;
        if size == 0 {
            return Err(EngineError::EmptyFile { path });
        }
        let mut object = ObjectReader::new(store, key, size);
        let mut load = |options| runtime.block_on(ArrowReaderMetadata::load_async(&mut object, options));
        let (footer, notes) = known_types(&mut load).and_then(readable).map_err(|error| fault(&path, &error))?;
        let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(object, footer);
        let (schema, metadata) = (Arc::clone(builder.schema()), Arc::clone(builder.metadata()));
        let stream = builder.with_batch_size(batch_rows(&metadata)).build().map_err(|error| fault(&path, &error))?;
        Self::new(path, (schema, notes), &metadata, Batches::Remote(Box::new(stream)), size, count)
    }

    /// Copies `reader` to an unnamed temporary file first, since the footer is at the end.
    pub(super) fn open_stream(
        path: String,
        mut reader: Box<dyn Read + Send>,
        count: &Arc<AtomicU64>,
    ) -> Result<Self, EngineError> {
        let mut file =
            tempfile::tempfile().map_err(|source| EngineError::Write { path: "a temporary file".into(), source })?;
        std::io::copy(&mut reader, &mut file).map_err(|source| EngineError::Read { path: path.clone(), source })?;
        file.seek(SeekFrom::Start(0)).map_err(|source| EngineError::Read { path: path.clone(), source })?;
        Self::open(path, file, count)
    }

    fn new(
        path: String,
        (schema, mut notes): (SchemaRef, Vec<String>),
        metadata: &ParquetMetaData,
        batches: Batches,
        size: u64,
        count: &Arc<AtomicU64>,
    ) -> Result<Self, EngineError> {
        if metadata.file_metadata().schema_descr().num_columns() > COLUMNS {
            return Err(EngineError::TooManyColumns { path, limit: COLUMNS });
        }
        let mut numbers = HashMap::with_capacity(schema.fields().len());
        for (index, field) in schema.fields().iter().enumerate() {
            let second = index + 1;
            if let Some(first) = numbers.insert(field.name(), second) {
                return Err(EngineError::DuplicateColumn { path, name: field.name().clone(), first, second });
            }
        }
        let rows = u64::try_from(metadata.file_metadata().num_rows()).map_err(|_| EngineError::Parquet {
            path: path.clone(),
            reason: "its number of rows is below zero".into(),
        })?;
        let int128 = Int128Columns::find(metadata, &schema);
        notes.extend(int128.iter().flat_map(Int128Columns::notes));
        let schema = int128.as_ref().map_or(schema, |columns| Arc::clone(columns.schema()));
        let progress = Progress { count: Arc::clone(count), size, done: 0 };
        Ok(Self { path, schema, int128, notes, batches, rows, progress })
    }

    /// What was found that the file's types do not say, for a person to read.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The columns, with the types and the metadata of the file.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows that the footer tells.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// The size of the file in bytes.
    pub(super) fn size(&self) -> u64 {
        self.progress.size
    }
}

/// The footer that `load` loads. Types of Arrow that its library does not know (128-bit integers of polars) make it
/// panic; then the footer has Parquet's own types.
fn known_types(
    load: &mut dyn FnMut(ArrowReaderOptions) -> parquet::errors::Result<ArrowReaderMetadata>,
) -> parquet::errors::Result<ArrowReaderMetadata> {
    guarded(|| load(ArrowReaderOptions::new()))
        .unwrap_or_else(|| load(ArrowReaderOptions::new().with_skip_arrow_metadata(true)))
}

impl TableReader for ParquetReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        let next = match &mut self.batches {
            Batches::Local(reader) => reader.next().transpose().map_err(|error| EngineError::Parquet {
                path: self.path.clone(),
                reason: clause(&error.to_string()),
            })?,
            Batches::Remote(stream) => {
                let next = remote::runtime()?.block_on(stream.next());
                next.transpose().map_err(|error| fault(&self.path, &error))?
            }
        };
        if let Some(batch) = &next {
            self.progress.add(batch.num_rows() as u64, self.rows);
        }
        match (&self.int128, next) {
            (Some(columns), Some(batch)) => {
                columns.apply(&batch).map(Some).map_err(|error| fault(&self.path, &error.into()))
            }
            (_, next) => Ok(next),
        }
    }
}

impl Progress {
    fn add(&mut self, rows: u64, total: u64) {
        let share = |rows: u64| (u128::from(self.size) * u128::from(rows) / u128::from(total.max(1))) as u64;
        let (before, after) = (share(self.done), share(self.done + rows));
        self.done += rows;
        self.count.fetch_add(after.saturating_sub(before), Ordering::Relaxed);
    }
}

/// Rows for a batch, so that a batch of average rows of the group with the largest rows keeps to the bytes of a batch.
fn batch_rows(metadata: &ParquetMetaData) -> usize {
    let columns = metadata.file_metadata().schema_descr().num_columns();
    let mut rows = (BATCH_VALUES / columns.max(1)).clamp(1, BATCH_ROWS);
    for group in metadata.row_groups() {
        let count = usize::try_from(group.num_rows()).unwrap_or(1).max(1);
        // Values repeated in a dictionary are larger read than stored; newer writers tell their true size.
        let bytes: i64 = group
            .columns()
            .iter()
            .map(|column| column.unencoded_byte_array_data_bytes().unwrap_or(0).max(column.uncompressed_size()))
            .fold(0, i64::saturating_add);
        let average = usize::try_from(bytes).unwrap_or(0) / count;
        rows = rows.min((BATCH_BYTES / average.max(1)).max(1));
    }
    rows
}

fn fault(path: &str, error: &parquet::errors::ParquetError) -> EngineError {
    EngineError::Parquet { path: path.to_owned(), reason: clause(&error.to_string()) }
}
