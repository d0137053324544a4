//! One input file on its way to being read: its columns are found first, its rows are read when its turn comes.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow_schema::SchemaRef;

use super::bytes::Text;
use super::csv::CsvReader;
use super::jsonl::{self, Faults, JsonlReader};
use super::lines::Lines;
use super::parquet::ParquetReader;
use super::records::ROW_LIMIT;
use super::rejects::{OnError, Policy};
use super::shape::Keys;
use super::txt::TxtReader;
use super::{SourceOptions, TableReader};
use crate::format::Format;
use crate::location::{InputFile, Location};
use crate::{EngineError, TextOptions};

/// What is looked at of JSON Lines that cannot be read twice, in bytes.
const LOOK_AHEAD: u64 = 8 << 20;

/// A file that was looked at.
pub(super) struct Looked {
    /// Its columns; JSON Lines have none of their own, but add to the keys of all such files.
    pub(super) schema: Option<SchemaRef>,
    pub(super) rows: Option<u64>,
    pub(super) size: Option<u64>,
    /// What was found that its name and the options do not say.
    pub(super) notes: Vec<String>,
    /// What was opened already, for what can be opened only once or would be asked for twice.
    pub(super) ready: Ready,
}

/// How far a file has been opened.
pub(super) enum Ready {
    No,
    Lines(Text),
    Reader(Box<dyn TableReader>),
}

/// Where the bytes of a file come from.
pub(super) enum Origin {
    /// The file's location.
    Location,
    /// A reader in its place.
    Reader(Box<dyn Read + Send>),
}

/// Finds the columns of `file`; `keep` says to keep it open.
pub(super) fn look(
    file: &InputFile,
    origin: Origin,
    keys: &mut Keys,
    options: &SourceOptions,
    policy: &Policy,
    count: &Arc<AtomicU64>,
    keep: bool,
) -> Result<Looked, EngineError> {
    let once = matches!(origin, Origin::Reader(_)) || file.location.is_stream();
    // What is only looked at is not progress.
    let aside = Arc::default();
    let count = if keep || once { count } else { &aside };
    let mut looked = Looked { schema: None, rows: None, size: None, notes: Vec::new(), ready: Ready::No };
    let text = &options.text;
    let reader: Box<dyn TableReader> = match file.format {
        Format::Csv | Format::Tsv => {
            let text = open_text(file, origin, text, count)?;
            looked.size = text.size();
            let reader = open_csv(file, text, &options.text, policy)?;
            looked.notes = reader.notes().to_vec();
            looked.schema = Some(Arc::clone(reader.schema()));
            Box::new(reader)
        }
        Format::Txt => {
            let text = open_text(file, origin, text, count)?;
            looked.size = text.size();
            looked.notes = text.notes();
            looked.schema = Some(TxtReader::schema());
            Box::new(TxtReader::new(Lines::new(text), policy.clone()))
        }
        Format::Parquet => {
            let reader = open_parquet(file, origin, count)?;
            looked.notes = reader.notes().to_vec();
            looked.schema = Some(Arc::clone(reader.schema()));
            looked.rows = Some(reader.rows());
            looked.size = Some(reader.size());
            Box::new(reader)
        }
        Format::Jsonl => {
            let again = !once && !matches!(file.location, Location::Url(_));
            let mut text = open_text(file, origin, text, if again { &aside } else { count })?;
            looked.size = text.size();
            looked.notes = text.notes();
            let faults = match policy.on_error {
                OnError::Null => Faults::Pass,
                OnError::Fail if once => Faults::FailFirst,
                OnError::Fail => Faults::Fail,
            };
            if again {
                looked.notes.extend(jsonl::infer(text, keys, faults, true)?.notes());
            } else {
                let mut limit = LOOK_AHEAD;
                let found = loop {
                    let (head, whole) = text.look_ahead(limit)?;
                    let length = head.len() as u64;
                    let found = jsonl::infer(Text::of_bytes(text.path(), head), keys, faults, whole)?;
                    // The first object must be there whole; a pipe may give the rest of it later.
                    if found.is_enough || whole {
                        break found;
                    }
                    if length > ROW_LIMIT as u64 {
                        let path = text.path().to_owned();
                        return Err(EngineError::RowTooLarge { path, line: 1, limit: ROW_LIMIT });
                    }
                    if length >= limit {
                        limit *= 2;
                    }
                };
                looked.notes.extend(found.notes());
                if keep || once {
                    looked.ready = Ready::Lines(text);
                }
            }
            return Ok(looked);
        }
    };
    if keep || once {
        looked.ready = Ready::Reader(reader);
    }
    Ok(looked)
}

/// Opens the rows of a file that was looked at; `keys` are those of all JSON files.
pub(super) fn open(
    file: &InputFile,
    ready: Ready,
    keys: &Keys,
    options: &TextOptions,
    policy: &Policy,
    count: &Arc<AtomicU64>,
) -> Result<Box<dyn TableReader>, EngineError> {
    let seen = matches!(ready, Ready::No) && matches!(file.location, Location::File(_));
    let text = match ready {
        Ready::Reader(reader) => return Ok(reader),
        Ready::Lines(text) => text,
        Ready::No if file.format == Format::Parquet => {
            return Ok(Box::new(open_parquet(file, Origin::Location, count)?));
        }
        Ready::No => open_text(file, Origin::Location, options, count)?,
    };
    Ok(match file.format {
        Format::Txt => Box::new(TxtReader::new(Lines::new(text), policy.clone())),
        Format::Jsonl => Box::new(JsonlReader::new(text, keys, policy.clone(), seen)?),
        Format::Csv | Format::Tsv | Format::Parquet => Box::new(open_csv(file, text, options, policy)?),
    })
}

fn open_text(
    file: &InputFile,
    origin: Origin,
    options: &TextOptions,
    count: &Arc<AtomicU64>,
) -> Result<Text, EngineError> {
    match origin {
        Origin::Location => Text::open(file, options, count),
        Origin::Reader(reader) => Text::of_pipe(file, reader, options, count),
    }
}

fn open_csv(file: &InputFile, text: Text, options: &TextOptions, policy: &Policy) -> Result<CsvReader, EngineError> {
    let delimiter = if file.format == Format::Tsv { b'\t' } else { b',' };
    CsvReader::open(text, delimiter, options, policy.clone())
}

fn open_parquet(file: &InputFile, origin: Origin, count: &Arc<AtomicU64>) -> Result<ParquetReader, EngineError> {
    let path = file.location.to_string();
    match (origin, &file.location) {
        (Origin::Reader(reader), _) => ParquetReader::open_stream(path, reader, count),
        (Origin::Location, Location::Stdin) => ParquetReader::open_stream(path, Box::new(io::stdin()), count),
        (Origin::Location, Location::Url(url)) => ParquetReader::open_url(url, count),
        (Origin::Location, Location::File(name)) => {
            let opened = File::open(name).map_err(|source| EngineError::reading(&path, source))?;
            if file.location.is_stream() {
                return ParquetReader::open_stream(path, Box::new(opened), count);
            }
            ParquetReader::open(path, opened, count)
        }
    }
}
