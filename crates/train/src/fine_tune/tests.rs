//! Fine-tunings of a tiny model on texts that tell their class.
#![allow(clippy::unwrap_used)]

use albertine_model::Checkpoint;

use super::*;
use crate::Checkpoints;

fn base() -> BaseModel {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden/gelu");
    BaseModel::new(Checkpoint::open(&golden).unwrap(), Some(16)).unwrap()
}

/// So many texts of two classes.
fn texts(name: &str, count: usize, labels: [&str; 2]) -> LabeledTexts {
    let mut texts = LabeledTexts::new(name);
    for row in 0..count {
        let text = ["Oil prices rose again", "The home side won again"][row % 2];
        texts.push(&base(), Some(&format!("{text} {row}")), Some(labels[row % 2])).unwrap();
    }
    texts
}

fn settings() -> TrainSettings {
    TrainSettings { epochs: 3, batch_size: 4, learning_rate: 1e-3, ..TrainSettings::default() }
}

fn execution() -> Execution {
    Execution::new(Kernels::detect().unwrap())
}

fn run(validation: Validation, test: Option<LabeledTexts>) -> Result<FineTuned, TrainError> {
    let datasets = Datasets { training: texts("training", 12, ["oil", "sport"]), validation, test };
    fine_tune(base(), datasets, &settings(), &execution(), &mut |_| ())
}

#[test]
fn a_model_directory_has_the_model_and_its_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("models/news");
    let output = create_output(&target).unwrap();
    let test = texts("test", 6, ["oil", "sport"]);
    let model = run(Validation::Split(0.25), Some(test)).unwrap();
    assert_eq!((model.steps, model.epochs, model.interrupted), (9, 3, false));
    assert_eq!((model.validation.as_ref().unwrap().samples(), model.test.as_ref().unwrap().samples()), (3, 6));
    assert_eq!(model.labels(), ["oil", "sport"]);
    let measured = model.metrics().unwrap().clone();
    model.save(output, &Provenance { base_model: "golden".to_owned(), ..Provenance::default() }).unwrap();

    let lines = std::fs::read_to_string(target.join("metrics.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 9 + 3);
    assert_eq!(lines.iter().filter(|line| line["eval_loss"].is_number()).count(), 3);
    let metrics: serde_json::Value =
        serde_json::from_slice(&std::fs::read(target.join("metrics.json")).unwrap()).unwrap();
    assert_eq!(metrics["eval_samples"], 6);
    assert_eq!(metrics["eval_loss"], measured.loss());
    assert_eq!(metrics["run"]["base_model"], "golden");
    assert_eq!(metrics["run"]["validation_set"], "0.25 of the input");
    assert!(target.join("report.html").is_file());
    let saved = Checkpoint::open(&target).unwrap();
    assert_eq!(saved.config().labels(), ["oil", "sport"]);
    assert!(std::fs::read_to_string(target.join("README.md")).unwrap().contains("| base model | golden |"));
    // nothing is left beside it, and it is not overwritten
    assert_eq!(std::fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
    assert!(matches!(create_output(&target), Err(TrainError::Exists { .. })));
}

#[test]
fn a_model_that_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    drop(create_output(&folder.path().join("model")).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(matches!(check_output(Path::new("..")), Err(TrainError::NoFolderName { .. })));
}

#[test]
fn the_same_seed_gives_the_same_weights() {
    let weights = || run(Validation::None, None).unwrap().weights;
    assert!(weights() == weights());
}

#[test]
fn the_listener_hears_of_the_start_and_of_every_step_and_epoch() {
    let datasets = Datasets {
        training: texts("training", 8, ["0", "1"]),
        validation: Validation::Texts(texts("validation", 4, ["0", "1"])),
        test: None,
    };
    let mut heard = Vec::new();
    let mut listen = |event: &Event<'_>| {
        heard.push(match event {
            Event::Head { labels, new_head, class_indices } => {
                format!("{} {new_head} {class_indices}", labels.join(","))
            }
            Event::Start { training, validation, steps, memory } => {
                assert!((100_000..100_000_000).contains(memory), "{memory} bytes");
                format!("{training} {validation} {steps}")
            }
            Event::Step { step, steps, epoch, .. } => format!("{step}/{steps} of {epoch}"),
            Event::Epoch { epoch, validation, .. } => format!("epoch {epoch} {}", validation.is_some()),
            other => panic!("{other:?}"),
        });
    };
    let settings = TrainSettings { epochs: 2, ..settings() };
    fine_tune(base(), datasets, &settings, &execution(), &mut listen).unwrap();
    let expected =
        ["0,1 true false", "8 4 4", "1/4 of 1", "2/4 of 1", "epoch 1 true", "3/4 of 2", "4/4 of 2", "epoch 2 true"];
    assert_eq!(heard, expected);
}

#[test]
fn a_cancelled_training_keeps_what_it_has() {
    let execution = execution();
    let datasets = Datasets {
        training: texts("training", 12, ["oil", "sport"]),
        validation: Validation::None,
        test: Some(texts("test", 2, ["oil", "sport"])),
    };
    let mut listen = |event: &Event<'_>| {
        if matches!(event, Event::Step { step: 2, .. }) {
            execution.cancellation.cancel();
        }
    };
    let model = fine_tune(base(), datasets, &settings(), &execution, &mut listen).unwrap();
    assert_eq!((model.steps, model.epochs, model.epoch, model.interrupted), (2, 0, 1, true));
    assert!(model.test.is_none());
}

