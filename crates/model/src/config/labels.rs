//! The labels of a classifier, in the order of its logits.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use albertine_formats::FormatError;
use serde_json::Value;

use super::ModelConfig;
use super::fields::Fields;
use crate::{Folder, ModelError};

/// The most labels that are read. Larger label sets exist only in extreme classification, which ALBERT's dense head is
/// not used for.
const MAX_LABELS: usize = 1 << 16;

/// Where the labels of an exported model are: where Spark NLP looks for them, or beside the graph.
const LISTS: [&str; 2] = ["assets/labels.txt", "labels.txt"];

/// The longest label that is read, in bytes of UTF-8. Every row of a result repeats one.
const MAX_LABEL: usize = 1024;

/// The labels by `id2label`, whose keys must be the numbers from 0 to its length; without it `LABEL_0` and so on by
/// `num_labels`, two by default. Where both are there `id2label` decides, as in transformers. A list is read as if its
/// places were the keys.
pub(crate) fn read(fields: &Fields<'_>) -> Result<Vec<String>, ModelError> {
    let Some(value) = fields.get("id2label") else {
        let count = fields.size("num_labels", 2, MAX_LABELS)?;
        return Ok((0..count).map(|id| format!("LABEL_{id}")).collect());
    };
    let expected = "an object from the numbers 0, 1, 2 … to labels";
    let found: Vec<(Cow<'_, str>, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, label)| (Cow::Borrowed(key.as_str()), label)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(id, label)| (Cow::Owned(id.to_string()), label)).collect(),
        _ => Vec::new(),
    };
    if found.is_empty() {
        return Err(fields.error("id2label", value, expected));
    }
    if found.len() > MAX_LABELS {
        let found = format!("an object of {} labels", found.len());
        return Err(fields.error_text("id2label", found, format!("at most {MAX_LABELS}")));
    }
    let mut labels = vec![None; found.len()];
    for (key, label) in &found {
        let place = key.parse::<usize>().ok().and_then(|id| labels.get_mut(id));
        let wrong = |expected: String| fields.error_text("id2label", format!("{{{key:?}: {label}}}"), expected);
        match (place, text(label)) {
            (_, Some(text)) if text.len() > MAX_LABEL => {
                return Err(wrong(format!("labels of at most {MAX_LABEL} bytes")));
            }
            // "00" and "0" are two keys for one class: the second one is refused.
            (Some(place @ None), Some(text)) => *place = Some(text),
            _ => return Err(wrong(expected.to_owned())),
        }
    }
    // As many distinct numbers below the length as there are keys: every place is taken.
    let labels: Vec<String> = labels.into_iter().flatten().collect();
    must_differ(fields, &labels)?;
    Ok(labels)
}

/// A label as text. transformers keeps numbers, booleans and null as they are in the file, and JSON writes them so.
fn text(label: &Value) -> Option<String> {
    match label {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) | Value::Null => Some(label.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The largest list of labels that is read, in bytes.
const MAX_LIST: u64 = 64 << 20;

/// The labels of the `labels.txt` of an exported model, one a line, if the folder has one, and where it is.
pub(crate) fn list(folder: &Folder) -> Result<Option<(Vec<String>, PathBuf)>, ModelError> {
    let mut found: Option<(Vec<String>, PathBuf)> = None;
    for name in LISTS {
        let Some(bytes) = folder.read(name, MAX_LIST)? else { continue };
        let path = folder.path_of(name);
        let malformed = |fault| FormatError::Malformed { path: path.clone(), form: "a list of labels", fault };
        let text = str::from_utf8(&bytes).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let labels: Vec<String> = text.trim_end_matches(['\r', '\n']).lines().map(str::to_owned).collect();
        check(&labels).map_err(malformed)?;
        match &found {
            Some((other, first)) if *other != labels => {
                return Err(ModelError::Labels { path, fault: format!("{} has others", first.display()) });
            }
            Some(_) => {}
            None => found = Some((labels, path)),
        }
    }
    Ok(found)
}

/// Refuses lists that are too long and labels that are empty, too long or there twice.
pub(crate) fn check(labels: &[String]) -> Result<(), String> {
    if labels.is_empty() || labels.len() > MAX_LABELS {
        return Err(format!("it has {} labels, expected 1 to {MAX_LABELS}", labels.len()));
    }
    let mut ids = HashMap::with_capacity(labels.len());
    for (id, label) in labels.iter().enumerate() {
        if label.is_empty() || label.len() > MAX_LABEL {
            return Err(format!("label {id} has {} bytes, expected 1 to {MAX_LABEL}", label.len()));
        }
        if let Some(first) = ids.insert(label.as_str(), id) {
            return Err(format!("labels {first} and {id} are both {label:?}"));
        }
    }
    Ok(())
}

/// Gives a configuration the labels that came with the model. Those of a `config.json` are kept, and must be the same,
/// unless it has none of its own: then they are `LABEL_0` and so on.
pub(crate) fn merge(mut config: ModelConfig, labels: Vec<String>, path: &Path) -> Result<ModelConfig, ModelError> {
    let wrong = |fault| ModelError::Labels { path: path.to_owned(), fault };
    if config.labels.len() != labels.len() {
        return Err(wrong(format!("there are {}, and the model has {} logits", labels.len(), config.labels.len())));
    }
    let differing = config
        .labels
        .iter()
        .zip(&labels)
        .enumerate()
        .find(|(id, (stated, given))| stated != given && **stated != format!("LABEL_{id}"));
    if let Some((id, (stated, given))) = differing {
        return Err(wrong(format!("label {id} is {given:?} there and {stated:?} in its config.json")));
    }
    config.labels = labels;
    Ok(config)
}

/// Refuses a label that two classes share: results name classes by their labels, in JSON and Parquet as keys, where
/// one of the two would be lost.
fn must_differ(fields: &Fields<'_>, labels: &[String]) -> Result<(), ModelError> {
    let mut ids = HashMap::with_capacity(labels.len());
    for (id, label) in labels.iter().enumerate() {
        if let Some(first) = ids.insert(label.as_str(), id) {
            let found = format!("{{\"{id}\": {label:?}}}");
            return Err(fields.error_text("id2label", found, format!("another label than that of {first}")));
        }
    }
    Ok(())
}
