//! Repositories on the Hugging Face hub and folders on any server: which files make a model, and a cache laid out as
//! Hugging Face's clients lay out theirs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use albertine_model::Weights;
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use super::archive_name::is_plain;
use super::download::{Kind, Wanted, beside, fetch};
use super::http::{Client, shown};
use super::record::Record;
use super::reference::Repository;
use super::{HubError, Progress};

const CONFIG: &str = "config.json";

/// The weights, the best first: each is one file, or an index that names the files.
const WEIGHTS: [&str; 4] =
    ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];

/// How the name of an index ends.
const INDEX: &str = ".index.json";

/// Any of them is enough to cut texts into pieces.
const VOCABULARIES: [&str; 3] = ["tokenizer.json", "spiece.model", "vocab.txt"];

/// What may be there and is taken with the rest.
const EXTRAS: [&str; 4] = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "README.md"];

/// The most bytes of a file beside the weights.
const LARGEST_SMALL_FILE: u64 = 64 << 20;

/// The most files that the weights may be cut into.
const MOST_SHARDS: usize = 1000;

/// The longest name of a commit that is read of a cache.
const LONGEST_COMMIT: u64 = 200;

/// Whether a folder holds a whole model: configuration, weights and vocabulary.
fn is_model(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).is_file();
    let whole = |name: &str| match name.ends_with(INDEX) {
        true => has(name) && shards(&folder.join(name)).is_ok_and(|shards| shards.iter().all(|shard| has(shard))),
        false => has(name),
    };
    has(CONFIG) && WEIGHTS.into_iter().any(whole) && VOCABULARIES.into_iter().any(has)
}

/// The snapshot of a repository in a cache in the layout of Hugging Face's clients, at the commit that the revision
/// stood for when it was fetched. What is there in part, without weights or vocabulary, does not count.
pub(super) fn cached(cache: &Path, repository: &Repository) -> Option<PathBuf> {
    let folder = cache.join(repository.folder());
    let reference = folder.join("refs").join(&repository.revision);
    let small = fs::metadata(&reference).is_ok_and(|file| file.is_file() && file.len() <= LONGEST_COMMIT);
    let commit = if small { fs::read_to_string(&reference).ok()? } else { repository.revision.clone() };
    let commit = commit.trim();
    let snapshot = folder.join("snapshots").join(commit);
    (is_plain(commit) && is_model(&snapshot)).then_some(snapshot)
}

/// Fetches a repository into `cache`, and gives its snapshot.
///
/// # Errors
/// When the repository lacks what makes a model, and as [`fetch`].
pub(super) fn pull(
    client: &Client,
    endpoint: &Url,
    repository: &Repository,
    cache: &Path,
    progress: &dyn Progress,
) -> Result<PathBuf, HubError> {
    let folder = cache.join(repository.folder());
    let snapshots = folder.join("snapshots");
    let spelled = repository.spelled();
    let files = |revision: &str| -> Result<Files<'_>, HubError> {
        let base = base(endpoint, repository, revision)?;
        let folder = beside(&snapshots.join(revision.replace('/', "-")), ".part");
        Ok(Files { client, progress, model: &spelled, base, folder, kind: Kind::Linked })
    };
    // which commit a branch stands for is told with the first file; all others are asked for at that commit
    let asked = files(&repository.revision)?;
    asked.discard(CONFIG);
    let commit = asked.fetch(CONFIG, LARGEST_SMALL_FILE).map_err(|error| {
        let _ = fs::remove_dir(&asked.folder);
        explain(error, repository)
    })?;
    let commit = commit.filter(|commit| is_plain(commit)).unwrap_or_else(|| repository.revision.replace('/', "-"));
    let settled = files(&commit)?;
    if settled.folder != asked.folder {
        fs::create_dir_all(&settled.folder).map_err(HubError::io("create", &settled.folder))?;
        let (from, to) = (asked.folder.join(CONFIG), settled.folder.join(CONFIG));
        fs::rename(&from, &to).map_err(HubError::io("write", &to))?;
        let _ = fs::remove_dir_all(&asked.folder);
    }
    settled.fetch_model()?;
    let snapshot = snapshots.join(&commit);
    settled.settle(&snapshot)?;
    let reference = folder.join("refs").join(&repository.revision);
    if let Some(parent) = reference.parent() {
        fs::create_dir_all(parent).map_err(HubError::io("create", parent))?;
    }
    fs::write(&reference, &commit).map_err(HubError::io("write", &reference))?;
    Ok(snapshot)
}

/// Fetches the files of a model from a folder of any server into `target`.
///
/// # Errors
/// As [`pull`].
pub(super) fn pull_folder(client: &Client, url: &Url, target: &Path, progress: &dyn Progress) -> Result<(), HubError> {
    let model = shown(url);
    let folder = beside(target, ".part");
    // nothing tells whether what was left of an earlier attempt is of the same model
    let _ = fs::remove_dir_all(&folder);
    let files = Files { client, progress, model: &model, base: url.clone(), folder, kind: Kind::Plain };
    files.fetch(CONFIG, LARGEST_SMALL_FILE)?;
    files.fetch_model()?;
    files.settle(target)
}

