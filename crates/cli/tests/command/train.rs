//! `albertine train`: a model, fine-tuned on a labelled table.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command};

use serde_json::Value;

use crate::support::{BUSINESS, SPORTS, Sandbox, assert_conversation, golden_model};

/// Texts of two kinds that the built-in model has no classes for.
pub(crate) fn table(sandbox: &Sandbox, name: &str, rows: usize) {
    let mut csv = "text,label\n".to_owned();
    for row in 0..rows {
        let text = ["the bees fly over the field", "the court heard the law"][row % 2];
        csv.push_str(&format!("{text} number {row},{}\n", ["bees", "law"][row % 2]));
    }
    sandbox.file(name, csv);
}

/// A training that has come to the end of its first epoch, and what it goes on to say.
fn after_an_epoch(command: &mut Command) -> (Child, BufReader<ChildStderr>) {
    let mut child = command.spawn().expect("the binary starts");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.starts_with("epoch 1/") {
        line.clear();
        assert!(said.read_line(&mut line).expect("UTF-8") > 0, "it ended");
    }
    (child, said)
}

fn lines(sandbox: &Sandbox, name: &str) -> Vec<Value> {
    sandbox.read(name).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_model_learns_classes_that_it_did_not_have() {
    let sandbox = Sandbox::new();
    sandbox.model("base", &golden_model("gelu_new"));
    table(&sandbox, "train.csv", 40);
    table(&sandbox, "test.csv", 10);
    let flags = ["--epochs", "6", "--batch-size", "8", "--learning-rate", "0.003", "--seed", "1", "--threads", "2"];
    let arguments =
        ["train", "--input", "train.csv", "--model", "./base", "--output", "out/model", "--test", "test.csv"];
    let output = sandbox.command(&[&arguments[..], &flags].concat()).output().expect("the binary starts");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{said}");
    let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&result["model"], &result["epoch"]), (&"out/model".into(), &6.into()));
    assert_eq!(result["eval_accuracy"], 1.0, "{said}");
    assert!(said.contains("a new classification head with 2 classes: bees, law"), "{said}");
    assert!(said.contains("epoch 6/6: loss "), "{said}");

    let lines = lines(&sandbox, "out/model/metrics.jsonl");
    assert_eq!(lines.len(), 6 * 5 + 6, "a line for each step and each epoch");
    assert_eq!((&lines[0]["step"], &lines[35]["epoch"]), (&1.into(), &6.into()));
    let loss = |line: &Value| line["loss"].as_f64().expect("a number");
    assert!(loss(&lines[35]) < loss(&lines[5]) / 2.0, "{lines:?}");
    assert!(lines[0]["learning_rate"].is_number() && lines[0]["gradient_norm"].is_number());

    let labelled =
        sandbox.run(&["classify", "--model", "out/model", "the bees fly over the field number 3", "--quiet"]);
    assert!(labelled.contains("\"label\":\"bees\""), "{labelled}");
    assert!(sandbox.read("out/model/README.md").contains("- bees\n- law\n"));
    assert!(sandbox.read("out/model/report.html").contains("100.00 %</span> of 10 texts correct"));
    let metrics: Value = serde_json::from_str(&sandbox.read("out/model/metrics.json")).expect("JSON");
    assert_eq!((&metrics["epoch"], &metrics["run"]["seed"]), (&6.0.into(), &"1".into()));
    assert_eq!(sandbox.names("out"), ["model"], "nothing is left beside it");
}

