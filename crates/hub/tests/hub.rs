//! Models from servers that behave and from servers that do not; all of them are on this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod program;
mod server;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use albertine_hub::{HubError, Index, Limits, Lines, ModelSource, Origin, Progress, Transfer};
use program::{Hub, logits};
use server::{Answer, Asked, Server, archive, files_below, golden_model, model_archive, model_files};
use tempfile::TempDir;

const NAME: &str = "albert_base_sequence_classifier_ag_news";
const FILE: &str = "albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip";

/// No pause that a test would have to sit out.
const QUICK: Limits = {
    let (attempts, first_pause) = (3, Duration::from_millis(1));
    Limits { largest_file: 1 << 30, attempts, first_pause, silence: Duration::from_secs(10) }
};

/// A cache, and a hub that asks these places.
fn hub(places: &[&str]) -> (TempDir, Hub) {
    let cache = tempfile::tempdir().unwrap();
    let hub = Hub::new(cache.path()).limits(QUICK).places(places.iter().copied()).unwrap();
    (cache, hub)
}

/// A server of the archive of a published model that gives `answer`.
fn published(answer: impl Fn(&Asked, &[u8], usize) -> Answer + Send + Sync + 'static) -> Server {
    let (bytes, calls) = (model_archive("gelu"), AtomicUsize::new(0));
    Server::new(move |asked| match asked.path.strip_prefix('/') {
        Some(FILE) => answer(asked, &bytes, calls.fetch_add(1, Ordering::SeqCst)),
        _ => Answer::new(404, ""),
    })
}

/// The model that was served.
fn expected() -> (Vec<u8>, Vec<f32>) {
    logits(&ModelSource::Directory(golden_model("gelu")))
}

fn hub_error(outcome: Result<ModelSource, HubError>) -> HubError {
    outcome.unwrap_err()
}

#[test]
fn a_published_model_is_fetched_once_and_then_works_without_a_server() {
    let server = Server::of_files([(format!("/models/{FILE}"), model_archive("gelu"))]);
    let (cache, hub) = hub(&[&server.url("/models")]);
    let source = hub.resolve(NAME).unwrap();
    assert_eq!(logits(&source), expected());
    let record = hub.record(&source).unwrap();
    assert_eq!(record.source, server.url(&format!("/models/{FILE}")));
    assert_eq!(record.files[FILE].size, model_archive("gelu").len() as u64);
    assert_eq!(files_below(cache.path()), [format!("archives/{FILE}"), format!("archives/{FILE}.json")]);
    assert_eq!(server.paths().len(), 1);
    drop(server);
    assert_eq!(hub.resolve_language(NAME, "en").unwrap().path(), source.path());
    assert_eq!(hub.clone().offline(true).resolve(NAME).unwrap().path(), source.path());
}

#[test]
fn a_place_that_lacks_a_model_is_passed_over() {
    let empty = Server::new(|asked| Answer::new(if asked.path.contains("/a/") { 403 } else { 404 }, ""));
    let folder = tempfile::tempdir().unwrap();
    let server = published(|asked, bytes, _| Answer::file(asked, bytes, "\"1\""));
    let places = [empty.url("/a"), folder.path().display().to_string(), empty.url("/b"), server.url("")];
    let (_cache, hub) = self::hub(&places.each_ref().map(String::as_str));
    assert_eq!(logits(&hub.resolve(NAME).unwrap()), expected());
    assert_eq!(empty.paths(), [format!("/a/{FILE}"), format!("/b/{FILE}")]);

    let (cache, hub) = self::hub(&[&empty.url("/a"), &empty.url("/b")]);
    let error = hub_error(hub.resolve(NAME)).to_string();
    assert_eq!(error, format!("`{FILE}` was not found in {}, {}", empty.url("/a/"), empty.url("/b/")));
    assert_eq!(files_below(cache.path()), [""; 0]);
}

#[test]
fn a_server_that_stumbles_is_asked_again() {
    let server = published(|asked, bytes, call| match call {
        0 => Answer::new(500, ""),
        1 => Answer::new(429, "").header("retry-after", "0"),
        _ => Answer::file(asked, bytes, "\"1\""),
    });
    let (_cache, hub) = hub(&[&server.url("")]);
    assert_eq!(logits(&hub.resolve(NAME).unwrap()), expected());
    assert_eq!(server.paths().len(), 3);
}

