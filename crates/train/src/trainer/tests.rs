//! Trainings of a tiny model on texts that tell their class.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use albertine_model::{Checkpoint, CpuError, ModelConfig, Precision};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::classification::evaluate_weights;

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

/// How a training ends with these settings and threads, telling `listen`.
fn run(
    count: usize,
    settings: &TrainSettings,
    execution: &Execution,
    validation: Option<&Examples>,
    listen: &mut Listener<'_>,
) -> Result<Trained, TrainError> {
    let (config, weights) = tiny();
    let examples = examples(count, 1);
    let mut objective = Classification::new(&config, settings, execution.kernels, &examples, validation).unwrap();
    Trainer::train(&mut objective, weights, settings, execution, Fingerprint::default(), listen)
}

fn execution(threads: usize) -> Execution {
    Execution::new(Kernels::detect().unwrap().with_threads(threads))
}

/// A training with that many threads, and what was told of it.
fn train(
    count: usize,
    settings: &TrainSettings,
    threads: usize,
    validation: Option<&Examples>,
) -> (Trained, Vec<f64>, Vec<f64>) {
    let (mut steps, mut epochs) = (Vec::new(), Vec::new());
    let trained = run(count, settings, &execution(threads), validation, &mut |event| match event {
        Event::Step { loss, .. } => steps.push(*loss),
        Event::Epoch { validation, loss, .. } => epochs.push(validation.map_or(*loss, TaskMetrics::loss)),
        _ => {}
    });
    (trained.unwrap(), steps, epochs)
}

#[test]
fn a_model_learns_what_tells_the_classes_and_knows_it_of_new_texts() {
    let new = examples(80, 2);
    let (config, before) = tiny();
    let kernels = Kernels::detect().unwrap();
    let untrained =
        evaluate_weights(&config, &before, kernels, &new, 0, &CancellationToken::default()).unwrap().unwrap();
    let accuracy = |metrics: &TaskMetrics| metrics.get(crate::BestMetric::Accuracy).unwrap();
    assert!(accuracy(&untrained) < 0.5, "{untrained:?}");
    let (trained, steps, epochs) = train(512, &TrainSettings { epochs: 12, ..settings() }, 2, Some(&new));
    assert_eq!((steps.len(), epochs.len()), (12 * 32, 12));
    let metrics =
        evaluate_weights(&config, &trained.weights, kernels, &new, trained.epoch, &CancellationToken::default())
            .unwrap()
            .unwrap();
    assert!(accuracy(&metrics) > 0.75, "{metrics:?}");
    // the epoch that is kept is the best one
    let best = epochs.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(metrics.loss(), best);
    assert_eq!(epochs[trained.epoch as usize - 1], best);
    assert_eq!(trained.validation.map(|metrics| metrics.loss()), Some(best));
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
    let (one, steps, _) = train(96, &settings(7), 1, None);
    let (three, same, _) = train(96, &settings(7), 3, None);
    assert!(one.weights == three.weights && steps == same);
    let (other, _, _) = train(96, &settings(8), 1, None);
    assert!(one.weights != other.weights);
    assert_eq!(one.epoch, 2);
}

#[test]
fn a_frozen_encoder_stays_as_it_is() {
    let (config, before) = tiny();
    let (trained, _, epochs) = train(96, &TrainSettings { freeze_encoder: true, ..settings() }, 2, None);
    assert!(epochs[7] < epochs[0], "{epochs:?}");
    for ((spec, before), (_, after)) in before.iter().zip(trained.weights.iter()) {
        assert_eq!(before != after, spec.name.starts_with("classifier."), "{}", spec.name);
    }
    assert_eq!(config.labels().len(), 4);
}

#[test]
fn a_training_is_cancelled_within_an_evaluation_and_within_the_pass_of_a_frozen_encoder() {
    let validation = examples(40, 2);
    for (freeze_encoder, steps) in [(false, 1), (true, 0)] {
        let settings = TrainSettings { freeze_encoder, ..settings() };
        let mut epochs = 0;
        let execution = execution(1);
        execution.cancellation.cancel();
        let trained = run(96, &settings, &execution, Some(&validation), &mut |event| {
            epochs += usize::from(matches!(event, Event::Epoch { .. }));
        })
        .unwrap();
        assert_eq!((trained.steps, epochs, trained.validation.is_none()), (steps, 0, true));
    }
}

