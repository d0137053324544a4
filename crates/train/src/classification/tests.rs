//! Steps of a tiny model.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use albertine_model::Checkpoint;

use super::*;

fn tiny() -> (ModelConfig, Tensors) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/gelu_new");
    let checkpoint = Checkpoint::open(&golden).unwrap();
    let config = checkpoint.config().clone();
    let weights = Tensors::read(&config, checkpoint.weights()).unwrap();
    (config, weights)
}

fn examples(count: usize) -> Examples {
    let mut examples = Examples::new();
    for text in 0..count {
        let ids: Vec<u32> = (0..7 + text as u32 % 5).map(|piece| (piece * 31 + text as u32 * 17) % 400 + 5).collect();
        examples.push(&ids, text % 4);
    }
    examples
}

#[test]
fn the_classifier_alone_makes_the_steps_that_it_makes_in_the_network() {
    let (config, weights) = tiny();
    let (examples, indices) = (examples(8), (0..8).collect::<Vec<_>>());
    let kernels = Kernels::detect().unwrap();
    let targets =
        Targets { classes: examples.classes(), weights: None, smoothing: 0.1, total: 8.0, loss: Loss::CrossEntropy };
    let drop = drop_factors(0.5, 8 * config.architecture().hidden_size(), 5);
    let (mut whole, mut alone) = (Tensors::zeros(&config), Tensors::zeros(&config));
    let network = Network::new(&config, &weights, kernels).unwrap();
    let one = network.step(&examples.batch(&indices), &targets, drop.as_deref(), &mut whole);
    let pooled = network.pooled(&examples.batch(&indices));
    let all: Vec<f32> = indices.iter().flat_map(|&index| pooled.row(index).to_vec()).collect();
    let rows = rows_of(&all, &indices, config.architecture().hidden_size(), drop.as_deref());
    let two = Classifier::new(&config, &weights, kernels).unwrap().step(&rows, &targets, &mut alone);
    assert!(one.loss == two.loss && one.logits == two.logits);
    let classifier = config.tensors().indices().classifier;
    assert!(whole.at(classifier.weight) == alone.at(classifier.weight));
    assert!(whole.at(classifier.bias) == alone.at(classifier.bias));
}

#[test]
fn parts_of_a_batch_make_the_same_step() {
    let (config, weights) = tiny();
    let examples = examples(8);
    let indices: Vec<usize> = (0..8).collect();
    let network = Network::new(&config, &weights, Kernels::detect().unwrap()).unwrap();
    let gradient = |parts: Vec<&[usize]>| {
        let mut gradient = Tensors::zeros(&config);
        for part in parts {
            let classes: Vec<usize> = part.iter().map(|&index| examples.classes()[index]).collect();
            let targets =
                Targets { classes: &classes, weights: None, smoothing: 0.1, total: 8.0, loss: Loss::CrossEntropy };
            network.step(&examples.batch(part), &targets, None, &mut gradient);
        }
        gradient
    };
    let (whole, parts) = (gradient(vec![&indices]), gradient(examples.parts(&indices, 20)));
    for ((spec, whole), (_, parts)) in whole.iter().zip(parts.iter()) {
        let far = whole.iter().zip(parts).map(|(one, two)| (one - two).abs()).fold(0.0, f32::max);
        assert!(far < 1e-5, "{}: {far}", spec.name);
    }
}
