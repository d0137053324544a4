//! The epoch of a checkpoint, from what the trainer of Hugging Face transformers leaves beside the weights.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use serde::Deserialize;

use crate::TrainError;

const FILE: &str = "trainer_state.json";

/// The file holds a line of log every few steps, and no more.
const MOST_BYTES: u64 = 64 << 20;

#[derive(Deserialize)]
struct TrainerState {
    epoch: Option<f64>,
}

/// How many epochs the model in `directory` has been trained for, if its `trainer_state.json` tells.
///
/// # Errors
/// [`TrainError::Io`], [`TrainError::TrainerState`].
pub fn epoch_of(directory: &Path) -> Result<Option<f64>, TrainError> {
    let path = directory.join(FILE);
    let read = |source| TrainError::Io { action: "read", path: path.clone(), source };
    let file = match File::open(&path) {
        // a model in an archive has none either
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        opened => opened.map_err(read)?,
    };
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(read)?;
    let wrong = |reason: String| TrainError::TrainerState { path: path.clone(), reason };
    if bytes.len() as u64 > MOST_BYTES {
        return Err(wrong(format!("over {MOST_BYTES} bytes")));
    }
    let state: TrainerState = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    Ok(state.epoch)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_checkpoint_knows_its_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(folder.path().join(FILE), text).unwrap();
        assert_eq!(epoch_of(folder.path()).unwrap(), None);
        write(r#"{"best_metric": null, "epoch": 3.0, "global_step": 11250, "log_history": [{"epoch": 1.0}]}"#);
        assert_eq!(epoch_of(folder.path()).unwrap(), Some(3.0));
        write(r#"{"epoch": null}"#);
        assert_eq!(epoch_of(folder.path()).unwrap(), None);
        assert_eq!(epoch_of(&folder.path().join(FILE)).unwrap(), None, "a file");
        write("not JSON");
        let said = epoch_of(folder.path()).unwrap_err().to_string();
        assert!(said.contains("trainer_state.json: expected"), "{said}");
    }
}
