//! The labels of a classifier, in the order of its logits.

use serde_json::Value;

use super::fields::Fields;
use crate::ModelError;

/// The most labels that are read. Larger label sets exist only in extreme classification, which ALBERT's dense head is
/// not used for.
const MAX_LABELS: usize = 1 << 20;

/// The labels by `id2label`, whose keys must be the numbers from 0 to its length; without it `LABEL_0` and so on by
/// `num_labels`, two by default. Where both are there `id2label` decides, as in transformers.
pub(crate) fn read(fields: &Fields<'_>) -> Result<Vec<String>, ModelError> {
    let Some(value) = fields.get("id2label") else {
        let count = fields.size("num_labels", 2, MAX_LABELS)?;
        return Ok((0..count).map(|id| format!("LABEL_{id}")).collect());
    };
    let expected = "an object from the numbers 0, 1, 2 … to labels";
    let map = value
        .as_object()
        .filter(|map| (1..=MAX_LABELS).contains(&map.len()))
        .ok_or_else(|| fields.error("id2label", value, expected))?;
    let mut labels = vec![None; map.len()];
    for (key, label) in map {
        let place = key.parse::<usize>().ok().and_then(|id| labels.get_mut(id));
        match (place, label) {
            // "00" and "0" are two keys for one class: the second one is refused.
            (Some(place @ None), Value::String(label)) => *place = Some(label.clone()),
            _ => return Err(fields.error_text("id2label", format!("{{{key:?}: {label}}}"), expected)),
        }
    }
    // As many distinct numbers below the length as there are keys: every place is taken.
    Ok(labels.into_iter().flatten().collect())
}
