//! JSON: objects one a line, in one array, or spread over lines. Columns are found by looking at the objects first;
//! nested values become Arrow lists and structs, and what no one type holds stays text.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::{RecordBatch, new_null_array};
use arrow_json::reader::{Decoder, ReaderBuilder};
use arrow_schema::{Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use memchr::memmem;

use super::bytes::Text;
use super::plain_json::{Changes, plain};
use super::rejects::{OnError, Policy};
use super::shape::{Keys, Shape, is_marked_as_json};
use super::values::Values;
use super::verbatim::{self, Verbatim};
use super::{BATCH_BYTES, COLUMNS, TableReader, batch_rows};
use crate::EngineError;
use crate::error::clause;

/// What was found of the objects of a text.
#[derive(Debug, Default)]
pub(super) struct Inferred {
    changes: Changes,
    /// Whether a value was seen whole.
    pub(super) is_enough: bool,
}

impl Inferred {
    /// What a person should know of the values.
    pub(super) fn notes(&self) -> Vec<String> {
        self.changes.notes()
    }
}

/// What becomes of values that are no objects when columns are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Faults {
    /// Any is an error.
    Fail,
    /// One before the first object is an error. The others are met by the reader, after the rows before them.
    FailFirst,
    /// All are left to the reader, which counts them.
    Pass,
}

/// Widens `keys` by the objects of `text`, or of its beginning if it is not `whole`: then what may be only a part of an
/// object, at its end, is left out.
///
/// # Errors
/// The first value that is no object, as `faults` say.
pub(super) fn infer(text: Text, keys: &mut Keys, faults: Faults, whole: bool) -> Result<Inferred, EngineError> {
    let mut values = Values::open(text)?;
    let mut found = Inferred::default();
    let mut held: Option<EngineError> = None;
    let (mut values_read, mut objects, mut first_is_columns) = (0_u64, 0_u64, false);
    loop {
        let value = match values.read() {
            Ok(Some(value)) => value,
            Ok(None) => break,
            // The end of an array that goes on.
            Err(EngineError::Json { .. }) if !whole => break,
            Err(error) => return Err(error),
        };
        values_read += 1;
        if let Some(error) = held.take() {
            return Err(error);
        }
        let (value, changed) = plain(value);
        match keys_of(&value) {
            Ok(Keyed::Keys(own)) => {
                objects += 1;
                first_is_columns =
                    objects == 1 && own.are_columns_of_rows() && memmem::find(&value, b"{\"0\":").is_some();
                keys.widen(own);
                found.changes.add(changed);
            }
            Ok(Keyed::TooMany) => return Err(too_many(values.path())),
            Err(_) if faults == Faults::Pass || (faults == Faults::FailFirst && objects > 0) => {}
            Err(reason) => held = Some(fault(&values, reason)),
        }
        if keys.size() > COLUMNS {
            return Err(too_many(values.path()));
        }
    }
    if whole && objects == 1 && first_is_columns {
        let reason = "it is one object of columns, as pandas writes it by default; \
                      write it with `to_json(orient=\"records\", lines=True)`";
        return Err(fault(&values, reason.to_owned()));
    }
    match held {
        // The last value may be only a part of one.
        Some(error) if whole => Err(error),
        _ => {
            // Of several values the first was whole, if not an object.
            found.is_enough = objects > 0 || values_read > 1;
            Ok(found)
        }
    }
}

/// The columns of `keys`.
pub(super) fn schema_of(keys: &Keys) -> SchemaRef {
    Arc::new(Schema::new(keys.fields()))
}

/// What a person should know of the columns of `keys`.
pub(super) fn notes_on(keys: &Keys) -> Vec<String> {
    let whole = keys.mixed().map(|(name, _)| format!("column `{name}` read as text (its values have different types)"));
    let parts =
        keys.mixed_within().map(|name| format!("parts of column `{name}` read as text (they have different types)"));
    whole.chain(parts).collect()
}

fn too_many(path: &str) -> EngineError {
    EngineError::TooManyColumns { path: path.to_owned(), limit: COLUMNS }
}

