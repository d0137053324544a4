//! Parity with transformers on the golden checkpoints of `tools/golden`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod common;

use std::path::{Path, PathBuf};

use albertine_model::{Checkpoint, Kernels, ModelConfig, Precision, Weights};

use crate::common::{TOLERANCE, expected, largest_difference};

fn directories() -> Vec<PathBuf> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden");
    let entries = std::fs::read_dir(golden).unwrap();
    let mut directories: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    directories.sort();
    assert!(directories.len() >= 39, "{directories:?}");
    directories
}

fn name(directory: &Path) -> String {
    directory.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_tensor_of_the_layout_is_read() {
    for directory in directories() {
        let config = ModelConfig::open(&directory).unwrap();
        let weights = Weights::open(&directory).unwrap();
        let specs = config.tensors();
        for spec in specs.iter() {
            let values = weights.get(&spec.name, &spec.shape).unwrap();
            assert!(values.iter().all(|value| value.is_finite()), "{} of {}", spec.name, name(&directory));
        }
        // And the file has nothing that the layout does not know.
        let names: Vec<_> = weights.tensors().iter().map(|(name, ..)| *name).collect();
        assert_eq!(names.len(), specs.iter().len(), "{}: {names:?}", name(&directory));
    }
}

#[test]
fn logits_are_those_of_transformers_at_every_cpu_level() {
    let levels = Kernels::available();
    let mut failed = Vec::new();
    for directory in directories() {
        let expected = expected(&directory, "expected.json");
        assert_eq!(expected.len(), 40);
        let mut line = format!("{:18}", name(&directory));
        for level in &levels {
            let largest = largest_difference(&directory, Kernels::at(*level).unwrap(), &expected);
            line += &format!(" {level} {largest:.1e}");
            if largest > TOLERANCE {
                failed.push(format!("{} at {level}: {largest:e}", name(&directory)));
            }
        }
        println!("{line}");
    }
    assert!(failed.is_empty(), "over {TOLERANCE:e}: {failed:#?}");
}

#[test]
fn logits_of_pairs_are_those_of_transformers_at_every_cpu_level() {
    let with_pairs: Vec<_> = directories().into_iter().filter(|path| path.join("pairs.json").exists()).collect();
    assert!(with_pairs.len() >= 12, "{with_pairs:?}");
    for directory in with_pairs {
        let pairs = expected(&directory, "pairs.json");
        assert!(pairs.len() == 12 && pairs.iter().all(|pair| pair.token_types.contains(&1)));
        for level in Kernels::available() {
            let largest = largest_difference(&directory, Kernels::at(level).unwrap(), &pairs);
            assert!(largest <= TOLERANCE, "{} at {level}: {largest:e}", name(&directory));
        }
    }
}

#[test]
fn weights_saved_in_fewer_bits_are_near_and_come_back() {
    let place = tempfile::tempdir().unwrap();
    for (index, directory) in directories().into_iter().enumerate() {
        let first = Checkpoint::open(&directory).unwrap();
        for (precision, steps) in [(Precision::Bf16, 256.0), (Precision::Int8, 254.0)] {
            let target = place.path().join(format!("{index}-{precision}"));
            first.save_with(&target, precision).unwrap();
            let second = Checkpoint::open(&target).unwrap();
            for spec in first.config().tensors().iter() {
                let [exact, near] = [&first, &second].map(|model| model.weights().tensor(spec).unwrap());
                let row = if spec.shape.len() == 2 { spec.shape[1] } else { exact.len() };
                for (exact, near) in exact.chunks(row).zip(near.chunks(row)) {
                    let most = exact.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
                    let error = if spec.shape.len() == 2 { most / steps * 1.001 } else { 0.0 };
                    let off = exact.iter().zip(near).map(|(exact, near)| (exact - near).abs()).fold(0.0_f32, f32::max);
                    assert!(off <= error, "{} of {} in {precision}: {off} for {most}", spec.name, name(&directory));
                }
            }
            // In f32 again, and from there as before: nothing more is lost.
            let (plain, again) = (target.join("plain"), target.join("again"));
            second.save(&plain).unwrap();
            Checkpoint::open(&plain).unwrap().save_with(&again, precision).unwrap();
            let third = Checkpoint::open(&again).unwrap();
            for spec in first.config().tensors().iter() {
                let numbers = |model: &Checkpoint| model.weights().tensor(spec).unwrap();
                assert!(numbers(&second) == numbers(&third), "{} of {}", spec.name, name(&directory));
            }
        }
    }
}

#[test]
fn a_saved_checkpoint_is_the_same_model() {
    let place = tempfile::tempdir().unwrap();
    for directory in directories() {
        let (first, target) = (Checkpoint::open(&directory).unwrap(), place.path().join(name(&directory)));
        first.save(&target).unwrap();
        let second = Checkpoint::open(&target).unwrap();
        assert_eq!(first.config(), second.config(), "{}", name(&directory));
        for spec in first.config().tensors().iter() {
            let numbers = |model: &Checkpoint| model.weights().tensor(spec).unwrap();
            assert_eq!(numbers(&first), numbers(&second), "{} of {}", spec.name, name(&directory));
        }
        for file in ["tokenizer.json", "spiece.model", "vocab.txt"] {
            assert_eq!(first.file(file), second.file(file), "{file} of {}", name(&directory));
        }
    }
}
