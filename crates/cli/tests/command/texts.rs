//! `albertine classify TEXT...`: texts given as arguments.

use crate::support::{BUSINESS, SPORTS, Sandbox, assert_conversation, golden_model};

#[test]
fn texts_in_a_pipe_are_json_lines() {
    let sandbox = Sandbox::new();
    assert_conversation!(sandbox.run(&["classify", BUSINESS, SPORTS]), @r#"
    exit code: 0
    ----- stdout -----
    {"text":"Stocks fell on Wall Street as oil prices rose and investors feared inflation.","label":"Business","score":[SCORE]}
    {"text":"The striker scored twice as the team won the cup final after extra time.","label":"Sports","score":[SCORE]}
    ----- stderr -----
    "#);
}

#[test]
fn all_scores_logits_and_annotations_are_columns() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["classify", BUSINESS, "--all-scores", "--logits", "--annotations"]);
    let line = said.lines().nth(2).expect("a line of data");
    let row: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
    assert_eq!(row["label"], "Business");
    assert_eq!(row["logits"].as_array().map(Vec::len), Some(4));
    let scores: f64 =
        ["World", "Sports", "Business", "Sci/Tech"].iter().map(|label| row["scores"][label].as_f64().unwrap()).sum();
    assert!((scores - 1.0).abs() < 1e-5, "scores of a softmax sum to {scores}");
    assert_eq!(row["class"][0]["annotatorType"], "category");
    assert_eq!(row["class"][0]["result"], "Business");
}

#[test]
fn a_blank_text_gets_no_label() {
    let sandbox = Sandbox::new();
    assert_conversation!(sandbox.run(&["classify", BUSINESS, "", " \t "]), @r#"
    exit code: 0
    ----- stdout -----
    {"text":"Stocks fell on Wall Street as oil prices rose and investors feared inflation.","label":"Business","score":[SCORE]}
    {"text":"","label":null,"score":null}
    {"text":" \t ","label":null,"score":null}
    ----- stderr -----
    warning: 2 texts were null or blank and got no label
    "#);
}

#[test]
fn a_cut_text_is_told_at_the_end_and_quiet_says_nothing() {
    let sandbox = Sandbox::new();
    let arguments = ["classify", BUSINESS, "--max-sentence-length", "5", "--output-format", "csv"];
    assert_conversation!(sandbox.run(&arguments), @r#"
    exit code: 0
    ----- stdout -----
    text,label,score
    Stocks fell on Wall Street as oil prices rose and investors feared inflation.,Business,[SCORE]
    ----- stderr -----
    warning: 1 text was longer than 5 pieces and was truncated
    "#);
    assert_conversation!(sandbox.run(&[&arguments[..], &["--quiet"]].concat()), @r#"
    exit code: 0
    ----- stdout -----
    text,label,score
    Stocks fell on Wall Street as oil prices rose and investors feared inflation.,Business,[SCORE]
    ----- stderr -----
    "#);
}

#[test]
fn texts_can_go_to_a_file() {
    let sandbox = Sandbox::new();
    assert_conversation!(sandbox.run(&["classify", BUSINESS, "--output", "labels.csv"]), @r#"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    "#);
    assert!(sandbox.read("labels.csv").starts_with("text,label,score\n"), "{}", sandbox.read("labels.csv"));
}

#[test]
fn sigmoid_gives_a_label_only_above_the_threshold() {
    let sandbox = Sandbox::new();
    let of = |threshold: &str| {
        let said = sandbox.run(&["classify", BUSINESS, "--activation", "sigmoid", "--threshold", threshold]);
        let row: serde_json::Value =
            serde_json::from_str(said.lines().nth(2).expect("a line of data")).expect("a JSON object");
        row["label"].clone()
    };
    assert_eq!(of("0"), "Business");
    assert_eq!(of("1"), serde_json::Value::Null);
}

#[test]
fn a_model_with_one_label_gives_a_number() {
    let sandbox = Sandbox::new();
    sandbox.model("regression", &golden_model("regression"));
    let said = sandbox.run(&["classify", BUSINESS, "--model", "./regression"]);
    let row: serde_json::Value =
        serde_json::from_str(said.lines().nth(2).expect("a line of data")).expect("a JSON object");
    assert_eq!(row["label"], "stars");
    assert!(row["score"].is_number(), "{said}");
}

/// A terminal, as util-linux's `script` makes one.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_a_table_and_is_told_when_there_is_nothing_to_do() {
    let on_terminal = |command: &str| {
        let sandbox = Sandbox::new();
        let mut script = std::process::Command::new("script");
        script.args(["--quiet", "--return", "--command", command, "/dev/null"]);
        sandbox.prepare(&mut script);
        script.env("ALBERTINE", crate::support::ALBERTINE).env("NO_COLOR", "1");
        script.output().ok().map(|output| crate::support::conversation(&output).replace('\r', ""))
    };
    let table = format!("stty rows 24 cols 60; \"$ALBERTINE\" classify \"{BUSINESS}\" \"{SPORTS}\" ''");
    let Some(said) = on_terminal(&table) else {
        eprintln!("skipped: there is no `script` to make a terminal with");
        return;
    };
    assert_conversation!(said, @r#"
    exit code: 0
    ----- stdout -----
    text                                        label      score
    Stocks fell on Wall Street as oil prices …  Business  [SCORE]
    The striker scored twice as the team won …  Sports    [SCORE]
                                                -              -
    warning: 1 text was null or blank and got no label
    ----- stderr -----
    "#);
    let nothing = on_terminal("stty rows 24 cols 60; \"$ALBERTINE\" classify").expect("it ran before");
    assert_conversation!(nothing, @r#"
    exit code: 2
    ----- stdout -----
    error: nothing to classify
    hint: give a text, as in `albertine classify "Oil prices rose on Monday"`, or a table, as in `--input news.csv`
    ----- stderr -----
    "#);
    let parquet =
        on_terminal(&format!("\"$ALBERTINE\" classify \"{BUSINESS}\" --output-format parquet")).expect("it ran before");
    assert_conversation!(parquet, @r#"
    exit code: 2
    ----- stdout -----
    error: cannot write parquet to a terminal
    hint: name a file with `--output`, or choose another `--output-format`
    ----- stderr -----
    "#);
}
