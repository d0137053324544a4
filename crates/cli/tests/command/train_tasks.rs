//! `albertine train` beyond one class per text: pre-training, distillation, several labels, values, pairs, more labels.

use serde_json::Value;

use crate::support::{Sandbox, assert_conversation, golden_model};
use crate::train::table;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.model("base", &golden_model("gelu_new"));
    sandbox
}

fn config(sandbox: &Sandbox, model: &str) -> Value {
    serde_json::from_str(&sandbox.read(&format!("{model}/config.json"))).expect("JSON")
}

/// A few hundred lines about two things.
fn corpus(sandbox: &Sandbox) {
    let line = |row: usize| match row % 2 {
        0 => format!("the bees fly over field {} and the flowers bloom", row % 7),
        _ => format!("the court heard case {} and the judge ruled on the law", row % 9),
    };
    sandbox.file("corpus.txt", (0..300).map(|row| line(row) + "\n").collect::<String>());
    sandbox.file(
        "config.json",
        r#"{"model_type": "albert", "embedding_size": 16, "hidden_size": 32, "num_hidden_layers": 2,
            "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 64, "initializer_range": 0.05}"#,
    );
}

#[test]
fn a_model_is_made_from_a_configuration_and_plain_text() {
    let sandbox = Sandbox::new();
    corpus(&sandbox);
    let pretrain = |output: &str, more: &[&str]| {
        let arguments = [
            "train",
            "--pretrain",
            "--config",
            "config.json",
            "--vocabulary-size",
            "44",
            "--input",
            "corpus.txt",
            "--validation-split",
            "0.1",
            "--epochs",
            "4",
            "--learning-rate",
            "0.005",
            "--max-sentence-length",
            "24",
            "--output",
            output,
        ];
        sandbox.run(&[&arguments[..], more].concat())
    };
    let said = pretrain("mlm", &[]);
    for told in [
        "exit code: 0",
        "{\"model\":\"mlm\",\"epoch\":4,\"eval_loss\":",
        "trained a vocabulary of 44 pieces\n",
        " for validation, at most 24 pieces each; about 4 MB of memory",
        "epoch 4/4: loss ",
        "trained for 4 epochs (",
    ] {
        assert!(said.contains(told), "{told} is missing in {said}");
    }
    let config = config(&sandbox, "mlm");
    assert_eq!((&config["architectures"][0], &config["vocab_size"]), (&"AlbertForMaskedLM".into(), &44.into()));
    assert_eq!(
        sandbox.names("mlm"),
        [
            "README.md",
            "config.json",
            "metrics.json",
            "metrics.jsonl",
            "model.safetensors",
            "report.html",
            "tokenizer.json",
            "tokenizer_config.json"
        ]
    );
    // It goes on from a checkpoint too.
    let broken = pretrain("broken", &["--checkpoint", "run", "--save-steps", "5"]);
    assert!(broken.starts_with("exit code: 0"), "{broken}");
    let again = pretrain("again", &["--checkpoint", "run", "--save-steps", "5", "--resume"]);
    assert!(again.contains("going on after step "), "{again}");
    let weights = |model: &str| std::fs::read(sandbox.path(model).join("model.safetensors")).expect("weights");
    assert!(weights("mlm") == weights("broken") && weights("mlm") == weights("again"));
    // And it is fine-tuned.
    table(&sandbox, "train.csv", 60);
    let arguments =
        ["train", "--input", "train.csv", "--model", "./mlm", "--learning-rate", "0.005", "--output", "small"];
    let said = sandbox.run(&[&arguments[..], &["--test", "train.csv", "--epochs", "5"]].concat());
    assert!(said.contains("the base model has no pooler") && said.contains("\"eval_accuracy\":1.0"), "{said}");
    let labelled = sandbox.run(&["classify", "--model", "./small", "the bees fly over the field", "--quiet"]);
    assert!(labelled.contains("\"label\":\"bees\""), "{labelled}");
}

