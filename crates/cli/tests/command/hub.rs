//! `albertine models` and `--model` with models that are elsewhere, from a server on this machine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Answer, Server, files_below, golden_model, model_archive, model_files};
use crate::support::{BUSINESS, Sandbox, assert_conversation, conversation};

const NAME: &str = "albert_base_sequence_classifier_ag_news";
const FILE: &str = "albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip";

/// Long enough for a slow machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server of a published model.
fn published() -> Server {
    Server::of_files([(format!("/{FILE}"), model_archive("gelu"))])
}

/// The command with a server as the only place of published models and as the Hugging Face hub; a proxy that is not
/// there must not matter.
fn command(sandbox: &Sandbox, server: &Server, arguments: &[&str]) -> Command {
    let mut command = sandbox.command(arguments);
    command.env("ALBERTINE_HUB", server.url("")).env("HF_ENDPOINT", server.url(""));
    for variable in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
        command.env(variable, "http://127.0.0.1:9");
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    command
}

/// What the command says, with the server by its role.
fn run(sandbox: &Sandbox, server: &Server, arguments: &[&str]) -> String {
    let output = command(sandbox, server, arguments).output().expect("the binary starts");
    conversation(&output).replace(&server.url(""), "http://[SERVER]")
}

/// The bytes of an archive, as they are told; they differ with the compressing library.
fn told_size() -> String {
    format!("{:.1} kB", model_archive("gelu").len() as f64 / 1e3)
}

