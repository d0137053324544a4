//! `albertine calibrate`, and what `classify` makes of a calibrated model.

use serde_json::Value;

use crate::support::{BUSINESS, SPORTS, Sandbox, assert_conversation, golden_model};

/// Headlines with their labels; each tenth is none that tells its label.
fn labeled(sandbox: &Sandbox, name: &str, rows: usize) {
    let mut table = "text,label\n".to_owned();
    for row in 0..rows {
        let (text, label) = match row {
            row if row % 10 == 3 => ("of the", ["World", "Sports", "Business", "Sci/Tech"][row / 10 % 4]),
            row if row % 2 == 0 => (BUSINESS, "Business"),
            _ => (SPORTS, "Sports"),
        };
        table.push_str(&format!("{row} {text},{label}\n"));
    }
    sandbox.file(name, table);
}

/// Calibrates the built-in model on such headlines, and gives what was printed.
fn calibrated(sandbox: &Sandbox, rows: usize) -> Value {
    labeled(sandbox, "validation.csv", rows);
    let arguments = ["calibrate", "--input", "validation.csv", "--output", "calibrated"];
    let output = sandbox.command(&arguments).output().expect("the binary starts");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn json_lines(said: &str) -> Vec<Value> {
    said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn every_door_gets_the_calibrated_scores() {
    let sandbox = Sandbox::new();
    let found = calibrated(&sandbox, 40);
    let number = |name: &str| found[name].as_f64().expect("a number");
    assert_eq!((found["model"].as_str(), found["eval_samples"].as_u64()), (Some("calibrated"), Some(40)));
    assert!(number("temperature") != 1.0 && number("eval_loss") < number("eval_loss_before"), "{found}");
    let files = [
        "README.md",
        "calibration.json",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    assert_eq!(sandbox.names("calibrated"), files);

    // its logits are those of the model, divided by the temperature
    let logits = |model: &str| {
        let said = sandbox.run(&["classify", "--model", model, "--logits", BUSINESS]);
        let logits = json_lines(&said)[0]["logits"].as_array().expect("logits").clone();
        logits.iter().map(|logit| logit.as_f64().expect("a number")).collect::<Vec<_>>()
    };
    for (own, scaled) in logits("ag_news").iter().zip(logits("calibrated")) {
        assert!((own / number("temperature") - scaled).abs() < 1e-4, "{own} {scaled}");
    }
    // and they stay so in a copy
    sandbox.run(&["models", "import", "calibrated", "mine"]);
    assert_eq!(logits("mine"), logits("calibrated"));
    let kept = |model: &str| {
        let json: Value = serde_json::from_str(&sandbox.read(&format!("{model}/calibration.json"))).expect("JSON");
        (json["correct"].clone(), json["errors"].clone())
    };
    assert_eq!(kept("calibrated"), kept("cache/models/mine"));
}

#[test]
fn a_model_abstains_where_it_is_not_sure_and_sets_cover_what_was_asked_for() {
    let sandbox = Sandbox::new();
    calibrated(&sandbox, 100);
    let model = ["classify", "--model", "calibrated", "--input", "validation.csv", "--output", "out.jsonl"];
    let run = |flags: &[&str]| {
        let said = sandbox.run(&[&model, flags].concat());
        (said, json_lines(&std::fs::read_to_string(sandbox.path("out.jsonl")).unwrap_or_default()))
    };
    let (said, rows) = run(&["--coverage", "0.85"]);
    assert!(said.starts_with("exit code: 0"), "{said}");
    let covered = |row: &&Value| row["prediction_set"].as_array().is_some_and(|set| set.contains(&row["label"]));
    assert!(rows.iter().filter(covered).count() >= 85, "{rows:?}");
    let (said, rows) = run(&["--abstain", "0.95"]);
    let unlabeled = rows.iter().filter(|row| row["predicted_label"].is_null()).count();
    assert!(said.contains(&format!("{unlabeled} of 100 texts got no label: their scores are below 0.")), "{said}");
    assert!(rows.iter().all(|row| row["score"].is_number()), "scores stay");
    assert_conversation!(run(&["--abstain", "0.999"]).0, @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: an accuracy of 0.999 needs at least 2995 validation texts, but the model was calibrated on 100
    hint: ask for less, or calibrate on more texts
    ");
    assert_conversation!(run(&["--coverage", "0.999"]).0, @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: a coverage of 0.999 needs at least 999 validation texts, but the model was calibrated on 100
    hint: ask for less, or calibrate on more texts
    ");
}

#[test]
fn what_cannot_be_calibrated_is_refused_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    labeled(&sandbox, "labeled.csv", 20);
    sandbox.file("right.csv", format!("text,label\n{BUSINESS},Business\n{SPORTS},Sports\n"));
    sandbox.file("wrong.csv", format!("text,label\n{BUSINESS},Sports\n{SPORTS},Business\n"));
    sandbox.file("one.csv", format!("text,label\n{BUSINESS},Sports\n"));
    sandbox.file("unknown.csv", format!("text,label\n{BUSINESS},Politics\n"));
    sandbox.file("empty.csv", "text,label\n");
    sandbox.file("null.csv", format!("text,label\n{BUSINESS},\n"));
    sandbox.model("several", &golden_model("gelu"));
    let config =
        sandbox.read("several/config.json").replacen('{', "{\"problem_type\": \"multi_label_classification\",", 1);
    sandbox.file("several/config.json", config);
    let calibrate = |flags: &[&str]| sandbox.run(&[&["calibrate", "--output", "out"], flags].concat());
    let mut said = String::new();
    for input in ["right.csv", "wrong.csv", "one.csv", "unknown.csv", "empty.csv", "null.csv"] {
        said.push_str(&format!("{input}: {}\n", calibrate(&["--input", input])));
    }
    said.push_str(&calibrate(&["--input", "labeled.csv", "--label-column", "topic"]));
    said.push_str(&calibrate(&["--input", "labeled.csv", "--model", "several"]));
    said.push_str(&sandbox.run(&["calibrate", "--input", "labeled.csv", "--output", "several"]));
    assert_conversation!(said, @r"
    right.csv: exit code: 2
    ----- stdout -----
    ----- stderr -----
    2 rows in [TIME]
    error: the model is right about all of 2 texts, which no temperature fits best
    hint: give texts that the model was not trained on, or more of them; a model that is right about all needs no calibration

    wrong.csv: exit code: 2
    ----- stdout -----
    ----- stderr -----
    2 rows in [TIME]
    error: the scores of the model say nothing of the labels of 2 texts, which no temperature fits best
    hint: check `--label-column` and `--labels`, or choose another model

    one.csv: exit code: 2
    ----- stdout -----
    ----- stderr -----
    1 row in [TIME]
    error: the scores of the model say nothing of the labels of 1 text, which no temperature fits best
    hint: check `--label-column` and `--labels`, or choose another model

    unknown.csv: exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: row 1: `Politics` is not a class of the model; its classes are `World`, `Sports`, `Business`, `Sci/Tech`
    hint: give the table's names for the model's classes with `--labels`, in the model's order, or choose another column with `--label-column`; class indices are counted from 0

    empty.csv: exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: empty.csv has no rows
    hint: give a table with rows

    null.csv: exit code: 2
    ----- stdout -----
    ----- stderr -----
    1 row in [TIME]
    warning: 1 row has no text or no label and was skipped
    error: no row has both a text and a label
    hint: `--text-column` and `--label-column` name the columns to read

    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no column `topic`; the columns are `text`, `label`
    hint: name the column of true labels with `--label-column`
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the model scores each label independently (sigmoid): only one that gives one class of several (softmax) can be calibrated
    hint: choose a model that gives one class of several with `--model`
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: several already exists
    hint: name a new folder with `--output`
    ");
    assert!(!sandbox.path("out").exists());
}

#[test]
fn only_a_calibrated_model_abstains() {
    let sandbox = Sandbox::new();
    calibrated(&sandbox, 20);
    let mut said = sandbox.run(&["classify", "--abstain", "0.9", BUSINESS]);
    for wrong in ["0", "1", "98", "NaN"] {
        said.push_str(&sandbox.run(&["classify", "--model", "calibrated", "--coverage", wrong, BUSINESS]));
    }
    said.push_str(&sandbox.run(&[
        "classify",
        "--model",
        "calibrated",
        "--abstain",
        "0.9",
        "--activation",
        "sigmoid",
        BUSINESS,
    ]));
    let damaged = sandbox.read("calibrated/calibration.json").replacen("World", "Politics", 1);
    sandbox.file("calibrated/calibration.json", damaged);
    said.push_str(&sandbox.run(&["classify", "--model", "calibrated", BUSINESS]));
    assert_conversation!(said, @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ag_news is not calibrated, so it is not known which scores are right how often
    hint: calibrate it on labeled texts that it was not trained on, as in `albertine calibrate --model MODEL --input validation.csv --output calibrated`
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value '0' for '--coverage <P>': not a number between 0 and 1

    For more information, try '--help'.
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value '1' for '--coverage <P>': not a number between 0 and 1

    For more information, try '--help'.
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value '98' for '--coverage <P>': not a number between 0 and 1

    For more information, try '--help'.
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'NaN' for '--coverage <P>': not a number between 0 and 1

    For more information, try '--help'.
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: abstention and prediction sets need the scores of softmax, not of sigmoid
    hint: omit `--activation`, or choose a model that gives one class of several
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: calibrated/calibration.json is not the calibration of this model: its labels are not those of config.json
    ");
}
