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
    sandbox.file("table.csv", table).file("test.csv", "text\nsomething else\nGold STREET as - goldish\n");
}

#[test]
fn probabilities_of_other_models_find_labels_and_texts_are_compared() {
    let sandbox = Sandbox::new();
    table(&sandbox);
    let arguments = ["clean", "--input", "table.csv", "--probabilities", "oil,sport", "--test", "test.csv"];
    assert_conversation!(sandbox.run(&[&arguments[..], &["--output", "review", "--similarity", "0.6"]].concat()), @r#"
    exit code: 0
    ----- stdout -----
    {"report":"review","rows":13,"left_out":1,"label_issues":2,"near_duplicates":1,"conflicting_groups":1,"in_test":1}
    ----- stderr -----
    warning: 1 row has no text or no label and was skipped
    2 of 13 labels are probably wrong; the out-of-fold accuracy is [SCORE]
    1 text is nearly the same as an earlier one; 1 group of such texts has different labels
    1 text is in the test set too
    13 rows in [TIME]; the report is review/report.html, the table to correct review/review.csv
    "#);
    assert_eq!(sandbox.names("review"), ["report.html", "review.csv"]);
    insta::assert_snapshot!(sandbox.read("review/review.csv"), @r#"
    row,issue,label,suggested_label,quality,duplicate_of,test_row,text
    13,label;conflict;duplicate,sport,oil,0.100000,1,,"Red STOCKS fell, reddish"
    6,label,oil,sport,0.125000,,,brown scored twice brownish
    1,conflict,oil,,,,,red Stocks fell redish
    9,in test,oil,,,,2,gold Street as goldish
    2,,sport,,,,,green The striker greenish
    3,,oil,,,,,blue fell on blueish
    4,,sport,,,,,black striker scored blackish
    5,,oil,,,,,white on Wall whiteish
    7,,oil,,,,,gray Wall Street grayish
    8,,sport,,,,,pink twice as pinkish
    10,,sport,,,,,silver as the silverish
    11,,oil,,,,,violet as oil violetish
    12,,sport,,,,,orange the team orangeish
    "#);
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
    assert_conversation!(said, @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: all rows have the label `a`
    hint: give a table with at least two classes, or choose another `--label-column`
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: empty.csv: no row has both a text and a label
    hint: `--text-column` and `--label-column` name the columns to read
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: blank.csv: no row has both a text and a label
    hint: `--text-column` and `--label-column` name the columns to read
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: row 2 has NaN where a probability should be
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: row 1 has 1.5 where a probability should be
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: row 1: `c` has no column
    hint: name a column for each label with `--probabilities`, as in `--probabilities no,yes`
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: row 2: `b` has no column
    hint: name a column for each label with `--probabilities`, as in `--probabilities no,yes`
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no column `c`; the columns are `text`, `label`, `a`, `b`
    hint: name a column for each label with `--probabilities`, as in `--probabilities no,yes`
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no column `topic`; the columns are `text`, `label`, `a`, `b`
    hint: name the column of true labels with `--label-column`
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: folds must be from 2 to the number of texts, not 3
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value '0' for '--similarity <S>': not a number above 0 and at most 1

    For more information, try '--help'.
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value '1' for '--folds <K>': 1 is not in 2..=65535

    For more information, try '--help'.
    ");
    assert!(!sandbox.path("review").exists());
}