#[test]
fn a_published_model_is_fetched_and_then_here() {
    let sandbox = Sandbox::new();
    let server = published();
    let said = run(&sandbox, &server, &["models", "pull", NAME]).replace(&told_size(), "[SIZE]");
    assert_conversation!(said, @r#"
    exit code: 0
    ----- stdout -----
    cache/archives/albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip
    ----- stderr -----
    downloading http://[SERVER]/albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip ([SIZE])
    "#);
    drop(server);
    let here = "exit code: 0\n----- stdout -----\ncache/archives/albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip\n----- stderr -----\n";
    assert_eq!(sandbox.run(&["models", "pull", NAME]), here);
    assert_eq!(sandbox.run(&["models", "path", NAME]), here);
    let said = sandbox.run(&["classify", BUSINESS, "--model", NAME, "--offline"]);
    assert!(said.starts_with("exit code: 0") && said.contains("\"label\":\""), "{said}");
}

#[test]
fn every_command_fetches_the_model_that_it_needs() {
    let files = model_files("gelu").into_iter().map(|(name, bytes)| (format!("/org/repo/resolve/main/{name}"), bytes));
    let server = Server::of_files(files);
    for arguments in [
        &["classify", BUSINESS, "--model", "org/repo"][..],
        #[cfg(feature = "sql")]
        &["sql", "SELECT classify('text') AS label", "--model", "org/repo"],
        &["inspect", "model", "org/repo"],
        &["inspect", "pieces", "text", "--model", "org/repo"],
    ] {
        let sandbox = Sandbox::new();
        let said = run(&sandbox, &server, arguments);
        assert!(said.starts_with("exit code: 0"), "{arguments:?}: {said}");
        assert!(said.contains("downloading http://[SERVER]/org/repo/resolve/main/model.safetensors ("), "{said}");
        assert!(files_below(&sandbox.path("cache")).contains(&"repositories/models--org--repo/refs/main".to_owned()));
    }
}

#[test]
fn nothing_is_fetched_for_a_run_that_cannot_be() {
    let (sandbox, server) = (Sandbox::new(), published());
    let said = run(&sandbox, &server, &["classify", "--input", "missing.csv", "--model", NAME]);
    assert!(said.starts_with("exit code: 2"), "{said}");
    assert_eq!(server.paths(), [""; 0]);
}

#[test]
fn off_the_network_a_model_that_is_not_here_is_told() {
    let (sandbox, server) = (Sandbox::new(), published());
    let said = run(&sandbox, &server, &["classify", BUSINESS, "--model", NAME, "--offline"]);
    assert_conversation!(said, @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: `albert_base_sequence_classifier_ag_news` is not on this machine, and network access is disabled
    hint: run `albertine models pull albert_base_sequence_classifier_ag_news` with network access; or add a folder that contains albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip to ALBERTINE_HUB, or give its path
    "#);
    for variable in ["ALBERTINE_OFFLINE", "HF_HUB_OFFLINE"] {
        for arguments in
            [&["inspect", "model", "org/repo"][..], &["models", "pull", NAME], &["models", "list", "--refresh"]]
        {
            let output = command(&sandbox, &server, arguments).env(variable, "1").output().expect("the binary starts");
            assert_eq!(output.status.code(), Some(2), "{variable} {arguments:?}");
        }
    }
    assert_eq!(server.paths(), [""; 0]);
}

#[test]
fn a_model_that_is_nowhere_is_told() {
    let (sandbox, server) = (Sandbox::new(), Server::of_files([]));
    assert_conversation!(run(&sandbox, &server, &["models", "pull", NAME]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: `albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip` was not found in http://[SERVER]/
    hint: ALBERTINE_HUB lists the folders and URLs that are searched for published models
    "#);
    assert_conversation!(run(&sandbox, &server, &["models", "path", NAME]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: `albert_base_sequence_classifier_ag_news` is not in the cache cache
    hint: `albertine models pull albert_base_sequence_classifier_ag_news` downloads it
    "#);
    assert_conversation!(run(&sandbox, &server, &["models", "pull", "org/repo"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no folder or archive org/repo on this machine, and no repository of that name can be downloaded: http://[SERVER]/org/repo/resolve/main/config.json answered 404: there is no model `org/repo`, or it has no config.json
    hint: check the path: `./org/repo` is always one; with `--offline`, a repository is looked for in the cache alone
    "#);
    // nothing has to be fetched for a model that is part of the program
    assert_conversation!(run(&sandbox, &server, &["models", "pull", "ag_news"]), @r#"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    "#);
}

#[test]
fn models_are_listed_for_programs() {
    let (sandbox, server) = (Sandbox::new(), published());
    sandbox.run(&["models", "import", &golden_model("gelu").display().to_string(), "mine"]);
    run(&sandbox, &server, &["models", "pull", NAME]);
    let said = sandbox.run(&["models", "list"]);
    let lines = said.lines().filter(|line| line.starts_with('{'));
    let models: Vec<Value> = lines.map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let field = |name: &str, field: &str| {
        let model = models.iter().find(|model| model["name"] == name).expect("a known model");
        model[field].clone()
    };
    assert_eq!((field("ag_news", "from"), field("ag_news", "here")), (json!("built in"), json!(true)));
    assert_eq!((field("mine", "from"), field("mine", "path")), (json!("imported"), json!("cache/models/mine")));
    assert_eq!((field(NAME, "from"), field(NAME, "language")), (json!("Spark NLP"), json!("en")));
    assert_eq!(field(NAME, "labels"), json!(["Business", "Sci/Tech", "Sports", "World"]));
    assert_eq!(field(NAME, "size"), json!(model_archive("gelu").len()));
    assert_eq!(field(NAME, "path"), json!(format!("cache/archives/{FILE}")));
    assert_eq!(field("albert_base_sequence_classifier_imdb", "here"), json!(false));
}

#[test]
fn an_index_is_refreshed_from_a_file() {
    let sandbox = Sandbox::new();
    let line = r#"{"name":"albert_new","language":"en","libVersion":{"parts":[5,1,0]},"sparkVersion":{"parts":[3,4]},"readyToUse":true,"time":"2023-01-01T00:00:00.000Z","isZipped":true,"category":"ml","checksum":"","annotator":"AlbertForSequenceClassification"}"#;
    sandbox.file("metadata.json", format!("{line}\n{{\"annotator\":\"NerDLModel\",\"name\":\"ner\"}}\n?\n"));
    let said = sandbox.run(&["models", "list", "--refresh", "metadata.json"]);
    let (stdout, stderr) = said.split_once("----- stderr -----\n").expect("two streams");
    assert!(stdout.contains("\"albert_new\""), "{said}");
    insta::assert_snapshot!(stderr, @"
    3 lines read from the index, 1 model kept
    warning: line 3 of metadata.json: expected value at line 1 column 1
    ");
    let said = sandbox.run(&["models", "show", "albert_new"]);
    assert_conversation!(said, @r#"
    exit code: 0
    ----- stdout -----
    {"name":"albert_new","from":"Spark NLP","language":"en","path":null}
    ----- stderr -----
    "#);
    assert!(sandbox.run(&["models", "list", "--refresh", "missing.json"]).starts_with("exit code: 2"));
}

#[test]
fn an_imported_model_has_a_name_of_its_own() {
    let sandbox = Sandbox::new();
    sandbox.file("exported.zip", model_archive("gelu"));
    assert_conversation!(sandbox.run(&["models", "import", "./exported.zip", "mine"]), @r#"
    exit code: 0
    ----- stdout -----
    cache/models/mine
    ----- stderr -----
    "#);
    let said = sandbox.run(&["classify", BUSINESS, "--model", "mine"]);
    let direct = sandbox.run(&["classify", BUSINESS, "--model", "exported.zip"]);
    assert!(said.starts_with("exit code: 0"), "{said}");
    assert_eq!(said, direct);
    let shown = sandbox.run(&["models", "show", "mine"]);
    assert!(shown.contains("\"from\":\"imported\"") && shown.contains("\"labels\":["), "{shown}");
    assert_conversation!(sandbox.run(&["models", "import", "./exported.zip", "mine"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the model `mine` already exists: cache/models/mine
    hint: choose another name, or remove that model with `albertine models remove mine`
    "#);
    assert_conversation!(sandbox.run(&["models", "import", "./exported.zip", "../mine"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: a model cannot be called `../mine`: a name has letters, digits, `_`, `-`, `.`, `+` and `@`, and begins with a letter, a digit or `_`
    "#);
    assert_conversation!(sandbox.run(&["models", "remove", "mine"]), @r#"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    removed cache/models/mine
    "#);
    assert!(!sandbox.path("cache/models").exists());
}

#[test]
fn what_is_known_of_a_model_is_shown() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["models", "show", NAME]);
    assert_conversation!(said, @r#"
    exit code: 0
    ----- stdout -----
    {"name":"albert_base_sequence_classifier_ag_news","from":"Spark NLP","language":"en","summary":"Business, Sci/Tech, Sports or World, for English news","size":44900000,"path":null,"labels":["Business","Sci/Tech","Sports","World"]}
    ----- stderr -----
    "#);
    let server = published();
    run(&sandbox, &server, &["models", "pull", NAME]);
    let said = run(&sandbox, &server, &["models", "show", NAME]);
    assert!(
        said.contains(&format!("\"source\":\"http://[SERVER]/{FILE}\"")) && said.contains("\"sha256\":\""),
        "{said}"
    );
    let said = sandbox.run(&["models", "show", "ag_news"]);
    assert!(said.contains("\"from\":\"built in\"") && said.contains("\"card\":\""), "{said}");
}

/// A server that stops for long in the middle of a model, the first time it is asked.
fn slow(pause: Duration) -> Server {
    let bytes = model_archive("gelu");
    Server::new(move |asked| {
        let answer = Answer::file(asked, &bytes, "\"1\"");
        if asked.header("range").is_none() { answer.stalling(pause) } else { answer }
    })
}

fn wait_for(what: &str, child: &mut Child, seen: impl Fn() -> bool) {
    let started = Instant::now();
    while !seen() {
        assert!(started.elapsed() < PATIENCE, "{what} was not seen");
        assert!(child.try_wait().expect("a child").is_none(), "the run ended by itself");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn two_processes_share_one_download() {
    let (release, gate) = mpsc::channel::<()>();
    let (gate, bytes) = (Mutex::new(gate), model_archive("gelu"));
    let server = Server::new(move |asked| {
        let _ = gate.lock().expect("a valid gate").recv_timeout(PATIENCE);
        Answer::file(asked, &bytes, "\"1\"")
    });
    let sandbox = Sandbox::new();
    let pull = || command(&sandbox, &server, &["models", "pull", NAME]).spawn().expect("the binary starts");
    let mut first = pull();
    wait_for("a request", &mut first, || !server.paths().is_empty());
    let mut second = pull();
    let mut said = String::new();
    BufReader::new(second.stderr.take().expect("a piped error")).read_line(&mut said).expect("a line");
    assert_eq!(said, format!("waiting for another process that is downloading {NAME}\n"));
    release.send(()).expect("a waiting server");
    let [first, second] = [first, second].map(|child| child.wait_with_output().expect("the binary ends"));
    assert_eq!((first.status.code(), second.status.code()), (Some(0), Some(0)));
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(server.paths().len(), 1);
    let expected = [format!("archives/{FILE}"), format!("archives/{FILE}.json")];
    assert_eq!(files_below(&sandbox.path("cache")), expected);
    assert_eq!(fs::read(sandbox.path("cache/archives").join(FILE)).expect("the archive"), model_archive("gelu"));
}

#[test]
#[cfg(unix)]
fn an_interrupt_leaves_a_part_that_is_gone_on_with() {
    let (sandbox, server) = (Sandbox::new(), slow(PATIENCE));
    let part = sandbox.path("cache/archives").join(format!("{FILE}.part"));
    let mut child =
        command(&sandbox, &server, &["models", "pull", NAME]).stdin(Stdio::null()).spawn().expect("the binary starts");
    let half = (model_archive("gelu").len() / 2) as u64;
    wait_for("half of the archive", &mut child, || fs::metadata(&part).is_ok_and(|part| part.len() == half));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("a `kill` command");
    assert!(sent.success());
    let output = child.wait_with_output().expect("the binary ends");
    assert_eq!(output.status.code(), Some(130));
    let left = [format!("archives/{FILE}.part"), format!("archives/{FILE}.part.json")];
    assert_eq!(files_below(&sandbox.path("cache")), left);
    let said = run(&sandbox, &server, &["models", "pull", NAME]);
    assert!(said.starts_with("exit code: 0") && said.contains("resuming http://[SERVER]/"), "{said}");
    assert_eq!(
        server.asked().last().and_then(|asked| asked.header("range").map(str::to_owned)),
        Some(format!("bytes={half}-"))
    );
}