#[test]
fn a_training_is_told_line_by_line() {
    let sandbox = Sandbox::new();
    sandbox.model("base", &golden_model("gelu_new"));
    table(&sandbox, "train.csv", 20);
    table(&sandbox, "new.csv", 6);
    let said = sandbox.run(&[
        "train",
        "--input",
        "train.csv",
        "--model",
        "./base",
        "--output",
        "model",
        "--validation",
        "new.csv",
        "--epochs",
        "2",
        "--freeze-encoder",
    ]);
    assert_conversation!(said, @r#"
    exit code: 0
    ----- stdout -----
    {"model":"model","epoch":2,"eval_loss":[SCORE],"eval_accuracy":[SCORE],"eval_macro_f1":0.25}
    ----- stderr -----
    a new classification head with 2 classes: bees, law
    20 texts for training, 6 for validation, at most 128 pieces per text; about 1 MB of memory
    epoch 1/2: loss [SCORE], accuracy [SCORE]; validation loss [SCORE], accuracy [SCORE], macro F1 [SCORE]; [TIME]
    epoch 2/2: loss [SCORE], accuracy [SCORE]; validation loss [SCORE], accuracy [SCORE], macro F1 [SCORE]; [TIME]
    trained for 2 epochs (2 steps) in [TIME]; the model of epoch 2 is in model
    "#);
    let keys = |line: &Value| line.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ");
    let lines = lines(&sandbox, "model/metrics.jsonl");
    assert_eq!(
        lines.iter().map(keys).collect::<Vec<_>>(),
        [
            "gradient_norm learning_rate loss step",
            "accuracy epoch eval_accuracy eval_loss eval_macro_f1 loss seconds",
            "gradient_norm learning_rate loss step",
            "accuracy epoch eval_accuracy eval_loss eval_macro_f1 loss seconds",
        ]
    );
}

#[test]
fn the_same_seed_gives_the_same_model() {
    let sandbox = Sandbox::new();
    sandbox.model("base", &golden_model("gelu_new"));
    table(&sandbox, "train.csv", 30);
    let train = |output: &str, seed: &str, threads: &str| {
        let said = sandbox.run(&[
            "train",
            "--input",
            "train.csv",
            "--model",
            "./base",
            "--output",
            output,
            "--seed",
            seed,
            "--threads",
            threads,
            "--validation-split",
            "0.2",
            "--epochs",
            "2",
            "--label-smoothing",
            "0.1",
            "--class-weights",
            "balanced",
        ]);
        assert!(said.starts_with("exit code: 0"), "{said}");
        assert!(said.contains("24 texts for training, 6 for validation"), "{said}");
        std::fs::read(sandbox.path(output).join("model.safetensors")).expect("weights")
    };
    let one = train("one", "7", "1");
    assert!(one == train("two", "7", "3"), "threads change nothing");
    assert!(one != train("three", "8", "1"), "another seed is another model");
}

#[test]
fn the_classifier_alone_can_be_trained() {
    let sandbox = Sandbox::new();
    sandbox.file("train.csv", format!("text,label\n{BUSINESS},Business\n{SPORTS},World\n{SPORTS} Today.,World\n"));
    let arguments = [
        "train",
        "--input",
        "train.csv",
        "--output",
        "mine",
        "--freeze-encoder",
        "--epochs",
        "30",
        "--learning-rate",
        "0.05",
        "--dropout",
        "0",
    ];
    let said = sandbox.run(&arguments);
    assert!(
        said.contains("the model's own classification head with 4 classes: World, Sports, Business, Sci/Tech"),
        "{said}"
    );
    let labelled = sandbox.run(&["classify", "--model", "./mine", SPORTS, "--quiet"]);
    assert!(labelled.contains("\"label\":\"World\""), "{labelled}");
    let lines = lines(&sandbox, "mine/metrics.jsonl");
    assert!(lines.last().expect("a line")["accuracy"] == 1.0, "{lines:?}");
}

#[test]
fn an_interrupt_keeps_what_is_learned() {
    let sandbox = Sandbox::new();
    sandbox.model("base", &golden_model("gelu_new"));
    table(&sandbox, "train.csv", 2000);
    let mut command = sandbox.command(&[
        "train",
        "--input",
        "train.csv",
        "--model",
        "./base",
        "--output",
        "model",
        "--epochs",
        "1000",
    ]);
    let (mut child, _said) = after_an_epoch(&mut command);
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    let labelled = sandbox.run(&["classify", "--model", "./model", "the bees fly", "--quiet"]);
    assert!(labelled.starts_with("exit code: 0"), "{labelled}");
}

#[test]
fn a_model_that_cannot_be_moved_is_not_lost() {
    let sandbox = Sandbox::new();
    sandbox.model("base", &golden_model("gelu_new"));
    table(&sandbox, "train.csv", 400);
    let mut command =
        sandbox.command(&["train", "--input", "train.csv", "--model", "./base", "--output", "model", "--epochs", "20"]);
    let (mut child, mut said) = after_an_epoch(&mut command);
    sandbox.file("model/in-the-way", "");
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(2), "{rest}");
    let kept = rest.split("it was kept in ").nth(1).and_then(|rest| rest.split(':').next()).expect("where it is");
    let labelled = sandbox.run(&["classify", "--model", kept, "the bees fly", "--quiet"]);
    assert!(labelled.starts_with("exit code: 0"), "{labelled}");
}

