//! `--model` with models as people have them: files of old programs, of other vocabularies, in archives, and left behind by
//! Git.

use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::server::Server;
use crate::support::{BUSINESS, Sandbox, assert_conversation, golden_model};

const TOLERANCE: f64 = 1e-4;

/// A text and the logits that transformers gives it, of a golden model.
fn golden_text(name: &str, row: usize) -> (String, Vec<f64>) {
    let directory = golden_model(name);
    let own = directory.join("texts.json");
    let usual = golden_model("../../tools/golden/texts.json");
    let texts = fs::read(if own.exists() { own } else { usual }).expect("texts of this repository");
    let texts: Vec<String> = serde_json::from_slice(&texts).expect("a list of texts");
    let expected = fs::read(directory.join("expected.json")).expect("a golden model");
    let expected: Value = serde_json::from_slice(&expected).expect("JSON");
    let logits =
        expected[row]["logits"].as_array().expect("a list").iter().map(|logit| logit.as_f64().expect("a number"));
    (texts[row].clone(), logits.collect())
}

/// What the command says of a text: its row, or the panic that there is none.
fn classified(sandbox: &Sandbox, model: &str, text: &str) -> Value {
    let arguments = ["classify", text, "--model", model, "--logits", "--all-scores", "--quiet"];
    let output = sandbox.command(&arguments).output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a line of JSON")
}

fn must_be(row: &Value, logits: &[f64]) {
    let found: Vec<f64> =
        row["logits"].as_array().expect("logits").iter().map(|logit| logit.as_f64().expect("a number")).collect();
    assert_eq!(found.len(), logits.len());
    for (found, expected) in found.iter().zip(logits) {
        assert!((found - expected).abs() <= TOLERANCE, "{found} instead of {expected}");
    }
}

#[test]
fn a_checkpoint_of_pytorch_before_1_6_is_read() {
    let (text, logits) = golden_text("pickle_legacy", 3);
    let sandbox = Sandbox::new();
    sandbox.model("model", &golden_model("pickle_legacy"));
    must_be(&classified(&sandbox, "./model", &text), &logits);
}

#[test]
fn albert_with_a_wordpiece_vocabulary_is_read() {
    for name in ["albert_wordpiece", "albert_vocab_txt"] {
        for row in 0..4 {
            let (text, logits) = golden_text(name, row);
            must_be(&classified(&Sandbox::new(), &golden_model(name).display().to_string(), &text), &logits);
        }
        // What is imported is the same model.
        let sandbox = Sandbox::new();
        sandbox.run(&["models", "import", &golden_model(name).display().to_string(), "chinese"]);
        let (text, logits) = golden_text(name, 5);
        must_be(&classified(&sandbox, "chinese", &text), &logits);
    }
}

#[test]
fn rare_activations_are_computed() {
    for name in ["gelu_10", "gelu_fast", "leaky_relu", "mish", "quick_gelu", "relu6"] {
        let (text, logits) = golden_text(name, 3);
        must_be(&classified(&Sandbox::new(), &golden_model(name).display().to_string(), &text), &logits);
    }
}

/// A golden model with other labels in its `config.json`.
fn with_labels(labels: Value) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.model("model", &golden_model("gelu"));
    let mut config: Value = serde_json::from_str(&sandbox.read("model/config.json")).expect("JSON");
    config["id2label"] = labels;
    sandbox.file("model/config.json", config.to_string());
    sandbox
}

#[test]
fn labels_that_are_no_texts_are_read() {
    let names = ["World", "Sports", "Business", "Sci/Tech"];
    let expected = classified(&with_labels(json!(names)), "./model", BUSINESS);
    let best = names.iter().position(|name| expected["label"] == *name).expect("one of the labels");
    for (labels, shown) in [
        (json!({"0": 0, "1": 1, "2": 2, "3": 3}), ["0", "1", "2", "3"]),
        (json!({"0": 0.5, "1": -1, "2": 2.0, "3": 10}), ["0.5", "-1", "2.0", "10"]),
        (json!({"0": true, "1": false, "2": null, "3": "other"}), ["true", "false", "null", "other"]),
        (json!([4, 3, 2, 1]), ["4", "3", "2", "1"]),
    ] {
        let row = classified(&with_labels(labels), "./model", BUSINESS);
        assert_eq!(row["label"], shown[best]);
        assert_eq!(row["score"], expected["score"]);
        let keys: Vec<&str> = row["scores"].as_object().expect("scores").keys().map(String::as_str).collect();
        assert!(shown.iter().all(|label| keys.contains(label)), "{keys:?}");
    }
}