#[test]
fn a_server_that_never_gets_up_is_given_up() {
    let server = published(|_, _, _| Answer::new(503, ""));
    let (cache, hub) = hub(&[&server.url("")]);
    let error = hub_error(hub.resolve(NAME)).to_string();
    assert_eq!(error, format!("cannot download {}: it answered 503", server.url(&format!("/{FILE}"))));
    assert_eq!(server.paths().len(), 3);
    assert_eq!(files_below(cache.path()), [""; 0]);
}

#[test]
fn what_broke_off_goes_on_where_it_did() {
    let server = published(|asked, bytes, call| {
        let whole = Answer::file(asked, bytes, "\"1\"");
        if call < 4 { whole.cut(1000) } else { whole }
    });
    let (cache, hub) = hub(&[&server.url("")]);
    assert_eq!(logits(&hub.resolve(NAME).unwrap()), expected());
    let ranges: Vec<_> = server.asked().into_iter().map(|asked| asked.header("range").map(str::to_owned)).collect();
    let from = |start: usize| Some(format!("bytes={start}-"));
    assert_eq!(ranges, [None, from(1000), from(2000), from(3000), from(4000)]);
    assert!(server.asked()[1..].iter().all(|asked| asked.header("if-range") == Some("\"1\"")));
    assert_eq!(files_below(cache.path()), [format!("archives/{FILE}"), format!("archives/{FILE}.json")]);
}

/// A cache in which a download was left after its first thousand bytes, by a server that then gives `answer`.
fn left_in_part(answer: impl Fn(&Asked, &[u8]) -> Answer + Send + Sync + 'static) -> (Server, TempDir, Hub) {
    let server = published(move |asked, bytes, call| match call {
        0 => Answer::file(asked, bytes, "\"1\"").cut(1000),
        _ => answer(asked, bytes),
    });
    let (cache, hub) = hub(&[&server.url("")]);
    let once = hub.clone().limits(Limits { attempts: 1, ..QUICK });
    let error = hub_error(once.resolve(NAME)).to_string();
    assert!(error.contains("broke off after 1000"), "{error}");
    assert_eq!(files_below(cache.path()), [format!("archives/{FILE}.part"), format!("archives/{FILE}.part.json")]);
    (server, cache, hub)
}

#[test]
fn a_part_is_resumed_by_the_next_run() {
    let (server, cache, hub) = left_in_part(|asked, bytes| Answer::file(asked, bytes, "\"1\""));
    assert_eq!(logits(&hub.resolve(NAME).unwrap()), expected());
    assert_eq!(server.asked()[1].header("range"), Some("bytes=1000-"));
    assert_eq!(files_below(cache.path()).len(), 2);
}

#[test]
fn a_part_of_another_version_is_not_used() {
    let (server, _cache, hub) = left_in_part(|asked, bytes| Answer::file(asked, bytes, "\"2\""));
    assert_eq!(logits(&hub.resolve(NAME).unwrap()), expected());
    assert_eq!(server.asked()[1].header("range"), Some("bytes=1000-"));
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let (_server, _cache, hub) = left_in_part(|_, bytes| Answer::new(200, bytes));
    assert_eq!(logits(&hub.resolve(NAME).unwrap()), expected());
}

#[test]
fn a_server_that_sends_another_part_is_not_believed() {
    let (server, _cache, hub) = left_in_part(|asked, bytes| match asked.header("range") {
        Some(_) => Answer::new(206, &bytes[900..]).header("content-range", &format!("bytes 900-{0}/{0}", bytes.len())),
        None => Answer::file(asked, bytes, "\"1\""),
    });
    assert_eq!(logits(&hub.resolve(NAME).unwrap()), expected());
    assert_eq!(server.paths().len(), 3);
}

#[test]
fn a_part_that_is_already_whole_is_taken() {
    let (server, cache, hub) = left_in_part(|asked, bytes| Answer::file(asked, bytes, "\"1\""));
    fs::write(cache.path().join(format!("archives/{FILE}.part")), model_archive("gelu")).unwrap();
    assert_eq!(logits(&hub.resolve(NAME).unwrap()), expected());
    assert_eq!(server.paths().len(), 2);
}

