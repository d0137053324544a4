//! Pre-trainings of a tiny model.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use albertine_model::{Checkpoint, ProblemType};

use super::*;
use crate::{Datasets, LabeledTexts, create_output, fine_tune};

fn base() -> BaseModel {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/gelu");
    BaseModel::new(Checkpoint::open(&golden).unwrap(), Some(16)).unwrap()
}

fn corpus(count: usize) -> Corpus {
    let mut training = PlainTexts::new("corpus.txt");
    for row in 0..count {
        let text = ["Oil prices rose", "The team won"][row % 2];
        training.push(&base(), Some(text)).unwrap();
    }
    Corpus { training, validation: None, validation_split: 0.25, mlm_probability: 0.3 }
}

fn settings() -> TrainSettings {
    TrainSettings { epochs: 6, batch_size: 8, learning_rate: 5e-3, ..TrainSettings::default() }
}

#[test]
fn a_long_text_goes_on_in_the_next_part() {
    let base = base();
    let mut texts = PlainTexts::new("corpus.txt");
    texts.push(&base, Some(&"oil prices ".repeat(1000))).unwrap();
    texts.push(&base, Some("  ")).unwrap();
    texts.push(&base, None).unwrap();
    assert_eq!(texts.skipped(), 2);
    let mut whole = Vec::new();
    base.pieces().encode(&"oil prices ".repeat(1000), usize::MAX, &mut whole).unwrap();
    let parts: Vec<u32> = texts.pieces.iter().flat_map(|part| part[1..part.len() - 1].to_vec()).collect();
    assert_eq!(parts, whole[1..whole.len() - 1]);
    assert!(texts.pieces.iter().all(|part| part.len() <= 16 && part[0] == whole[0] && part[part.len() - 1] == 3));
}

#[test]
fn a_model_learns_its_texts_and_is_a_base_model() {
    let execution = Execution::new(Kernels::detect().unwrap());
    let mut losses = Vec::new();
    let model = pretrain(base(), corpus(64), &settings(), &execution, &mut |event| {
        if let Event::Epoch { validation: Some(metrics), accuracy: None, .. } = event {
            losses.push(metrics.loss());
        }
    })
    .unwrap();
    assert_eq!((losses.len(), model.steps, model.epochs), (6, 36, 6));
    assert!(losses[5] < losses[0] - 1.0, "{losses:?}");
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("mlm");
    model.save(create_output(&place).unwrap(), &Provenance::default()).unwrap();
    let saved = Checkpoint::open(&place).unwrap();
    assert!(saved.weights().has("predictions.dense.weight") && !saved.weights().has("pooler.weight"));
    let config: serde_json::Value = serde_json::from_slice(&std::fs::read(place.join("config.json")).unwrap()).unwrap();
    assert_eq!(config["architectures"][0], "AlbertForMaskedLM");
    assert!(place.join("report.html").is_file());

    // It goes on as a masked language model, and as a classifier.
    let base = BaseModel::new(saved, Some(16)).unwrap();
    let weights = base.masked_language_weights(1).unwrap();
    let stored = base.checkpoint().weights().tensor(&weights.specs()[weights.specs().len() - 1]).unwrap();
    assert_eq!(weights.at(weights.specs().len() - 1), stored);
    let mut texts = LabeledTexts::new("training");
    for (text, label) in [("Oil prices rose", "oil"), ("The home side won", "sport")] {
        texts.push(&base, Some(text), Some(label)).unwrap();
    }
    let settings = TrainSettings { epochs: 1, ..settings() };
    let model = fine_tune(base, Datasets::new(texts), &settings, &execution, &mut |_| ()).unwrap();
    assert_eq!(model.labels(), ["oil", "sport"]);
}

#[test]
fn a_configuration_alone_gets_new_weights() {
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/gelu");
    for name in ["config.json", "tokenizer.json"] {
        std::fs::copy(golden.join(name), folder.path().join(name)).unwrap();
    }
    for path in [folder.path().to_owned(), folder.path().join("config.json")] {
        let base = BaseModel::new(Checkpoint::from_config(&path).unwrap(), Some(16)).unwrap();
        assert!(base.checkpoint().is_untrained());
        let head = base.head(&["a", "b"].map(str::to_owned).into()).unwrap();
        let (config, weights) = base.weights(&head, ProblemType::SingleLabel, 1).unwrap();
        let values = |name: &str| weights.iter().find(|(spec, _)| spec.name == name).unwrap().1;
        assert!(values("embeddings.LayerNorm.weight").iter().all(|&value| value == 1.0));
        assert!(values("pooler.bias").iter().all(|&value| value == 0.0));
        let words = values("embeddings.word_embeddings.weight");
        let deviation = (words.iter().map(|value| value * value).sum::<f32>() / words.len() as f32).sqrt();
        assert!((deviation / config.initializer_range() - 1.0).abs() < 0.05, "{deviation}");
        let execution = Execution::new(Kernels::detect().unwrap());
        let settings = TrainSettings { epochs: 1, ..settings() };
        assert_eq!(pretrain(base, corpus(8), &settings, &execution, &mut |_| ()).unwrap().steps, 1);
    }
}

#[test]
fn what_cannot_be_pretrained_on_is_refused() {
    let execution = Execution::new(Kernels::detect().unwrap());
    let of = |corpus: Corpus, settings: &TrainSettings| {
        pretrain(base(), corpus, settings, &execution, &mut |_| ()).unwrap_err().to_string()
    };
    assert_eq!(of(Corpus { training: PlainTexts::new("none"), ..corpus(0) }, &settings()), "no row has a text");
    let error = of(Corpus { mlm_probability: 1.0, ..corpus(8) }, &settings());
    assert_eq!(error, "mlm_probability must be above 0 and below 1, not 1");
    let macro_f1 = TrainSettings { best_metric: BestMetric::MacroF1, ..settings() };
    assert_eq!(of(corpus(8), &macro_f1), "metric_for_best_model must be loss or accuracy, not macro_f1");
    let patience = TrainSettings { patience: Some(1), ..settings() };
    assert!(of(Corpus { validation_split: 0.0, ..corpus(8) }, &patience).contains("needs a validation set"));
}
