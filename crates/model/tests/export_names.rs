//! Exports whose vocabulary and labels have the names that other programs gave them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/archive.rs"]
mod archive;

use std::path::{Path, PathBuf};

use crate::archive::{Files, file, open, unzip, walk};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/spark_nlp/models")
}

/// The files of the SavedModel, with its vocabulary and its labels under these names.
fn saved_model(spiece: &str, labels: &str) -> Files {
    let mut files = unzip(&std::fs::read(models().join("tensorflow.zip")).unwrap());
    for (name, _) in &mut files {
        match name.as_str() {
            "assets/spiece.model" => spiece.clone_into(name),
            "assets/labels.txt" => labels.clone_into(name),
            _ => {}
        }
    }
    files
}

#[test]
fn vocabularies_have_the_names_that_google_gave_them() {
    let expected = std::fs::read(models().join("huggingface/spiece.model")).unwrap();
    for name in ["assets/30k-clean.model", "30k-clean.model", "assets/albert.model", "assets/tokenizer.model"] {
        let mut files = saved_model(name, "assets/labels.txt");
        files.push((name.replace(".model", ".vocab"), b"<pad>\t0\n".to_vec()));
        let found = open(&files).unwrap();
        assert_eq!(found.file("spiece.model"), Some(&expected[..]), "{name}");
    }
    // The usual name comes first, and of two others neither.
    let mut files = saved_model("assets/spiece.model", "assets/labels.txt");
    files.push(("30k-clean.model".to_owned(), b"x".to_vec()));
    assert_eq!(open(&files).unwrap().file("spiece.model"), Some(&expected[..]));
    let mut files = saved_model("assets/30k-clean.model", "assets/labels.txt");
    files.push(("assets/old.model".to_owned(), b"x".to_vec()));
    assert_eq!(
        open(&files).unwrap_err().to_string(),
        "m.zip/assets has several vocabularies, 30k-clean.model, old.model: rename the one that belongs to the model to \
         spiece.model"
    );
    // That of the Chinese releases.
    let mut files = saved_model("x", "assets/labels.txt");
    files.push(("assets/vocab_chinese.txt".to_owned(), b"[UNK]\n".to_vec()));
    assert_eq!(open(&files).unwrap().file("vocab.txt"), Some(&b"[UNK]\n"[..]));
}

#[test]
fn labels_are_in_the_assets_or_beside_the_graph() {
    let expected = open(&saved_model("assets/spiece.model", "assets/labels.txt")).unwrap();
    let beside = saved_model("assets/spiece.model", "labels.txt");
    assert_eq!(open(&beside).unwrap().config().labels(), expected.config().labels());
    let mut onnx = walk(&models().join("onnx"));
    onnx.iter_mut()
        .filter(|(name, _)| name == "assets/labels.txt")
        .for_each(|(name, _)| *name = "labels.txt".to_owned());
    assert_eq!(open(&onnx).unwrap().config().labels(), expected.config().labels());
    let mut both = beside;
    both.push(("assets/labels.txt".to_owned(), both.iter().find(|(name, _)| name == "labels.txt").unwrap().1.clone()));
    assert_eq!(open(&both).unwrap().config().labels(), expected.config().labels());
    *file(&mut both, "labels.txt") = b"a\nb\nc\nd\n".to_vec();
    assert_eq!(
        open(&both).unwrap_err().to_string(),
        "the labels in m.zip/labels.txt do not fit the model: m.zip/assets/labels.txt has others"
    );
}
