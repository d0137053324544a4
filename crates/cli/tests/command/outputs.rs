//! Where results go: files that appear whole or not at all, and outputs that cannot be written.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Command;

use crate::support::{ALBERTINE, BUSINESS, SPORTS, Sandbox, assert_conversation, conversation};

fn news(rows: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("news.csv", format!("text\n{}", format!("\"{SPORTS}\"\n").repeat(rows)));
    sandbox
}

#[test]
fn every_format_can_be_written_and_read_again() {
    let sandbox = news(3);
    for (input, output) in [
        ("news.csv", "a.parquet"),
        ("a.parquet", "b.jsonl"),
        ("b.jsonl", "c.tsv.gz"),
        ("c.tsv.gz", "d.csv.zst"),
        ("d.csv.zst", "e.csv"),
    ] {
        let said = sandbox.run(&["classify", "--input", input, "--output", output, "--quiet"]);
        assert!(said.starts_with("exit code: 0"), "{input} to {output}: {said}");
    }
    let header = sandbox.read("e.csv").lines().next().map(str::to_owned);
    // Five runs, and no column of an earlier one is overwritten.
    assert_eq!(header.map(|header| header.split(',').count()), Some(1 + 5 * 2));
    assert_eq!(sandbox.read("e.csv").lines().count(), 4);
}

#[test]
fn an_output_without_a_known_format_is_told() {
    let sandbox = news(1);
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv", "--output", "out.xlsx"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot tell the output format from the name out.xlsx
    hint: use the extension .csv, .tsv, .jsonl or .parquet, or give `--output-format`
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv", "--output", "out.txt"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: txt cannot be written; the output formats are csv, tsv and jsonl, also .gz and .zst, and parquet
    "#);
}

#[test]
fn an_output_that_cannot_be_created_is_told() {
    let sandbox = news(1);
    sandbox.file("results/x", "");
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv", "--output", "missing/out.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the folder of the output missing/out.csv does not exist
    hint: create the folder first
    "#);
    // A path below a file: no permission, root's included, makes that a folder.
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv", "--output", "news.csv/out.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the folder of the output news.csv/out.csv does not exist
    hint: create the folder first
    "#);
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv", "--output", "results", "--output-format", "csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the output results is a folder
    "#);
}

#[test]
fn an_output_that_is_an_input_is_refused_and_untouched() {
    let sandbox = news(1);
    let before = sandbox.read("news.csv");
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv", "--output", "./news.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the output ./news.csv is also an input
    hint: write to another file, then move it over the input
    "#);
    assert_eq!(sandbox.read("news.csv"), before);
}

#[cfg(unix)]
#[test]
fn an_output_that_links_to_an_input_is_refused() {
    let sandbox = news(1);
    std::os::unix::fs::symlink("news.csv", sandbox.path("link.csv")).expect("a writable sandbox");
    assert_conversation!(sandbox.run(&["classify", "--input", "news.csv", "--output", "link.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the output link.csv is also an input
    hint: write to another file, then move it over the input
    "#);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_standard_output_is_told() {
    let sandbox = news(2000);
    let into_full = |arguments: &[&str]| {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a device of Linux");
        conversation(&sandbox.command(arguments).stdout(full).output().expect("the binary starts"))
    };
    assert_conversation!(into_full(&["classify", BUSINESS]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot write standard output: the disk is full
    "#);
    assert_conversation!(into_full(&["classify", "--input", "news.csv"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot write standard output: the disk is full
    "#);
    assert_conversation!(into_full(&["inspect", "cpu"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: No space left on device (os error 28)
    "#);
    assert_conversation!(into_full(&["completions", "bash"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: No space left on device (os error 28)
    "#);
}

/// A limit on the size of files stands for a full disk: the write fails in the middle of the file either way.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_grow_is_told_and_the_old_one_stays() {
    let sandbox = news(2000);
    sandbox.file("out/labels.csv", "the old file");
    let mut shell = Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -f 1; exec \"$ALBERTINE\" classify --input news.csv --output out/labels.csv";
    shell.args(["-c", limited]).env("ALBERTINE", ALBERTINE);
    sandbox.prepare(&mut shell);
    let output = shell.output().expect("a shell");
    assert_conversation!(conversation(&output), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot write out/labels.csv: File too large (os error 27)
    "#);
    assert_eq!(sandbox.names("out"), ["labels.csv"]);
    assert_eq!(sandbox.read("out/labels.csv"), "the old file");
}

#[test]
fn a_failed_run_leaves_nothing() {
    let sandbox = Sandbox::new();
    let rows = format!("\"{SPORTS}\",1\n").repeat(6000);
    sandbox.file("late.csv", format!("text,id\n{rows}ragged\n")).file("out/keep", "");
    let said = sandbox.run(&["classify", "--input", "late.csv", "--output", "out/labels.csv"]);
    assert!(said.starts_with("exit code: 2"), "{said}");
    assert!(said.contains("late.csv, line 6002"), "{said}");
    assert_eq!(sandbox.names("out"), ["keep"]);
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let sandbox = news(20_000);
    let mut child = sandbox.command(&["classify", "--input", "news.csv"]).spawn().expect("the binary starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a piped output")).read_line(&mut line).expect("a first line");
    assert!(line.contains("\"label\""), "{line}");
    let mut stderr = String::new();
    child.stderr.take().expect("a piped error").read_to_string(&mut stderr).expect("text");
    assert_eq!(child.wait().expect("the binary ends").code(), Some(0));
    assert_eq!(stderr, "");
}