/// A training that is cancelled when it has heard of `most` steps and epochs.
fn stopped(most: usize) -> Trained {
    let execution = execution(1);
    let mut heard = 0;
    run(96, &settings(), &execution, None, &mut |event| {
        heard += usize::from(matches!(event, Event::Step { .. } | Event::Epoch { .. }));
        if heard == most {
            execution.cancellation.cancel();
        }
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
    let (trained, _, epochs) = train(96, &settings, 1, Some(&examples(40, 2)));
    assert!(epochs.len() < 60 && epochs.len() == trained.epoch as usize + 2, "{epochs:?}");
}

#[test]
fn another_metric_may_choose_another_epoch() {
    let settings =
        TrainSettings { epochs: 10, learning_rate: 1e-2, best_metric: crate::BestMetric::Accuracy, ..settings() };
    let mut accuracies = Vec::new();
    let trained = run(96, &settings, &execution(1), Some(&examples(40, 2)), &mut |event| {
        if let Event::Epoch { validation: Some(metrics), .. } = event {
            accuracies.push(metrics.get(crate::BestMetric::Accuracy).unwrap());
        }
    })
    .unwrap();
    let best = accuracies.iter().copied().fold(0.0, f64::max);
    assert_eq!(trained.epoch as usize - 1, accuracies.iter().position(|value| *value == best).unwrap());
}

#[test]
fn an_average_is_of_the_weights_of_all_steps() {
    let settings = TrainSettings { epochs: 1, ema_decay: Some(0.5), ..settings() };
    // One step, which counts more than with a decay of 0.5.
    let (_, before) = tiny();
    let one = train(16, &TrainSettings { ema_decay: None, ..settings.clone() }, 1, None).0.weights;
    let averaged = train(16, &settings, 1, None).0.weights;
    for ((index, (_, before)), (_, after)) in before.iter().enumerate().zip(one.iter()) {
        for (average, (before, after)) in averaged.at(index).iter().zip(before.iter().zip(after)) {
            let expected = before + (1.0 - 2.0 / 11.0) * (after - before);
            assert!((average - expected).abs() < 1e-6, "{average} for {expected}");
        }
    }
    assert_eq!([1, 81, 1_000_000].map(|steps| ema_weight(0.9, steps)), [(9.0_f64 / 11.0) as f32, 0.1, 0.1]);
}

#[test]
fn products_of_bfloat16_are_used_where_they_are_asked_for() {
    let rounded = TrainSettings { precision: Precision::Bf16, epochs: 2, ..settings() };
    let exact = train(96, &TrainSettings { precision: Precision::F32, ..rounded.clone() }, 1, None);
    match run(96, &rounded, &execution(2), None, &mut |_| ()) {
        Ok(trained) => assert!(trained.weights != exact.0.weights),
        Err(error) => assert!(matches!(error, TrainError::Cpu(CpuError::NoBf16 { .. })), "{error}"),
    }
}

#[test]
fn batches_that_are_accumulated_are_one_step() {
    let whole = TrainSettings { epochs: 2, batch_size: 32, ..settings() };
    let parts = TrainSettings { batch_size: 8, gradient_accumulation_steps: 4, ..whole.clone() };
    let ((whole, steps, _), (parts, same, _)) = (train(96, &whole, 1, None), train(96, &parts, 1, None));
    assert!(whole.weights == parts.weights && steps == same && steps.len() == 6);
}

#[test]
fn a_model_that_diverges_is_an_error_or_that_of_an_epoch_before() {
    let ruinous = |epochs| TrainSettings { learning_rate: 1e30, warmup: 0.0, epochs, batch_size: 96, ..settings() };
    for epochs in [1, 5] {
        let ended = run(96, &ruinous(epochs), &execution(1), None, &mut |_| ());
        assert!(matches!(ended, Err(TrainError::Diverged { .. })), "{ended:?}");
    }
    // The first epochs have small steps, and what is there before the weights grow out of all bounds is kept.
    let grows = TrainSettings { warmup: 0.9, learning_rate: 1e6, ..ruinous(40) };
    for validation in [Some(examples(8, 2)), None] {
        match run(96, &grows, &execution(1), validation.as_ref(), &mut |_| ()) {
            Ok(trained) => {
                let loss = trained.validation.map_or(0.0, |metrics| metrics.loss());
                assert!(loss.is_finite() && trained.weights.iter().all(|(_, values)| values[0].is_finite()));
            }
            Err(error) => assert!(matches!(error, TrainError::Diverged { .. }), "{error}"),
        }
    }
}

#[test]
fn a_loss_that_is_no_number_ends_it_with_the_weights_before() {
    // Weights that are numbers at first, and too large from the second epoch on.
    let settings = TrainSettings { epochs: 40, batch_size: 96, warmup: 0.99, learning_rate: 1e38, ..settings() };
    let mut epochs = 0;
    let listen = &mut |event: &Event<'_>| epochs += u32::from(matches!(event, Event::Epoch { .. }));
    match run(96, &settings, &execution(1), Some(&examples(8, 2)), listen) {
        Ok(trained) => assert!(trained.diverged.is_some() && trained.epoch <= epochs),
        Err(error) => {
            assert_eq!(error.to_string(), "the loss of step 1 (in epoch 1) is not a number: training has diverged")
        }
    }
}

#[test]
fn without_examples_there_is_nothing_to_learn() {
    assert!(matches!(run(0, &settings(), &execution(1), None, &mut |_| ()), Err(TrainError::NoRows)));
}

/// A training that is stopped after each of some steps and goes on from its checkpoint.
fn in_parts(settings: &TrainSettings, validation: &Examples, save_steps: Option<u64>, stops: &[u64]) -> Trained {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints { folder: folder.path().join("run"), save_steps, save_total_limit: 2, resume: true };
    for &stop in stops.iter().chain(&[u64::MAX]) {
        let execution = Execution { checkpoints: Some(checkpoints.clone()), ..execution(1) };
        // A step that is not completed is as good as a kill: a later one is lost, and made again.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            run(96, settings, &execution, Some(validation), &mut |event| {
                if let Event::Step { step, .. } = event {
                    assert!(*step != stop, "killed");
                }
            })
            .unwrap()
        }));
        if let Ok(trained) = ended {
            assert_eq!(stop, u64::MAX);
            let names: Vec<_> = std::fs::read_dir(&checkpoints.folder).unwrap().map(|entry| entry.unwrap()).collect();
            assert_eq!(names.len(), 2 + 1, "two checkpoints and the log: {names:?}");
            return trained;
        }
    }
    panic!("it never ended")
}