/// What an object holds.
enum Keyed {
    Keys(Keys),
    TooMany,
}

/// The keys of an object.
fn keys_of(value: &[u8]) -> Result<Keyed, String> {
    if std::str::from_utf8(value).is_err() {
        return Err("it is not valid UTF-8".to_owned());
    }
    match serde_json::from_slice(value) {
        Ok(Shape::Object(keys)) => Ok(Keyed::Keys(keys)),
        Ok(Shape::Wide) if value.starts_with(b"{") => Ok(Keyed::TooMany),
        Ok(_) => Err("it is not a JSON object".to_owned()),
        Err(error) => Err(reason(&error)),
    }
}

fn reason(error: &serde_json::Error) -> String {
    // Of "... at line 1 column 7" only the column says something.
    let message = error.to_string();
    let reason = clause(message.split(" at line ").next().unwrap_or_default());
    if error.is_data() {
        reason
    } else if reason.contains("recursion limit") {
        "it is nested more than 127 levels deep".to_owned()
    } else {
        format!("it is not valid JSON: {reason} at column {}", error.column())
    }
}

fn fault(values: &Values, reason: String) -> EngineError {
    EngineError::Json { path: values.path().to_owned(), line: values.line(), reason }
}

/// The rows of a JSON file.
pub(super) struct JsonlReader {
    values: Values,
    schema: SchemaRef,
    policy: Policy,
    /// Whether values must be checked here because nothing made sure of all of them before. Arrow's decoder lets
    /// trailing commas and repeated keys pass.
    check: bool,
    verbatim: Verbatim,
    /// The most rows of a batch.
    most_rows: usize,
    /// The objects of the batch at hand: their lines, and their bytes in `text` up to the given end.
    rows: Vec<(u64, usize)>,
    text: Vec<u8>,
    /// A fault that comes after the rows before it.
    held: Option<EngineError>,
}

impl JsonlReader {
    /// Reads objects as rows with the columns of `keys`. `seen` says that [`infer`] has seen every object already.
    pub(super) fn new(text: Text, keys: &Keys, policy: Policy, seen: bool) -> Result<Self, EngineError> {
        let values = Values::open(text)?;
        let schema = schema_of(keys);
        let check = !seen || policy.on_error == OnError::Null;
        let marked = schema.fields().iter().filter(|field| is_marked_as_json(field));
        let verbatim = Verbatim {
            all: marked.map(|field| field.name().clone()).collect(),
            nested: keys.mixed().filter(|(_, nested)| *nested).map(|(name, _)| name.to_owned()).collect(),
        };
        let most_rows = batch_rows(&schema);
        Ok(Self { values, schema, policy, check, verbatim, most_rows, rows: Vec::new(), text: Vec::new(), held: None })
    }

    /// A decoder that reads mixed scalars as text. With `strict`, keys without a column are errors, else left out.
    fn decoder(&self, strict: bool) -> Result<Decoder, String> {
        ReaderBuilder::new(Arc::clone(&self.schema))
            .with_batch_size(self.most_rows + 1)
            .with_coerce_primitive(true)
            .with_strict_mode(strict)
            .build_decoder()
            .map_err(|error| clause(&error.to_string()))
    }

