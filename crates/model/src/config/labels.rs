//! The labels of a classifier, in the order of its logits.

use std::collections::HashMap;
use std::path::Path;

use albertine_formats::FormatError;
use serde_json::Value;

use super::ModelConfig;
use super::fields::Fields;
use crate::{Folder, ModelError};

/// The most labels that are read. Larger label sets exist only in extreme classification, which ALBERT's dense head is
/// not used for.
const MAX_LABELS: usize = 1 << 16;

/// Where Spark NLP looks for the labels of an exported model.
pub(crate) const LIST: &str = "assets/labels.txt";

/// The longest label that is read, in bytes of UTF-8. Every row of a result repeats one.
const MAX_LABEL: usize = 1024;

/// The labels by `id2label`, whose keys must be the numbers from 0 to its length; without it `LABEL_0` and so on by
/// `num_labels`, two by default. Where both are there `id2label` decides, as in transformers.
pub(crate) fn read(fields: &Fields<'_>) -> Result<Vec<String>, ModelError> {
    let Some(value) = fields.get("id2label") else {
        let count = fields.size("num_labels", 2, MAX_LABELS)?;
        return Ok((0..count).map(|id| format!("LABEL_{id}")).collect());
    };
    let expected = "an object from the numbers 0, 1, 2 … to labels";
    let map =
        value.as_object().filter(|map| !map.is_empty()).ok_or_else(|| fields.error("id2label", value, expected))?;
    if map.len() > MAX_LABELS {
        let found = format!("an object of {} labels", map.len());
        return Err(fields.error_text("id2label", found, format!("at most {MAX_LABELS}")));
    }
    let mut labels = vec![None; map.len()];
    for (key, label) in map {
        let place = key.parse::<usize>().ok().and_then(|id| labels.get_mut(id));
        let wrong = |expected: String| fields.error_text("id2label", format!("{{{key:?}: {label}}}"), expected);
        match (place, label) {
            (_, Value::String(text)) if text.len() > MAX_LABEL => {
                return Err(wrong(format!("labels of at most {MAX_LABEL} bytes")));
            }
            // "00" and "0" are two keys for one class: the second one is refused.
            (Some(place @ None), Value::String(text)) => *place = Some(text.clone()),
            _ => return Err(wrong(expected.to_owned())),
        }
    }
    // As many distinct numbers below the length as there are keys: every place is taken.
    let labels: Vec<String> = labels.into_iter().flatten().collect();
    must_differ(fields, &labels)?;
    Ok(labels)
}

/// The largest list of labels that is read, in bytes.
const MAX_LIST: u64 = 64 << 20;

/// The labels of `assets/labels.txt`, one a line, if the folder has it.
pub(crate) fn list(folder: &Folder) -> Result<Option<Vec<String>>, ModelError> {
    let Some(bytes) = folder.read(LIST, MAX_LIST)? else { return Ok(None) };
    let malformed = |fault| FormatError::Malformed { path: folder.path_of(LIST), form: "a list of labels", fault };
    let text = str::from_utf8(&bytes).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let labels: Vec<String> = text.lines().map(str::to_owned).collect();
    check(&labels).map_err(malformed)?;
    Ok(Some(labels))
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
