//! The labels of a classifier, in the order of its logits.

use std::collections::HashMap;

use serde_json::Value;

use super::fields::Fields;
use crate::ModelError;

/// The most labels that are read. Larger label sets exist only in extreme classification, which ALBERT's dense head is
/// not used for.
const MAX_LABELS: usize = 1 << 16;

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
