//! Sinks: record batches are written to a file, which appears only when it is complete, or to standard output.
//!
//! ```
//! use std::sync::Arc;
//! use albertine_engine::{Format, Sink, Target};
//! use arrow_array::{ArrayRef, RecordBatch, StringArray};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text: ArrayRef = Arc::new(StringArray::from(vec!["one", "two"]));
//! let batch = RecordBatch::try_from_iter([("text", text)])?;
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("rows.csv");
//!
//! let mut sink = Sink::create(Target::File(path.clone()), Format::Csv, batch.schema())?;
//! sink.write(&batch)?;
//! assert!(!path.exists(), "a file that is not complete does not have its name yet");
//! sink.finish()?;
//! assert_eq!(std::fs::read_to_string(path)?, "text\none\ntwo\n");
//! # Ok(())
//! # }
//! ```

mod delimited;
mod destination;
mod empty_structs;
mod encoder;
mod rejected;
mod target;

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use self::destination::Destination;
pub use self::destination::discard_unfinished;
pub(crate) use self::destination::{Naming, SUFFIX};
use self::encoder::Encoder;
pub use self::rejected::RejectedRows;
pub(crate) use self::rejected::Split;
pub use self::target::{Target, WholeFile};
use crate::EngineError;
use crate::format::{Compression, Format};

/// A table being written.
///
/// A file is written beside its target under a temporary name and takes the target's place in [`finish`](Self::finish).
/// A sink that is dropped earlier leaves nothing behind, and an existing file of that name unchanged.
#[derive(Debug)]
pub struct Sink {
    target: Target,
    name: String,
    encoder: Encoder,
    /// Where rows with an error go, if not into this table.
    rejected: Option<Box<(Split, Self)>>,
}

impl Sink {
    /// Starts a table with the columns of `schema`. A header is written at once.
    ///
    /// Null becomes an empty cell in CSV and TSV, and an explicit `null` in JSON Lines; lists, structs and maps become
    /// JSON text in a cell. A name that ends in `.gz` or `.zst` is compressed.
    ///
    /// # Errors
    /// Before anything is written: when the folder is missing or not writable, the format cannot be written, or it
    /// cannot represent a column.
    pub fn create(target: Target, format: Format, schema: SchemaRef) -> Result<Self, EngineError> {
        Self::create_as(target, format, schema, Naming::Random)
    }

    /// As [`create`](Self::create), with a temporary file that is named so.
    pub(crate) fn create_as(
        target: Target,
        format: Format,
        schema: SchemaRef,
        naming: Naming,
    ) -> Result<Self, EngineError> {
        let compression = target.compression(format)?;
        let destination = target.open(naming)?;
        Self::start(target, destination, compression, format, schema)
    }

    /// As [`create`](Self::create), into `writer`; errors call it standard output.
    ///
    /// # Errors
    /// As `create`.
    pub fn to_writer(writer: Box<dyn Write + Send>, format: Format, schema: SchemaRef) -> Result<Self, EngineError> {
        let compression = Target::Stdout.compression(format)?;
        Self::start(Target::Stdout, Destination::Stream(writer), compression, format, schema)
    }

    fn start(
        target: Target,
        destination: Destination,
        compression: Compression,
        format: Format,
        schema: SchemaRef,
    ) -> Result<Self, EngineError> {
        let name = target.name();
        let encoder = Encoder::new(&name, destination, compression, format, schema)?;
        Ok(Self { target, name, encoder, rejected: None })
    }

    /// Where the table goes.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Adds the rows of a batch, whose columns must be those of the schema. Standard output is flushed.
    ///
    /// # Errors
    /// When the disk is full, standard output was closed, or the format cannot represent a value.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), EngineError> {
        let Some((split, rejected)) = self.rejected.as_deref_mut() else {
            return self.encoder.write(&self.name, batch);
        };
        if let Some(failed) = split.failed(batch)? {
            rejected.write(&failed)?;
        }
        self.encoder.write(&self.name, &split.whole(batch)?)
    }

    /// Completes the table: all bytes are on the disk when the file gets its name.
    ///
    /// # Errors
    /// As [`write`](Self::write), and when the file was removed by [`discard_unfinished`].
    pub fn finish(self) -> Result<(), EngineError> {
        if let Some(rejected) = self.rejected {
            rejected.1.finish()?;
        }
        self.encoder.finish(&self.name)?.finish(&self.name)
    }
}
