//! What a stage keeps beside its parameters: folders of sequence files, whose records are streams of Java objects.

use std::collections::BTreeMap;

use super::java::{self, JavaObject, JavaStream, JavaValue};
use super::{SparkStage, sequence_file};
use crate::FormatError;

/// The largest part of a field that is read, in bytes.
const MAX_PART: u64 = 8 << 20;

/// The most parts of a field.
const MAX_PARTS: usize = 1 << 16;

/// The most texts of a field, and the longest one in bytes.
const MAX_TEXTS: usize = 1 << 16;
const MAX_TEXT: usize = 1 << 13;

/// The form that errors name.
const FORM: &str = "a valid file of Java objects";

impl SparkStage {
    /// The strings of a field such as `exceptions`, in order, or `None` where the stage has no such field.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] for a part that holds something else, and every way for a part to be unsound.
    pub fn strings(&self, field: &str) -> Result<Option<Vec<String>>, FormatError> {
        self.collect(field, |stream, strings: &mut Vec<String>| {
            for value in &stream.values {
                let array = stream.object(value).ok_or("it holds no array")?;
                for element in &array.elements {
                    match element {
                        JavaValue::Text(text) => push(strings, text)?,
                        other => return Err(format!("it holds {}, no text", name(stream, other))),
                    }
                }
            }
            Ok(())
        })
    }

    /// The regular expressions in a field such as the `rules` of a fitted Tokenizer, in the order in which they stand
    /// there; `None` where the stage has no such field. Of a fitted Tokenizer they are all there is to know of its
    /// prefix, infix and suffix patterns and its context characters.
    ///
    /// # Errors
    /// Every way for a part to be unsound.
    pub fn patterns(&self, field: &str) -> Result<Option<Vec<String>>, FormatError> {
        self.collect(field, |stream, patterns: &mut Vec<String>| {
            let regexes = stream.objects.iter().filter(|object| *object.class == *"java.util.regex.Pattern");
            for regex in regexes {
                match regex.field("pattern") {
                    Some(JavaValue::Text(text)) => push(patterns, text)?,
                    _ => return Err("a regular expression has no text".to_owned()),
                }
            }
            Ok(())
        })
    }

    /// The labels of a classifier by their ids, which must be 0, 1, 2 and so on; `None` where the stage has none.
    ///
    /// # Errors
    /// [`FormatError::Labels`] for other ids, and every way for a part to be unsound.
    pub fn labels(&self) -> Result<Option<Vec<String>>, FormatError> {
        let labels = self.collect("labels", |stream, labels: &mut BTreeMap<i64, String>| {
            for value in &stream.values {
                let array = stream.object(value).ok_or("it holds no array")?;
                for element in &array.elements {
                    let (label, id) = pair(stream, element)
                        .ok_or_else(|| format!("it holds {}, no pair of a label and an id", name(stream, element)))?;
                    if let Some(other) = labels.insert(id, label.clone()) {
                        return Err(format!("the labels {other:?} and {label:?} have the id {id}"));
                    }
                }
            }
            Ok(())
        })?;
        let Some(labels) = labels else { return Ok(None) };
        if let Some((expected, found)) = (0..).zip(labels.keys()).find(|(expected, found)| expected != *found) {
            let fault = format!("there is the id {found} and none of {expected}");
            return Err(FormatError::Labels { path: self.folder.path_of("fields/labels"), fault });
        }
        Ok(Some(labels.into_values().collect()))
    }

    /// Reads every record of every part of a field.
    fn collect<T: Default>(
        &self,
        field: &str,
        mut read: impl FnMut(&JavaStream, &mut T) -> Result<(), String>,
    ) -> Result<Option<T>, FormatError> {
        if !self.folder.has_folder("fields") || !self.folder.has_folder(&format!("fields/{field}")) {
            return Ok(None);
        }
        let folder = self.folder.sub("fields").sub(field);
        let parts: Vec<String> = folder.names()?.into_iter().filter(|name| name.starts_with("part-")).collect();
        let malformed = |name: &str, fault| FormatError::Malformed { path: folder.path_of(name), form: FORM, fault };
        if parts.len() > MAX_PARTS {
            return Err(malformed("", format!("it has more than {MAX_PARTS} parts")));
        }
        let mut found = T::default();
        for part in parts {
            if part.ends_with(".parquet") {
                let fault = "it is a Parquet file: save the model again without \
                             spark.jsl.settings.annotatorSerializationFormat=dataset";
                return Err(malformed(&part, fault.to_owned()));
            }
            let bytes = folder.read(&part, MAX_PART)?.unwrap_or_default();
            for record in sequence_file::values(&bytes).map_err(|fault| malformed(&part, fault))? {
                let stream = java::read(record).map_err(|fault| malformed(&part, fault))?;
                read(&stream, &mut found).map_err(|fault| malformed(&part, fault))?;
            }
        }
        Ok(Some(found))
    }
}

/// Adds a text. A stream may refer to one text any number of times.
fn push(texts: &mut Vec<String>, text: &str) -> Result<(), String> {
    if texts.len() == MAX_TEXTS || text.len() > MAX_TEXT {
        return Err(format!("it holds more than {MAX_TEXTS} texts, or one of more than {MAX_TEXT} bytes"));
    }
    texts.push(text.to_owned());
    Ok(())
}

/// The two parts of a Scala pair of a text and a number.
fn pair(stream: &JavaStream, value: &JavaValue) -> Option<(String, i64)> {
    let pair = stream.object(value).filter(|object| *object.class == *"scala.Tuple2")?;
    let JavaValue::Text(text) = pair.field("_1")? else { return None };
    let number = stream.object(pair.field("_2")?).filter(|object| *object.class == *"java.lang.Integer")?;
    let JavaValue::Number(number) = number.field("value")? else { return None };
    Some((text.to_string(), *number))
}

/// What a value is, for a message.
fn name(stream: &JavaStream, value: &JavaValue) -> String {
    match (value, stream.object(value)) {
        (_, Some(JavaObject { class, .. })) => format!("an object of {class:?}"),
        (value, None) => format!("{value:?}"),
    }
}
