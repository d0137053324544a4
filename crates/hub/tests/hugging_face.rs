//! Repositories from a server that behaves as the Hugging Face hub does, and from some that do not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod program;
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use albertine_hub::{HubError, Limits, ModelSource};
use program::{Hub, logits};
use server::{Answer, Server, files_below, golden_model, model_files};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const TOKEN: &str = "hf_secret";

/// The SHA-256 of a file, as the hub tells it.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hub, which leads to another server for weights, and that other server.
struct Hubs {
    hub: Server,
    store: Arc<Server>,
}

/// A hub with a tiny model as `org/repo`; the sum of its weights is told as `sum` unless that is `None`.
fn hubs(model: &str, sum: Option<&str>) -> Hubs {
    let files: BTreeMap<String, Vec<u8>> = model_files(model).into_iter().collect();
    let weights = files.clone();
    let store = Arc::new(Server::new(move |asked| {
        let name = asked.path.trim_start_matches("/store/");
        weights.get(name).map_or_else(|| Answer::new(404, ""), |bytes| Answer::file(asked, bytes, "\"store\""))
    }));
    let told = sum.map(str::to_owned);
    let leads = Arc::clone(&store);
    let hub = Server::new(move |asked| {
        let at = |revision: &str| asked.path.strip_prefix(&format!("/org/repo/resolve/{revision}/")).map(str::to_owned);
        let Some(name) = at("main").or_else(|| at(COMMIT)).or_else(|| at("refs%2Fpr%2F1")) else {
            return Answer::new(401, "").header("x-error-message", "Repository not found");
        };
        let Some(bytes) = files.get(&name) else {
            return Answer::new(404, "").header("x-error-code", "EntryNotFound");
        };
        if name.ends_with(".safetensors") || name.ends_with(".bin") {
            let sum = told.clone().unwrap_or_else(|| sha256(bytes));
            return Answer::to(&leads.url(&format!("/store/{name}")))
                .header("x-repo-commit", COMMIT)
                .header("x-linked-etag", &format!("\"{sum}\""))
                .header("x-linked-size", &bytes.len().to_string());
        }
        Answer::file(asked, bytes, "\"0a0a\"").header("x-repo-commit", COMMIT)
    });
    Hubs { hub, store }
}

fn client(endpoint: &str) -> (TempDir, Hub) {
    let cache = tempfile::tempdir().unwrap();
    let limits = Limits { attempts: 2, first_pause: Duration::from_millis(1), ..Limits::default() };
    let hub = Hub::new(cache.path()).limits(limits).endpoint(endpoint).unwrap().token(TOKEN);
    (cache, hub)
}

fn hub_error(outcome: Result<ModelSource, HubError>) -> HubError {
    outcome.unwrap_err()
}

#[test]
fn a_repository_is_fetched_once_and_then_works_without_a_server() {
    let Hubs { hub: server, store } = hubs("gelu", None);
    let (cache, hub) = client(&server.url(""));
    let source = hub.resolve("org/repo").unwrap();
    assert_eq!(logits(&source), logits(&ModelSource::Directory(golden_model("gelu"))));
    let snapshot = format!("repositories/models--org--repo/snapshots/{COMMIT}");
    assert_eq!(source.path().unwrap(), cache.path().join(&snapshot));
    let mut expected = vec!["repositories/models--org--repo/refs/main".to_owned()];
    let mut names: Vec<String> = model_files("gelu").into_iter().map(|(name, _)| name).collect();
    names.extend(["source.json".to_owned()]);
    names.sort();
    expected.extend(names.iter().map(|name| format!("{snapshot}/{name}")));
    assert_eq!(files_below(cache.path()), expected);
    // a branch that moves meanwhile gives no mixture
    let paths = server.paths();
    assert_eq!(paths[0], "/org/repo/resolve/main/config.json");
    assert!(paths[1..].iter().all(|path| path.starts_with(&format!("/org/repo/resolve/{COMMIT}/"))), "{paths:?}");
    drop((server, store));
    for name in ["org/repo", "org/repo@main", &format!("org/repo@{COMMIT}")] {
        assert_eq!(hub.resolve(name).unwrap().path(), source.path(), "{name}");
    }
    let HubError::NeitherPathNorRepository { refusal, .. } =
        hub_error(hub.clone().offline(true).resolve("org/repo@v2"))
    else {
        panic!("another error");
    };
    assert!(matches!(*refusal, HubError::Offline { .. }));
    assert_eq!(hub.remove("org/repo").unwrap().len(), 1);
    assert!(hub.here("org/repo").unwrap().is_none());
}

