//! The numbers that scikit-learn and PyTorch give for the same rows (`tools/golden_metrics`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use albertine_train::{Evaluation, Loss, Run};
use serde_json::Value;

fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/metrics").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn assert_near(found: &Value, expected: &Value, name: &str) {
    let (found, expected) = (found.as_f64().expect(name), expected.as_f64().expect(name));
    assert!((found - expected).abs() < 1e-6, "{name}: {found} instead of {expected}");
}

#[test]
fn numbers_are_those_of_scikit_learn_and_pytorch() {
    for (file, loss) in
        [("cross_entropy.json", Loss::CrossEntropy), ("binary_cross_entropy.json", Loss::BinaryCrossEntropy)]
    {
        let golden = read(file);
        let labels: Vec<String> = (0..5).map(|class| class.to_string()).collect();
        let mut evaluation = Evaluation::new(labels, loss).unwrap();
        for row in golden["rows"].as_array().unwrap() {
            let numbers: Vec<f64> = row.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect();
            let logits: Vec<f32> = numbers[1..].iter().map(|&logit| logit as f32).collect();
            evaluation.add(numbers[0] as usize, &logits).unwrap();
        }
        let found = serde_json::to_value(evaluation.metrics(Run::default()).unwrap()).unwrap();

        let names: Vec<&String> = golden.as_object().unwrap().keys().filter(|key| key.starts_with("eval_")).collect();
        assert_eq!(names.len(), 9, "{names:?}");
        for name in names {
            assert_near(&found[name], &golden[name], name);
        }
        assert_eq!(found["confusion_matrix"], golden["confusion_matrix"]);
        for (class, expected) in golden["per_class"].as_array().unwrap().iter().enumerate() {
            for name in ["precision", "recall", "f1", "support"] {
                assert_near(&found["per_class"][class][name], &expected[name], name);
            }
        }
    }
}
