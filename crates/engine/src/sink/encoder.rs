//! Batches to bytes, in each format that is written.

use std::io::{self, BufWriter, IntoInnerError, Write};
use std::sync::Arc;

use arrow_array::{RecordBatch, StructArray};
use arrow_json::EncoderOptions;
use arrow_json::writer::{LineDelimited, WriterBuilder, make_encoder};
use arrow_schema::{Field, SchemaRef};
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::delimited;
use super::destination::Destination;
use super::empty_structs::{batch_without, schema_without};
use crate::EngineError;
use crate::error::clause;
use crate::format::{Compression, Format};

/// Rows that are text in memory at one time.
const CHUNK_ROWS: usize = 1024;

/// A row group is complete at this many bytes as encoded, or this many rows: what the writer holds in memory.
const GROUP_BYTES: usize = 32 << 20;
const GROUP_ROWS: usize = 256 << 10;

/// zstd's own default level, where it is both smaller and not much slower than snappy on text.
const ZSTD_LEVEL: i32 = 3;

/// A format's writer over its destination.
pub(super) enum Encoder {
    Delimited {
        output: Output,
        delimiter: u8,
        buffer: Vec<u8>,
    },
    Jsonl {
        output: Output,
        buffer: Vec<u8>,
    },
    /// With the columns in the types that are written, where they are others.
    Parquet {
        writer: Box<ArrowWriter<Output>>,
        columns: Option<SchemaRef>,
    },
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Delimited { .. } => "Delimited",
            Self::Jsonl { .. } => "Jsonl",
            Self::Parquet { .. } => "Parquet",
        })
    }
}

impl Encoder {
    pub(super) fn new(
        name: &str,
        destination: Destination,
        compression: Compression,
        format: Format,
        schema: SchemaRef,
    ) -> Result<Self, EngineError> {
        let cannot = |reason: String| EngineError::Encode { path: name.to_owned(), reason: clause(&reason) };
        let mut output = Output::new(destination, compression).map_err(|source| EngineError::writing(name, source))?;
        let empty = RecordBatch::new_empty(Arc::clone(&schema));
        match format {
            Format::Csv | Format::Tsv => {
                let delimiter = if format == Format::Csv { b',' } else { b'\t' };
                let mut buffer = Vec::new();
                delimited::header(&mut buffer, delimiter, &schema)
                    .and_then(|()| delimited::rows(&mut buffer, delimiter, &empty))
                    .map_err(|error| cannot(error.to_string()))?;
                output.write_all(&buffer).map_err(|source| EngineError::writing(name, source))?;
                Ok(Self::Delimited { output, delimiter, buffer })
            }
            Format::Jsonl => {
                let field = Arc::new(Field::new_struct("row", schema.fields().clone(), false));
                make_encoder(&field, &StructArray::from(empty), &EncoderOptions::default())
                    .map_err(|error| cannot(error.to_string()))?;
                Ok(Self::Jsonl { output, buffer: Vec::new() })
            }
            Format::Parquet => {
                let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(|error| cannot(error.to_string()))?;
                let properties = WriterProperties::builder()
                    .set_compression(Codec::ZSTD(level))
                    .set_max_row_group_row_count(Some(GROUP_ROWS))
                    .set_created_by(concat!("albertine ", env!("CARGO_PKG_VERSION")).to_owned())
                    .build();
                let columns = schema_without(&schema);
                let written = columns.clone().unwrap_or(schema);
                let writer = ArrowWriter::try_new(output, written, Some(properties));
                let writer = writer.map_err(|error| parquet_fault(name, error))?;
                Ok(Self::Parquet { writer: Box::new(writer), columns })
            }
            Format::Txt => Err(EngineError::NotAnOutputFormat { what: format.name().to_owned() }),
        }
    }

    pub(super) fn write(&mut self, name: &str, batch: &RecordBatch) -> Result<(), EngineError> {
        let chunks = (0..batch.num_rows())
            .step_by(CHUNK_ROWS)
            .map(|start| batch.slice(start, CHUNK_ROWS.min(batch.num_rows() - start)));
        let cannot = |reason: String| EngineError::Encode { path: name.to_owned(), reason: clause(&reason) };
        let failed = |source| EngineError::writing(name, source);
        match self {
            Self::Delimited { output, delimiter, buffer } => {
                for chunk in chunks {
                    buffer.clear();
                    delimited::rows(buffer, *delimiter, &chunk).map_err(|error| cannot(error.to_string()))?;
                    output.write_all(buffer).map_err(failed)?;
                }
                output.flush_stream().map_err(failed)
            }
            Self::Jsonl { output, buffer } => {
                for chunk in chunks {
                    buffer.clear();
                    let mut writer =
                        WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut *buffer);
                    writer.write(&chunk).and_then(|()| writer.finish()).map_err(|error| cannot(error.to_string()))?;
                    output.write_all(buffer).map_err(failed)?;
                }
                output.flush_stream().map_err(failed)
            }
            Self::Parquet { writer, columns } => {
                for chunk in chunks {
                    let chunk = match columns {
                        Some(schema) => batch_without(&chunk, schema).map_err(|error| cannot(error.to_string()))?,
                        None => chunk,
                    };
                    writer.write(&chunk).map_err(|error| parquet_fault(name, error))?;
                    if writer.memory_size() >= GROUP_BYTES {
                        writer.flush().map_err(|error| parquet_fault(name, error))?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Writes what is left and gives the destination back.
    pub(super) fn finish(self, name: &str) -> Result<Destination, EngineError> {
        let output = match self {
            Self::Delimited { output, .. } | Self::Jsonl { output, .. } => output,
            Self::Parquet { writer, .. } => writer.into_inner().map_err(|error| parquet_fault(name, error))?,
        };
        output.finish().map_err(|source| EngineError::writing(name, source))
    }
}

/// The destination behind a buffer and a compressor.
pub(super) enum Output {
    Plain(BufWriter<Destination>),
    Gzip(GzEncoder<BufWriter<Destination>>),
    Zstd(zstd::Encoder<'static, BufWriter<Destination>>),
}

impl Output {
    fn new(destination: Destination, compression: Compression) -> io::Result<Self> {
        let buffered = BufWriter::with_capacity(256 << 10, destination);
        Ok(match compression {
            Compression::None => Self::Plain(buffered),
            Compression::Gzip => Self::Gzip(GzEncoder::new(buffered, flate2::Compression::default())),
            Compression::Zstd => Self::Zstd(zstd::Encoder::new(buffered, ZSTD_LEVEL)?),
        })
    }

    /// Hands the rows on to whoever waits for them; a file can wait.
    fn flush_stream(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(buffered) if buffered.get_ref().is_stream() => buffered.flush(),
            _ => Ok(()),
        }
    }

    fn finish(self) -> io::Result<Destination> {
        let buffered = match self {
            Self::Plain(buffered) => buffered,
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Zstd(encoder) => encoder.finish()?,
        };
        buffered.into_inner().map_err(IntoInnerError::into_error)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(buffered) => buffered.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(buffered) => buffered.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}

/// The writer wraps the destination's faults, which must be known for what they are.
fn parquet_fault(name: &str, error: ParquetError) -> EngineError {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(source) => EngineError::writing(name, *source),
            Err(inner) => EngineError::Encode { path: name.to_owned(), reason: clause(&inner.to_string()) },
        },
        error => EngineError::Encode { path: name.to_owned(), reason: clause(&error.to_string()) },
    }
}