/// An index with a published model whose archive has this sum.
fn index(checksum: &str) -> String {
    format!(
        "{{\"name\":\"{NAME}\",\"language\":\"en\",\"libVersion\":{{\"parts\":[3,4,0]}},\"sparkVersion\":{{\"parts\":[3,0]}},\
         \"readyToUse\":true,\"time\":\"2021-12-16T09:51:38.937Z\",\"isZipped\":true,\"category\":\"ml\",\
         \"checksum\":\"{checksum}\",\"annotator\":\"AlbertForSequenceClassification\"}}\n"
    )
}

#[test]
fn a_sum_that_is_known_is_held_to() {
    let metadata = Arc::new(Mutex::new(index(&"0".repeat(32))));
    let served = Arc::clone(&metadata);
    let bytes = model_archive("gelu");
    let server = Server::new(move |asked| match asked.path.as_str() {
        "/metadata.json" => Answer::new(200, served.lock().unwrap().clone()),
        _ => Answer::file(asked, &bytes, "\"1\""),
    });
    let (cache, hub) = hub(&[&server.url("")]);
    let reading = hub.refresh(None).unwrap();
    assert_eq!((reading.lines, reading.kept, reading.damaged), (1, 1, 0));
    let error = hub_error(hub.resolve(NAME));
    assert!(matches!(&error, HubError::Checksum { kind: "MD5", .. }), "{error}");
    assert_eq!(files_below(cache.path()), ["index.jsonl"]);

    let HubError::Checksum { found, .. } = error else { panic!("a wrong sum") };
    *metadata.lock().unwrap() = index(&found);
    hub.refresh(Some(&server.url("/metadata.json"))).unwrap();
    assert_eq!(logits(&hub.resolve(NAME).unwrap()), expected());
}

#[test]
fn a_part_that_spoils_the_sum_is_fetched_again() {
    let (server, cache, hub) = left_in_part(|asked, bytes| Answer::file(asked, bytes, "\"1\""));
    let archives = cache.path().join("archives");
    fs::write(archives.join(format!("{FILE}.part")), vec![0; 1000]).unwrap();
    let whole = tempfile::tempdir().unwrap();
    fs::write(whole.path().join(FILE), model_archive("gelu")).unwrap();
    let record_of = |hub: &Hub| hub.record(&hub.resolve(NAME).unwrap()).unwrap().files[FILE].sha256.clone();
    let (_other, right) = {
        let (other, hub) = self::hub(&[&server.url("")]);
        let sum = record_of(&hub);
        (other, sum)
    };
    let metadata = whole.path().join("metadata.json");
    fs::write(&metadata, index(&right)).unwrap();
    hub.refresh(metadata.to_str()).unwrap();
    assert_eq!(record_of(&hub), right);
}

#[test]
fn an_archive_that_would_write_elsewhere_is_refused() {
    let hostile = |name: &str| {
        let mut files = model_files("gelu");
        files.push((name.to_owned(), b"gotcha".to_vec()));
        archive(&files)
    };
    for name in ["../../outside.txt", "/outside.txt", "a/../../outside.txt", "C:\\outside.txt"] {
        let server = Server::of_files([(format!("/{FILE}"), hostile(name))]);
        let (cache, hub) = hub(&[&server.url("")]);
        let error = hub_error(hub.resolve(NAME));
        assert!(matches!(&error, HubError::Archive { .. }), "{name}: {error}");
        assert_eq!(files_below(cache.path()), [""; 0], "{name}");
        assert!(!cache.path().parent().unwrap().join("outside.txt").exists());
    }
}

#[test]
fn what_is_no_archive_is_refused() {
    let server = Server::of_files([(format!("/{FILE}"), b"<html>sign in, please</html>".to_vec())]);
    let (cache, hub) = hub(&[&server.url("")]);
    assert!(matches!(hub_error(hub.resolve(NAME)), HubError::Archive { .. }));
    assert_eq!(files_below(cache.path()), [""; 0]);
}

