//! Any bytes as an archive of a model: what is accepted is listed and read within its limits.
#![no_main]

use std::path::Path;

use albertine_model::{Checkpoint, Folder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(folder) = Folder::from_archive(bytes.to_vec(), Path::new("model.zip")) {
        for name in folder.names().unwrap_or_default() {
            if let Ok(Some(read)) = folder.read(&name, 1 << 20) {
                assert!(read.len() <= 1 << 20);
            }
        }
        let _ = Checkpoint::read(&folder);
    }
});