#[test]
fn the_token_goes_to_the_hub_and_to_nobody_else() {
    let Hubs { hub: server, store } = hubs("gelu", None);
    let (_cache, hub) = client(&server.url(""));
    hub.resolve("org/repo@refs/pr/1").unwrap();
    let bearer = format!("Bearer {TOKEN}");
    assert!(server.asked().iter().all(|asked| asked.header("authorization") == Some(&bearer)));
    assert!(!store.asked().is_empty());
    assert!(store.asked().iter().all(|asked| asked.header("authorization").is_none()));
    // and not to a place of archives
    let other = Server::of_files([]);
    assert!(hub.resolve(&other.url("/model.zip")).is_err());
    assert!(other.asked().iter().all(|asked| asked.header("authorization").is_none()));
}

#[test]
fn weights_in_shards_are_fetched_whole() {
    let Hubs { hub: server, store } = hubs("sharded", None);
    let (_cache, hub) = client(&server.url(""));
    let source = hub.resolve("org/repo").unwrap();
    assert_eq!(logits(&source), logits(&ModelSource::Directory(golden_model("sharded"))));
    assert!(store.paths().len() > 1);
}

#[test]
fn a_pickle_is_taken_where_there_is_nothing_better() {
    let Hubs { hub: server, store: _store } = hubs("pickle_only", None);
    let (_cache, hub) = client(&server.url(""));
    let source = hub.resolve("org/repo").unwrap();
    assert_eq!(logits(&source), logits(&ModelSource::Directory(golden_model("pickle_only"))));
}

#[test]
fn weights_with_another_sum_are_refused() {
    let Hubs { hub: server, store: _store } = hubs("gelu", Some(&"0".repeat(64)));
    let (cache, hub) = client(&server.url(""));
    let error = hub_error(hub.resolve("org/repo"));
    assert!(matches!(error, HubError::Checksum { kind: "SHA-256", .. }), "{error}");
    // the small files stay, so that the next attempt is short; no snapshot is there
    let left = files_below(cache.path());
    assert!(
        left.iter().all(|file| file.contains(&format!("{COMMIT}.part/")) && !file.contains("safetensors")),
        "{left:?}"
    );
    assert!(hub.here("org/repo").unwrap().is_none());
}

#[test]
fn what_broke_off_goes_on_with_the_files_that_are_here() {
    let first = hubs("gelu", Some(&"0".repeat(64)));
    let (cache, hub) = client(&first.hub.url(""));
    assert!(hub.resolve("org/repo").is_err());
    let second = hubs("gelu", None);
    let hub = hub.endpoint(&second.hub.url("")).unwrap();
    hub.resolve("org/repo").unwrap();
    let asked = second.hub.paths();
    assert!(!asked.iter().any(|path| path.ends_with("/tokenizer.json")), "{asked:?}");
    assert!(files_below(cache.path()).iter().all(|file| !file.contains(".part")));
}

#[test]
fn a_repository_that_one_may_not_see_is_explained() {
    let Hubs { hub: server, store: _store } = hubs("gelu", None);
    let (cache, hub) = client(&server.url(""));
    let error = hub_error(hub.resolve("org/other")).to_string();
    let expected = format!(
        "there is no folder or archive org/other on this machine, and no repository of that name can be downloaded: {} \
         answered 401: there is no model `org/other`, or it takes a token in HF_TOKEN that may read it \
         (Repository not found)",
        server.url("/org/other/resolve/main/config.json")
    );
    assert_eq!(error, expected);
    assert!(!cache.path().join("repositories").exists());
}