/// Writes the SavedModel of this repository to `model`, with other names of some files.
fn saved_model(sandbox: &Sandbox, names: &[(&str, &str)]) {
    let path = golden_model("../spark_nlp/models/tensorflow.zip");
    let mut archive = ZipArchive::new(Cursor::new(fs::read(path).expect("a model"))).expect("an archive");
    for place in 0..archive.len() {
        let mut entry = archive.by_index(place).expect("an entry");
        let name = entry.name().expect("a name").into_owned();
        if name.ends_with('/') {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("a sound entry");
        let name = names.iter().find(|(from, _)| *from == name).map_or(name.as_str(), |(_, to)| to);
        sandbox.file(&format!("model/{name}"), bytes);
    }
}

#[test]
fn a_saved_model_has_the_names_that_google_gave_its_files() {
    let sandbox = Sandbox::new();
    saved_model(&sandbox, &[]);
    let expected = classified(&sandbox, "./model", BUSINESS);
    assert!(["World", "Sports", "Business", "Sci/Tech"].iter().any(|label| expected["label"] == *label), "{expected}");
    for names in [
        &[("assets/spiece.model", "assets/30k-clean.model")][..],
        &[("assets/spiece.model", "30k-clean.model"), ("assets/labels.txt", "labels.txt")],
        &[("assets/spiece.model", "assets/tokenizer.model"), ("assets/labels.txt", "labels.txt")],
    ] {
        let sandbox = Sandbox::new();
        saved_model(&sandbox, names);
        sandbox.file("model/assets/30k-clean.vocab", "<pad>\t0\n");
        assert_eq!(classified(&sandbox, "./model", BUSINESS), expected, "{names:?}");
    }
}

#[test]
fn a_model_in_a_tar_archive_is_read() {
    let expected = classified(&Sandbox::new(), &golden_model("gelu").display().to_string(), BUSINESS);
    let archive = |inside: &str| {
        let mut archive = tar::Builder::new(Vec::new());
        archive.append_dir_all(inside, golden_model("gelu")).expect("a readable model");
        archive.into_inner().expect("a vector takes everything")
    };
    let gz = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::Write::write_all(&mut encoder, bytes).expect("a vector takes everything");
        encoder.finish().expect("a vector takes everything")
    };
    for (name, bytes) in [
        ("model.tar.gz", gz(&archive("."))),
        ("model.tgz", gz(&archive("models/albert"))),
        ("model.tar", archive("albert")),
        ("model", gz(&archive("."))),
    ] {
        let sandbox = Sandbox::new();
        sandbox.file(name, bytes);
        assert_eq!(classified(&sandbox, &format!("./{name}"), BUSINESS), expected, "{name}");
        assert_eq!(classified(&sandbox, &sandbox.path(name).display().to_string(), BUSINESS), expected, "{name}");
    }
    // From a server, and kept.
    let server = Server::of_files([("/albert.tar.gz".to_owned(), gz(&archive(".")))]);
    let (sandbox, url) = (Sandbox::new(), server.url("/albert.tar.gz"));
    assert_eq!(classified(&sandbox, &url, BUSINESS), expected);
    drop(server);
    assert_eq!(classified(&sandbox, &url, BUSINESS), expected);
    let mut hostile = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    hostile.append_link(&mut header, "config.json", Path::new("/etc/passwd")).expect("a vector takes everything");
    let sandbox = Sandbox::new();
    sandbox.file("model.tar.gz", gz(&hostile.into_inner().expect("a vector takes everything")));
    assert_conversation!(sandbox.run(&["classify", BUSINESS, "--model", "./model.tar.gz"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the entry "config.json" of ./model.tar.gz is a link
    "#);
}

#[test]
fn a_pointer_of_git_lfs_is_told_whatever_file_it_is() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 46750064\n";
    for (model, file) in [
        ("gelu", "config.json"),
        ("gelu", "model.safetensors"),
        ("gelu", "tokenizer.json"),
        ("gelu", "spiece.model"),
        ("gelu", "tokenizer_config.json"),
        ("pickle_only", "pytorch_model.bin"),
        ("albert_vocab_txt", "vocab.txt"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.model("model", &golden_model(model)).file(&format!("model/{file}"), pointer);
        let said = sandbox.run(&["classify", BUSINESS, "--model", "./model"]);
        let expected = format!(
            "exit code: 2\n----- stdout -----\n----- stderr -----\nerror: ./model/{file} is a Git LFS pointer, not the file \
             itself: run `git lfs pull` in its repository\n"
        );
        assert_eq!(said, expected);
    }
    let sandbox = Sandbox::new();
    saved_model(&sandbox, &[]);
    sandbox.file("model/saved_model.pb", pointer);
    let said = sandbox.run(&["classify", BUSINESS, "--model", "./model"]);
    assert!(said.contains("error: ./model/saved_model.pb is a Git LFS pointer"), "{said}");
    sandbox.file("model.zip", pointer);
    let said = sandbox.run(&["classify", BUSINESS, "--model", "./model.zip"]);
    assert!(said.contains("error: ./model.zip is not a model directory: it is a Git LFS pointer"), "{said}");
}

#[test]
fn a_mistyped_path_is_told_as_a_path_and_as_a_repository() {
    let sandbox = Sandbox::new();
    sandbox.file("my/albert/readme", "\n");
    for command in [&["classify", "x"][..], &["inspect", "model"], &["inspect", "pieces", "x"]] {
        let mut arguments = command.to_vec();
        if command != ["inspect", "model"] {
            arguments.push("--model");
        }
        arguments.push("models/my-albert");
        let output = sandbox.command(&arguments).env("HF_ENDPOINT", "http://127.0.0.1:9").output();
        let output = output.expect("the binary starts");
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains("error: there is no folder or archive models/my-albert on this machine, and no repository")
        );
        assert!(said.contains("http://127.0.0.1:9/models/my-albert/resolve/main/config.json"), "{said}");
        assert!(said.contains("hint: check the path: `./models/my-albert` is always one; with `--offline`"), "{said}");
    }
    assert_conversation!(sandbox.run(&["classify", "x", "--model", "models/my-albert", "--offline"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no folder or archive models/my-albert on this machine, and no repository of that name can be downloaded: network access is disabled
    hint: check the path, for example `./models/my-albert`; or run `albertine models pull models/my-albert` with network access
    "#);
    // A folder that is there is meant, and holds no model.
    let said = sandbox.run(&["classify", "x", "--model", "my/albert"]);
    assert!(said.contains("error: my/albert holds no model: "), "{said}");
    assert!(said.contains("it holds readme"), "{said}");
}

/// Writes a table of two classes.
fn table(sandbox: &Sandbox) {
    let rows: String = (0..8)
        .map(|row| {
            format!("{} number {row},{}\n", ["the bees fly", "the law is read"][row % 2], ["bees", "law"][row % 2])
        })
        .collect();
    sandbox.file("train.csv", format!("text,label\n{rows}"));
}

#[test]
fn a_masked_language_model_is_fine_tuned_and_not_classified_with() {
    for name in ["albert_mlm", "albert_pretraining", "bert_mlm"] {
        let sandbox = Sandbox::new();
        table(&sandbox);
        sandbox.model("model", &golden_model(&format!("../heads/{name}")));
        let said = sandbox.run(&["classify", BUSINESS, "--model", "./model"]);
        assert!(said.starts_with("exit code: 2"), "{said}");
        assert!(said.contains("error: ./model is not a sequence classifier: the tensor `"), "{said}");

        let train = |output: &str, seed: &str| {
            let arguments =
                ["train", "--input", "train.csv", "--model", "./model", "--epochs", "1", "--output", output];
            let said = sandbox.run(&[&arguments[..], &["--seed", seed]].concat());
            assert!(said.starts_with("exit code: 0"), "{said}");
            let pooler = "warning: the base model has no pooler, as masked language models have none";
            assert_eq!(said.contains(pooler), name != "albert_pretraining", "{said}");
            fs::read(sandbox.path(output).join("model.safetensors")).expect("a model")
        };
        let weights = train("one", "1");
        assert!(train("same", "1") == weights && train("other", "2") != weights, "{name}");
        let row = classified(&sandbox, "./one", BUSINESS);
        assert!(row["label"] == "bees" || row["label"] == "law", "{row}");
    }
}

#[test]
fn an_adapter_of_peft_says_how_to_merge_it() {
    let sandbox = Sandbox::new();
    sandbox.file("model/adapter_config.json", r#"{"base_model_name_or_path": "albert-base-v2", "peft_type": "LORA"}"#);
    sandbox.file("model/adapter_model.safetensors", "x");
    assert_conversation!(sandbox.run(&["classify", BUSINESS, "--model", "./model"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model holds a PEFT adapter of `albert-base-v2`, not a model: merge it into that model with PEFT's `merge_and_unload()` and save the result
    "#);
}