/// `{endpoint}/{owner}/{name}/resolve/{revision}/`.
fn base(endpoint: &Url, repository: &Repository, revision: &str) -> Result<Url, HubError> {
    let mut url = endpoint.clone();
    let mut segments = url
        .path_segments_mut()
        .map_err(|()| HubError::Url { url: shown(endpoint), reason: "it has no path".to_owned() })?;
    segments.pop_if_empty().extend([&repository.owner, &repository.name, "resolve", revision, ""]);
    drop(segments);
    Ok(url)
}

/// Says what is behind a refusal of the hub, which does not tell whether a repository that one may not see exists.
fn explain(error: HubError, repository: &Repository) -> HubError {
    match error {
        HubError::Status { url, status: status @ (401 | 403 | 404), explanation } => {
            let spelled = repository.spelled();
            let known = match status {
                404 => format!("there is no model `{spelled}`, or it has no {CONFIG}"),
                _ => format!("there is no model `{spelled}`, or it takes a token in HF_TOKEN that may read it"),
            };
            let explanation = if explanation.is_empty() { known } else { format!("{known} ({explanation})") };
            HubError::Status { url, status, explanation }
        }
        error => error,
    }
}

/// The files of one model on their way from a server into a folder beside their place.
struct Files<'a> {
    client: &'a Client,
    progress: &'a dyn Progress,
    model: &'a str,
    base: Url,
    folder: PathBuf,
    kind: Kind,
}