    /// The line with the values of the columns that are kept as they are written in quotes.
    fn quoted<'a>(&self, line: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        if self.verbatim.is_empty() {
            return Some(Cow::Borrowed(line));
        }
        verbatim::quote(line, &self.verbatim).map(Cow::Owned)
    }

    /// All lines at once. That it fails says nothing about which line is at fault.
    fn decode_all(&self) -> Option<RecordBatch> {
        let mut decoder = self.decoder(true).ok()?;
        let mut start = 0;
        for (index, (_, end)) in self.rows.iter().enumerate() {
            let line = &self.text[start..*end];
            if self.check && !matches!(keys_of(line), Ok(Keyed::Keys(_))) {
                return None;
            }
            let quoted = self.quoted(line)?;
            let line = quoted.as_ref();
            // A line must be one record: neither two, nor a part of one that the next line goes on with.
            if decoder.decode(line).ok()? != line.len() || decoder.has_partial_record() || decoder.len() != index + 1 {
                return None;
            }
            start = *end;
        }
        decoder.flush().ok().flatten().filter(|batch| batch.num_rows() == self.rows.len())
    }

    /// Line by line, to find those at fault. A fault that ends the run comes after the rows before it.
    fn decode_each(&mut self) -> Result<RecordBatch, EngineError> {
        let path = self.values.path();
        let mut batches = Vec::with_capacity(self.rows.len());
        let mut start = 0;
        for (line, end) in &self.rows {
            let (batch, fault) = self.decode_one(*line, &self.text[start..*end]);
            if let Some(fault) = fault
                && let Err(fault) = self.policy.meet(batches.len(), fault)
            {
                if batches.is_empty() {
                    return Err(fault);
                }
                self.held = Some(fault);
                break;
            }
            batches.push(match batch {
                Some(batch) => batch,
                None => {
                    let columns = self.schema.fields().iter().map(|field| new_null_array(field.data_type(), 1));
                    super::batch_of(&self.schema, columns.collect(), path)?
                }
            });
            start = *end;
        }
        concat_batches(&self.schema, &batches).map_err(|error| EngineError::Json {
            path: path.to_owned(),
            line: self.values.line(),
            reason: clause(&error.to_string()),
        })
    }

    /// What can be read of the object on line `at`, and what is wrong with it.
    fn decode_one(&self, at: u64, line: &[u8]) -> (Option<RecordBatch>, Option<EngineError>) {
        let path = || self.values.path().to_owned();
        let fault = |reason: String| Some(EngineError::Json { path: path(), line: at, reason });
        let keys = match keys_of(line) {
            Ok(Keyed::Keys(keys)) => keys,
            Ok(Keyed::TooMany) => return (None, fault(format!("it has over {COLUMNS} keys"))),
            Err(reason) => return (None, fault(reason)),
        };
        match self.decode_row(line, true) {
            Ok(row) => (Some(row), None),
            // All but the keys that are no columns may be read.
            Err(reason) => {
                let late = keys.names().find(|name| self.schema.field_with_name(name).is_err());
                let late = late.map(|key| EngineError::LateKey { path: path(), line: at, key: key.to_owned() });
                (self.decode_row(line, false).ok(), late.or_else(|| fault(reason)))
            }
        }
    }

    fn decode_row(&self, line: &[u8], strict: bool) -> Result<RecordBatch, String> {
        let line = self.quoted(line).ok_or_else(|| "it is not one JSON object".to_owned())?;
        let say = |error: arrow_schema::ArrowError| clause(&error.to_string());
        let mut decoder = self.decoder(strict)?;
        decoder.decode(&line).map_err(say)?;
        let batch = decoder.flush().map_err(say)?;
        batch.filter(|batch| batch.num_rows() == 1).ok_or_else(|| "it is not one JSON object".to_owned())
    }

    /// Adds the next object to the batch at hand, if there is one.
    fn append_next(&mut self) -> Result<bool, EngineError> {
        let Some(value) = self.values.read()? else { return Ok(false) };
        let (value, _) = plain(value);
        self.text.extend_from_slice(&value);
        self.rows.push((self.values.line(), self.text.len()));
        Ok(true)
    }
}

impl TableReader for JsonlReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        if let Some(fault) = self.held.take() {
            return Err(fault);
        }
        self.rows.clear();
        self.text.clear();
        while self.rows.len() < self.most_rows && self.text.len() < BATCH_BYTES {
            if !self.rows.is_empty() && self.values.would_wait() {
                break;
            }
            match self.append_next() {
                Ok(true) => {}
                Ok(false) => break,
                Err(fault) if self.rows.is_empty() => return Err(fault),
                Err(fault) => {
                    self.held = Some(fault);
                    break;
                }
            }
        }
        if self.rows.is_empty() {
            return Ok(None);
        }
        match self.decode_all() {
            Some(batch) => Ok(Some(batch)),
            None => self.decode_each().map(Some),
        }
    }

    fn would_wait(&self) -> bool {
        self.held.is_none() && self.values.would_wait()
    }
}