#[test]
fn mistakes_are_told_before_the_work() {
    let sandbox = Sandbox::new();
    table(&sandbox, "train.csv", 4);
    sandbox.file("one.csv", "text,label\na,b\n").file("there/file", "").file("none.csv", "text,label\n,b\n");
    let train = |input: &str, flags: &[&str]| sandbox.run(&[&["train", "--input", input], flags].concat());
    assert_conversation!(train("train.csv", &["--output", "there"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there already exists
    hint: name a new folder with `--output`
    "#);
    assert_conversation!(train("train.csv", &["--output", "."]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: . cannot be the name of a new folder
    hint: name a new folder with `--output`
    "#);
    assert_conversation!(train("train.csv", &["--output", "m", "--validation-split", "0.01"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    a new classification head with 2 classes: bees, law
    error: a fraction of 0.01 of 4 rows is none of them
    hint: choose another `--validation-split`, or give a validation set with `--validation`
    "#);
    assert_conversation!(train("-", &["--output", "m", "--test", "-"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: standard input can be used for one table only
    hint: give files for the others
    "#);
    assert_conversation!(train("train.csv", &["--output", "m", "--label-column", "topic"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no column `topic`; the columns are `text`, `label`
    hint: name the column of true labels with `--label-column`
    "#);
    assert_conversation!(train("train.csv", &["--output", "m", "--text-column", "title"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no column `title`; the columns are `text`, `label`
    hint: name the text column with `--text-column`
    "#);
    assert_conversation!(train("train.csv", &["--output", "m", "--patience", "2"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: `--patience` needs a validation set
    hint: give one with `--validation`, or hold out some rows with `--validation-split 0.1`
    "#);
    assert_conversation!(train("train.csv", &["--output", "m", "--max-sentence-length", "2"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the maximum sequence length must be from 3 to 512 pieces for this model, not 2
    hint: omit `--max-sentence-length` to use the model's limit
    "#);
    assert_conversation!(train("train.csv", &["--output", "m", "--test", "one.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    a new classification head with 2 classes: bees, law
    error: one.csv has the label `b`, which does not occur in the training set
    hint: validation and test rows need labels that occur in the training set
    "#);
    assert_conversation!(train("one.csv", &["--output", "m"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: all rows have the label `b`
    hint: give a table with at least two classes, or choose another `--label-column`
    "#);
    assert_conversation!(train("none.csv", &["--output", "m"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    warning: 1 row of none.csv has no text or no label and was skipped
    error: none.csv: no row has both a text and a label
    hint: `--text-column` and `--label-column` name the columns to read
    "#);
    assert_conversation!(train("train.csv", &["--output", "m", "--model", "no-such-model"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no model named `no-such-model`; the nearest are `ag_news`, `albert_base_sequence_classifier_imdb`, `albert_base_sequence_classifier_ag_news`
    hint: `albertine models list` shows the known names; a path starts with `./`, and `org/repo` is a repository on the Hugging Face hub
    "#);
    assert!(sandbox.names(".").iter().all(|name| name != "m" && !name.contains("partial")));
}
