//! Trainings of twenty steps whose losses are those of PyTorch (`tools/golden_training`).
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use albertine_kernels::Precision;
use albertine_model::{Checkpoint, DropoutRates, ModelConfig, ProblemType, RaggedBatch};
use serde_json::Value;

use super::*;
use crate::BaseModel;
use crate::adamw::AdamW;
use crate::examples::Known;
use crate::loss::PieceLoss;
use crate::network::{Arithmetic, Drops, MaskedLanguageModel, Workspace};

/// How far a loss in f32 may be from PyTorch's, after twenty steps too.
const TOLERANCE: f64 = 1e-4;

const BATCH: usize = 8;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

struct Golden {
    json: Value,
    checkpoint: Checkpoint,
    texts: RaggedBatch,
}

impl Golden {
    fn open(name: &str) -> Self {
        let json: Value =
            serde_json::from_slice(&std::fs::read(testdata("training").join(format!("{name}.json"))).unwrap()).unwrap();
        let checkpoint = Checkpoint::open(&testdata(json["model"].as_str().unwrap())).unwrap();
        let ids: Vec<Vec<u32>> = of(&json, "documents");
        let types: Option<Vec<Vec<u32>>> = serde_json::from_value(json["types"].clone()).unwrap();
        let mut texts = RaggedBatch::new();
        for (row, ids) in ids.iter().enumerate() {
            match &types {
                Some(types) => texts.push_with_types(ids, &types[row]),
                None => texts.push(ids),
            }
        }
        Self { json, checkpoint, texts }
    }

    fn settings(&self) -> TrainSettings {
        TrainSettings {
            epochs: 1,
            batch_size: BATCH,
            learning_rate: 2e-3,
            dropout: Some(0.0),
            teacher_temperature: self.json["temperature"].as_f64().unwrap_or(1.0),
            teacher_weight: self.json["weight"].as_f64().unwrap_or(0.0),
            ..TrainSettings::default()
        }
    }

    /// Takes weights through the steps in order, and holds each loss to PyTorch's.
    fn compare(&self, name: &str, mut weights: Tensors, mut step: impl FnMut(&Tensors, &[usize], &mut Tensors) -> f64) {
        let (settings, losses) = (self.settings(), of::<Vec<f64>>(&self.json, "losses"));
        assert_eq!(losses.len(), 20);
        let mut adam = AdamW::new(&weights, settings.weight_decay);
        let frozen = vec![false; weights.specs().len()];
        for (number, expected) in losses.iter().enumerate() {
            let rows: Vec<usize> = (number * BATCH..(number + 1) * BATCH).collect();
            let mut gradient = weights.zeros_like();
            let loss = step(&weights, &rows, &mut gradient);
            assert!((loss - expected).abs() < TOLERANCE, "{name}, step {}: {loss} for {expected}", number + 1);
            clip(&mut gradient, settings.clip);
            adam.step(&mut weights, &gradient, settings.rate(number as u64, losses.len() as u64), &frozen);
        }
    }
}

fn of<T: serde::de::DeserializeOwned>(json: &Value, key: &str) -> T {
    serde_json::from_value(json[key].clone()).unwrap()
}

fn classifier(name: &str, problem: ProblemType, known: impl FnOnce(&Value) -> Known) {
    let golden = Golden::open(name);
    let labels = golden.checkpoint.config().labels().to_vec();
    let config: ModelConfig = golden.checkpoint.config().with_labels(labels, Some(problem)).unwrap();
    let weights = Tensors::read(&config, golden.checkpoint.weights()).unwrap();
    let scores: Option<Vec<Vec<f32>>> = serde_json::from_value(golden.json["scores"].clone()).unwrap();
    let mut scores: Vec<f32> = scores.into_iter().flatten().flatten().collect();
    let temperature = golden.settings().teacher_temperature as f32;
    // The scores at the temperature.
    for row in scores.chunks_exact_mut(config.labels().len()) {
        row.iter_mut().for_each(|score| *score = score.powf(1.0 / temperature));
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|score| *score /= sum);
    }
    let examples = Examples::of_tokens(golden.texts.clone(), known(&golden.json)).with_scores(scores);
    let settings = golden.settings();
    let objective = Classification::new(&config, &settings, Kernels::detect().unwrap(), &examples, None).unwrap();
    golden.compare(name, weights, |weights, rows, gradient| objective.step(weights, rows, 0, gradient).unwrap().loss);
}

#[test]
fn losses_of_classifiers_are_those_of_pytorch() {
    for name in ["albert", "albert_groups", "bert", "pairs", "distillation"] {
        classifier(name, ProblemType::SingleLabel, |json| {
            Known::Class(of::<Vec<usize>>(json, "classes").into_iter().map(Some).collect())
        });
    }
}

#[test]
fn losses_of_several_labels_are_those_of_pytorch() {
    classifier("multi_label", ProblemType::MultiLabel, |json| {
        Known::Classes(of::<Vec<Vec<u32>>>(json, "sets").into_iter().map(Some).collect())
    });
}

#[test]
fn losses_of_values_are_those_of_pytorch() {
    classifier("regression", ProblemType::Regression, |json| {
        Known::Value(of::<Vec<f32>>(json, "values").into_iter().map(Some).collect())
    });
}

#[test]
fn losses_of_masked_language_models_are_those_of_pytorch() {
    for name in ["albert_mlm", "bert_mlm"] {
        let golden = Golden::open(name);
        let (hidden, mask) = (of::<Vec<Vec<usize>>>(&golden.json, "hidden"), of::<u32>(&golden.json, "mask"));
        let base = BaseModel::new(Checkpoint::open(&testdata(golden.json["model"].as_str().unwrap())).unwrap(), None);
        let base = base.unwrap();
        let weights = base.masked_language_weights(0).unwrap();
        let kernels = Kernels::detect().unwrap();
        let workspace = Workspace::default();
        golden.compare(name, weights, |weights, rows, gradient| {
            let (mut batch, mut places, mut pieces) = (RaggedBatch::new(), Vec::new(), Vec::new());
            for &row in rows {
                let mut ids = golden.texts.document(row).to_vec();
                for &place in &hidden[row] {
                    places.push(batch.tokens() + place);
                    pieces.push(ids[place]);
                    ids[place] = mask;
                }
                batch.push(&ids);
            }
            let loss = PieceLoss { pieces: &pieces, total: pieces.len() as f64 };
            let rates = DropoutRates { hidden: 0.0, attention: 0.0, classifier: 0.0 };
            let model = MaskedLanguageModel::new(
                base.config(),
                weights,
                Arithmetic::new(kernels, Precision::F32, &workspace).unwrap(),
            );
            model.step(&batch, &places, &loss, Some(Drops { rates, seed: 0 }), gradient)
        });
    }
}
