//! One input file on its way to being read: its columns are found first, its rows are read when its turn comes.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow_schema::SchemaRef;

use super::TableReader;
use super::bytes::Text;
use super::csv::CsvReader;
use super::jsonl::{self, JsonlReader};
use super::lines::Lines;
use super::parquet::ParquetReader;
use super::records::ROW_LIMIT;
use super::rejects::Policy;
use super::shape::Keys;
use super::txt::TxtReader;
use crate::EngineError;
use crate::format::Format;
use crate::location::{InputFile, Location};

/// What is looked at of JSON Lines that cannot be read twice, in bytes.
const LOOK_AHEAD: u64 = 8 << 20;

/// A file that was looked at.
pub(super) struct Looked {
    /// Its columns; JSON Lines have none of their own, but add to the keys of all such files.
    pub(super) schema: Option<SchemaRef>,
    pub(super) rows: Option<u64>,
    pub(super) size: Option<u64>,
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
    policy: &Policy,
    count: &Arc<AtomicU64>,
    keep: bool,
) -> Result<Looked, EngineError> {
    let once = matches!(origin, Origin::Reader(_)) || file.location.is_stream();
    // What is only looked at is not progress.
    let aside = Arc::default();
    let count = if keep || once { count } else { &aside };
    let mut looked = Looked { schema: None, rows: None, size: None, ready: Ready::No };
    let reader: Box<dyn TableReader> = match file.format {
        Format::Csv | Format::Tsv => {
            let text = open_text(file, origin, count)?;
            looked.size = text.size();
            let reader = open_csv(file, text, policy)?;
            looked.schema = Some(Arc::clone(reader.schema()));
            Box::new(reader)
        }
        Format::Txt => {
            let text = open_text(file, origin, count)?;
            looked.size = text.size();
            looked.schema = Some(TxtReader::schema());
            Box::new(TxtReader::new(Lines::new(text), policy.clone()))
        }
        Format::Parquet => {
            let reader = open_parquet(file, origin, count)?;
            looked.schema = Some(Arc::clone(reader.schema()));
            looked.rows = Some(reader.rows());
            looked.size = Some(reader.size());
            Box::new(reader)
        }
        Format::Jsonl => {
            if once || matches!(file.location, Location::Url(_)) {
                let mut text = open_text(file, origin, count)?;
                looked.size = text.size();
                let head = head_lines(&mut text)?;
                let head = Text::new(
                    text.path().to_owned(),
                    Box::new(Cursor::new(head)),
                    file.format,
                    crate::Compression::None,
                    &aside,
                )?;
                jsonl::infer(&mut Lines::new(head), keys, policy.on_error)?;
                if keep || once {
                    looked.ready = Ready::Lines(text);
                }
            } else {
                let text = open_text(file, origin, &aside)?;
                looked.size = text.size();
                jsonl::infer(&mut Lines::new(text), keys, policy.on_error)?;
            }
            return Ok(looked);
        }
    };
    if keep || once {
        looked.ready = Ready::Reader(reader);
    }
    Ok(looked)
}

/// Opens the rows of a file that was looked at, all of whose columns together are `schema`.
pub(super) fn open(
    file: &InputFile,
    ready: Ready,
    schema: &SchemaRef,
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
        Ready::No => open_text(file, Origin::Location, count)?,
    };
    Ok(match file.format {
        Format::Txt => Box::new(TxtReader::new(Lines::new(text), policy.clone())),
        Format::Jsonl => Box::new(JsonlReader::new(Lines::new(text), Arc::clone(schema), policy.clone(), seen)),
        Format::Csv | Format::Tsv | Format::Parquet => Box::new(open_csv(file, text, policy)?),
    })
}

fn open_text(file: &InputFile, origin: Origin, count: &Arc<AtomicU64>) -> Result<Text, EngineError> {
    match origin {
        Origin::Location => Text::open(file, count),
        Origin::Reader(reader) => Text::new(file.location.to_string(), reader, file.format, file.compression, count),
    }
}

fn open_csv(file: &InputFile, text: Text, policy: &Policy) -> Result<CsvReader, EngineError> {
    let delimiter = if file.format == Format::Tsv { b'\t' } else { b',' };
    CsvReader::open(text, delimiter, policy.clone())
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

/// The first lines of a text, whole: as many as the look-ahead holds, and at least one.
fn head_lines(text: &mut Text) -> Result<Vec<u8>, EngineError> {
    let mut limit = LOOK_AHEAD;
    loop {
        let mut head = text.look_ahead(limit)?;
        if (head.len() as u64) < limit {
            return Ok(head);
        }
        if let Some(end) = head.iter().rposition(|byte| *byte == b'\n') {
            head.truncate(end + 1);
            return Ok(head);
        }
        if limit > ROW_LIMIT as u64 {
            return Err(EngineError::RowTooLarge { path: text.path().to_owned(), line: 1, limit: ROW_LIMIT });
        }
        limit *= 2;
    }
}

/// The files' schemas as one, nullable where one of them is.
///
/// # Errors
/// When names, types or their order differ.
pub(super) fn unify(first: (&str, &SchemaRef), other: (&str, &SchemaRef)) -> Result<SchemaRef, EngineError> {
    let differ = |difference: String| EngineError::ColumnsDiffer {
        first: first.0.to_owned(),
        other: other.0.to_owned(),
        difference,
    };
    let (left, right) = (first.1.fields(), other.1.fields());
    for field in left {
        if other.1.field_with_name(field.name()).is_err() {
            return Err(differ(format!("the second lacks {:?}", field.name())));
        }
    }
    for field in right {
        if first.1.field_with_name(field.name()).is_err() {
            return Err(differ(format!("the second adds {:?}", field.name())));
        }
    }
    let mut fields = Vec::with_capacity(left.len());
    for (one, two) in left.iter().zip(right) {
        if one.name() != two.name() {
            return Err(differ(format!("{:?} and {:?} are in another order", one.name(), two.name())));
        }
        if one.data_type() != two.data_type() {
            return Err(differ(format!(
                "{:?} is {} in the first and {} in the second",
                one.name(),
                one.data_type(),
                two.data_type()
            )));
        }
        let nullable = one.is_nullable() || two.is_nullable();
        fields.push(one.as_ref().clone().with_nullable(nullable));
    }
    Ok(Arc::new(arrow_schema::Schema::new_with_metadata(fields, first.1.metadata().clone())))
}