#[test]
fn datasets_that_do_not_fit_are_refused() {
    let error = run(Validation::Texts(texts("dev.csv", 2, ["oil", "art"])), None).unwrap_err().to_string();
    assert_eq!(error, "dev.csv has the label `art`, which does not occur in the training set");
    let error = run(Validation::Split(0.01), None).unwrap_err().to_string();
    assert_eq!(error, "a fraction of 0.01 of 12 rows is none of them");
    assert!(matches!(run(Validation::Split(0.99), None), Err(TrainError::Split { held_out: 12, .. })));
    let of = |training: LabeledTexts, settings: &TrainSettings| {
        let datasets = Datasets { training, validation: Validation::None, test: None };
        fine_tune(base(), datasets, settings, &execution(), &mut |_| ()).unwrap_err()
    };
    assert!(matches!(of(LabeledTexts::new("none"), &settings()), TrainError::NoRows));
    let same = of(texts("same", 4, ["oil", "oil"]), &settings()).to_string();
    assert_eq!(same, "all rows have the label `oil`");
    for wrong in [
        TrainSettings { epochs: 0, ..settings() },
        TrainSettings { batch_size: 0, ..settings() },
        TrainSettings { learning_rate: f64::NAN, ..settings() },
        TrainSettings { dropout: 1.0, ..settings() },
        TrainSettings { label_smoothing: 1.5, ..settings() },
    ] {
        assert!(matches!(of(texts("training", 4, ["oil", "sport"]), &wrong), TrainError::Setting { .. }), "{wrong:?}");
    }
    let patience = TrainSettings { patience: Some(1), ..settings() };
    assert!(matches!(of(texts("training", 4, ["oil", "sport"]), &patience), TrainError::NoValidation));
}

#[test]
fn rows_without_a_text_or_a_label_are_skipped_and_long_texts_truncated() {
    let mut texts = LabeledTexts::new("rows");
    let long = "oil ".repeat(40);
    for (text, label) in [(None, Some("a")), (Some("  "), Some("a")), (Some("oil"), None), (Some("oil"), Some(" "))] {
        texts.push(&base(), text, label).unwrap();
    }
    texts.push(&base(), Some(&long), Some("a")).unwrap();
    assert_eq!((texts.len(), texts.skipped(), texts.truncated()), (1, 4, 1));
}

#[test]
fn a_checkpoint_is_of_the_same_settings_and_data() {
    let folder = tempfile::tempdir().unwrap();
    let run = |texts: LabeledTexts, settings: &TrainSettings, resume| {
        let datasets = Datasets { training: texts, validation: Validation::None, test: None };
        let place = folder.path().to_owned();
        let checkpoints = Checkpoints { folder: place, save_steps: Some(2), save_total_limit: 1, resume };
        let execution = Execution { checkpoints: Some(checkpoints), ..execution() };
        fine_tune(base(), datasets, settings, &execution, &mut |_| ())
    };
    let training = || texts("training", 12, ["oil", "sport"]);
    let whole = run(training(), &settings(), false).unwrap();
    assert!(matches!(run(training(), &settings(), false), Err(TrainError::CheckpointExists { .. })));
    let said = |texts, settings: &TrainSettings| run(texts, settings, true).unwrap_err().to_string();
    let faster = TrainSettings { learning_rate: 2e-3, epochs: 4, ..settings() };
    let error = said(training(), &faster);
    let place = folder.path().join("checkpoint-8");
    let expected = format!("the checkpoint {} is of another training: ", place.display());
    assert_eq!(error, expected.clone() + "epochs 3 instead of 4; learning rate 0.001 instead of 0.002");
    let error = said(texts("training", 12, ["oil", "art"]), &settings());
    assert_eq!(error, expected.clone() + "other labels; other training texts");
    let error = said(texts("training", 11, ["oil", "sport"]), &settings());
    assert_eq!(error, expected + "other training texts");
    // the last step alone is made again
    assert!(run(training(), &settings(), true).unwrap().weights == whole.weights);
    std::fs::write(place.join("weights.safetensors"), "cut").unwrap();
    let error = said(training(), &settings());
    assert!(error.starts_with("the checkpoint cannot be read: ") && error.contains("weights.safetensors"), "{error}");
}
