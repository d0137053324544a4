//! `albertine classify` on what Spark NLP saved: its labels and probabilities, which `tools/oracle` wrote down.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::Sandbox;

const ANNOTATOR: &str = "albert_tiny_sequence_classifier_news_en_5.5.3_3.0_1700000000000";
const TOLERANCE: f64 = 1e-4;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/spark_nlp")
}

fn lines(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder().join(name)).expect("a golden file");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn a_saved_annotator_gives_its_labels_and_probabilities() {
    let sandbox = Sandbox::new();
    let texts = lines("class_texts.jsonl");
    let rows: String = texts.iter().map(|text| format!("{}\n", serde_json::json!({"text": text}))).collect();
    sandbox.file("texts.jsonl", rows);
    let zip = folder().join("models").join(format!("{ANNOTATOR}.zip"));
    let zip = zip.to_str().expect("a path in UTF-8");
    let said = sandbox.run(&[
        "classify",
        "--model",
        zip,
        "--input",
        "texts.jsonl",
        "--annotations",
        "--output",
        "labels.jsonl",
        "--quiet",
    ]);
    assert!(said.starts_with("exit code: 0"), "{said}");

    let golden = lines("classes.jsonl");
    let usual = |case: &&Value| {
        case["model"] == ANNOTATOR && case["input"] == "document" && case["params"] == serde_json::json!({})
    };
    let expected = golden.iter().find(usual).expect("the case")["classes"].as_array().expect("rows").clone();
    let labelled = sandbox.read("labels.jsonl");
    let labelled: Vec<Value> = labelled.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((labelled.len(), expected.len()), (500, 500));
    for (row, (ours, theirs)) in labelled.iter().zip(&expected).enumerate() {
        assert_eq!(ours["text"], texts[row]);
        let (class, theirs) = (ours["class"].as_array().expect("a list"), theirs.as_array().expect("a list"));
        assert_eq!(class.len(), theirs.len(), "row {row}");
        let (Some(class), Some(theirs)) = (class.first(), theirs.first()) else {
            assert_eq!(ours["label"], Value::Null);
            continue;
        };
        assert_eq!(
            [&class["begin"], &class["end"], &class["result"]],
            [&theirs[0], &theirs[1], &theirs[2]],
            "row {row}"
        );
        assert_eq!(ours["label"], theirs[2]);
        let scores = theirs[4].as_str().expect("probabilities").split(' ');
        for (label, theirs) in ["World", "Sports", "Business", "Sci/Tech"].iter().zip(scores) {
            let number = |text: &str| text.parse::<f64>().expect("a number");
            let ours = number(class["metadata"][label].as_str().expect("a text"));
            assert!((ours - number(theirs)).abs() <= TOLERANCE, "row {row}, {label}: {ours} instead of {theirs}");
        }
    }
}

/// A pipeline has sentences, patterns and limits of its own, which belong to its answers.
#[test]
fn an_imported_pipeline_answers_as_the_archive_does() {
    let sandbox = Sandbox::new();
    let zip =
        folder().join("models/albert_tiny_sequence_classifier_news_sentence_pipeline_en_5.5.3_3.0_1700000000000.zip");
    let zip = zip.to_str().expect("a path in UTF-8");
    let text = "Oil is up. The team won.";
    let of = |model: &str| sandbox.run(&["classify", "--model", model, text, "--all-scores"]);
    let by_archive = of(zip);
    assert!(by_archive.starts_with("exit code: 0"), "{by_archive}");
    let imported = sandbox.run(&["models", "import", zip, "mine"]);
    assert!(imported.starts_with("exit code: 0"), "{imported}");
    assert_eq!(of("mine"), by_archive);
    let shown = sandbox.run(&["models", "show", "mine"]);
    assert!(shown.contains("Sci/Tech"), "{shown}");
}
