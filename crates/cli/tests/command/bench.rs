//! `albertine bench`: figures that hang together.

use std::sync::Arc;

use arrow_array::{Int64Array, StringArray};

use crate::support::{BUSINESS, SPORTS, Sandbox, assert_conversation, column};

#[test]
fn the_figures_hang_together() {
    let sandbox = Sandbox::new();
    let mut texts: Vec<String> = (0..80).map(|number| format!("{BUSINESS} {number}")).collect();
    texts.extend([texts[0].clone(), SPORTS.to_owned(), SPORTS.to_owned(), String::new()]);
    sandbox.parquet("news.parquet", vec![("text", Arc::new(StringArray::from(texts)))]);
    let output = sandbox
        .command(&["bench", "--input", "news.parquet", "--rounds", "1", "--threads", "1"])
        .output()
        .expect("the binary starts");
    let facts: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let number = |name: &str| facts[name].as_f64().unwrap_or_else(|| panic!("{name} is no number in {facts}"));
    assert_eq!((number("texts"), number("computed")), (84.0, 81.0), "equal texts are computed once");
    assert_eq!(number("threads"), 1.0);
    assert!((number("docs_per_second") * number("seconds") - 81.0).abs() < 1e-6);
    assert!((number("tokens_per_second") * number("seconds") - number("tokens")).abs() < 1e-6 * number("tokens"));
    assert!((number("share_of_peak") - number("gflops") / number("peak_gflops")).abs() < 1e-9);
    assert!(number("gflops") > 0.0 && number("peak_gflops") > 0.0);
    let stages = facts["stage_seconds"].as_object().expect("stages by name");
    assert!(stages.values().any(|seconds| seconds.as_f64().is_some_and(|seconds| seconds > 0.0)), "{facts}");
}

#[test]
fn the_stages_of_any_run_can_be_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.file("news.csv", format!("text\n\"{BUSINESS}\"\n\"{SPORTS}\"\n"));
    let stages = |arguments: &[&str], wanted: &str| {
        let output = sandbox.command(arguments).env("ALBERTINE_TIMING", wanted).output().expect("the binary starts");
        String::from_utf8(output.stderr).expect("text")
    };
    let table = stages(&["classify", "--input", "news.csv"], "1");
    let names = ["read", "pieces", "embed", "qkv", "attention", "projection", "feed-forward", "head", "write"];
    let lines: Vec<&str> = table.lines().skip_while(|line| !line.starts_with("timing: ")).skip(1).collect();
    assert_eq!(lines.len(), names.len(), "{table}");
    for (line, name) in lines.iter().zip(names) {
        assert!(line.contains(&format!(" s  {name}")), "{line} for {name}");
    }
    assert!(stages(&["classify", BUSINESS], "1").contains("s  pieces"));
    #[cfg(feature = "sql")]
    assert!(stages(&["sql", "SELECT classify('Oil') AS label"], "1").contains("s  pieces"));
    assert!(!stages(&["classify", BUSINESS], "0").contains("timing"));
}

#[test]
fn nothing_to_measure_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.file("none.txt", "").parquet("numbers.parquet", vec![("text", column(Int64Array::from(vec![1])))]);
    assert_conversation!(sandbox.run(&["bench", "--input", "none.txt"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: none.txt has no rows
    hint: give a table with rows, or omit `--input` to use generated texts
    "#);
    assert_conversation!(sandbox.run(&["bench", "--input", "numbers.parquet"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: column `text` holds Int64, not text
    hint: choose a text column with `--text-column`
    "#);
}
