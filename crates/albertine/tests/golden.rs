//! From a text to its logits, against transformers: every golden checkpoint over every awkward text.
//!
//! `tools/golden` made the checkpoints and wrote down the piece ids of its `texts.json` and their logits, and those of some
//! pairs of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use albertine::hub::ModelSource;
use albertine::{CancellationToken, Classifier, ClassifierSettings, Document, TruncationSide};
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

fn integers(value: &Value) -> Vec<u32> {
    numbers(value).into_iter().map(|number| number as u32).collect()
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
            assert_eq!(ids, integers(&expected["ids"]), "{name}, text {row}: {text:?}");
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

#[test]
fn pairs_of_texts_get_the_pieces_token_types_and_logits_of_transformers() {
    let usual = json(&repository().join("tools/golden/texts.json"));
    let mut seen = 0;
    for entry in fs::read_dir(repository().join("testdata/golden")).unwrap() {
        let directory = entry.unwrap().path();
        if !directory.join("pairs.json").exists() {
            continue;
        }
        let name = directory.file_name().unwrap().to_string_lossy().into_owned();
        let own = Some(directory.join("texts.json")).filter(|path| path.exists()).map(|path| json(&path));
        let texts = own.as_ref().unwrap_or(&usual);
        let pieces = albertine::text::SubwordTokenizer::open(&directory).unwrap();
        let expected = json(&directory.join("pairs.json"));
        let expected = expected.as_array().unwrap();
        assert_eq!(expected.len(), 12, "{name}");
        let classifier = Classifier::load(&ModelSource::Directory(directory), ClassifierSettings::default()).unwrap();
        let limit = classifier.max_sentence_length();

        let pair =
            |row: &Value| [0, 1].map(|side| texts[row["texts"][side].as_u64().unwrap() as usize].as_str().unwrap());
        let encode = |row: &Value| {
            let [text, second] = pair(row);
            classifier.encode(Document { text, pair: Some(second), tokens: None }, None).unwrap()
        };
        let encoded: Vec<_> = expected.iter().map(encode).collect();
        let (outputs, _) =
            classifier.run_encoded(&encoded.iter().collect::<Vec<_>>(), &CancellationToken::default()).unwrap();
        let (mut ids, mut types) = (Vec::new(), Vec::new());
        for (row, (expected, output)) in expected.iter().zip(outputs).enumerate() {
            let [text, second] = pair(expected);
            let what = format!("{name}, pair {row}: {text:.40?} and {second:.40?}");
            ids.clear();
            types.clear();
            let cut = pieces.encode_pair((text, second), limit, TruncationSide::Right, &mut ids, &mut types).unwrap();
            assert_eq!(ids, integers(&expected["ids"]), "{what}");
            assert_eq!(types, integers(&expected["token_types"]), "{what}");
            assert_eq!((encoded[row].tokens(), encoded[row].truncated()), (ids.len(), cut.truncated), "{what}");
            let logits = output.logits().expect("a pair has a label");
            for (ours, theirs) in logits.iter().zip(numbers(&expected["logits"])) {
                let difference = (ours - theirs as f32).abs();
                assert!(difference <= TOLERANCE, "{what}: {ours} instead of {theirs}");
            }
        }
        seen += 1;
    }
    assert!(seen >= 12, "only {seen} golden checkpoints with pairs");
}
