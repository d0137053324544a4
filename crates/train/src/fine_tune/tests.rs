//! Fine-tunings of a tiny model on texts that tell their class.
#![allow(clippy::unwrap_used)]

use albertine_model::{Checkpoint, CpuError, CpuLevel, Precision};

use super::*;
use crate::{Checkpoints, SoftLabels};

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
    let datasets = Datasets { validation, test, ..Datasets::new(texts("training", 12, ["oil", "sport"])) };
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
        validation: Validation::Texts(Box::new(texts("validation", 4, ["0", "1"]))),
        ..Datasets::new(texts("training", 8, ["0", "1"]))
    };
    let mut heard = Vec::new();
    let mut listen = |event: &Event<'_>| {
        heard.push(match event {
            Event::Head { labels, new, class_indices, problem } => {
                assert_eq!(*problem, ProblemType::SingleLabel);
                format!("{} {new} {class_indices}", labels.join(","))
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
        ["0,1 2 false", "8 4 4", "1/4 of 1", "2/4 of 1", "epoch 1 true", "3/4 of 2", "4/4 of 2", "epoch 2 true"];
    assert_eq!(heard, expected);
}

#[test]
fn a_cancelled_training_keeps_what_it_has() {
    let execution = execution();
    let test = Some(texts("test", 2, ["oil", "sport"]));
    let datasets = Datasets { test, ..Datasets::new(texts("training", 12, ["oil", "sport"])) };
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
    let error = run(Validation::Texts(Box::new(texts("dev.csv", 2, ["oil", "art"]))), None).unwrap_err().to_string();
    assert_eq!(error, "dev.csv has the label `art`, which does not occur in the training set");
    let error = run(Validation::Split(0.01), None).unwrap_err().to_string();
    assert_eq!(error, "a fraction of 0.01 of 12 rows is none of them");
    assert!(matches!(run(Validation::Split(0.99), None), Err(TrainError::Split { held_out: 12, .. })));
    let of = |training: LabeledTexts, settings: &TrainSettings| {
        fine_tune(base(), Datasets::new(training), settings, &execution(), &mut |_| ()).unwrap_err()
    };
    assert!(matches!(of(LabeledTexts::new("none"), &settings()), TrainError::NoRows));
    let same = of(texts("same", 4, ["oil", "oil"]), &settings()).to_string();
    assert_eq!(same, "all rows have the label `oil`");
    for wrong in [
        TrainSettings { epochs: 0, ..settings() },
        TrainSettings { batch_size: 0, ..settings() },
        TrainSettings { learning_rate: f64::NAN, ..settings() },
        TrainSettings { dropout: Some(1.0), ..settings() },
        TrainSettings { label_smoothing: 1.5, ..settings() },
    ] {
        assert!(matches!(of(texts("training", 4, ["oil", "sport"]), &wrong), TrainError::Setting { .. }), "{wrong:?}");
    }
    let precise = |precision| TrainSettings { precision, ..settings() };
    assert!(matches!(
        of(texts("training", 4, ["oil", "sport"]), &precise(Precision::Int8)),
        TrainError::Setting { name: "precision", .. }
    ));
    let portable = Execution::new(Kernels::at(CpuLevel::Portable).unwrap());
    let training = Datasets::new(texts("training", 4, ["oil", "sport"]));
    let error = fine_tune(base(), training, &precise(Precision::Bf16), &portable, &mut |_| ()).unwrap_err();
    assert!(matches!(error, TrainError::Cpu(CpuError::NoBf16 { .. })), "before anything else: {error}");
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
        let place = folder.path().to_owned();
        let checkpoints = Checkpoints { folder: place, save_steps: Some(2), save_total_limit: 1, resume };
        let execution = Execution { checkpoints: Some(checkpoints), ..execution() };
        fine_tune(base(), Datasets::new(texts), settings, &execution, &mut |_| ())
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

/// The loss of an epoch of fine-tuning, the first of them.
fn first_loss(datasets: Datasets, settings: &TrainSettings) -> f64 {
    let mut first = None;
    fine_tune(base(), datasets, settings, &execution(), &mut |event| {
        if let Event::Step { loss, .. } = event {
            first.get_or_insert(*loss);
        }
    })
    .unwrap();
    first.unwrap()
}

#[test]
fn texts_with_any_number_of_labels_and_texts_with_a_value_are_learned() {
    let table = |problem, label: &dyn Fn(usize) -> Option<String>| {
        let mut texts = LabeledTexts::new("rows").with_problem(problem, ",");
        for row in 0..32 {
            let text = ["Oil prices rose again", "The home side won again"][row % 2];
            texts.push(&base(), Some(&format!("{text} {row}")), label(row).as_deref()).unwrap();
        }
        texts
    };
    let settings = TrainSettings { epochs: 12, learning_rate: 5e-3, dropout: Some(0.0), ..settings() };
    let train = |problem, label: &dyn Fn(usize) -> Option<String>, best_metric| {
        let validation = Validation::Texts(Box::new(table(problem, label)));
        let datasets = Datasets { validation, ..Datasets::new(table(problem, label)) };
        let settings = TrainSettings { best_metric, ..settings.clone() };
        fine_tune(base(), datasets, &settings, &execution(), &mut |_| ()).unwrap()
    };
    let labels = |row: usize| [Some("oil, money".to_owned()), None][row % 2].clone();
    let model = train(ProblemType::MultiLabel, &labels, crate::BestMetric::F1);
    assert_eq!(model.labels(), ["money", "oil"]);
    assert_eq!(model.validation.as_ref().unwrap().get(crate::BestMetric::F1), Some(1.0));
    let folder = tempfile::tempdir().unwrap();
    model.save(create_output(&folder.path().join("labels")).unwrap(), &Provenance::default()).unwrap();
    let saved = Checkpoint::open(&folder.path().join("labels")).unwrap();
    assert_eq!(saved.config().problem_type(), Some(ProblemType::MultiLabel));

    let values = |row: usize| Some(["0.5", "-1.5"][row % 2].to_owned());
    let model = train(ProblemType::Regression, &values, crate::BestMetric::Pearson);
    assert!(model.validation.as_ref().unwrap().get(crate::BestMetric::R2).unwrap() > 0.9);
    model.save(create_output(&folder.path().join("values")).unwrap(), &Provenance::default()).unwrap();
    let saved = Checkpoint::open(&folder.path().join("values")).unwrap();
    assert_eq!((saved.config().problem_type(), saved.config().labels().len()), (Some(ProblemType::Regression), 1));

    let wrong = |problem, settings: &TrainSettings| {
        let training = table(problem, &|row| Some(format!("label {row}")));
        fine_tune(base(), Datasets::new(training), settings, &execution(), &mut |_| ()).unwrap_err().to_string()
    };
    assert_eq!(wrong(ProblemType::Regression, &settings), "rows has the label `label 0`, which is not a number");
    let f1 = TrainSettings { best_metric: crate::BestMetric::F1, ..settings.clone() };
    let error = wrong(ProblemType::Regression, &f1);
    assert_eq!(error, "metric_for_best_model must be loss, mae, r2 or pearson, not f1");
    let balanced = TrainSettings { class_weights: ClassWeights::Balanced, ..settings.clone() };
    assert!(wrong(ProblemType::MultiLabel, &balanced).starts_with("class_weights must be equal"));
}

#[test]
fn a_cell_of_labels_is_a_list_or_a_line() {
    let mut texts = LabeledTexts::new("rows").with_problem(ProblemType::MultiLabel, "|");
    for cell in ["a|b", r#"["b", "c, d"]"#, "", "[not json", " a "] {
        texts.push(&base(), Some("oil"), Some(cell)).unwrap();
    }
    assert_eq!(texts.labels().unwrap().into_iter().collect::<Vec<_>>(), ["[not json", "a", "b", "c, d"]);
    assert_eq!((texts.len(), texts.skipped()), (5, 0));
}

#[test]
fn labels_are_added_without_losing_those_that_are_there() {
    let settings = TrainSettings { add_labels: true, epochs: 1, learning_rate: 1e-9, ..settings() };
    let training = texts("training", 12, ["weather", "Sports"]);
    let model = fine_tune(base(), Datasets::new(training), &settings, &execution(), &mut |_| ()).unwrap();
    let own = base().config().labels().to_vec();
    assert_eq!(model.labels(), [&own[..], &["weather".to_owned()]].concat());
    let (config, before) = base().weights(&Head::Own(own.clone()), ProblemType::SingleLabel, 1).unwrap();
    let classifier = config.tensors().indices().classifier;
    for index in [classifier.weight, classifier.bias] {
        let (before, after) = (before.at(index), model.weights.at(index));
        assert!(before.iter().zip(after).all(|(one, two)| (one - two).abs() < 1e-6));
        assert_eq!(after.len(), before.len() / own.len() * (own.len() + 1));
    }
    let mlm = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/heads/albert_mlm");
    let base = BaseModel::new(Checkpoint::open(&mlm).unwrap(), Some(16)).unwrap();
    let training = texts("training", 12, ["weather", "Sports"]);
    let error = fine_tune(base, Datasets::new(training), &settings, &execution(), &mut |_| ()).unwrap_err();
    assert!(matches!(error, TrainError::NoOwnLabels));
}

#[test]
fn pairs_of_texts_have_two_types_and_a_blank_one_is_skipped() {
    let mut pairs = LabeledTexts::new("pairs");
    for (second, label) in
        [(Some("The home side won"), "no"), (Some(" "), "no"), (None, "yes"), (Some("Oil rose"), "yes")]
    {
        pairs.push_pair(&base(), (Some("Oil prices rose"), second), Some(label)).unwrap();
    }
    assert_eq!((pairs.len(), pairs.skipped()), (2, 2));
    let types = pairs.tokens_for_test().token_types().unwrap().to_vec();
    assert!(types.contains(&0) && types.contains(&1));
    let settings = TrainSettings { epochs: 1, ..settings() };
    fine_tune(base(), Datasets::new(pairs), &settings, &execution(), &mut |_| ()).unwrap();
}

#[test]
fn a_teacher_decides_its_part_of_the_loss() {
    let with = |teachers: Vec<Teacher>, weight: f64, label: Option<&str>| {
        let mut training = LabeledTexts::new("training").with_teachers(true);
        for row in 0..8 {
            let label = label.or((row == 0).then_some("b")).or((row == 1).then_some("a"));
            let label = if row % 2 == 0 && label.is_some() { Some("a") } else { label };
            training.push(&base(), Some("Oil prices rose"), label).unwrap();
        }
        training.push(&base(), Some(" "), Some("b")).unwrap();
        let settings = TrainSettings {
            epochs: 1,
            batch_size: 8,
            dropout: Some(0.0),
            teacher_weight: weight,
            teacher_temperature: 1.0,
            ..settings()
        };
        first_loss(Datasets { teachers, ..Datasets::new(training) }, &settings)
    };
    let soft = |scores: [f32; 2], labels: [&str; 2]| {
        let mut soft = SoftLabels::new("soft.csv");
        for row in 0..9 {
            soft.push(&labels.map(str::to_owned), (row < 8).then_some(&scores)).unwrap();
        }
        Teacher::Scores(soft)
    };
    let plain = with(Vec::new(), 0.5, Some("b"));
    assert_eq!(with(vec![soft([0.9, 0.1], ["a", "b"])], 0.0, Some("b")), plain, "without weight it says nothing");
    let (all, half) = (
        with(vec![soft([0.9, 0.1], ["a", "b"])], 1.0, Some("b")),
        with(vec![soft([0.9, 0.1], ["a", "b"])], 0.5, Some("b")),
    );
    assert!((half - 0.5 * (all + plain)).abs() < 1e-6, "{half} {all} {plain}");
    let turned = with(vec![soft([0.1, 0.9], ["b", "a"])], 1.0, Some("b"));
    assert_eq!(turned, all, "labels have names, not places");
    let ensemble = with(vec![soft([1.0, 0.0], ["a", "b"]), soft([0.8, 0.2], ["a", "b"])], 1.0, Some("b"));
    assert!((ensemble - all).abs() < 1e-6, "several are averaged");
}

#[test]
fn a_model_teaches_what_it_says_and_texts_without_a_label_are_learned_from_it() {
    let teacher = || Teacher::Model { name: "golden".to_owned(), model: Box::new(base()) };
    let own = base().config().labels().to_vec();
    let mut training = LabeledTexts::new("training").with_teachers(true);
    for row in 0..8 {
        let label = own.get(row).filter(|_| row < 4).map(String::as_str);
        training.push(&base(), Some(&format!("Oil prices rose {row}")), label).unwrap();
    }
    let settings = TrainSettings { epochs: 1, batch_size: 8, dropout: Some(0.0), teacher_weight: 1.0, ..settings() };
    let datasets = |training: &LabeledTexts| Datasets { teachers: vec![teacher()], ..Datasets::new(training.clone()) };
    // The model that is trained is the teacher itself, and agrees with it.
    assert!(first_loss(datasets(&training), &settings).abs() < 1e-6);
    let refused = |training: LabeledTexts, teachers| {
        let datasets = Datasets { teachers, ..Datasets::new(training) };
        fine_tune(base(), datasets, &settings, &execution(), &mut |_| ()).unwrap_err().to_string()
    };
    let error = refused(texts("training", 4, ["oil", "sport"]), vec![teacher()]);
    assert_eq!(
        error,
        "the teacher golden has the labels `World`, `Sports`, `Business`, `Sci/Tech`, but `oil`, `sport` are trained"
    );
    let mut soft = SoftLabels::new("soft.csv");
    soft.push(&["oil", "sport"].map(str::to_owned), Some(&[0.5, 0.5])).unwrap();
    let error = refused(texts("training", 4, ["oil", "sport"]), vec![Teacher::Scores(soft)]);
    assert_eq!(error, "the teacher soft.csv has 1 row, but the training set has 4");
}
