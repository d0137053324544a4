//! A small program that has a hub.
// Each test program uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::path::Path;

use albertine_hub::{HubError, ModelSource, Program};
use albertine_model::{BuiltIn, Kernels, Precision, RaggedBatch, Scratch, SequenceClassifier};

/// Its hub.
pub type Hub = albertine_hub::Hub<News>;

/// It has one model, and imports classifiers alone.
#[derive(Debug, Clone)]
pub enum News {}

impl Program for News {
    type Error = HubError;

    fn built_in() -> &'static [BuiltIn] {
        &[BuiltIn {
            name: "ag_news",
            language: "en",
            summary: "Topics of news",
            config: include_bytes!("../../../../testdata/golden/gelu/config.json"),
            weights: include_bytes!("../../../../testdata/golden/gelu/model.safetensors"),
            tokenizer: b"",
            tokenizer_config: b"{}",
            card: "",
        }]
    }

    fn import(from: &Path, to: &Path) -> Result<(), HubError> {
        <()>::import(from, to)
    }
}

/// What a model makes of three tokens, after its vocabulary: models are the same where this is.
pub fn logits(source: &ModelSource) -> (Vec<u8>, Vec<f32>) {
    let checkpoint = source.checkpoint().unwrap();
    let (config, weights) = (checkpoint.config().clone(), checkpoint.weights());
    let model = SequenceClassifier::new(config, weights, Kernels::detect().unwrap(), Precision::F32).unwrap();
    let (mut batch, mut logits) = (RaggedBatch::new(), Vec::new());
    batch.push(&[2, 7, 3]);
    model.logits(&batch, 1, &mut Scratch::new(), &mut logits).unwrap();
    (checkpoint.file("spiece.model").or(checkpoint.file("tokenizer.json")).unwrap().to_vec(), logits)
}