#[test]
fn a_configuration_needs_a_vocabulary_that_its_texts_can_fill() {
    let sandbox = Sandbox::new();
    corpus(&sandbox);
    let train = |more: &[&str]| {
        let arguments = ["train", "--pretrain", "--config", "config.json", "--output", "mlm"];
        sandbox.run(&[&arguments[..], more].concat())
    };
    assert_conversation!(train(&["--input", "corpus.txt"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: . has neither tokenizer.json nor spiece.model nor vocab.txt
    hint: train a vocabulary with `--vocabulary-size`, or put one beside the configuration
    ");
    assert_conversation!(train(&["--input", "corpus.txt", "--vocabulary-size", "100000"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: a vocabulary of 100000 pieces is too large for the texts, which have only 61
    hint: choose a smaller `--vocabulary-size`, or give more texts
    ");
    assert_conversation!(train(&["--input", "corpus.txt", "--vocabulary-size", "10"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: a vocabulary of 10 pieces is too small for the texts: their characters alone need 36
    hint: choose a larger `--vocabulary-size`
    ");
    assert_conversation!(train(&["--input", "-", "--vocabulary-size", "100"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: a vocabulary cannot be trained on standard input, which is read once
    hint: write the texts to a file, and give it with `--input`
    ");
    assert_conversation!(train(&["--input", "corpus.txt", "--model", "./base"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the argument '--config <PATH>' cannot be used with '--model <NAME|PATH|ORG/REPO|URL>'

    Usage: albertine train --output <FOLDER> --pretrain --config <PATH> --input <PATH|GLOB|URL|->

    For more information, try '--help'.
    ");
}

#[test]
fn a_text_of_one_long_line_goes_on_in_the_next_part() {
    let sandbox = Sandbox::new();
    corpus(&sandbox);
    sandbox.file("line.txt", "the bees fly over the field and the judge ruled on the law ".repeat(1000));
    let said = sandbox.run(&[
        "train",
        "--pretrain",
        "--config",
        "config.json",
        "--vocabulary-size",
        "26",
        "--input",
        "line.txt",
        "--epochs",
        "1",
        "--max-sentence-length",
        "64",
        "--batch-size",
        "512",
        "--output",
        "mlm",
    ]);
    assert!(
        said.starts_with("exit code: 0") && said.contains(" parts of texts for training, 0 for validation"),
        "{said}"
    );
}

#[test]
fn a_student_learns_from_scores_and_from_a_model() {
    let sandbox = sandbox();
    table(&sandbox, "train.csv", 40);
    let train = |output: &str, more: &[&str]| {
        let arguments = [
            "train",
            "--input",
            "train.csv",
            "--model",
            "./base",
            "--epochs",
            "6",
            "--batch-size",
            "8",
            "--learning-rate",
            "0.003",
            "--output",
            output,
        ];
        sandbox.run(&[&arguments[..], more].concat())
    };
    assert!(train("teacher", &[]).starts_with("exit code: 0"));
    let by_model = train("one", &["--teacher", "./teacher", "--teacher-weight", "1", "--test", "train.csv"]);
    assert!(by_model.contains("reads 40 texts") && by_model.contains("\"eval_accuracy\":1.0"), "{by_model}");
    for (format, output) in [("csv", "two"), ("jsonl", "three"), ("parquet", "four")] {
        let scores = format!("scores.{format}");
        let arguments =
            ["classify", "--input", "train.csv", "--model", "./teacher", "--all-scores", "--output", &scores];
        assert!(sandbox.run(&arguments).starts_with("exit code: 0"));
        let said = train(output, &["--teacher", &scores, "--teacher-weight", "1", "--test", "train.csv"]);
        assert!(said.starts_with("exit code: 0") && said.contains("\"eval_accuracy\":1.0"), "{said}");
        assert!(sandbox.read(&format!("{output}/README.md")).contains(&format!("| teachers | {scores} |")));
    }
    // Rows without a label learn from the teacher alone.
    let unlabeled: String = sandbox.read("train.csv").lines().enumerate().fold(String::new(), |csv, (row, line)| {
        let text = line.rsplit_once(',').expect("a label").0;
        csv + if (1..35).contains(&row) { format!("{text},\n") } else { format!("{line}\n") }.as_str()
    });
    sandbox.file("train.csv", unlabeled);
    let said = train("five", &["--teacher", "./teacher", "--teacher", "scores.parquet"]);
    assert!(said.contains("40 texts for training"), "{said}");
    sandbox.file("few.csv", "bees,law\n0.5,0.5\n").file("other.csv", format!("bees,art\n{}", "0.5,0.5\n".repeat(40)));
    sandbox.file("high.csv", format!("bees,law\n{}1.5,0.5\n", "0.5,0.5\n".repeat(39)));
    assert_conversation!(train("six", &["--teacher", "few.csv"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    a new classification head with 2 classes: bees, law
    error: the teacher few.csv has 1 row, but the training set has 40
    hint: the table of a teacher has a row for each row of the input, in the same order
    ");
    assert_conversation!(train("six", &["--teacher", "other.csv"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    a new classification head with 2 classes: bees, law
    error: the teacher other.csv has the labels `bees`, `art`, but `bees`, `law` are trained
    hint: give a teacher with the same labels, in any order
    ");
    assert_conversation!(train("six", &["--teacher", "high.csv"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    a new classification head with 2 classes: bees, law
    error: row 40 of high.csv has a score that is not from 0 to 1
    hint: scores are numbers from 0 to 1, one for each label
    ");
    assert_conversation!(train("six", &["--teacher", "./base"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    a new classification head with 2 classes: bees, law
    error: the teacher ./base has the labels `World`, `Sports`, `Business`, `Sci/Tech`, but `bees`, `law` are trained
    hint: give a teacher with the same labels, in any order
    ");
    assert_conversation!(train("six", &["--teacher-weight", "0.9"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the following required arguments were not provided:
      --teacher <NAME|PATH|ORG/REPO|URL|TABLE>

    Usage: albertine train --output <FOLDER> --teacher <NAME|PATH|ORG/REPO|URL|TABLE> --input <PATH|GLOB|URL|-> --model <NAME|PATH|ORG/REPO|URL> --epochs <N> --batch-size <N> --learning-rate <RATE> --teacher-weight <FRACTION>

    For more information, try '--help'.
    ");
}

#[test]
fn a_text_may_have_several_labels_or_a_value() {
    let sandbox = sandbox();
    let rows = |label: fn(usize) -> &'static str| {
        let text = |row: usize| ["the bees fly over the field", "the court heard the law"][row % 2];
        let row = |row: usize| format!("{{\"text\": \"{} {row}\", \"label\": {}}}\n", text(row), label(row % 2));
        (0..40).map(row).collect::<String>()
    };
    sandbox.file("several.jsonl", rows(|kind| [r#"["bees", "summer"]"#, "[]"][kind]));
    sandbox.file("value.jsonl", rows(|kind| ["2.5", "-1"][kind]));
    let train = |input: &str, problem: &str, output: &str, metric: &str| {
        sandbox.run(&[
            "train",
            "--input",
            input,
            "--model",
            "./base",
            "--problem-type",
            problem,
            "--validation",
            input,
            "--epochs",
            "15",
            "--batch-size",
            "8",
            "--learning-rate",
            "0.005",
            "--metric-for-best-model",
            metric,
            "--output",
            output,
        ])
    };
    let said = train("several.jsonl", "multi_label_classification", "several", "f1");
    assert!(said.contains("a new classification head with 2 classes: bees, summer"), "{said}");
    assert!(said.contains("\"eval_f1\":1.0"), "{said}");
    assert_eq!(config(&sandbox, "several")["problem_type"], "multi_label_classification");
    assert!(sandbox.read("several/report.html").contains("<h2>Learning curves</h2>"));
    let said = train("value.jsonl", "regression", "value", "mae");
    assert!(said.contains("a new regression head") && said.contains("\"eval_mae\":0.0"), "{said}");
    assert_eq!(config(&sandbox, "value")["problem_type"], "regression");
    assert_conversation!(train("several.jsonl", "single_label_classification", "x", "f1"), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: column `label` holds List(Utf8), not labels
    hint: name the column of true labels with `--label-column`
    ");
    sandbox.file("value.jsonl", rows(|kind| ["\"2.5\"", "\"high\""][kind]));
    assert_conversation!(train("value.jsonl", "regression", "x", "mae"), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    a new regression head
    error: value.jsonl has the label `high`, which is not a number
    hint: choose another `--label-column`, or another `--problem-type`
    ");
}

#[test]
fn pairs_are_read_as_two_texts_and_labels_are_added() {
    let sandbox = sandbox();
    table(&sandbox, "train.csv", 20);
    let pair = |row: usize| match row % 2 {
        0 => format!("the bees fly {row},the bees fly,same\n"),
        _ => format!("the bees fly {row},the court heard,other\n"),
    };
    sandbox.file("pairs.csv", "text,second,label\n".to_owned() + &(0..20).map(pair).collect::<String>());
    let said = sandbox.run(&[
        "train",
        "--input",
        "pairs.csv",
        "--text-pair-column",
        "second",
        "--model",
        "./base",
        "--epochs",
        "1",
        "--output",
        "pairs",
    ]);
    assert!(said.starts_with("exit code: 0") && said.contains("2 classes: other, same"), "{said}");
    let said = sandbox.run(&[
        "train",
        "--input",
        "train.csv",
        "--add-labels",
        "--model",
        "./base",
        "--epochs",
        "1",
        "--output",
        "more",
    ]);
    assert!(
        said.contains(
            "the model's own classification head with 4 classes: World, Sports, Business, Sci/Tech; added: bees, law"
        ),
        "{said}"
    );
    assert_eq!(config(&sandbox, "more")["id2label"]["4"], "bees");
}
