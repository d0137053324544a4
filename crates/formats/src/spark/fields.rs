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
    /// [`FormatError::Labels`] for other ids, and every way for a part to be invalid.
    pub fn labels(&self) -> Result<Option<Vec<String>>, FormatError> {
        let wrong = |fault| FormatError::Labels { path: self.folder.path_of("fields/labels"), fault };
        self.by_id("labels", "a label")?.map(|labels| in_order(labels).map_err(wrong)).transpose()
    }

    /// The pieces of a WordPiece vocabulary by their ids, which must be 0, 1, 2 and so on, one a line as in `vocab.txt`;
    /// `None` where the stage has none.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] for other ids and for a piece of several lines, and every way for a part to be invalid.
    pub fn vocabulary(&self) -> Result<Option<Vec<u8>>, FormatError> {
        let path = self.folder.path_of("fields/vocabulary");
        let wrong = |fault| FormatError::Malformed { path: path.clone(), form: "a vocabulary", fault };
        let Some(pieces) = self.by_id("vocabulary", "a piece")? else { return Ok(None) };
        let pieces = in_order(pieces).map_err(wrong)?;
        if let Some(id) = pieces.iter().position(|piece| piece.contains(['\n', '\r'])) {
            return Err(wrong(format!("the piece {id} has several lines")));
        }
        Ok(Some(pieces.into_iter().flat_map(|piece| (piece + "\n").into_bytes()).collect()))
    }

    /// The texts of a field that maps each to a number, by these numbers; `what` is one of them for messages.
    fn by_id(&self, field: &str, what: &str) -> Result<Option<BTreeMap<i64, String>>, FormatError> {
        self.collect(field, |stream, texts: &mut BTreeMap<i64, String>| {
            for value in &stream.values {
                let array = stream.object(value).ok_or("it holds no array")?;
                for element in &array.elements {
                    let (text, id) = pair(stream, element)
                        .ok_or_else(|| format!("it holds {}, no pair of {what} and an id", name(stream, element)))?;
                    if let Some(other) = texts.insert(id, text.clone()) {
                        let what = what.trim_start_matches("a ");
                        return Err(format!("the {what}s {other:?} and {text:?} have the id {id}"));
                    }
                }
            }
            Ok(())
        })
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

/// Texts in the order of their ids, if these are 0, 1, 2 and so on.
fn in_order(texts: BTreeMap<i64, String>) -> Result<Vec<String>, String> {
    if let Some((expected, found)) = (0..).zip(texts.keys()).find(|(expected, found)| expected != *found) {
        return Err(format!("there is the id {found} and none of {expected}"));
    }
    Ok(texts.into_values().collect())
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