#[test]
fn a_claim_of_ten_gigabytes_is_refused_before_a_byte_is_stored() {
    let server = published(|_, bytes, _| Answer::new(200, bytes).claiming(10 << 30));
    let (cache, hub) = hub(&[&server.url("")]);
    let error = hub_error(hub.limits(Limits { largest_file: Limits::default().largest_file, ..QUICK }).resolve(NAME));
    assert!(matches!(error, HubError::TooLarge { size, .. } if size == 10 << 30), "{error}");
    assert_eq!(files_below(cache.path()), [""; 0]);
    assert_eq!(server.paths().len(), 1);
}

#[test]
fn more_than_the_limit_is_refused_whatever_was_claimed() {
    let server = published(|_, bytes, _| Answer::new(200, bytes).header("transfer-encoding", "identity"));
    let (cache, hub) = hub(&[&server.url("")]);
    let error = hub_error(hub.limits(Limits { largest_file: 1000, ..QUICK }).resolve(NAME));
    assert!(matches!(error, HubError::TooLarge { most: 1000, .. }), "{error}");
    assert_eq!(files_below(cache.path()), [""; 0]);
}

#[test]
fn a_server_that_falls_silent_is_not_waited_for() {
    let server = published(|_, bytes, _| Answer::new(200, bytes).stalling(Duration::from_secs(20)));
    let (_cache, hub) = hub(&[&server.url("")]);
    let started = Instant::now();
    let limits = Limits { attempts: 2, silence: Duration::from_millis(200), ..QUICK };
    let error = hub_error(hub.limits(limits).resolve(NAME));
    assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn redirects_are_followed_within_reason() {
    let bytes = model_archive("gelu");
    let server = Server::new(move |asked| match asked.path.as_str() {
        "/a/model.zip" => Answer::to("/b/model.zip?signature=1"),
        "/b/model.zip?signature=1" => Answer::file(asked, &bytes, "\"1\""),
        "/loop.zip" => Answer::to("/loop.zip"),
        "/file.zip" => Answer::to("file:///etc/passwd"),
        _ => Answer::new(404, ""),
    });
    let (_cache, hub) = hub(&[]);
    assert_eq!(logits(&hub.resolve(&server.url("/a/model.zip")).unwrap()), expected());
    for path in ["/loop.zip", "/file.zip"] {
        assert!(matches!(hub_error(hub.resolve(&server.url(path))), HubError::Redirect { .. }), "{path}");
    }
}

#[test]
fn an_archive_and_a_folder_come_by_their_addresses() {
    let mut files: Vec<_> =
        model_files("gelu").into_iter().map(|(name, bytes)| (format!("/models/gelu/{name}"), bytes)).collect();
    files.push(("/model.zip".to_owned(), model_archive("gelu")));
    let server = Server::of_files(files);
    let (cache, hub) = hub(&[]);
    let addresses = [server.url("/model.zip"), server.url("/models/gelu/")];
    let sources = addresses.each_ref().map(|address| hub.resolve(address).unwrap());
    assert_eq!(sources.each_ref().map(|source| source.path().unwrap().is_file()), [true, false]);
    for source in &sources {
        assert_eq!(logits(source), expected());
        assert!(source.path().unwrap().starts_with(cache.path().join("addresses")));
    }
    drop(server);
    for (address, source) in addresses.iter().zip(&sources) {
        assert_eq!(hub.resolve(address).unwrap().path(), source.path());
        hub.remove(address).unwrap();
        assert!(hub.here(address).unwrap().is_none());
    }
}

#[test]
fn an_import_is_a_model_directory_under_its_own_name() {
    let server = Server::of_files([("/model.zip".to_owned(), model_archive("gelu"))]);
    let (cache, hub) = hub(&[]);
    let path = hub.import(&server.url("/model.zip"), "mine").unwrap();
    assert_eq!(path, cache.path().join("models/mine"));
    assert_eq!(logits(&hub.resolve("mine").unwrap()), expected());
    // what was fetched for it is not kept twice
    assert!(files_below(cache.path()).iter().all(|file| file.starts_with("models/mine/")));
    assert!(matches!(hub.import(&server.url("/model.zip"), "mine"), Err(HubError::Taken { .. })));
    for name in ["../mine", "a/b", "", ".hidden", "-flag", "ag_news"] {
        assert!(matches!(hub.import(&server.url("/model.zip"), name), Err(HubError::Name { .. })), "{name}");
    }
    // a published model may be imported under its own name
    let published = published(|asked, bytes, _| Answer::file(asked, bytes, "\"1\""));
    let hub = hub.places([published.url("").as_str()]).unwrap();
    assert_eq!(hub.import(NAME, NAME).unwrap(), hub.resolve(NAME).unwrap().path().unwrap());
    assert_eq!(hub.remove(NAME).unwrap().len(), 3);
    assert_eq!(hub.remove("mine").unwrap(), [path]);
    assert_eq!(files_below(cache.path()), [""; 0]);
    assert!(matches!(hub.remove("mine"), Err(HubError::UnknownModel { .. })));
}

#[test]
fn a_model_is_found_and_removed_by_the_address_that_it_is_listed_under() {
    let paths = ["/model.zip?version=1", "/model.zip?version=2"];
    let server = Server::of_files(paths.map(|path| (path.to_owned(), model_archive("gelu"))));
    let (cache, hub) = hub(&[]);
    let fetched = paths.map(|path| hub.resolve(&server.url(path)).unwrap().path().unwrap().to_owned());
    let hub = hub.offline(true);
    let listed: Vec<_> = hub.known().unwrap().into_iter().filter(|model| model.origin == Origin::Address).collect();
    assert_eq!(listed.len(), 2);
    for model in &listed {
        assert_eq!(model.name, server.url("/model.zip"));
        assert!(fetched.iter().any(|path| Some(path.as_path()) == hub.here(&model.name).unwrap().unwrap().path()));
    }
    // the whole address is one of them alone, and another is none
    assert_eq!(hub.here(&server.url(paths[1])).unwrap().unwrap().path(), Some(fetched[1].as_path()));
    assert!(hub.here(&server.url("/model.zip?version=3")).unwrap().is_none());
    assert_eq!(hub.remove(&server.url(paths[1])).unwrap(), [fetched[1].parent().unwrap()]);
    assert_eq!(hub.remove(&listed[0].name).unwrap(), [fetched[0].parent().unwrap()]);
    assert_eq!(files_below(cache.path()), [""; 0]);
}

#[test]
fn a_name_that_cannot_be_given_is_told_what_can_and_a_built_in_model_needs_no_fetching() {
    let (_cache, hub) = hub(&[]);
    let hub = hub.offline(true);
    let error = hub.import("ag_news", "a b").unwrap_err().to_string();
    assert!(error.contains("`+` and `@`"), "{error}");
    assert!(matches!(hub.resolve("ag_news").unwrap(), ModelSource::BuiltIn(_)));
}

#[test]
fn what_an_interrupted_import_left_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.zip");
    fs::write(&model, model_archive("gelu")).unwrap();
    let (cache, hub) = hub(&[]);
    let leave = |names: &[&str]| {
        for name in names {
            fs::create_dir_all(cache.path().join("models").join(name)).unwrap();
            fs::write(cache.path().join("models").join(name).join("model.safetensors"), "half").unwrap();
        }
    };
    let left = || {
        let names = fs::read_dir(cache.path().join("models")).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    leave(&[".mine.partial-1", ".mine.partial-22-3", ".other.partial-1", ".mine.partial-x"]);
    let path = hub.import(model.to_str().unwrap(), "mine").unwrap();
    assert_eq!(left(), [".mine.partial-x", ".other.partial-1", "mine"]);
    leave(&[".mine.partial-3"]);
    assert_eq!(hub.remove("mine").unwrap(), [cache.path().join("models/.mine.partial-3"), path]);
    assert_eq!(hub.remove("other").unwrap(), [cache.path().join("models/.other.partial-1")]);
    assert_eq!(left(), [".mine.partial-x"]);
}

#[test]
fn only_what_is_ours_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILE), model_archive("gelu")).unwrap();
    let (_cache, hub) = hub(&[folder.path().to_str().unwrap()]);
    assert!(matches!(hub.remove(NAME), Err(HubError::NotOurs { .. })));
    assert!(matches!(hub.remove(folder.path().to_str().unwrap()), Err(HubError::NotOurs { .. })));
    assert!(matches!(hub.remove("ag_news"), Err(HubError::BuiltIn { .. })));
    assert!(folder.path().join(FILE).exists());
    let (_cache, hub) = self::hub(&[]);
    assert!(matches!(hub.remove(NAME), Err(HubError::NotCached { .. })));
}

