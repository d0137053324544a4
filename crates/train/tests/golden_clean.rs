//! The label issues that the `cleanlab` package finds in the same rows (`tools/golden_clean`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use albertine_train::clean::{ConfidentLearning, FilterBy, RankBy};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The reference's names have underscores.
fn name(name: &str) -> String {
    name.replace('-', "_")
}

#[test]
fn issues_are_those_of_cleanlab() {
    for file in ["balanced", "binary", "unsure", "rare"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../testdata/clean/{file}.json"));
        let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let rows: Vec<Vec<f64>> = golden["rows"].as_array().unwrap().iter().map(numbers).collect();
        let given = rows.iter().map(|row| row[0] as usize).collect();
        let probabilities = rows.iter().flat_map(|row| row[1..].to_vec()).collect();
        let learning = ConfidentLearning::new(rows[0].len() - 1, given, probabilities).unwrap();

        assert_eq!(serde_json::to_value(learning.confident_joint()).unwrap(), golden["confident_joint"], "{file}");
        for rank in RankBy::ALL {
            let expected = numbers(&golden["quality"][name(rank.name())]);
            for (row, (found, expected)) in learning.quality(rank).iter().zip(&expected).enumerate() {
                assert!((found - expected).abs() < 1e-9, "{file}: row {row} by {rank:?}: {found}, not {expected}");
            }
            for filter in FilterBy::ALL {
                let found = serde_json::to_value(learning.issues(filter, rank)).unwrap();
                let expected = &golden["issues"][name(filter.name())][name(rank.name())];
                assert_eq!(found, *expected, "{file}: {filter:?} by {rank:?}");
            }
        }
    }
}
