//! Any bytes at all: the parsers of foreign bytes answer, and never panic or take more memory than the bytes warrant.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Cursor, Read, Write};
use std::path::Path;

use albertine_model::{ModelConfig, Weights};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

fn origin() -> &'static Path {
    Path::new("bytes")
}

/// Reads bytes as every kind of model file, and all numbers of what is sound.
fn read_all(bytes: &[u8]) {
    if let Ok(config) = ModelConfig::from_slice(bytes, origin()) {
        let architecture = config.architecture();
        assert!(architecture.hidden_size().is_multiple_of(architecture.attention_heads()));
        assert!(!config.labels().is_empty());
    }
    for weights in
        [Weights::from_safetensors(bytes, origin()), Weights::from_torch(bytes, origin())].into_iter().flatten()
    {
        for (name, shape, _) in weights.tensors() {
            if let Ok(values) = weights.get(name, shape) {
                assert_eq!(values.len(), shape.iter().product::<usize>());
                assert!(values.len() <= bytes.len());
            }
        }
    }
}

fn testdata(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)).unwrap()
}

/// Changes of some bytes, most of them near the ends, where headers and directories stand; perhaps a cut.
fn mutated(bytes: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4_u8);
    prop::collection::vec(change, 1..12).prop_map(move |changes| {
        let mut bytes = bytes.clone();
        for (place, byte, kind) in changes {
            let near = place.index(bytes.len().clamp(1, 3000));
            let end = bytes.len().saturating_sub(near + 1);
            match kind {
                0 if !bytes.is_empty() => bytes[near] = byte,
                1 if !bytes.is_empty() => bytes[end] = byte,
                2 => bytes.truncate(end.max(8)),
                _ => bytes.insert(near.min(bytes.len()), byte),
            }
        }
        bytes
    })
}

fn mutated_file() -> impl Strategy<Value = Vec<u8>> {
    let files = [
        "torch/views_2.bin",
        "torch/legacy_2.bin",
        "torch/legacy_4.bin",
        "torch/module.bin",
        "golden/gelu/config.json",
        "golden/f16/model.safetensors",
    ];
    prop::sample::select(files.map(testdata).to_vec()).prop_flat_map(mutated)
}

/// The entries of a sound checkpoint, its pickle among them.
fn entries(checkpoint: &str) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(testdata(checkpoint))).unwrap();
    let places = 0..archive.len();
    let read = |place| {
        let mut entry = archive.by_index(place).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.name().unwrap().into_owned(), bytes)
    };
    places.map(read).collect()
}

/// A checkpoint of the given entries with another pickle; its checksums are right, so that the pickle is read.
fn with_pickle(entries: &[(String, Vec<u8>)], pickle: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive.start_file(name, SimpleFileOptions::default().compression_method(CompressionMethod::Stored)).unwrap();
        archive.write_all(if name.ends_with("data.pkl") { pickle } else { bytes }).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn pickle_of(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    entries.iter().find(|(name, _)| name.ends_with("data.pkl")).unwrap().1.clone()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read_all(&bytes);
    }

    #[test]
    fn mutated_files_never_panic(bytes in mutated_file()) {
        read_all(&bytes);
    }

    #[test]
    fn mutated_pickles_never_panic(
        (entries, pickle) in prop::sample::select(vec!["torch/views_2.bin", "torch/views_4.bin"]).prop_flat_map(|name| {
            let entries = entries(name);
            let pickle = mutated(pickle_of(&entries));
            (Just(entries), pickle)
        }),
    ) {
        read_all(&with_pickle(&entries, &pickle));
    }

    #[test]
    fn arbitrary_instructions_never_panic(program in prop::collection::vec(
        prop_oneof![
            3 => prop::sample::select(b"(}]).0NKqhtsueaRbQc\x85\x86\x87\x88\x94\x93".to_vec()),
            1 => any::<u8>(),
        ],
        0..200,
    )) {
        read_all(&with_pickle(&[("m/data.pkl".to_owned(), Vec::new())], &program));
    }

    #[test]
    fn arbitrary_sizes_in_a_config_never_overflow(
        sizes in prop::collection::vec(prop_oneof![any::<u64>(), 0..70_000_u64], 9),
        labels in 0..5_u64,
    ) {
        let json = format!(
            r#"{{"vocab_size": {}, "embedding_size": {}, "hidden_size": {}, "num_hidden_layers": {},
                "num_hidden_groups": {}, "num_attention_heads": {}, "intermediate_size": {}, "inner_group_num": {},
                "max_position_embeddings": {}, "num_labels": {labels}}}"#,
            sizes[0], sizes[1], sizes[2], sizes[3] % 300, sizes[4] % 300, sizes[5] % 8, sizes[6], sizes[7] % 20, sizes[8],
        );
        if let Ok(config) = ModelConfig::from_slice(json.as_bytes(), origin()) {
            prop_assert!(config.parameters() <= 1 << 32);
        }
    }
}
