//! Trainings of a tiny model on texts that tell their class.
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

/// Texts of chance; about half of the pieces tell the class.
fn examples(count: usize, seed: u64) -> Examples {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut examples = Examples::new();
    for text in 0..count {
        let class = text % 4;
        let mut ids = vec![2];
        for _ in 0..random.random_range(6..14) {
            let telling = random.random::<f32>() < 0.5;
            ids.push(if telling {
                random.random_range(0..5) * 4 + 40 + class as u32
            } else {
                random.random_range(100..400)
            });
        }
        ids.push(3);
        examples.push(&ids, class);
    }
    examples
}

fn settings() -> TrainSettings {
    TrainSettings { epochs: 8, batch_size: 16, learning_rate: 3e-3, ..TrainSettings::default() }
}

/// A training with that many threads, and what was told of it.
fn train(
    count: usize,
    settings: TrainSettings,
    threads: usize,
    validation: Option<&Examples>,
) -> (Trained, Vec<f64>, Vec<f64>) {
    let (config, weights) = tiny();
    let kernels = Kernels::detect().unwrap().with_threads(threads);
    let (mut steps, mut epochs) = (Vec::new(), Vec::new());
    let trained = Trainer::new(config, weights, settings, kernels)
        .train(&examples(count, 1), validation, &CancellationToken::default(), &mut |event| {
            match event {
                Event::Head { .. } | Event::Start { .. } => {}
                Event::Step { loss, .. } => steps.push(*loss),
                Event::Epoch { validation, loss, .. } => epochs.push(validation.map_or(*loss, |metrics| metrics.loss)),
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    (trained, steps, epochs)
}

#[test]
fn a_model_learns_what_tells_the_classes_and_knows_it_of_new_texts() {
    let new = examples(80, 2);
    let (config, before) = tiny();
    let kernels = Kernels::detect().unwrap();
    let untrained =
        evaluate_weights(&config, &before, kernels, &new, 0, &CancellationToken::default()).unwrap().unwrap();
    assert!(untrained.accuracy < 0.5, "{}", untrained.accuracy);
    let (trained, steps, epochs) = train(512, TrainSettings { epochs: 12, ..settings() }, 2, Some(&new));
    assert_eq!((steps.len(), epochs.len()), (12 * 32, 12));
    let metrics =
        evaluate_weights(&config, &trained.weights, kernels, &new, trained.epoch, &CancellationToken::default())
            .unwrap()
            .unwrap();
    assert!(metrics.accuracy > 0.75, "{}", metrics.accuracy);
    // the epoch that is kept is the best one
    let best = epochs.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(metrics.loss, best);
    assert_eq!(epochs[trained.epoch as usize - 1], best);
    assert_eq!(trained.validation.map(|metrics| metrics.loss), Some(best));
    let cancellation = CancellationToken::default();
    cancellation.cancel();
    assert!(
        evaluate_weights(&config, &trained.weights, kernels, &new, 0, &cancellation).unwrap().is_none(),
        "it can be stopped"
    );
}

#[test]
fn the_same_seed_gives_the_same_weights_at_any_number_of_threads() {
    let settings = |seed| TrainSettings { epochs: 2, seed, ..settings() };
    let (one, steps, _) = train(96, settings(7), 1, None);
    let (three, same, _) = train(96, settings(7), 3, None);
    assert!(one.weights == three.weights && steps == same);
    let (other, _, _) = train(96, settings(8), 1, None);
    assert!(one.weights != other.weights);
    assert_eq!(one.epoch, 2);
}

#[test]
fn the_classifier_alone_makes_the_steps_that_it_makes_in_the_network() {
    let (config, weights) = tiny();
    let (examples, indices) = (examples(8, 3), (0..8).collect::<Vec<_>>());
    let kernels = Kernels::detect().unwrap();
    let targets =
        Targets { classes: examples.classes(), weights: None, smoothing: 0.1, total: 8.0, loss: Loss::CrossEntropy };
    let drop = drop_factors(0.5, 8 * config.architecture().hidden_size(), &mut Xoshiro256PlusPlus::seed_from_u64(5));
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
fn a_frozen_encoder_stays_as_it_is() {
    let (config, before) = tiny();
    let (trained, _, epochs) = train(96, TrainSettings { freeze_encoder: true, ..settings() }, 2, None);
    assert!(epochs[7] < epochs[0], "{epochs:?}");
    for ((spec, before), (_, after)) in before.iter().zip(trained.weights.iter()) {
        assert_eq!(before != after, spec.name.starts_with("classifier."), "{}", spec.name);
    }
    assert_eq!(config.labels().len(), 4);
}

#[test]
fn parts_of_a_batch_make_the_same_step() {
    let (config, weights) = tiny();
    let examples = examples(8, 3);
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

#[test]
fn a_training_is_cancelled_within_an_evaluation_and_within_the_pass_of_a_frozen_encoder() {
    let validation = examples(40, 2);
    for (freeze_encoder, steps) in [(false, 6), (true, 0)] {
        let (config, weights) = tiny();
        let settings = TrainSettings { freeze_encoder, ..settings() };
        let mut epochs = 0;
        let cancellation = CancellationToken::default();
        cancellation.cancel();
        let trained = Trainer::new(config, weights, settings, Kernels::detect().unwrap())
            .train(&examples(96, 1), Some(&validation), &cancellation, &mut |event| {
                epochs += usize::from(matches!(event, Event::Epoch { .. }));
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!((trained.steps, epochs, trained.validation.is_none()), (steps, 0, true));
    }
}

/// A training that stops when it has heard `most` things.
fn stopped(most: usize) -> Trained {
    let (config, weights) = tiny();
    let mut heard = 0;
    Trainer::new(config, weights, settings(), Kernels::detect().unwrap())
        .train(&examples(96, 1), None, &CancellationToken::default(), &mut |_| {
            heard += 1;
            if heard == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap()
}

#[test]
fn a_training_that_is_stopped_keeps_every_step() {
    // An epoch is six steps and a word at its end.
    let (first, end, more) = (stopped(3), stopped(7), stopped(9));
    assert_eq!([first.steps, end.steps, more.steps], [3, 6, 8]);
    assert_eq!([first.epoch, end.epoch, more.epoch], [1, 1, 2]);
    assert!(first.weights != end.weights && end.weights != more.weights, "steps are lost");
}

#[test]
fn a_loss_that_no_longer_falls_ends_it() {
    let settings = TrainSettings { epochs: 60, patience: Some(2), ..settings() };
    let (trained, _, epochs) = train(96, settings, 1, Some(&examples(40, 2)));
    assert!(epochs.len() < 60 && epochs.len() == trained.epoch as usize + 2, "{epochs:?}");
}

#[test]
fn a_model_that_diverges_is_an_error_or_that_of_an_epoch_before() {
    let ruinous = |epochs| TrainSettings { learning_rate: 1e30, warmup: 0.0, epochs, batch_size: 96, ..settings() };
    let (config, weights) = tiny();
    for epochs in [1, 5] {
        let trainer = Trainer::new(config.clone(), weights.clone(), ruinous(epochs), Kernels::detect().unwrap());
        let ended =
            trainer.train(&examples(96, 1), None, &CancellationToken::default(), &mut |_| ControlFlow::Continue(()));
        assert!(matches!(ended, Err(TrainError::Diverged { .. })), "{ended:?}");
    }
    let grows = TrainSettings { warmup: 0.9, epochs: 40, learning_rate: 1e6, ..ruinous(40) };
    let trainer = Trainer::new(config, weights, grows, Kernels::detect().unwrap());
    // What is measured before the weights grow out of all bounds is kept.
    match trainer.train(&examples(96, 1), Some(&examples(8, 2)), &CancellationToken::default(), &mut |_| {
        ControlFlow::Continue(())
    }) {
        Ok(trained) => assert!(trained.validation.is_some_and(|metrics| metrics.loss.is_finite())),
        Err(error) => assert!(matches!(error, TrainError::Diverged { .. }), "{error}"),
    }
}

#[test]
fn without_examples_there_is_nothing_to_learn() {
    let (config, weights) = tiny();
    let trainer = Trainer::new(config, weights, settings(), Kernels::detect().unwrap());
    let none = trainer.train(&Examples::new(), None, &CancellationToken::default(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(none, Err(TrainError::NoRows)));
}