#[test]
fn a_training_in_parts_is_the_unbroken_one() {
    let validation = examples(40, 2);
    let settings = TrainSettings { epochs: 4, patience: Some(3), learning_rate: 1e-2, ..settings() };
    let (whole, ..) = train(96, &settings, 2, Some(&validation));
    let averaged = TrainSettings { ema_decay: Some(0.9), ..settings.clone() };
    let (average, ..) = train(96, &averaged, 2, Some(&validation));
    assert!(
        average.weights != whole.weights
            && in_parts(&averaged, &validation, Some(5), &[3, 14]).weights == average.weights
    );
    for (save_steps, stops) in [(Some(5), &[3, 7, 8, 14, 23][..]), (None, &[2, 9, 13, 20]), (Some(1), &[1, 2, 24])] {
        let parts = in_parts(&settings, &validation, save_steps, stops);
        assert!(parts.weights == whole.weights, "other weights with {save_steps:?}");
        assert_eq!((parts.epoch, parts.steps), (whole.epoch, whole.steps));
        assert_eq!(parts.validation.unwrap().loss(), whole.validation.as_ref().unwrap().loss());
        let steps = |log: &MetricsLog| {
            let lines = log.lines().lines().filter(|line| line.contains("\"step\"")).map(str::to_owned);
            lines.collect::<Vec<_>>()
        };
        assert_eq!(steps(&parts.log), steps(&whole.log));
    }
}
