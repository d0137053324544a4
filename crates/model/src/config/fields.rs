//! Typed reads of a JSON object that name the field, the value and what was expected when they fail.

use std::path::Path;

use serde_json::{Map, Value};

use crate::ModelError;

/// The longest piece of a wrong value that a message repeats, in characters.
const SHOWN: usize = 60;

/// The fields of one configuration file. A field that is absent and one that is `null` are the same.
pub(crate) struct Fields<'a> {
    pub(crate) origin: &'a Path,
    pub(crate) map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The field's value, unless it is absent or `null`.
    pub(crate) fn get(&self, field: &str) -> Option<&'a Value> {
        self.map.get(field).filter(|value| !value.is_null())
    }

    /// The error for a field that holds `value`.
    pub(crate) fn error(&self, field: &'static str, value: &Value, expected: impl Into<String>) -> ModelError {
        self.error_text(field, value.to_string(), expected)
    }

    /// As [`Fields::error`], for a value that is not one JSON value of the file.
    pub(crate) fn error_text(&self, field: &'static str, mut value: String, expected: impl Into<String>) -> ModelError {
        if let Some((end, _)) = value.char_indices().nth(SHOWN) {
            value.truncate(end);
            value.push('…');
        }
        ModelError::Field { path: self.origin.to_owned(), field, value, expected: expected.into() }
    }

    /// A size of at least 1 and at most `limit`.
    pub(crate) fn size(&self, field: &'static str, default: usize, limit: usize) -> Result<usize, ModelError> {
        let Some(value) = self.get(field) else { return Ok(default) };
        value
            .as_u64()
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| (1..=limit).contains(size))
            .ok_or_else(|| self.error(field, value, format!("a whole number from 1 to {limit}")))
    }

    /// Refuses a switch that is on.
    pub(crate) fn must_be_off(&self, field: &'static str) -> Result<(), ModelError> {
        match self.get(field) {
            None | Some(Value::Bool(false)) => Ok(()),
            Some(value) => Err(self.error(field, value, "false")),
        }
    }

    /// A string, if the field is there.
    pub(crate) fn text(&self, field: &'static str) -> Result<Option<&'a str>, ModelError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.error(field, value, "a string"))
    }
}
