//! An index of models: the name of an archive is that of a file in a folder, and what is kept can be written and read again.
#![no_main]

use albertine_hub::Index;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok((index, reading)) = Index::read(bytes, "metadata.json") {
        assert_eq!(index.entries().len(), reading.kept);
        for entry in index.entries() {
            let name = entry.file_name();
            assert!(!name.contains(['/', '\\', '\0']) && !name.starts_with('.') && name.ends_with(".zip"));
        }
    }
});
