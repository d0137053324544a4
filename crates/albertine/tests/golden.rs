//! From a text to its logits, against transformers: every golden checkpoint over every awkward text.
//!
//! `tools/golden` made the checkpoints and wrote down the piece ids of its `texts.json` and their logits.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use albertine::hub::ModelSource;
use albertine::{Classifier, ClassifierSettings};
use serde_json::Value;

/// The most that a logit may differ by.
const TOLERANCE: f32 = 1e-4;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn texts_get_the_pieces_and_logits_of_transformers() {
    let usual = json(&repository().join("tools/golden/texts.json"));
    let mut seen = 0;
    for entry in fs::read_dir(repository().join("testdata/golden")).unwrap() {
        let directory = entry.unwrap().path();
        let name = directory.file_name().unwrap().to_string_lossy().into_owned();
        // Texts of its own, where it has some.
        let own = Some(directory.join("texts.json")).filter(|path| path.exists()).map(|path| json(&path));
        let texts = own.as_ref().unwrap_or(&usual);
        let texts: Vec<&str> = texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        let expected = json(&directory.join("expected.json"));
        let expected = expected.as_array().unwrap();
        assert_eq!(expected.len(), texts.len(), "{name}");
        let pieces = albertine::text::SubwordTokenizer::open(&directory).unwrap();
        let source = ModelSource::Directory(directory);
        let classifier = Classifier::load(&source, ClassifierSettings::default()).unwrap();

        let rows: Vec<Option<&str>> = texts.iter().map(|text| Some(*text)).collect();
        let logits = classifier.logits(&rows).unwrap();
        let mut ids = Vec::new();
        for (row, (text, expected)) in texts.iter().zip(expected).enumerate() {
            ids.clear();
            pieces.encode(text, classifier.max_sentence_length(), &mut ids).unwrap();
            let wanted: Vec<u32> = numbers(&expected["ids"]).into_iter().map(|id| id as u32).collect();
            assert_eq!(ids, wanted, "{name}, text {row}: {text:?}");
            // transformers scores a blank text too; here it has no label
            let Some(logits) = &logits[row] else {
                assert!(albertine::text::is_blank(text), "{name}, text {row}");
                continue;
            };
            for (ours, theirs) in logits.iter().zip(numbers(&expected["logits"])) {
                let difference = (ours - theirs as f32).abs();
                assert!(difference <= TOLERANCE, "{name}, text {row}: {ours} instead of {theirs}");
            }
        }
        seen += 1;
    }
    assert!(seen >= 10, "only {seen} golden checkpoints");
}
