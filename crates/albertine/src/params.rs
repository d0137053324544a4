//! Parameters of stages under Spark NLP's names, read from JSON and written to it.
//!
//! Both our saved pipelines and those of Spark NLP keep them so, and both are read by this.

use serde_json::{Map, Value};

use crate::Error;

/// The parameters of one stage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Params<'a> {
    stage: &'static str,
    map: &'a Map<String, Value>,
}

impl<'a> Params<'a> {
    pub(crate) fn new(stage: &'static str, map: &'a Map<String, Value>) -> Self {
        Self { stage, map }
    }

    /// The value of a parameter that is there and not null, as `read` understands it.
    fn get<T>(
        self,
        name: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.map.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
        match read(value) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::Param { stage: self.stage, name, value: shortened(value), expected }),
        }
    }

    pub(crate) fn text(self, name: &'static str) -> Result<Option<String>, Error> {
        self.get(name, "a string", |value| value.as_str().map(str::to_owned))
    }

    pub(crate) fn flag(self, name: &'static str) -> Result<Option<bool>, Error> {
        self.get(name, "true or false", Value::as_bool)
    }

    pub(crate) fn count(self, name: &'static str) -> Result<Option<usize>, Error> {
        self.get(name, "a whole number from 0 up", |value| usize::try_from(value.as_u64()?).ok())
    }

    pub(crate) fn number(self, name: &'static str) -> Result<Option<f32>, Error> {
        self.get(name, "a number", |value| value.as_f64().map(|number| number as f32))
    }

    pub(crate) fn texts(self, name: &'static str) -> Result<Option<Vec<String>>, Error> {
        self.get(name, "a list of strings", |value| {
            value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
        })
    }

    /// A parameter that must not be set.
    pub(crate) fn none(self, name: &'static str, expected: &'static str) -> Result<(), Error> {
        self.get(name, expected, |_| None::<()>).map(|_| ())
    }

    /// One of a few names.
    pub(crate) fn named<T>(
        self,
        name: &'static str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        self.get(name, expected, |value| read(value.as_str()?))
    }
}

/// A value as JSON, no longer than a message can be.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Parameters being written.
#[derive(Debug, Default)]
pub(crate) struct ParamMap(Map<String, Value>);

impl ParamMap {
    /// Adds a parameter.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a parameter that is set.
    pub(crate) fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }
}
