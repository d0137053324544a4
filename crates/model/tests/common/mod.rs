//! Comparison of a model directory with the `expected.json` beside it.

use std::path::Path;

use albertine_model::{Kernels, Precision, RaggedBatch, Scratch, SequenceClassifier};
use serde::Deserialize;

/// The largest difference of a logit from transformers' that is the same answer.
pub(crate) const TOLERANCE: f32 = 1e-4;

/// What transformers says of one text.
#[derive(Deserialize)]
pub(crate) struct Expected {
    pub(crate) ids: Vec<u32>,
    /// Of a pair of texts.
    #[serde(default)]
    pub(crate) token_types: Vec<u32>,
    pub(crate) logits: Vec<f32>,
}

pub(crate) fn expected(directory: &Path, file: &str) -> Vec<Expected> {
    let path = directory.join(file);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap()
}

/// The largest difference over all logits of all texts, in batches of several.
pub(crate) fn largest_difference(directory: &Path, kernels: Kernels, expected: &[Expected]) -> f32 {
    let classifier = SequenceClassifier::open(directory, kernels, Precision::F32).unwrap();
    let labels = classifier.config().labels().len();
    let (mut batch, mut scratch, mut logits) = (RaggedBatch::new(), Scratch::default(), Vec::new());
    let mut largest = 0.0_f32;
    for rows in expected.chunks(16) {
        batch.clear();
        for row in rows {
            match row.token_types.as_slice() {
                [] => batch.push(&row.ids),
                token_types => batch.push_with_types(&row.ids, token_types),
            }
        }
        classifier.logits(&batch, 1, &mut scratch, &mut logits).unwrap();
        assert_eq!(logits.len(), rows.len() * labels);
        for (row, found) in rows.iter().zip(logits.chunks(labels)) {
            assert_eq!(row.logits.len(), labels);
            for (expected, found) in row.logits.iter().zip(found) {
                let difference = (expected - found).abs();
                // A NaN is no smaller than any tolerance.
                largest = if difference.is_nan() { f32::INFINITY } else { largest.max(difference) };
            }
        }
    }
    largest
}
