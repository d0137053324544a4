//! Steps of a tiny model.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use albertine_kernels::Precision;
use albertine_model::Checkpoint;

use super::*;

fn tiny() -> (ModelConfig, Tensors) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/gelu_new");
    let checkpoint = Checkpoint::open(&golden).unwrap();
    let config = checkpoint.config().clone();
    let weights = Tensors::read(&config, checkpoint.weights()).unwrap();
    (config, weights)
}

fn exact(kernels: Kernels, workspace: &Workspace) -> Arithmetic<'_> {
    Arithmetic::new(kernels, Precision::F32, workspace).unwrap()
}

fn examples(count: usize) -> Examples {
    let mut examples = Examples::new();
    for text in 0..count {
        let ids: Vec<u32> = (0..7 + text as u32 % 5).map(|piece| (piece * 31 + text as u32 * 17) % 400 + 5).collect();
        examples.push(&ids, text % 4);
    }
    examples
}

fn settings() -> TrainSettings {
    TrainSettings { label_smoothing: 0.1, dropout: Some(0.5), ..TrainSettings::default() }
}

fn drops(config: &ModelConfig) -> Option<Drops> {
    Some(Drops { rates: settings().dropout_rates(config), seed: 5 })
}

#[test]
fn the_classifier_alone_makes_the_steps_that_it_makes_in_the_network() {
    let workspace = Workspace::default();
    let (config, weights) = tiny();
    let (examples, indices) = (examples(8), (0..8).collect::<Vec<_>>());
    let kernels = Kernels::detect().unwrap();
    let settings = settings();
    let objective = Classification::new(&config, &settings, kernels, &examples, None).unwrap();
    let loss = objective.loss(&indices, 8.0, 8);
    // Dropout of the classifier alone, since the encoder before it stays as it is.
    let rates = albertine_model::DropoutRates { hidden: 0.0, attention: 0.0, classifier: 0.5 };
    let drops = Some(Drops { rates, seed: 5 });
    let (mut whole, mut alone) = (Tensors::zeros(&config), Tensors::zeros(&config));
    let network = Network::new(&config, &weights, exact(kernels, &workspace)).unwrap();
    let one = network.step(&examples.batch(&indices), &loss, drops, &mut whole);
    let pooled = network.pooled(&examples.batch(&indices));
    let all: Vec<f32> = indices.iter().flat_map(|&index| pooled.row(index).to_vec()).collect();
    let rows = rows_of(&all, &indices, config.architecture().hidden_size());
    let two =
        Classifier::new(&config, &weights, exact(kernels, &workspace)).unwrap().step(rows, &loss, drops, &mut alone);
    assert!(one.loss == two.loss && one.logits == two.logits);
    let classifier = config.tensors().indices().classifier;
    assert!(whole.at(classifier.weight) == alone.at(classifier.weight));
    assert!(whole.at(classifier.bias) == alone.at(classifier.bias));
}

#[test]
fn parts_of_a_batch_make_the_same_step() {
    let workspace = Workspace::default();
    let (config, weights) = tiny();
    let examples = examples(8);
    let indices: Vec<usize> = (0..8).collect();
    let settings = settings();
    let kernels = Kernels::detect().unwrap();
    let objective = Classification::new(&config, &settings, kernels, &examples, None).unwrap();
    let network = Network::new(&config, &weights, exact(kernels, &workspace)).unwrap();
    let gradient = |parts: Vec<&[usize]>| {
        let mut gradient = Tensors::zeros(&config);
        for part in parts {
            network.step(&examples.batch(part), &objective.loss(part, 8.0, 8), None, &mut gradient);
        }
        gradient
    };
    let (whole, parts) = (gradient(vec![&indices]), gradient(examples.parts(&indices, 20)));
    for ((spec, whole), (_, parts)) in whole.iter().zip(parts.iter()) {
        let far = whole.iter().zip(parts).map(|(one, two)| (one - two).abs()).fold(0.0, f32::max);
        assert!(far < 1e-5, "{}: {far}", spec.name);
    }
}

/// Along a direction the loss changes by as much as the gradient says, with dropout at every place: what the forward pass
/// leaves out has no gradient.
#[test]
fn a_gradient_with_dropout_is_that_of_the_loss_with_dropout() {
    let workspace = Workspace::default();
    for name in ["gelu_new", "bert_uncased"] {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden").join(name);
        let checkpoint = Checkpoint::open(&golden).unwrap();
        let config = checkpoint.config().clone();
        let weights = Tensors::read(&config, checkpoint.weights()).unwrap();
        let (examples, indices) = (examples(6), (0..6).collect::<Vec<_>>());
        let settings = settings();
        let kernels = Kernels::detect().unwrap();
        let objective = Classification::new(&config, &settings, kernels, &examples, None).unwrap();
        let loss = objective.loss(&indices, 6.0, 6);
        let step = |weights: &Tensors| {
            let mut gradient = Tensors::zeros(&config);
            let network = Network::new(&config, weights, exact(kernels, &workspace)).unwrap();
            let step = network.step(&examples.batch(&indices), &loss, drops(&config), &mut gradient);
            (step.loss, gradient)
        };
        let (dropped, gradient) = step(&weights);
        let mut plain = Tensors::zeros(&config);
        let network = Network::new(&config, &weights, exact(kernels, &workspace)).unwrap();
        assert!((network.step(&examples.batch(&indices), &loss, None, &mut plain).loss - dropped).abs() > 1e-3);
        for index in 0..weights.specs().len() {
            let length = gradient.at(index).iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            if length < 1e-3 {
                continue;
            }
            let moved = |distance: f64| {
                let mut weights = weights.clone();
                let values = weights.at_mut(index).iter_mut().zip(gradient.at(index));
                values.for_each(|(weight, x)| *weight += (f64::from(*x) * distance / length) as f32);
                step(&weights).0
            };
            let (found, name) = ((moved(4e-3) - moved(-4e-3)) / 8e-3, &weights.specs()[index].name);
            assert!((found - length).abs() < 0.03 * length + 2e-3, "{name}: {found} for {length}");
        }
    }
}
