//! JSON Lines: one object a line. Columns are found by looking at the lines first; nested values become Arrow lists and
//! structs.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::json::reader::{Decoder, ReaderBuilder};

use super::lines::Lines;
use super::rejects::{OnError, Policy};
use super::shape::{Keys, Shape};
use super::{BATCH_BYTES, BATCH_ROWS, TableReader};
use crate::EngineError;
use crate::error::clause;

/// The most columns, inner keys not counted: keys that are data would otherwise make a table of any width.
const COLUMNS: usize = 10_000;

/// Widens `keys` by the lines of one file.
///
/// # Errors
/// The first line that is not an object or does not fit the ones before it, unless the policy is to go on.
pub(super) fn infer(lines: &mut Lines, keys: &mut Keys, on_error: OnError) -> Result<(), EngineError> {
    while let Some(line) = lines.read()? {
        if is_blank(line) {
            continue;
        }
        match shape_of(line).and_then(|shape| match keys.conflict(&shape) {
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
        if keys.len() > COLUMNS {
            return Err(EngineError::TooManyColumns {
                path: lines.path().to_owned(),
                line: lines.line(),
                limit: COLUMNS,
            });
        }
    }
    Ok(())
}

/// The columns of `keys`.
pub(super) fn schema_of(keys: &Keys) -> SchemaRef {
    Arc::new(Schema::new(keys.fields()))
}

fn shape_of(line: &[u8]) -> Result<Keys, String> {
    if std::str::from_utf8(line).is_err() {
        return Err("it is not valid UTF-8".to_owned());
    }
    match serde_json::from_slice(line) {
        Ok(Shape::Object(keys)) => Ok(keys),
        Ok(_) => Err("it is not a JSON object".to_owned()),
        Err(error) => {
            // Of "... at line 1 column 7" only the column says something.
            let message = error.to_string();
            let reason = message.split(" at line ").next().unwrap_or_default();
            Err(format!("it is not valid JSON: {} at column {}", clause(reason), error.column()))
        }
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
    /// The lines of the batch at hand: their numbers, and their bytes in `text` up to the given end.
    rows: Vec<(u64, usize)>,
    text: Vec<u8>,
}

impl JsonlReader {
    /// Reads lines as rows of `schema`. `seen` says that [`infer`] has seen every line already.
    pub(super) fn new(lines: Lines, schema: SchemaRef, policy: Policy, seen: bool) -> Self {
        let check = !seen || policy.on_error == OnError::Null;
        Self { lines, schema, policy, check, rows: Vec::new(), text: Vec::new() }
    }

    fn decoder(&self) -> Result<Decoder, String> {
        // Mixed scalars are read as text, keys without a column are errors.
        ReaderBuilder::new(Arc::clone(&self.schema))
            .with_batch_size(BATCH_ROWS + 1)
            .with_coerce_primitive(true)
            .with_strict_mode(true)
            .build_decoder()
            .map_err(|error| clause(&error.to_string()))
    }

    /// All lines at once. That it fails says nothing about which line is at fault.
    fn decode_all(&self) -> Option<RecordBatch> {
        let mut decoder = self.decoder().ok()?;
        let mut start = 0;
        for (index, (_, end)) in self.rows.iter().enumerate() {
            let line = &self.text[start..*end];
            if self.check && shape_of(line).is_err() {
                return None;
            }
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
                        self.schema.fields().iter().map(|field| arrow::array::new_null_array(field.data_type(), 1));
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
        let keys = shape_of(line)?;
        if let Some(field) = keys.fields().iter().find(|field| self.schema.field_with_name(field.name()).is_err()) {
            return Err(format!("the key {:?} is in no line that the columns were found from", field.name()));
        }
        let say = |error: arrow::error::ArrowError| clause(&error.to_string());
        let mut decoder = self.decoder()?;
        decoder.decode(line).map_err(say)?;
        let batch = decoder.flush().map_err(say)?;
        batch.filter(|batch| batch.num_rows() == 1).ok_or_else(|| "it is not one JSON object".to_owned())
    }
}

impl TableReader for JsonlReader {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        self.rows.clear();
        self.text.clear();
        while self.rows.len() < BATCH_ROWS && self.text.len() < BATCH_BYTES {
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
