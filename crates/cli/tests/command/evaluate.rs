//! `albertine evaluate`: the numbers of a model on a labelled table.

use arrow_array::{Float64Array, StringArray};
use serde_json::Value;

use crate::support::{BUSINESS, SPORTS, Sandbox, assert_conversation, column, golden_model};

/// What a Hugging Face `Trainer` prints, in its order.
const CARD: [&str; 9] = [
    "eval_loss",
    "eval_accuracy",
    "eval_f1",
    "eval_precision",
    "eval_recall",
    "eval_runtime",
    "eval_samples_per_second",
    "eval_steps_per_second",
    "epoch",
];

/// The numbers that a run prints, and what it says.
fn evaluate(sandbox: &Sandbox, flags: &[&str]) -> (Value, String) {
    let arguments: Vec<&str> = ["evaluate"].iter().chain(flags).copied().collect();
    let output = sandbox.command(&arguments).output().expect("the binary starts");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    let metrics = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    (metrics, stderr)
}

/// Three headlines, the second of them with a label that no usable news model gives it.
fn news(sandbox: &Sandbox, [first, second, third]: [&str; 3]) {
    sandbox.file("news.csv", format!("text,label\n{BUSINESS},{first}\n{SPORTS},{second}\n{SPORTS},{third}\n"));
}