/// Counts what it hears.
#[derive(Default)]
struct Ears(Mutex<Vec<String>>);

impl Progress for Ears {
    fn started(&self, transfer: &Transfer<'_>) {
        let told = format!("{} {} {:?} {}", transfer.model, transfer.file, transfer.size, transfer.resumed);
        self.0.lock().unwrap().push(told);
    }

    fn retrying(&self, reason: &str, _: Duration) {
        self.0.lock().unwrap().push(reason.to_owned());
    }

    fn finished(&self) {
        self.0.lock().unwrap().push("finished".to_owned());
    }
}

#[test]
fn whoever_listens_hears_how_it_goes() {
    let server = published(|asked, bytes, call| {
        let whole = Answer::file(asked, bytes, "\"1\"");
        if call == 0 { whole.cut(1000) } else { whole }
    });
    let ears = Arc::new(Ears::default());
    let (_cache, hub) = hub(&[&server.url("")]);
    hub.progress(ears.clone()).resolve(NAME).unwrap();
    let size = model_archive("gelu").len();
    let heard = ears.0.lock().unwrap().clone();
    assert_eq!(heard[0], format!("{NAME} {FILE} Some({size}) 0"));
    assert_eq!(heard[1], "finished");
    assert!(heard[2].starts_with("it broke off after 1000"), "{}", heard[2]);
    assert_eq!(heard[3..], [format!("{NAME} {FILE} Some({size}) 1000"), "finished".to_owned()]);
}

