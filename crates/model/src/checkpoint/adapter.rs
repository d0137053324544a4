//! Adapters of PEFT, which are no models by themselves.

use albertine_formats::{Folder, FormatError};
use serde_json::{Map, Value};

use crate::ModelError;

/// The configuration of an adapter.
const CONFIG: &str = "adapter_config.json";

/// The largest such file that is read, in bytes.
const MAX_CONFIG: u64 = 1 << 20;

/// The model that the adapter of a folder belongs to, in words; nothing where it holds no adapter.
pub(super) fn base_model(folder: &Folder) -> Result<Option<String>, ModelError> {
    let Some(bytes) = folder.read(CONFIG, MAX_CONFIG)? else { return Ok(None) };
    let json: Map<String, Value> =
        serde_json::from_slice(&bytes).map_err(|source| FormatError::Json { path: folder.path_of(CONFIG), source })?;
    let base = json.get("base_model_name_or_path").and_then(Value::as_str);
    Ok(Some(base.map_or_else(|| "another model".to_owned(), |base| format!("`{base}`"))))
}