impl Files<'_> {
    /// Fetches a file, unless it is here, and gives the commit that it is of, if the server told.
    fn fetch(&self, name: &str, most: u64) -> Result<Option<String>, HubError> {
        let target = self.folder.join(name);
        if target.is_file() {
            return Ok(None);
        }
        let wrong = |error: url::ParseError| HubError::Url { url: shown(&self.base), reason: error.to_string() };
        let url = self.base.join(name).map_err(wrong)?;
        let most = most.min(self.client.limits.largest_file);
        let wanted = Wanted { model: self.model, url: &url, target: &target, most, checksum: None, kind: self.kind };
        let commit = fetch(self.client, &wanted, self.progress)?;
        if let Some(reason) = unsound(name, &target)? {
            self.discard(name);
            return Err(HubError::NotOfAModel { url: shown(&url), reason });
        }
        Ok(commit)
    }

    /// Whether the server has the file; then it is here. Object stores say 403 of what they do not have.
    fn has(&self, name: &str, most: u64) -> Result<bool, HubError> {
        match self.fetch(name, most) {
            Ok(_) => Ok(true),
            Err(HubError::Status { status: 403 | 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Fetches all but the configuration.
    fn fetch_model(&self) -> Result<(), HubError> {
        let none = |names: &[&str]| HubError::NoModel { origin: shown(&self.base), files: names.join(", ") };
        // what is small and decides whether the rest is of use comes first
        let mut vocabularies = 0;
        for name in VOCABULARIES {
            vocabularies += usize::from(self.has(name, LARGEST_SMALL_FILE)?);
        }
        if vocabularies == 0 {
            return Err(none(&VOCABULARIES));
        }
        for name in EXTRAS {
            self.has(name, LARGEST_SMALL_FILE)?;
        }
        for name in WEIGHTS {
            let index = name.ends_with(INDEX);
            if self.has(name, if index { LARGEST_SMALL_FILE } else { u64::MAX })? {
                if index {
                    for shard in shards(&self.folder.join(name))? {
                        self.fetch(&shard, u64::MAX)?;
                    }
                }
                return Ok(());
            }
        }
        Err(none(&WEIGHTS))
    }

    /// Forgets a file that may be of another version.
    fn discard(&self, name: &str) {
        let _ = fs::remove_file(self.folder.join(name));
    }

    /// Moves the folder to its place, with a record of what is in it. Weights that cannot be read are not kept.
    fn settle(&self, target: &Path) -> Result<(), HubError> {
        if let Err(error) = Weights::open(&self.folder) {
            let _ = fs::remove_dir_all(&self.folder);
            let reason = error.to_string().replace(&format!("{}/", self.folder.display()), "");
            return Err(HubError::NotOfAModel { url: shown(&self.base), reason });
        }
        Record::of_folder(&self.base, &self.folder)?.write_into(&self.folder)?;
        // What is in the way is no whole model, or it would have been used.
        albertine_model::replace_folder(&self.folder, target).map_err(HubError::io("write", target))
    }
}

/// What is wrong with a small file, if a server sent something else with a good status: a page that asks for a login, or
/// a part of it. Most servers tell no checksum.
fn unsound(name: &str, file: &Path) -> Result<Option<String>, HubError> {
    let is_json = name.ends_with(".json");
    if !is_json && !VOCABULARIES.contains(&name) {
        return Ok(None);
    }
    let bytes = fs::read(file).map_err(HubError::io("read", file))?;
    let start = bytes.trim_ascii_start();
    let begins = |with: &[u8]| start.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    Ok(if start.is_empty() {
        Some("it is empty".to_owned())
    } else if begins(b"<!doctype") || begins(b"<html") {
        Some("it is a web page; check whether the network or the server asks for a login".to_owned())
    } else if is_json {
        serde_json::from_slice::<IgnoredAny>(&bytes).err().map(|error| format!("it is not JSON: {error}"))
    } else {
        None
    })
}

/// An index of weights: which file each tensor is in.
#[derive(Deserialize)]
struct Shards {
    weight_map: std::collections::BTreeMap<String, serde_json::Value>,
    #[serde(rename = "metadata")]
    _metadata: Option<IgnoredAny>,
}

/// The files that an index of weights names; a name that leads out of the folder is refused.
fn shards(index: &Path) -> Result<BTreeSet<String>, HubError> {
    let damaged = |reason: String| HubError::Damaged { path: index.to_owned(), reason };
    let size = fs::metadata(index).map_err(HubError::io("read", index))?.len();
    if size > LARGEST_SMALL_FILE {
        return Err(damaged(format!("it has {size} bytes, and no more than {LARGEST_SMALL_FILE} are read")));
    }
    let bytes = fs::read(index).map_err(HubError::io("read", index))?;
    let parsed: Shards = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    let mut names = BTreeSet::new();
    for (tensor, file) in parsed.weight_map {
        match file {
            serde_json::Value::String(name) if is_plain(&name) => names.insert(name),
            other => return Err(damaged(format!("the file of the tensor `{tensor}` is {other}"))),
        };
    }
    if names.len() > MOST_SHARDS {
        return Err(damaged(format!("it names {} files, and no more than {MOST_SHARDS} are fetched", names.len())));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn repository(text: &str) -> Repository {
        Repository::parse(text).unwrap()
    }

    fn model(folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        for name in ["config.json", "model.safetensors", "spiece.model"] {
            fs::write(folder.join(name), "x").unwrap();
        }
    }

    #[test]
    fn the_address_of_a_file_is_that_of_the_hub() {
        let address = |endpoint: &str, text: &str| {
            let repository = repository(text);
            base(&Url::parse(endpoint).unwrap(), &repository, &repository.revision).unwrap().to_string()
        };
        assert_eq!(address("https://huggingface.co", "a/b"), "https://huggingface.co/a/b/resolve/main/");
        assert_eq!(address("http://mirror/hf/", "a/b@v1"), "http://mirror/hf/a/b/resolve/v1/");
        assert_eq!(
            address("https://huggingface.co", "a/b@refs/pr/1"),
            "https://huggingface.co/a/b/resolve/refs%2Fpr%2F1/"
        );
    }

    #[test]
    fn a_snapshot_is_found_by_branch_and_by_commit() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("models--a--b");
        let snapshot = folder.join("snapshots/0123abcd");
        model(&snapshot);
        assert_eq!(cached(cache.path(), &repository("a/b")), None);
        fs::create_dir_all(folder.join("refs/refs/pr")).unwrap();
        fs::write(folder.join("refs/main"), "0123abcd\n").unwrap();
        fs::write(folder.join("refs/refs/pr/1"), "0123abcd").unwrap();
        for text in ["a/b", "a/b@main", "a/b@refs/pr/1", "a/b@0123abcd"] {
            assert_eq!(cached(cache.path(), &repository(text)), Some(snapshot.clone()), "{text}");
        }
        assert_eq!(cached(cache.path(), &repository("a/b@other")), None);
    }

    #[test]
    fn a_snapshot_in_part_and_a_reference_that_leads_away_do_not_count() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("models--a--b");
        model(&folder.join("snapshots/0123abcd"));
        fs::create_dir_all(folder.join("refs")).unwrap();
        model(&cache.path().join("outside"));
        fs::write(folder.join("refs/main"), "../../outside").unwrap();
        assert_eq!(cached(cache.path(), &repository("a/b")), None);
        for name in ["config.json", "model.safetensors", "spiece.model"] {
            let snapshot = folder.join("snapshots/0123abcd");
            fs::remove_file(snapshot.join(name)).unwrap();
            assert_eq!(cached(cache.path(), &repository("a/b@0123abcd")), None, "without {name}");
            fs::write(snapshot.join(name), "x").unwrap();
        }
    }

    #[test]
    fn shards_stay_in_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("model.safetensors.index.json");
        let write = |file: &str| {
            fs::write(&index, format!("{{\"metadata\":{{}},\"weight_map\":{{\"a\":{file}}}}}")).unwrap();
        };
        write("\"model-00001-of-00001.safetensors\"");
        assert_eq!(shards(&index).unwrap().into_iter().collect::<Vec<_>>(), ["model-00001-of-00001.safetensors"]);
        for wrong in ["\"../model.safetensors\"", "\"/etc/passwd\"", "7", "null"] {
            write(wrong);
            let error = shards(&index).unwrap_err().to_string();
            assert!(error.ends_with(&format!("the file of the tensor `a` is {wrong}")), "{error}");
        }
    }
}