#[test]
fn a_download_is_told_in_lines() {
    let server = published(|asked, bytes, call| {
        let whole = Answer::file(asked, bytes, "\"1\"");
        if call == 0 { whole.cut(1000) } else { whole }
    });
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    let lines = Lines(move |line: &str| heard.lock().unwrap().push(line.to_owned()));
    let (_cache, hub) = hub(&[&server.url("")]);
    hub.progress(Arc::new(lines)).resolve(NAME).unwrap();
    let started = format!("{NAME} download started this may take some time.");
    let size = format!("Approximate size to download {:.1} MB", model_archive("gelu").len() as f64 / 1e6);
    let said = said.lock().unwrap();
    assert!(said[3].starts_with("it broke off after 1000") && said[3].contains("; tried again in "), "{}", said[3]);
    assert_eq!([&said[..3], &said[4..]].concat(), [&started, &size, "[OK!]", &started, &size, "[OK!]"]);
}

#[test]
fn those_who_come_at_once_share_one_download() {
    let server = published(|asked, bytes, _| Answer::file(asked, bytes, "\"1\"").stalling(Duration::from_millis(300)));
    let (cache, hub) = hub(&[&server.url("")]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(logits(&hub.resolve(NAME).unwrap()), expected()));
        }
    });
    assert_eq!(server.paths().len(), 1);
    assert_eq!(files_below(cache.path()).len(), 2);
}

#[test]
fn archives_that_spark_nlp_wrote_are_found_by_name() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/spark_nlp/models");
    let (cache, hub) = hub(&[models.to_str().unwrap()]);
    let hub = hub.offline(true);
    let source = hub.resolve_language("albert_tiny_sequence_classifier_news", "en").unwrap();
    assert_eq!(source.path().unwrap().parent().unwrap(), models);
    assert!(source.to_string().contains("_5.5.3_"), "{source}");
    assert!(matches!(
        hub.resolve_language("albert_tiny_sequence_classifier_news", "de"),
        Err(HubError::UnknownModel { .. })
    ));
    let (_other, elsewhere) = self::hub(&[]);
    let elsewhere = elsewhere.offline(true);
    let tiny = "albert_tiny_sequence_classifier_news";
    let from = |lang, place| elsewhere.resolve_from(tiny, lang, place);
    assert_eq!(from(Some("en"), models.to_str()).unwrap().path(), source.path());
    assert_eq!(from(None, models.to_str()).unwrap().path(), source.path());
    assert!(from(Some("de"), models.to_str()).is_err() && from(Some("en"), None).is_err());
    let pipeline = hub.resolve("albert_tiny_sequence_classifier_news_pipeline").unwrap();
    assert!(logits(&pipeline).1.len() > 1);
    let imported = hub.import("albert_tiny_sequence_classifier_news", "tiny").unwrap();
    assert!(imported.starts_with(cache.path()));
    assert_eq!(logits(&hub.resolve("tiny").unwrap()), logits(&source));
    let known = hub.known().unwrap();
    let tiny = known.iter().find(|model| model.name == "albert_tiny_sequence_classifier_news").unwrap();
    assert_eq!((tiny.origin, tiny.path.as_deref()), (Origin::SparkNlp, source.path()));
}

