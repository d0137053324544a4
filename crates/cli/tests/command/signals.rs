//! Ctrl-C and the terminate signal: exit code 130, and no half file.
#![cfg(unix)]

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{SPORTS, Sandbox, assert_conversation, conversation};

/// Long enough for a slow machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a run whose input never ends, waits until it is writing, and sends it `signal`.
fn interrupted(signal: &str) -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.file("out/labels.csv", "the old file");
    let arguments = ["classify", "--output", "out/labels.csv"];
    let mut child = sandbox.command(&arguments).stdin(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a piped input");
    writeln!(stdin, "{SPORTS}").expect("a listening process");
    stdin.flush().expect("a listening process");

    let started = Instant::now();
    while sandbox.names("out").len() < 2 {
        assert!(started.elapsed() < PATIENCE, "no unfinished file was seen beside the output");
        assert!(child.try_wait().expect("a child").is_none(), "the run ended by itself");
        thread::sleep(Duration::from_millis(5));
    }
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("a `kill` command");
    assert!(sent.success());
    // The input stays open until the process has ended: it was the signal that ended it.
    let output = child.wait_with_output().expect("the binary ends");
    drop(stdin);
    (sandbox, conversation(&output))
}

#[test]
fn an_interrupt_leaves_no_half_file() {
    let (sandbox, said) = interrupted("-INT");
    assert_conversation!(said, @r#"
    exit code: 130
    ----- stdout -----
    ----- stderr -----
    interrupted: the unfinished output was removed
    "#);
    assert_eq!(sandbox.names("out"), ["labels.csv"]);
    assert_eq!(sandbox.read("out/labels.csv"), "the old file");
}

#[test]
fn a_termination_leaves_no_half_file() {
    let (sandbox, said) = interrupted("-TERM");
    assert_conversation!(said, @r#"
    exit code: 130
    ----- stdout -----
    ----- stderr -----
    interrupted: the unfinished output was removed
    "#);
    assert_eq!(sandbox.names("out"), ["labels.csv"]);
}

#[test]
fn an_interrupted_explanation_leaves_no_half_page() {
    let sandbox = Sandbox::new();
    sandbox.file("out/old.html", "the old page");
    let text = "Oil prices rose, and the team won the cup final on penalties. ".repeat(30);
    let arguments = ["explain", &text, "--evaluations", "100000000", "--html", "out/old.html"];
    let mut child = sandbox.command(&arguments).spawn().expect("the binary starts");
    let started = Instant::now();
    while sandbox.names("out").len() < 2 {
        assert!(started.elapsed() < PATIENCE, "no unfinished file was seen beside the output");
        assert!(child.try_wait().expect("a child").is_none(), "the run ended by itself");
        thread::sleep(Duration::from_millis(5));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("a `kill` command");
    assert!(sent.success());
    assert_conversation!(conversation(&child.wait_with_output().expect("the binary ends")), @r"
    exit code: 130
    ----- stdout -----
    ----- stderr -----
    interrupted: the unfinished output was removed
    ");
    assert_eq!(sandbox.names("out"), ["old.html"]);
    assert_eq!(sandbox.read("out/old.html"), "the old page");
}
