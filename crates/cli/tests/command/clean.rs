//! `albertine clean`: what is wrong with a labeled table.

use serde_json::Value;

use crate::support::{BUSINESS, SPORTS, Sandbox, assert_conversation};

/// Twelve texts of two classes, of which one has the label of the other, one is there twice, one is without a label, and
/// one is in the test set too.
fn table(sandbox: &Sandbox) {
    let words =
        ["red", "green", "blue", "black", "white", "brown", "gray", "pink", "gold", "silver", "violet", "orange"];
    let mut table = "text,label,oil,sport\n".to_owned();
    for (row, word) in words.into_iter().enumerate() {
        let is_oil = row % 2 == 0;
        let label = if is_oil != (row == 5) { "oil" } else { "sport" };
        let (text, oil) = if is_oil { (BUSINESS, 0.9) } else { (SPORTS, 0.125) };
        // Only the beginning, so that they are no near-duplicates.
        let words: String = text.split(' ').skip(row / 2).take(2).collect::<Vec<_>>().join(" ");
        table.push_str(&format!("{word} {words} {word}ish,{label},{oil},{}\n", 1.0 - oil));
    }
    table.push_str("\"Red STOCKS fell, reddish\",sport,0.9,0.1\nno label,,0.5,0.5\n");
    sandbox
        .file("table.csv", table)
        .file("test.csv", "text\nsomething else\nGold as oil goldish\ngold as the goldish!\n");
}

#[test]
fn probabilities_of_other_models_find_labels_and_texts_are_compared() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    let arguments = ["clean", "--input", "table.csv", "--probabilities", "oil,sport", "--test", "test.csv"];
    assert_conversation!(sandbox.run(&[&arguments[..], &["--output", "review", "--similarity", "0.6"]].concat()), @"");
    assert_eq!(sandbox.names("review"), ["report.html", "review.csv"]);
    insta::assert_snapshot!(sandbox.read("review/review.csv"), @"");
    let page = sandbox.read("review/report.html");
    assert!(page.contains("Confident joint") && page.contains("Texts that are nearly the same"), "{page}");
    // what was corrected is a table to train on
    sandbox.run(&["train", "--input", "review/review.csv", "--freeze-encoder", "--epochs", "1", "--output", "model"]);
    assert!(sandbox.path("model/config.json").is_file());
}

#[test]
fn models_of_other_folds_find_the_label_that_they_have_not_seen() {
    let sandbox = Sandbox::new();
    let mut table = "text,label\n".to_owned();
    for row in 0..40 {
        let (text, label) = if row % 2 == 0 { (BUSINESS, "oil") } else { (SPORTS, "sport") };
        let label = if row == 7 { "oil" } else { label };
        table.push_str(&format!("{row} {text},{label}\n"));
    }
    sandbox.file("table.csv", table);
    let training =
        ["--freeze-encoder", "--learning-rate", "0.01", "--epochs", "5", "--folds", "4", "--batch-size", "8"];
    let arguments = ["clean", "--input", "table.csv", "--output", "review", "--similarity", "1"];
    let output = sandbox.command(&[&arguments[..], &training].concat()).output().expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!((&summary["rows"], &summary["label_issues"]), (&40.into(), &1.into()), "{said}");
    assert!(said.contains("fold 4/4: loss "), "{said}");
    assert!(sandbox.read("review/review.csv").lines().nth(1).expect("a row").starts_with("8,label,oil,sport,"));
}

#[test]
fn tables_that_cannot_be_judged_are_refused_and_leave_nothing() {
    let sandbox = Sandbox::new();
    sandbox.file("one.csv", "text,label\nsome text,a\nanother one,a\n");
    sandbox.file("empty.csv", "text,label\n");
    sandbox.file("blank.csv", "text,label\n,a\nsome text,\n");
    sandbox.file("p.csv", "text,label,a,b\nsome text,a,0.5,0.5\nanother one,b,0.5,much\n");
    sandbox.file("over.csv", "text,label,a,b\nsome text,a,1.5,0.5\n");
    sandbox.file("unknown.csv", "text,label,a,b\nsome text,c,0.5,0.5\n");
    let clean = |flags: &[&str]| sandbox.run(&[&["clean", "--output", "review"], flags].concat());
    let mut said = String::new();
    for input in ["one.csv", "empty.csv", "blank.csv"] {
        said.push_str(&clean(&["--input", input]));
    }
    for (input, columns) in
        [("p.csv", "a,b"), ("over.csv", "a,b"), ("unknown.csv", "a,b"), ("p.csv", "a"), ("p.csv", "a,c")]
    {
        said.push_str(&clean(&["--input", input, "--probabilities", columns]));
    }
    said.push_str(&clean(&["--input", "p.csv", "--label-column", "topic"]));
    said.push_str(&clean(&["--input", "p.csv", "--folds", "3"]));
    said.push_str(&clean(&["--input", "p.csv", "--similarity", "0"]));
    said.push_str(&clean(&["--input", "p.csv", "--folds", "1"]));
    assert_conversation!(said, @"");
    assert!(!sandbox.path("review").exists());
}
