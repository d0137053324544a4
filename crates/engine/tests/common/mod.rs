//! What the tests of tables share: folders of files, tables in and out, and a transform that keeps rows as they are.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use albertine::{CancellationToken, OutputSchema, Transform, Transformed, WindowSettings};
use albertine_engine::{EngineError, Format, OnError, Sink, Source, SourceOptions, Summary, Target, run};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;

/// Adds nothing.
pub struct Keep;

impl Transform for Keep {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, albertine::Error> {
        Ok(OutputSchema::unchanged(input))
    }

    fn run(&self, batch: &RecordBatch, _: &CancellationToken) -> Result<Transformed, albertine::Error> {
        Ok((batch.clone(), Vec::new()))
    }
}

/// A folder that is removed at the end of the test.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The input's name of `name` in this folder.
    pub fn input(&self, name: &str) -> String {
        self.at(name).to_string_lossy().into_owned()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        std::fs::write(self.at(name), bytes).unwrap();
        self.input(name)
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(std::fs::read(self.at(name)).unwrap()).unwrap()
    }

    /// The names of all files, hidden ones too, in order.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub fn options(inputs: &[&str]) -> SourceOptions {
    SourceOptions { inputs: inputs.iter().map(|input| (*input).into()).collect(), ..Default::default() }
}

pub fn open(input: &str) -> Result<Source, EngineError> {
    Source::open(options(&[input]))
}

/// All rows as one batch.
pub fn read_all(source: Source) -> Result<RecordBatch, EngineError> {
    let schema = source.schema().clone();
    let batches = source.collect::<Result<Vec<_>, _>>()?;
    Ok(concat_batches(&schema, &batches).unwrap())
}

pub fn read(input: &str) -> Result<RecordBatch, EngineError> {
    read_all(open(input)?)
}

/// All rows of `bytes`, as from standard input.
pub fn read_bytes(
    bytes: impl Into<Vec<u8>>,
    format: Format,
    on_error: OnError,
) -> Result<(RecordBatch, u64), EngineError> {
    let source = Source::from_reader(Box::new(Cursor::new(bytes.into())), format, on_error)?;
    let rejects = source.rejects().clone();
    let batch = read_all(source)?;
    Ok((batch, rejects.rows()))
}

/// The message of a table that cannot be read.
pub fn fault(bytes: impl Into<Vec<u8>>, format: Format) -> String {
    match read_bytes(bytes, format, OnError::Fail) {
        Ok((batch, _)) => panic!("{} rows were read", batch.num_rows()),
        Err(error) => error.to_string(),
    }
}

/// Copies a table; the formats are told by the names.
pub fn copy(input: &str, output: &Path) -> Result<Summary, EngineError> {
    copy_with(open(input)?, output, WindowSettings::default())
}

pub fn copy_with(source: Source, output: &Path, settings: WindowSettings) -> Result<Summary, EngineError> {
    let target = Target::File(output.to_owned());
    let (format, _) = Format::of_name(&output.to_string_lossy()).unwrap();
    let sink = Sink::create(target, format, source.schema().clone())?;
    run(source, &Keep, sink, settings, &CancellationToken::default(), &mut |_| {})
}

/// The cells of a table as text, with `∅` for null.
pub fn cells(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = arrow_cast::display::FormatOptions::default().with_null("∅");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| arrow_cast::display::ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| column.value(row).to_string()).collect()).collect()
}

pub fn names(batch: &RecordBatch) -> Vec<String> {
    batch.schema().fields().iter().map(|field| field.name().clone()).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
