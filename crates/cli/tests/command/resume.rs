//! `albertine classify --resume`: what is left of a run that was killed, and what comes of it.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use crate::support::{SPORTS, Sandbox, assert_conversation, conversation};

/// A table of different texts, of which row 700 has no text.
fn table(sandbox: &Sandbox, name: &str, rows: usize) {
    let mut text = String::from("id,text\n");
    for row in 0..rows {
        let words = ["oil", "prices", "team", "final", "chip", "court", "film", "bank"];
        let pick = |at: usize| words[(row / 8_usize.pow(at as u32) + row * at) % 8];
        let ragged = if row == 700 { String::new() } else { format!(",{} {} {} {row}", pick(0), pick(1), pick(2)) };
        text.push_str(&format!("{row}{ragged}\n"));
    }
    sandbox.file(name, text);
}

/// All files below a folder, hidden ones too; of what a run keeps about itself, the names.
fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).expect("a file below").to_string_lossy().into_owned();
            let bytes = if name.contains(".parts") { Vec::new() } else { fs::read(&path).expect("a readable file") };
            found.push((name, bytes));
        }
    }
    found.sort();
    found
}

/// The files that a run leaves which was killed again and again, and those of an unbroken one.
fn killed_and_unbroken(output: &str) {
    let sandbox = Sandbox::new();
    table(&sandbox, "in/a.csv", 9000);
    table(&sandbox, "in/b.csv", 3000);
    let run = |folder: &str| {
        fs::create_dir_all(sandbox.path(folder)).expect("a folder");
        let (output, rejects) = (format!("{folder}/{output}"), format!("{folder}/rejects.csv"));
        ["classify", "--input", "in", "--quiet", "--resume", "--output", &output, "--rejects", &rejects]
            .map(str::to_owned)
    };
    let arguments = run("unbroken");
    let since = Instant::now();
    let said = sandbox.run(&arguments.each_ref().map(String::as_str));
    let took = since.elapsed().as_millis() as u64;
    assert!(said.starts_with("exit code: 1"), "{said}");

    let arguments = run("killed");
    let arguments = arguments.each_ref().map(String::as_str);
    let mut random = u64::from(SystemTime::UNIX_EPOCH.elapsed().expect("a clock").subsec_nanos());
    let mut kills = 0;
    for _ in 0..6 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut command = sandbox.command(&arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
        std::thread::sleep(Duration::from_millis((random >> 33) % took.max(1)));
        let ended = child.try_wait().expect("a child").is_some();
        child.kill().expect("SIGKILL");
        child.wait().expect("it ends");
        if ended {
            break;
        }
        kills += 1;
    }
    let said = sandbox.run(&arguments);
    // A run over a folder that was killed in its last moment leaves nothing to do and nothing to tell.
    let is_folder = output.ends_with('/');
    assert!(said.starts_with("exit code: 1") || (is_folder && said.starts_with("exit code: 0")), "{said}");
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (killed, unbroken) = (files(&sandbox.path("killed")), files(&sandbox.path("unbroken")));
    assert_eq!(names(&killed), names(&unbroken), "{kills} kills");
    assert!(killed == unbroken, "other bytes after {kills} kills");
}

#[test]
fn csv_of_a_run_that_is_killed_at_any_moment_is_that_of_an_unbroken_one() {
    killed_and_unbroken("labels.csv");
}

#[test]
fn json_lines_of_a_run_that_is_killed_at_any_moment_are_those_of_an_unbroken_one() {
    killed_and_unbroken("labels.jsonl.gz");
}

#[test]
fn parquet_of_a_run_that_is_killed_at_any_moment_is_that_of_an_unbroken_one() {
    killed_and_unbroken("labels.parquet");
}

#[test]
fn a_folder_of_a_run_that_is_killed_at_any_moment_is_that_of_an_unbroken_one() {
    killed_and_unbroken("labels/");
}

#[test]
fn text_is_that_of_a_run_that_keeps_nothing() {
    let sandbox = Sandbox::new();
    table(&sandbox, "a.csv", 2500);
    for output in ["labels.csv", "labels.jsonl", "labels.tsv"] {
        for arguments in [&["--resume"][..], &[]] {
            let output = format!("{}{output}", if arguments.is_empty() { "plain-" } else { "" });
            let run = [&["classify", "--input", "a.csv", "--errors", "null", "--output", &output], arguments].concat();
            assert!(sandbox.run(&run).starts_with("exit code: 1"), "{output}");
        }
        let read = |name: &str| fs::read(sandbox.path(name)).expect("an output");
        assert!(read(output) == read(&format!("plain-{output}")), "{output}");
    }
}

