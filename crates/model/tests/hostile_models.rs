//! Whole models with changed or missing bytes: they are read or refused, and nothing panics or takes more memory than
//! the bytes warrant.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/archive.rs"]
mod archive;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use albertine_model::{Checkpoint, Folder};
use proptest::prelude::*;

use crate::archive::{Files, file, open, unzip, walk, zip};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/spark_nlp/models")
}

/// Models of all kinds as files, archives in them as files of their own.
static MODELS: LazyLock<Vec<Files>> = LazyLock::new(|| {
    let module = unzip(&std::fs::read(models().join("tensorflow_module.zip")).unwrap());
    vec![module, walk(&models().join("onnx")), walk(&models().join("annotator_onnx"))]
});

/// Reads a model, and all numbers of one that is sound.
fn read(files: &Files) -> bool {
    let Ok(found) = open(files) else { return false };
    for spec in found.config().tensors().iter() {
        if let Ok(values) = found.weights().get(&spec.name, &spec.shape) {
            assert_eq!(values.len(), spec.shape.iter().product::<usize>());
        }
    }
    true
}

/// Files that are small enough to be cut at every byte.
const SMALL: [(usize, &str); 4] = [
    (0, "variables/variables.index"),
    (2, "fields/labels/part-00000"),
    (2, "fields/labels/part-00001"),
    (2, "metadata/part-00000"),
];

#[test]
fn small_files_cut_at_every_byte_are_refused() {
    for (model, name) in SMALL {
        let mut files = MODELS[model].clone();
        // The weights are not read before the small files are.
        let whole = file(&mut files, name).clone();
        for end in 0..whole.len() {
            *file(&mut files, name) = whole[..end].to_vec();
            // A line of JSON ends before its line feed; a sequence file may end after a record, which leaves labels out.
            assert!(!read(&files) || whole[end..].iter().all(u8::is_ascii_whitespace), "{name} cut at {end}");
        }
    }
}

#[test]
fn small_files_with_a_changed_bit_are_read_or_refused() {
    for (model, name) in SMALL {
        let mut files = MODELS[model].clone();
        let whole = file(&mut files, name).clone();
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1 << (place % 8);
            *file(&mut files, name) = changed;
            read(&files);
        }
    }
}

/// A file with some bytes changed, left out or put in, most of them near the ends.
fn mutated() -> impl Strategy<Value = Files> {
    let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), 0..5_u8);
    let changes = prop::collection::vec(change, 1..8);
    (0..MODELS.len(), any::<prop::sample::Index>(), changes).prop_map(|(model, which, changes)| {
        let mut files = MODELS[model].clone();
        let place = which.index(files.len());
        let bytes = &mut files[place].1;
        for (at, near, byte, kind) in changes {
            if bytes.is_empty() {
                break;
            }
            let (at, near) = (at.index(bytes.len()), near.index(bytes.len().min(4000)));
            let end = bytes.len() - 1 - near;
            match kind {
                0 => bytes[at] = byte,
                1 => bytes[near] = byte,
                2 => bytes[end] = byte,
                3 => bytes.insert(near, byte),
                _ => bytes.truncate(end),
            }
        }
        files
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn mutated_models_never_panic(files in mutated()) {
        read(&files);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), which in 0..5_usize) {
        let names = ["saved_model.pb", "model.onnx", "metadata/part-00000", "variables/variables.index", "config.json"];
        read(&vec![(names[which].to_owned(), bytes.clone()), ("x".to_owned(), vec![1])]);
        if let Ok(folder) = Folder::from_archive(bytes, Path::new("bytes")) {
            let _ = Checkpoint::read(&folder);
        }
    }

    #[test]
    fn mutated_archives_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = zip(&MODELS[2]);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(folder) = Folder::from_archive(bytes, Path::new("bytes")) {
            let _ = Checkpoint::read(&folder);
        }
    }
}
