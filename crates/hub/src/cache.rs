//! The folder where fetched and imported models are kept.
//!
//! ```text
//! models/{name}/            imported models, as model directories
//! archives/{name}.zip       archives of published models, as they were fetched, each with its record beside
//! repositories/             repositories, laid out as the clients of Hugging Face do
//! addresses/{hash}/{name}   models that were fetched by their address
//! index.jsonl               the index of published models, once it has been refreshed
//! .locks/                   empty files by which processes wait for each other
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use url::Url;

use super::checksum::sha256_of;
use super::{HubError, Progress};

/// Digits of the hash that stands for an address.
const HASH_DIGITS: usize = 16;

/// What an archive is called whose address ends in no name.
const UNNAMED: &str = "model.zip";

/// What a folder is called whose address ends in no name.
const UNNAMED_FOLDER: &str = "model";

/// A cache.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    root: PathBuf,
}

impl Cache {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    pub(super) fn archives(&self) -> PathBuf {
        self.root.join("archives")
    }

    pub(super) fn repositories(&self) -> PathBuf {
        self.root.join("repositories")
    }

    pub(super) fn addresses(&self) -> PathBuf {
        self.root.join("addresses")
    }

    pub(super) fn index(&self) -> PathBuf {
        self.root.join("index.jsonl")
    }

    /// Where what is fetched from an address is kept: a folder when the address ends in `/`, else a file.
    pub(super) fn address(&self, url: &Url) -> PathBuf {
        let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
        let name = match (last.is_empty(), super::archive_name::is_plain(last)) {
            (true, _) => UNNAMED_FOLDER,
            (false, true) => last,
            (false, false) => UNNAMED,
        };
        self.address_folder(url).join(name)
    }

    /// The folder that what is fetched from an address has for itself.
    pub(super) fn address_folder(&self, url: &Url) -> PathBuf {
        let mut hash = sha256_of(url.as_str());
        hash.truncate(HASH_DIGITS);
        self.addresses().join(hash)
    }

    /// Removes an empty folder of the cache and those above it that it leaves empty.
    pub(super) fn prune(&self, folder: &Path) {
        let above = folder.ancestors().take_while(|above| above.starts_with(&self.root) && *above != self.root);
        for folder in above {
            // a folder that is not there is as good as removed, one that is not empty ends it
            if folder.exists() && fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }

    /// Waits until no other process works on `key`, and keeps others waiting until the file is closed. The file stays:
    /// it is empty, and removing it would let two processes hold two files of one name.
    pub(super) fn lock(&self, key: &str, model: &str, progress: &dyn Progress) -> Result<File, HubError> {
        let folder = self.root.join(".locks");
        fs::create_dir_all(&folder).map_err(HubError::io("create", &folder))?;
        let path = folder.join(format!("{key}.lock"));
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(&path).map_err(HubError::io("write", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress.waiting(model);
                file.lock().map_err(HubError::io("lock", &path))?;
            }
            Err(TryLockError::Error(source)) => {
                return Err(HubError::Io { action: "lock", path, source });
            }
        }
        Ok(file)
    }
}

/// A folder of the system for what can be fetched again, for Albertine.
pub(super) fn default_folder() -> Result<PathBuf, HubError> {
    let set = |variable| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let (variable, folder) = if cfg!(windows) {
        ("LOCALAPPDATA", set("LOCALAPPDATA").map(|folder| folder.join("albertine").join("cache")))
    } else if cfg!(target_os = "macos") {
        ("HOME", set("HOME").map(|home| home.join("Library/Caches/albertine")))
    } else {
        let folder = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
        ("HOME", folder.map(|folder| folder.join("albertine")))
    };
    folder.ok_or(HubError::NoCacheFolder { variable })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn an_address_has_one_place_and_no_other() {
        let cache = Cache::new(PathBuf::from("c"));
        let place = |url: &str| cache.address(&Url::parse(url).unwrap());
        let archive = place("https://a.org/models/m.zip?key=1");
        assert_eq!(archive.file_name().unwrap(), "m.zip");
        assert_ne!(archive, place("https://a.org/models/m.zip?key=2"));
        assert_eq!(place("https://a.org/m/").file_name().unwrap(), "model");
        assert_eq!(place("https://a.org/%2e%2e%2fm").file_name().unwrap(), "model.zip");
        assert!(archive.starts_with("c/addresses"));
    }

    #[test]
    fn empty_folders_are_pruned_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        fs::create_dir_all(folder.path().join("a/b/c")).unwrap();
        fs::write(folder.path().join("a/file"), "").unwrap();
        cache.prune(&folder.path().join("a/b/c/gone"));
        assert!(folder.path().join("a").exists() && !folder.path().join("a/b").exists());
        cache.prune(folder.path().parent().unwrap());
        assert!(folder.path().exists());
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        let held = cache.lock("a", "a", &Silent).unwrap();
        let other = File::open(folder.path().join(".locks/a.lock")).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(held);
        assert!(other.try_lock().is_ok());
    }
}
