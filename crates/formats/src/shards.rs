//! Checkpoints in several files: a JSON index maps each tensor to the file that holds it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::contents::Contents;
use super::folder::Folder;
use super::place::is_inside;
use crate::FormatError;

/// The largest index that is read, in bytes.
const MAX_INDEX: u64 = 64 << 20;

#[derive(Deserialize)]
struct Index {
    /// Tensor name to file name; sorted, so that errors do not depend on the run.
    weight_map: BTreeMap<String, String>,
}

/// Reads the shards that an index names with `read_shard`, each once, and checks that they hold what it promises.
pub(crate) fn read(
    folder: &Folder,
    index: &str,
    mut read_shard: impl FnMut(&mut Contents<'static>, &str) -> Result<(), FormatError>,
) -> Result<Contents<'static>, FormatError> {
    let path = folder.path_of(index);
    let bytes = folder.read(index, MAX_INDEX)?.unwrap_or_default();
    let index: Index =
        serde_json::from_slice(&bytes).map_err(|source| FormatError::Json { path: path.clone(), source })?;
    let mut shards: Vec<&str> = index.weight_map.values().map(String::as_str).collect();
    shards.sort_unstable();
    shards.dedup();

    let mut contents = Contents::default();
    for shard in shards {
        if !is_plain(shard) {
            return Err(FormatError::ShardName { path, shard: shard.to_owned() });
        }
        read_shard(&mut contents, shard)?;
    }
    for (tensor, shard) in &index.weight_map {
        let found = contents.tensors.get(tensor);
        if found.and_then(|stored| contents.path_of(stored)) != Some(folder.path_of(shard).as_path()) {
            let (tensor, shard) = (tensor.clone(), shard.clone());
            return Err(FormatError::ShardTensor { path, tensor, shard });
        }
    }
    Ok(contents)
}

/// Whether a name is that of a file in the same folder.
fn is_plain(name: &str) -> bool {
    is_inside(name) && !name.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_shards() {
        assert!(is_plain("model-00001-of-00002.safetensors"));
        for name in ["", ".", "..", "../model", "a/b", "a/", "/etc/passwd", "a\\b", "C:model", "x\0"] {
            assert!(!is_plain(name), "{name:?}");
        }
    }
}
