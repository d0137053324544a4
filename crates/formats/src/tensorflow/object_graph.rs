//! What the variables of a checkpoint are called in the model, where the checkpoint has them under other keys.
//!
//! Keras keeps variables under keys such as `variables/7/.ATTRIBUTES/VARIABLE_VALUE` and says in a `TrackableObjectGraph`
//! which variable that is.

use std::collections::HashMap;

use crate::wire::{self, Fields, Reason, text};

/// The most variables.
const MAX_VARIABLES: usize = 1 << 20;

/// The keys of the checkpoint by the full names of the variables. A name that two variables have is none.
pub(super) fn keys_by_name(bytes: &[u8]) -> Result<HashMap<String, String>, Reason> {
    let mut keys: HashMap<String, Option<String>> = HashMap::new();
    let mut objects = Fields::new(bytes);
    while let Some((number, value)) = objects.next()? {
        let (1, wire::Value::Bytes(object)) = (number, value) else { continue };
        let mut fields = Fields::within(bytes, &object);
        while let Some((number, value)) = fields.next()? {
            let (2, wire::Value::Bytes(attribute)) = (number, value) else { continue };
            let (mut name, mut key) = ("", "");
            let mut fields = Fields::within(bytes, &attribute);
            while let Some((number, value)) = fields.next()? {
                match (number, value) {
                    (2, wire::Value::Bytes(range)) => name = text(bytes, &range)?,
                    (3, wire::Value::Bytes(range)) => key = text(bytes, &range)?,
                    _ => {}
                }
            }
            if !name.is_empty() {
                keys.entry(name.to_owned())
                    .and_modify(|known| {
                        if known.as_deref() != Some(key) {
                            *known = None;
                        }
                    })
                    .or_insert_with(|| Some(key.to_owned()));
            }
            if keys.len() > MAX_VARIABLES {
                return Err(format!("it has more than {MAX_VARIABLES} variables"));
            }
        }
    }
    Ok(keys.into_iter().filter_map(|(name, key)| Some((name, key?))).collect())
}