#[test]
fn a_repository_without_weights_is_told() {
    let server = Server::of_files(
        ["config.json", "spiece.model", "tf_model.h5"]
            .map(|name| (format!("/org/repo/resolve/main/{name}"), b"{}".to_vec())),
    );
    let (_cache, hub) = client(&server.url(""));
    let error = hub_error(hub.resolve("org/repo")).to_string();
    let files = "model.safetensors, model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json";
    assert_eq!(error, format!("{} has none of {files}", server.url("/org/repo/resolve/main/")));
}

#[test]
fn an_index_of_weights_that_leads_away_is_refused() {
    let hostile = br#"{"weight_map":{"a":"../../../outside.safetensors"}}"#.to_vec();
    let files =
        [("config.json", b"{}".to_vec()), ("spiece.model", b"x".to_vec()), ("model.safetensors.index.json", hostile)];
    let server = Server::of_files(files.map(|(name, bytes)| (format!("/org/repo/resolve/main/{name}"), bytes)));
    let (_cache, hub) = client(&server.url(""));
    let error = hub_error(hub.resolve("org/repo")).to_string();
    assert!(error.ends_with("the file of the tensor `a` is \"../../../outside.safetensors\""), "{error}");
    assert!(server.paths().iter().all(|path| !path.contains("outside")));
}

#[test]
fn a_mirror_that_does_not_tell_commits_is_good_enough() {
    let files = model_files("gelu").into_iter().map(|(name, bytes)| (format!("/hf/org/repo/resolve/v1/{name}"), bytes));
    let server = Server::of_files(files);
    let (cache, hub) = client(&server.url("/hf"));
    let source = hub.resolve("org/repo@v1").unwrap();
    assert_eq!(source.path().unwrap(), cache.path().join("repositories/models--org--repo/snapshots/v1"));
    assert!(hub.here("org/repo").unwrap().is_none());
}

#[test]
fn what_is_no_file_of_a_model_is_refused_and_not_kept() {
    let page = "<!DOCTYPE html>\n<title>Log in to the network</title>";
    let model: BTreeMap<_, _> = model_files("gelu").into_iter().collect();
    let half = |name: &str| model[name][..model[name].len() / 2].to_vec();
    for (name, instead, reason) in [
        ("config.json", page.into(), "it is a web page"),
        ("config.json", half("config.json"), "it is not JSON: EOF while parsing"),
        ("config.json", Vec::new(), "it is empty"),
        ("spiece.model", page.into(), "it is a web page"),
        ("model.safetensors", page.into(), "model.safetensors is not"),
        ("model.safetensors", half("model.safetensors"), "model.safetensors"),
    ] {
        let path = |name: &str| format!("/org/repo/resolve/main/{name}");
        let files = |changed: bool| {
            let files = model.iter().map(|(name, bytes)| (path(name), bytes.clone()));
            let mut files: BTreeMap<_, _> = files.collect();
            if changed {
                files.insert(path(name), instead.clone());
            }
            Server::of_files(files)
        };
        let bad = files(true);
        let (cache, hub) = client(&bad.url(""));
        let error = hub_error(hub.resolve("org/repo"));
        assert!(
            matches!(&error, HubError::NotOfAModel { reason: found, .. } if found.contains(reason)),
            "{name}: {error}"
        );
        assert!(!error.to_string().contains(&cache.path().display().to_string()), "{error}");
        let good = files(false);
        let hub = hub.endpoint(&good.url("")).unwrap();
        assert!(matches!(hub.resolve("org/repo"), Ok(ModelSource::Directory(_))), "{name} afterwards");
    }
}