/// Runs until the first part is there, and kills the run.
fn begin(sandbox: &Sandbox, arguments: &[&str], parts: &str) {
    let mut child = sandbox.command(arguments).spawn().expect("the binary starts");
    let is_part = |name: &String| name.ends_with(".part");
    while !sandbox.path(parts).exists() || !sandbox.names(parts).iter().any(is_part) {
        std::thread::sleep(Duration::from_millis(2));
        assert!(child.try_wait().expect("a child").is_none(), "it ended");
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
}

#[test]
fn a_run_of_another_kind_is_refused_and_can_be_started_again() {
    let sandbox = Sandbox::new();
    table(&sandbox, "a.csv", 30_000);
    let run = ["classify", "--input", "a.csv", "--errors", "null", "--output", "labels.csv"];
    let resumed = [&run[..], &["--resume"]].concat();
    begin(&sandbox, &resumed, ".labels.csv.parts");
    let other = [&resumed[..], &["--max-sentence-length", "64", "--all-scores", "--delimiter", ","]].concat();
    let said = sandbox.run(&other);
    assert!(said.starts_with("exit code: 2"), "{said}");
    for part in [
        "error: labels.csv was started with other inputs or settings: ",
        "max sentence length 512 instead of 64; ",
        "without delimiter ','; without column `scores` of type ",
        "hint: give the same inputs, model and options to go on, or start again with `--restart`",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    // The same content under another time is the same input.
    let text = sandbox.read("a.csv");
    sandbox.file("a.csv", &text).file("b.csv", "text\nnews\n");
    let said = sandbox.run(&resumed);
    assert!(said.starts_with("exit code: 1") && said.contains("going on after "), "{said}");
    let whole = sandbox.read("labels.csv");
    assert_eq!(whole.lines().count(), 30_001);
    assert_eq!(sandbox.names("."), ["a.csv", "b.csv", "labels.csv"]);

    begin(&sandbox, &resumed, ".labels.csv.parts");
    sandbox.file("a.csv", text.replace("29999", "29998"));
    assert_conversation!(sandbox.run(&resumed), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: labels.csv was started with other inputs or settings: a.csv has changed
    hint: give the same inputs, model and options to go on, or start again with `--restart`, or name another output
    ");
    assert_eq!(sandbox.read("labels.csv"), whole, "the old output stays until the new one is complete");
    let said = sandbox.run(&[&run[..], &["--restart"]].concat());
    assert!(said.starts_with("exit code: 1") && !said.contains("going on"), "{said}");
    assert!(sandbox.read("labels.csv") != whole);
}

#[test]
fn a_run_that_stopped_at_a_row_goes_on_and_keeps_it() {
    let sandbox = Sandbox::new();
    table(&sandbox, "a.csv", 1000);
    let run = |more: &[&str]| {
        sandbox.run(&[&["classify", "--input", "a.csv", "--quiet", "--output", "labels.jsonl"], more].concat())
    };
    assert_conversation!(run(&["--resume"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: a.csv, line 702: 1 field, but the header has 2
    hint: `--delimiter`, `--quote` and `--escape` say how the file is written; `classify --errors null` keeps what can be read of such rows, `--rejects FILE` puts them aside
    ");
    assert_eq!(run(&["--resume", "--errors", "null"]), "exit code: 1\n----- stdout -----\n----- stderr -----\n");
    let lines = sandbox.read("labels.jsonl");
    assert_eq!(lines.lines().count(), 1000);
    assert!(
        lines.contains("{\"id\":\"700\",\"text\":null,\"error\":\"a.csv, line 702: 1 field, but the header has 2\",")
    );
    assert!(run(&["--errors", "null"]).starts_with("exit code: 1"));
    assert_eq!(sandbox.read("labels.jsonl"), lines);
}

#[test]
fn failed_rows_are_put_aside() {
    let sandbox = Sandbox::new();
    sandbox.file("a.csv", format!("id,text,error\n1,{SPORTS},x\n2\n3,{SPORTS},y\n"));
    for more in [&[][..], &["--resume"]] {
        let run = ["classify", "--input", "a.csv", "--rejects", "rejects.csv", "--output", "labels.csv"];
        insta::allow_duplicates! {
            assert_conversation!(sandbox.run(&[&run[..], more].concat()), @r"
            exit code: 1
            ----- stdout -----
            ----- stderr -----
            warning: the input has a column `error`, so the new column is called `row_error`
            3 rows in [TIME], written to labels.csv
            warning: 1 text was null or blank and got no label
            warning: a.csv, line 3: 1 field, but the header has 3
            warning: 1 row could not be read whole: see rejects.csv
            ");
        }
        assert_eq!(
            sandbox.read("rejects.csv"),
            "id,text,error,row_error\n2,,,\"a.csv, line 3: 1 field, but the header has 3\"\n"
        );
        let labels = sandbox.read("labels.csv");
        let mut lines = labels.lines();
        assert_eq!(lines.next(), Some("id,text,error,label,score"));
        assert_eq!(lines.map(|line| line.split(',').next()).collect::<Vec<_>>(), [Some("1"), Some("3")]);
        assert_eq!(sandbox.names("."), ["a.csv", "labels.csv", "rejects.csv"]);
    }
}

#[test]
fn a_folder_gets_tables_of_new_inputs_alone() {
    let sandbox = Sandbox::new();
    sandbox.file("in/a.csv", format!("text\n{SPORTS}\n")).file("in/b.csv.gz", "");
    sandbox.file("in/b.csv", format!("text\n{SPORTS}\n{SPORTS} Again.\n"));
    fs::remove_file(sandbox.path("in/b.csv.gz")).expect("a file");
    let run = |more: &[&str]| {
        let arguments = ["classify", "--input", "in", "--output", "out/", "--output-format", "csv"];
        sandbox.run(&[&arguments[..], more].concat())
    };
    assert_conversation!(run(&["--resume"]), @r"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    3 rows in [TIME], written to out/
    ");
    assert_eq!(sandbox.names("out"), [".parts", "a.csv", "b.csv"]);
    let first = fs::metadata(sandbox.path("out/a.csv")).expect("a table").modified().expect("a time");
    sandbox.file("in/aa.csv", format!("text\n{SPORTS} Once more.\n"));
    assert_conversation!(run(&["--resume"]), @r"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    2 of 3 inputs done before
    1 row in [TIME], written to out/
    ");
    assert_eq!(sandbox.names("out"), [".parts", "a.csv", "aa.csv", "b.csv"]);
    assert_eq!(fs::metadata(sandbox.path("out/a.csv")).expect("a table").modified().expect("a time"), first);
    // An input that is done may go.
    fs::remove_file(sandbox.path("in/a.csv")).expect("a file");
    assert!(run(&["--resume"]).starts_with("exit code: 0"));
    sandbox.file("in/b.csv", "text\nchanged\n");
    assert_conversation!(run(&["--resume"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: out/ was started with other inputs or settings: in/b.csv has changed
    hint: give the same inputs, model and options to go on, or start again with `--restart`, or name another output
    ");
    assert!(run(&["--restart"]).starts_with("exit code: 0"));
    // The table of an input that is gone is no one's to remove.
    assert_eq!(sandbox.names("out"), [".parts", "a.csv", "aa.csv", "b.csv"]);
}

#[test]
fn nothing_is_removed_or_written_outside_the_run() {
    let sandbox = Sandbox::new();
    sandbox.file("in/a.csv", "text\nnews\n").file("victim.csv", "mine").file("precious/keep.txt", "mine");
    let run = |more: &[&str]| sandbox.run(&[&["classify", "--input", "in", "--output-format", "csv"], more].concat());
    assert!(run(&["--output", "out/", "--resume"]).starts_with("exit code: 0"));
    let manifest = sandbox.read("out/.parts/manifest.json");
    assert!(manifest.contains("\"a.csv\""), "{manifest}");
    sandbox.file("out/.parts/manifest.json", manifest.replace("\"a.csv\"", "\"../victim.csv\""));
    sandbox.file("out/.parts/keep.txt", "mine");
    assert!(run(&["--output", "out/", "--resume"]).contains("is not the name of a file"));
    run(&["--output", "out/", "--restart"]);
    assert_eq!([sandbox.read("victim.csv"), sandbox.read("out/.parts/keep.txt")], ["mine", "mine"]);
    std::os::unix::fs::symlink("precious", sandbox.path(".labels.csv.parts")).expect("a link");
    assert!(run(&["--output", "labels.csv", "--resume"]).contains("is a symbolic link"));
    assert_eq!(sandbox.read("precious/keep.txt"), "mine");
}

#[test]
fn rejected_rows_have_a_file_of_their_own() {
    let sandbox = Sandbox::new();
    sandbox.file("a.csv", "id,text\n1,news\n2\n").file("there.csv", "old");
    std::os::unix::fs::symlink("there.csv", sandbox.path("link.csv")).expect("a link");
    fs::create_dir(sandbox.path("out")).expect("a folder");
    for (output, rejects) in [("r.csv", "./r.csv"), ("there.csv", "link.csv"), ("out/", "out/a.csv")] {
        for resume in [&[][..], &["--resume"]] {
            if output.ends_with('/') && resume.is_empty() {
                continue;
            }
            let run = ["classify", "--input", "a.csv", "--output", output, "--rejects", rejects];
            let said = sandbox.run(&[&run[..], resume].concat());
            assert!(said.contains("are both to be written to"), "{output} {rejects}: {said}");
        }
    }
    assert_eq!(sandbox.read("there.csv"), "old");
}

#[test]
fn the_column_of_errors_is_none_of_the_inputs() {
    let sandbox = Sandbox::new();
    sandbox.file("a.csv", "id,text\n1,news\n");
    for more in [&["--resume"][..], &["--errors", "null"]] {
        let run = ["classify", "--input", "a.csv", "--output", "out.csv", "--text-column", "error"];
        let said = sandbox.run(&[&run[..], more].concat());
        assert!(said.starts_with("exit code: 2") && said.contains("`error`"), "{said}");
    }
}

#[test]
fn what_cannot_be_resumed_is_told() {
    let sandbox = Sandbox::new();
    sandbox.file("a.csv", "text\nnews\n").file("out/a.parquet", "another file");
    let resume = |more: &[&str]| sandbox.run(&[&["classify", "--resume"], more].concat());
    assert_conversation!(resume(&["--input", "a.csv"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: a run can be resumed only if its output is a file or a folder
    hint: name one with `--output`, or omit `--resume`
    ");
    assert_conversation!(sandbox.run_with_input(&["classify", "--resume", "--output", "b.csv"], b"news\n"), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: a run over standard input cannot be resumed: it is not a file on this machine
    hint: copy it to a file first, or omit `--resume`
    ");
    assert_conversation!(resume(&["--input", "a.csv", "--output", "out"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: out/a.parquet already exists, and this run did not write it
    hint: move it elsewhere, or write to another folder
    ");
    assert_conversation!(resume(&["--input", "a.csv", "--output", "."]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the input a.csv is in the output folder .
    hint: write to a folder without inputs
    ");
    assert_conversation!(resume(&["--input", "a.csv", "--output", "b.csv", "--rejects", "b.csv"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the output and the rejected rows are both to be written to b.csv
    hint: name another file with `--rejects`
    ");
}

#[test]
fn a_damaged_part_is_told_and_done_again() {
    let sandbox = Sandbox::new();
    table(&sandbox, "a.csv", 30_000);
    let run = ["classify", "--input", "a.csv", "--errors", "null", "--quiet", "--output", "labels.csv", "--resume"];
    begin(&sandbox, &run, ".labels.csv.parts");
    let part = sandbox.names(".labels.csv.parts").into_iter().find(|name| name.ends_with(".part")).expect("a part");
    let part = format!(".labels.csv.parts/{part}");
    let mut bytes = fs::read(sandbox.path(&part)).expect("a part");
    *bytes.last_mut().expect("bytes") ^= 1;
    sandbox.file(&part, bytes);
    let said = sandbox.run(&run);
    let message = format!("error: {part} is damaged: its checksum is another one\n");
    assert!(said.starts_with("exit code: 2") && said.contains(&message), "{said}");
    fs::remove_file(sandbox.path(&part)).expect("a part");
    assert!(sandbox.run(&run).starts_with("exit code: 1"));
    assert_eq!(sandbox.read("labels.csv").lines().count(), 30_001);
}

#[cfg(unix)]
#[test]
fn an_interrupt_says_how_to_go_on() {
    let sandbox = Sandbox::new();
    table(&sandbox, "a.csv", 60_000);
    let run = ["classify", "--input", "a.csv", "--errors", "null", "--output", "labels.csv", "--resume"];
    let child = sandbox.command(&run).spawn().expect("the binary starts");
    while !sandbox.path(".labels.csv.parts/manifest.json").exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("a `kill` command").success());
    assert_conversation!(conversation(&child.wait_with_output().expect("the binary ends")), @r"
    exit code: 130
    ----- stdout -----
    ----- stderr -----
    interrupted: `--resume` goes on from here
    ");
    assert_eq!(sandbox.names("."), [".labels.csv.parts", "a.csv"]);
}

#[test]
fn two_runs_do_not_write_one_output() {
    let sandbox = Sandbox::new();
    table(&sandbox, "a.csv", 60_000);
    let run = ["classify", "--input", "a.csv", "--errors", "null", "--output", "labels.csv", "--resume"];
    let mut child = sandbox.command(&run).spawn().expect("the binary starts");
    while !sandbox.path(".labels.csv.parts/manifest.json").exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_conversation!(sandbox.run(&run), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: another run is writing labels.csv
    hint: wait for that run to end, or name another output
    ");
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
}
