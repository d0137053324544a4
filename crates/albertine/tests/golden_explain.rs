//! The values of Partition SHAP against those of the `shap` package (tools/golden_explain).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use albertine::explain::{Settings, explain};
use albertine::hub::ModelSource;
use albertine::{CancellationToken, Classifier, ClassifierSettings};
use serde::Deserialize;

const TOLERANCE: f32 = 1e-3;

#[derive(Deserialize)]
struct Row {
    text: String,
    evaluations: usize,
    parts: Vec<String>,
    base: Vec<f32>,
    values: Vec<f32>,
    weights: Vec<Vec<f32>>,
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < TOLERANCE, "{what}: {found} is not {expected}");
    }
}

fn agrees(golden: &str, model: &str, count: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let json = std::fs::read(root.join("testdata/explain").join(golden)).unwrap();
    let rows: Vec<Row> = serde_json::from_slice(&json).unwrap();
    assert_eq!(rows.len(), count);
    let source = ModelSource::Directory(root.join(model));
    let classifier = Classifier::load(&source, ClassifierSettings::default()).unwrap();
    for row in rows {
        let settings = Settings { evaluations: row.evaluations, ..Settings::default() };
        let found = explain(&classifier, &[Some(&row.text)], &settings, &CancellationToken::default()).unwrap();
        let found = found[0].as_ref().unwrap();
        let what = format!("{golden}, {:?} with {}", row.text, row.evaluations);
        let parts: Vec<&str> = found.parts.iter().map(|part| row.text[part.bytes.clone()].trim()).collect();
        assert_eq!(parts, row.parts.iter().map(|part| part.trim()).collect::<Vec<_>>(), "{what}");
        assert_close(&found.base, &row.base, &what);
        assert_close(&found.values, &row.values, &what);
        for (part, expected) in found.parts.iter().zip(&row.weights) {
            assert_close(&part.weights, expected, &format!("{what}, part {:?}", &row.text[part.bytes.clone()]));
        }
    }
}

#[test]
fn the_built_in_model_has_the_values_of_shap() {
    agrees("ag_news.json", "crates/albertine/builtin/ag_news", 6);
}

#[test]
fn a_bert_with_letter_case_has_the_values_of_shap() {
    agrees("bert_cased.json", "testdata/golden/bert_cased", 6);
}

#[test]
fn a_regression_has_the_values_of_shap() {
    agrees("bert_regression.json", "testdata/golden/bert_regression", 6);
}

#[test]
fn independent_labels_have_the_values_of_shap() {
    agrees("multi_label.json", "testdata/golden/multi_label", 4);
}