#[test]
fn an_index_comes_from_a_folder_too() {
    let folder = tempfile::tempdir().unwrap();
    let newer = index("").replace("2021-12-16", "2031-12-16").replace(NAME, "albert_new");
    fs::write(folder.path().join("metadata.json"), format!("{newer}{{\"name\":7}}\n")).unwrap();
    let (_cache, hub) = hub(&[folder.path().to_str().unwrap()]);
    assert!(matches!(hub.resolve("albert_new"), Err(HubError::UnknownModel { .. })));
    let reading = hub.refresh(None).unwrap();
    assert_eq!((reading.kept, reading.damaged), (1, 1));
    let hub = hub.offline(true);
    assert!(matches!(hub_error(hub.resolve("albert_new")), HubError::Offline { .. }));
    assert!(matches!(hub.refresh(Some("http://127.0.0.1:9/metadata.json")), Err(HubError::OfflineIndex { .. })));
    fs::write(folder.path().join("page.html"), "<html>\n").unwrap();
    let page = folder.path().join("page.html");
    assert!(matches!(hub.refresh(page.to_str()), Err(HubError::NotAnIndex { .. })));
    // the one before stays
    assert!(matches!(hub_error(hub.resolve("albert_new")), HubError::Offline { .. }));
    assert!(Path::new(page.to_str().unwrap()).exists());
}

#[test]
fn an_index_without_a_model_of_use_leaves_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let metadata = folder.path().join("metadata.json");
    let (cache, hub) = hub(&[folder.path().to_str().unwrap()]);
    let foreign = index("").replace("\"AlbertFor", "\"RoBertaFor");
    fs::write(&metadata, &foreign).unwrap();
    let refused = |hub: &Hub| match hub.refresh(None).unwrap_err() {
        error @ HubError::NotAnIndex { .. } => error.to_string(),
        other => panic!("{other}"),
    };
    assert!(
        refused(&hub).ends_with("as those of AlbertForSequenceClassification and BertForSequenceClassification are"),
        "{}",
        refused(&hub)
    );
    assert_eq!(files_below(cache.path()), [""; 0]);
    fs::write(&metadata, index("").replace(NAME, "albert_new")).unwrap();
    hub.refresh(None).unwrap();
    fs::write(&metadata, &foreign).unwrap();
    refused(&hub);
    assert!(hub.index().unwrap().entries().iter().any(|entry| entry.name == "albert_new"));
    // an empty one in the cache says no more than none
    fs::write(cache.path().join("index.jsonl"), "").unwrap();
    assert_eq!(hub.index().unwrap(), Index::built_in().unwrap());
}

#[test]
fn no_secret_of_an_address_is_told() {
    let place = "http://user:secret@127.0.0.1:9/models?key=secret";
    let (_cache, hub) = hub(&[place]);
    let hub = hub.offline(true);
    let errors = [hub.refresh(None).map(drop), hub.refresh(Some(place)).map(drop), hub.resolve(place).map(drop)];
    let told = errors.map(|error| error.unwrap_err().to_string());
    assert!(
        told[0].starts_with("the index http://127.0.0.1:9/models/metadata.json is not on this machine"),
        "{told:?}"
    );
    assert!(told[2].starts_with("`http://127.0.0.1:9/models` is not on this machine"), "{told:?}");
    assert!(told.iter().all(|told| !told.contains("secret")), "{told:?}");

    let server = Server::of_files([("/model.zip?key=secret".to_owned(), model_archive("gelu"))]);
    let ears = Arc::new(Ears::default());
    let (_cache, hub) = self::hub(&[]);
    hub.progress(ears.clone()).resolve(&server.url("/model.zip?key=secret")).unwrap();
    let heard = ears.0.lock().unwrap().clone();
    assert!(heard.len() > 1 && heard.iter().all(|heard| !heard.contains("secret")), "{heard:?}");
}