#[test]
fn the_numbers_of_a_card_come_first_and_in_its_order() {
    let sandbox = Sandbox::new();
    news(&sandbox, ["Business", "World", "Sports"]);
    let output = sandbox.command(&["evaluate", "--input", "news.csv"]).output().expect("the binary starts");
    let line = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(line.lines().count(), 1, "{line}");
    let places: Vec<_> = CARD.iter().map(|key| line.find(&format!("\"{key}\":")).expect(key)).collect();
    assert!(places.is_sorted() && places[8] < line.find("eval_samples\"").expect("more"), "{line}");

    let metrics: Value = serde_json::from_str(&line).expect("JSON");
    for key in ["eval_accuracy", "eval_f1", "eval_precision", "eval_recall"] {
        assert_eq!(metrics[key], 2.0 / 3.0, "{key}");
    }
    assert!(metrics["eval_loss"].as_f64().expect("a number") > 0.5, "a sure mistake is dear: {line}");
    assert_eq!(metrics["epoch"], Value::Null);
    assert_eq!(
        metrics["confusion_matrix"],
        serde_json::json!([[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    );
    assert_eq!(metrics["per_class"][1]["label"], "Sports");
    assert_eq!(metrics["per_class"][1]["precision"], 0.5);
    assert_eq!(metrics["per_class"][1]["recall"], 1.0);
}

#[test]
fn labels_are_names_or_numbers_or_as_they_are_said_to_be() {
    let sandbox = Sandbox::new();
    news(&sandbox, ["Business", "World", "Sports"]);
    let numbers = |metrics: &Value| (metrics["eval_loss"].clone(), metrics["confusion_matrix"].clone());
    let by_name = numbers(&evaluate(&sandbox, &["--input", "news.csv"]).0);

    news(&sandbox, ["2", "0", "1"]);
    let (by_number, said) = evaluate(&sandbox, &["--input", "news.csv"]);
    assert_eq!(numbers(&by_number), by_name);
    assert!(said.contains("0 is World, 1 is Sports, 2 is Business, 3 is Sci/Tech"), "{said}");

    news(&sandbox, ["3", "1", "2.0"]);
    let (as_said, said) = evaluate(&sandbox, &["--input", "news.csv", "--labels", "1, 2,3,\"4\""]);
    assert_eq!(numbers(&as_said), by_name);
    assert_eq!(as_said["per_class"][0]["label"], "1");
    assert!(said.contains("1 is World, 2 is Sports, 3 is Business, 4 is Sci/Tech"), "{said}");

    let floats = column(Float64Array::from(vec![Some(2.0), Some(0.0), None]));
    sandbox.parquet(
        "news.parquet",
        vec![("text", column(StringArray::from(vec![BUSINESS, SPORTS, SPORTS]))), ("y", floats)],
    );
    let (by_float, _) = evaluate(&sandbox, &["--input", "news.parquet", "--label-column", "y"]);
    assert_eq!((&by_float["eval_samples"], &by_float["eval_left_out"]), (&2.into(), &1.into()));
}

#[test]
fn a_table_with_columns_of_our_names_is_measured_as_any_other() {
    let sandbox = Sandbox::new();
    sandbox.file("news.csv", format!("logits,text,label,score\n1,{BUSINESS},Business,9\n"));
    let (metrics, _) = evaluate(&sandbox, &["--input", "news.csv"]);
    assert_eq!(metrics["eval_accuracy"], 1.0);
}

#[test]
fn several_tables_are_measured_as_one() {
    let sandbox = Sandbox::new();
    sandbox.file("a.csv", format!("text,label\n{BUSINESS},Business\n"));
    sandbox.file("b.csv", format!("text,label\n{SPORTS},Sports\n{SPORTS},World\n"));
    let (metrics, _) = evaluate(&sandbox, &["--input", "*.csv"]);
    assert_eq!(metrics["eval_samples"], 3);
    assert_eq!(metrics["run"]["input"], "a.csv, b.csv");
    assert_eq!(metrics["run"]["model"], "ag_news");
}

#[test]
fn the_best_class_counts_where_each_is_scored_by_itself() {
    let sandbox = Sandbox::new();
    sandbox.model("many", &golden_model("multi_label"));
    sandbox.model("stars", &golden_model("regression"));
    sandbox.file("news.csv", "text,label\nOil prices rose,oil\nA song about bees,bees\n");
    let (metrics, _) = evaluate(&sandbox, &["--input", "news.csv", "--model", "./many"]);
    assert_eq!(metrics["eval_samples"], 2);
    let rows =
        metrics["confusion_matrix"].as_array().expect("rows").iter().flat_map(|row| row.as_array().expect("row"));
    assert_eq!(rows.map(|count| count.as_u64().expect("a number")).sum::<u64>(), 2, "each row got a class");
    assert_conversation!(sandbox.run(&["evaluate", "--input", "news.csv", "--model", "./stars"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the model is a regression: it predicts a number, not a class
    hint: choose a classifier with `--model`
    "#);
}

#[test]
fn a_report_is_written_and_escaped() {
    let sandbox = Sandbox::new();
    sandbox.file("news.csv", format!("text,label\n{SPORTS} <b>&,World\n{BUSINESS},Business\n"));
    let (metrics, said) = evaluate(&sandbox, &["--input", "news.csv", "--report", "out/report"]);
    assert!(said.contains("report written to out/report/report.html"), "{said}");
    assert_eq!(sandbox.names("out/report"), ["metrics.json", "report.html"]);
    let kept: Value = serde_json::from_str(&sandbox.read("out/report/metrics.json")).expect("JSON");
    assert_eq!(kept, metrics);
    let page = sandbox.read("out/report/report.html");
    assert!(page.contains("&lt;b&gt;&amp;</span></th><td>1</td><td>World</td><td>Sports</td>"), "{page}");
    assert!(page.contains("50.00 %</span> of 2 texts correct"), "{page}");
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_the_work() {
    let sandbox = Sandbox::new();
    news(&sandbox, ["Business", "World", "Sports"]);
    sandbox.file("out/report.html/in-the-way", "");
    assert_conversation!(sandbox.run(&["evaluate", "--input", "news.csv", "--report", "out"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the output out/report.html is a folder
    "#);
    assert_eq!(sandbox.names("out"), ["report.html"], "nothing is left behind");
    assert_conversation!(sandbox.run(&["evaluate", "--input", "news.csv", "--report", "news.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot create news.csv: File exists (os error 17)
    "#);
    sandbox.file("own/metrics.json", "{\"text\":\"a\",\"label\":\"World\"}\n");
    let arguments = ["evaluate", "--input", "own/metrics.json", "--input-format", "jsonl", "--report", "own"];
    assert_conversation!(sandbox.run(&arguments), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the output own/metrics.json is also an input
    hint: write to another file, then move it over the input
    "#);
}

#[test]
fn rows_without_a_text_or_a_label_are_left_out_and_counted() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "news.jsonl",
        format!("{{\"text\":\"{SPORTS}\",\"label\":\"Sports\"}}\n{{\"text\":\"{SPORTS}\"}}\n{{\"label\":\"World\"}}\n"),
    );
    let (metrics, said) = evaluate(&sandbox, &["--input", "news.jsonl"]);
    assert_eq!((&metrics["eval_samples"], &metrics["eval_accuracy"]), (&1.into(), &1.0.into()));
    assert!(said.contains("warning: 2 rows have no text or no label and were skipped"), "{said}");

    sandbox.file("none.csv", "text,label\n,World\n");
    assert_conversation!(sandbox.run(&["evaluate", "--input", "none.csv", "--quiet"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: no row has both a text and a label
    hint: `--text-column` and `--label-column` name the columns to read
    "#);
}

#[test]
fn a_row_that_cannot_be_read_stops_the_run() {
    let sandbox = Sandbox::new();
    sandbox.file("news.csv", format!("text,label\n{SPORTS},Sports\n{SPORTS},Sports,more\n"));
    assert_conversation!(sandbox.run(&["evaluate", "--input", "news.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: news.csv, line 3: 3 fields, but the header has 2
    hint: `--delimiter`, `--quote` and `--escape` say how the file is written; `classify --errors null` keeps what can be read of such rows, `--rejects FILE` puts them aside
    "#);
}

#[test]
fn a_label_that_is_none_of_the_models_stops_the_run() {
    let sandbox = Sandbox::new();
    news(&sandbox, ["Business", "Politics", "Sports"]);
    assert_conversation!(sandbox.run(&["evaluate", "--input", "news.csv", "--report", "out"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: row 2: `Politics` is not a class of the model; its classes are `World`, `Sports`, `Business`, `Sci/Tech`
    hint: give the table's names for the model's classes with `--labels`, in the model's order, or choose another column with `--label-column`; class indices are counted from 0
    "#);
    assert!(!sandbox.path("out").exists(), "no report of half a table");
}

#[test]
fn mistakes_are_told_before_the_work() {
    let sandbox = Sandbox::new();
    news(&sandbox, ["Business", "World", "Sports"]);
    assert_conversation!(sandbox.run(&["evaluate", "--input", "news.csv", "--label-column", "topic"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no column `topic`; the columns are `text`, `label`
    hint: name the column of true labels with `--label-column`
    "#);
    assert_conversation!(sandbox.run(&["evaluate", "--input", "news.csv", "--text-column", "title"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no column `title`; the columns are `text`, `label`
    hint: name the text column with `--text-column`
    "#);
    assert_conversation!(sandbox.run(&["evaluate", "--input", "news.csv", "--labels", "a,b"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: 2 names were given for the 4 classes `World`, `Sports`, `Business`, `Sci/Tech`
    hint: give one distinct name for each class, in the order of the model's labels, as in `--labels no,yes`
    "#);
    assert_conversation!(sandbox.run(&["evaluate", "--input", "news.csv", "--labels", "a,b,c,b"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the name `b` was given for two classes
    hint: give one distinct name for each class, in the order of the model's labels, as in `--labels no,yes`
    "#);
    let order = ["evaluate", "--input", "news.csv", "--labels", "Business,Sci/Tech,Sports,World"];
    assert_conversation!(sandbox.run(&order), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the names given are the model's own labels in a different order; its order is `World`, `Sports`, `Business`, `Sci/Tech`
    hint: omit `--labels`
    "#);
    assert_conversation!(sandbox.run_with_input(&["evaluate"], b"a line"), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: plain text has no label column
    hint: give a labeled table, as in `--input test.csv`; for standard input, also give `--input-format`
    "#);
    sandbox.file("lists.jsonl", "{\"text\":\"a\",\"label\":[\"World\"]}\n");
    assert_conversation!(sandbox.run(&["evaluate", "--input", "lists.jsonl"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: column `label` holds List(Utf8), not labels
    hint: name the column of true labels with `--label-column`
    "#);
    sandbox.file("empty.csv", "text,label\n");
    assert_conversation!(sandbox.run(&["evaluate", "--input", "empty.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: empty.csv has no rows
    hint: give a table with rows
    "#);
}
