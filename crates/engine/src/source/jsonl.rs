//! JSON Lines: one object a line. Columns are found by looking at the lines first; nested values become Arrow lists and
//! structs, and objects of very many keys stay text.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_json::reader::{Decoder, ReaderBuilder};
use arrow_schema::{Schema, SchemaRef};
use arrow_select::concat::concat_batches;

use super::lines::Lines;
use super::rejects::{OnError, Policy};
use super::shape::{Keys, Shape, is_marked_as_json};
use super::{BATCH_BYTES, COLUMNS, TableReader, batch_rows, verbatim};
use crate::EngineError;
use crate::error::clause;

/// Widens `keys` by the lines of one file.
///
/// # Errors
/// The first line that is not an object or does not fit the ones before it, unless the policy is to go on.
pub(super) fn infer(lines: &mut Lines, keys: &mut Keys, on_error: OnError) -> Result<(), EngineError> {
    while let Some(line) = lines.read()? {
        if is_blank(line) {
            continue;
        }
        let shape = match shape_of(line) {
            Ok(Shape::Wide) => return Err(too_many(lines.path())),
            Ok(Shape::Object(shape)) => Ok(shape),
            Ok(_) => Err("it is not a JSON object".to_owned()),
            Err(reason) => Err(reason),
        };
        match shape.and_then(|shape| match keys.conflict(&shape) {
            None => Ok(shape),
            Some(conflict) => {
                Err(format!("{:?} is {} here and {} in a line before", conflict.key, conflict.here, conflict.before))
            }
        }) {
            Ok(shape) => keys.widen(shape),
            // The reader meets the same line again and counts it then.
            Err(_) if on_error == OnError::Null => {}
            Err(reason) => return Err(fault(lines, reason)),
        }
        if keys.size() > COLUMNS {
            return Err(too_many(lines.path()));
        }
    }
    Ok(())
}

/// The columns of `keys`.
pub(super) fn schema_of(keys: &Keys) -> SchemaRef {
    Arc::new(Schema::new(keys.fields()))
}

fn too_many(path: &str) -> EngineError {
    EngineError::TooManyColumns { path: path.to_owned(), limit: COLUMNS }
}

fn shape_of(line: &[u8]) -> Result<Shape, String> {
    if std::str::from_utf8(line).is_err() {
        return Err("it is not valid UTF-8".to_owned());
    }
    serde_json::from_slice(line).map_err(|error| {
        // Of "... at line 1 column 7" only the column says something.
        let message = error.to_string();
        let reason = message.split(" at line ").next().unwrap_or_default();
        format!("it is not valid JSON: {} at column {}", clause(reason), error.column())
    })
}

/// The keys of a line.
fn keys_of(line: &[u8]) -> Result<Keys, String> {
    match shape_of(line)? {
        Shape::Object(keys) => Ok(keys),
        Shape::Wide => Err(format!("it has over {COLUMNS} keys")),
        _ => Err("it is not a JSON object".to_owned()),
    }
}

fn fault(lines: &Lines, reason: String) -> EngineError {
    EngineError::Json { path: lines.path().to_owned(), line: lines.line(), reason }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// The rows of a JSON Lines file.
pub(super) struct JsonlReader {
    lines: Lines,
    schema: SchemaRef,
    policy: Policy,
    /// Whether lines must be checked here because nothing made sure of all of them before. Arrow's decoder lets
    /// trailing commas and repeated keys pass.
    check: bool,
    /// The columns that hold values as they are written, by name.
    verbatim: HashSet<String>,
    /// The most rows of a batch.
    most_rows: usize,
    /// The lines of the batch at hand: their numbers, and their bytes in `text` up to the given end.
    rows: Vec<(u64, usize)>,
    text: Vec<u8>,
}

impl JsonlReader {
    /// Reads lines as rows of `schema`. `seen` says that [`infer`] has seen every line already.
    pub(super) fn new(lines: Lines, schema: SchemaRef, policy: Policy, seen: bool) -> Self {
        let check = !seen || policy.on_error == OnError::Null;
        let marked = schema.fields().iter().filter(|field| is_marked_as_json(field));
        let verbatim = marked.map(|field| field.name().clone()).collect();
        let most_rows = batch_rows(&schema);
        Self { lines, schema, policy, check, verbatim, most_rows, rows: Vec::new(), text: Vec::new() }
    }

    fn decoder(&self) -> Result<Decoder, String> {
        // Mixed scalars are read as text, keys without a column are errors.
        ReaderBuilder::new(Arc::clone(&self.schema))
            .with_batch_size(self.most_rows + 1)
            .with_coerce_primitive(true)
            .with_strict_mode(true)
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
        let mut decoder = self.decoder().ok()?;
        let mut start = 0;
        for (index, (_, end)) in self.rows.iter().enumerate() {
            let line = &self.text[start..*end];
            if self.check && keys_of(line).is_err() {
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

    /// Line by line, to find those at fault.
    fn decode_each(&self) -> Result<RecordBatch, EngineError> {
        let path = self.lines.path();
        let mut batches = Vec::with_capacity(self.rows.len());
        let mut start = 0;
        for (line, end) in &self.rows {
            let batch = match self.decode_one(&self.text[start..*end]) {
                Ok(batch) => batch,
                Err(reason) => {
                    self.policy.meet(EngineError::Json { path: path.to_owned(), line: *line, reason })?;
                    let columns =
                        self.schema.fields().iter().map(|field| arrow_array::new_null_array(field.data_type(), 1));
                    super::batch_of(&self.schema, columns.collect(), path)?
                }
            };
            batches.push(batch);
            start = *end;
        }
        concat_batches(&self.schema, &batches).map_err(|error| EngineError::Json {
            path: path.to_owned(),
            line: self.lines.line(),
            reason: clause(&error.to_string()),
        })
    }

    fn decode_one(&self, line: &[u8]) -> Result<RecordBatch, String> {
        let keys = keys_of(line)?;
        if let Some(name) = keys.names().find(|name| self.schema.field_with_name(name).is_err()) {
            return Err(format!("the key {name:?} is in no line that the columns were found from"));
        }
        let line = self.quoted(line).ok_or_else(|| "it is not one JSON object".to_owned())?;
        let say = |error: arrow_schema::ArrowError| clause(&error.to_string());
        let mut decoder = self.decoder()?;
        decoder.decode(&line).map_err(say)?;
        let batch = decoder.flush().map_err(say)?;
        batch.filter(|batch| batch.num_rows() == 1).ok_or_else(|| "it is not one JSON object".to_owned())
    }
}

impl TableReader for JsonlReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        self.rows.clear();
        self.text.clear();
        while self.rows.len() < self.most_rows && self.text.len() < BATCH_BYTES {
            let Some(line) = self.lines.read()? else { break };
            if is_blank(line) {
                continue;
            }
            self.text.extend_from_slice(self.lines.current());
            self.rows.push((self.lines.line(), self.text.len()));
        }
        if self.rows.is_empty() {
            return Ok(None);
        }
        match self.decode_all() {
            Some(batch) => Ok(Some(batch)),
            None => self.decode_each().map(Some),
        }
    }
}
