//! What is kept: importing, removing, refreshing the index.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use url::Url;

use super::archive_name::{ArchiveName, is_plain};
use super::cache::Cache;
use super::download::{Kind, Wanted, beside, fetch};
use super::find::listed;
use super::http::{Client, shown};
use super::index::ANNOTATORS;
use super::record::Record;
use super::reference::{Location, Reference};
use super::{Hub, HubError, Index, ModelSource, Program, Reading, built_in};

/// The name of an index beside the archives that it tells of.
const METADATA: &str = "metadata.json";

impl<P: Program> Hub<P> {
    /// Where a model came from and the sums of its files, if it was fetched into the cache.
    #[must_use]
    pub fn record(&self, source: &ModelSource) -> Option<Record> {
        source.path().and_then(Record::read)
    }

    /// Makes a model directory of any kind of model, and keeps it in the cache under `name`. What is fetched by its
    /// address for that is not kept beside.
    ///
    /// # Errors
    /// [`HubError::Name`] and [`HubError::Taken`] for a name that cannot be given, and whatever is wrong with the
    /// model.
    pub fn import(&self, from: &str, name: &str) -> Result<PathBuf, P::Error> {
        let wrong = |reason| HubError::Name { name: name.to_owned(), reason };
        if !is_plain(name) || name.ends_with(".part") {
            return Err(wrong(
                "a name has letters, digits, `_`, `-`, `.`, `+` and `@`, and begins with a letter, a digit or `_`",
            )
            .into());
        }
        if built_in::<P>(name).is_some() {
            return Err(wrong("a model of the program has that name").into());
        }
        let cache = self.cache()?;
        let target = cache.models().join(name);
        let _lock = self.lock_import(cache, name)?;
        if target.exists() {
            return Err(HubError::Taken { name: name.to_owned(), path: target }.into());
        }
        let fetched = self.here(from)?.is_none();
        let source = self.resolve(from)?;
        let Some(path) = source.path() else {
            return Err(HubError::BuiltIn { name: from.to_owned() }.into());
        };
        let models = cache.models();
        fs::create_dir_all(&models).map_err(HubError::io("create", &models))?;
        for partial in partials(&models, name) {
            fs::remove_dir_all(&partial).map_err(HubError::io("remove", &partial))?;
        }
        P::import(path, &target)?;
        if fetched && matches!(Reference::parse(from)?, Reference::Url(_)) {
            self.remove(from)?;
        }
        Ok(target)
    }

    /// Removes a model from the cache, a repository with all its revisions, with what was left of an interrupted
    /// download or import, and gives what was removed.
    ///
    /// # Errors
    /// [`HubError::NotCached`] when there is nothing to remove, [`HubError::NotOurs`] for a model that others keep, and
    /// [`HubError::BuiltIn`] for one that is part of the program.
    pub fn remove(&self, name: &str) -> Result<Vec<PathBuf>, HubError> {
        if built_in::<P>(name).is_some() {
            return Err(HubError::BuiltIn { name: name.to_owned() });
        }
        let cache = self.cache()?;
        let mut paths = Vec::new();
        let models = cache.models();
        let mut lock = None;
        match Reference::parse(name)? {
            Reference::Name(_) => {
                if models.is_dir() {
                    lock = Some(self.lock_import(cache, name)?);
                }
                paths.extend(self.imported(name));
                paths.extend(partials(&models, name));
                let archives = cache.archives();
                let of_name = |path: &PathBuf| {
                    let file = path.file_name().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
                    let file = file.strip_suffix(".json").unwrap_or(&file);
                    let file = file.strip_suffix(".part").unwrap_or(file);
                    ArchiveName::parse(file).is_some_and(|archive| archive.name == name)
                };
                let entries = fs::read_dir(&archives).into_iter().flatten().flatten();
                paths.extend(entries.map(|entry| entry.path()).filter(of_name));
                let entries = self.index()?.entries().to_vec();
                let named = entries.iter().filter(|entry| entry.name == name);
                let unnamed = named.map(|entry| archives.join(entry.file_name())).filter(|path| path.exists());
                paths.extend(unnamed);
            }
            Reference::Repository(repository) => paths.push(cache.repositories().join(repository.folder())),
            Reference::Url(url) => {
                let own = cache.address_folder(&url);
                match own.exists() {
                    true => paths.push(own),
                    false => {
                        paths.extend(listed(cache, &url).iter().filter_map(|path| path.parent()).map(Path::to_owned))
                    }
                }
            }
            Reference::Path(path) if path.exists() => return Err(HubError::NotOurs { path }),
            Reference::Path(_) => {}
        }
        paths.retain(|path| path.exists());
        paths.sort();
        paths.dedup();
        if paths.is_empty() {
            // somebody else may have it
            return Err(match self.here(name)?.and_then(|source| source.path().map(Path::to_owned)) {
                Some(path) => HubError::NotOurs { path },
                None => HubError::NotCached { name: name.to_owned(), cache: cache.root().to_owned() },
            });
        }
        for path in &paths {
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.map_err(HubError::io("remove", path))?;
            path.parent().into_iter().for_each(|folder| cache.prune(folder));
        }
        drop(lock);
        Ok(paths)
    }

    /// Waits until no other process imports a model of that name.
    fn lock_import(&self, cache: &Cache, name: &str) -> Result<File, HubError> {
        cache.lock(&format!("model-{name}"), name, self.progress.as_ref())
    }

    /// Reads the index of published models anew, from an address or a file in the form of Spark NLP's `metadata.json`,
    /// and keeps what is of use in the cache. Without `from` it is the one at the first place where archives are looked
    /// for.
    ///
    /// # Errors
    /// When it cannot be fetched, is no index, or has no model of use; then the one before stays.
    pub fn refresh(&self, from: Option<&str>) -> Result<Reading, HubError> {
        let cache = self.cache()?;
        let location = match from {
            Some(from) => Location::parse(from)?,
            None => match self.sound_places()?.first() {
                Some(place) => place.file(METADATA)?,
                None => {
                    return Err(HubError::NotAtAnyPlace { name: METADATA.to_owned(), places: Vec::new() });
                }
            },
        };
        let _lock = cache.lock("index", METADATA, self.progress.as_ref())?;
        match &location {
            Location::Path(path) => Ok(self.keep(path, &location)?),
            Location::Url(url) => {
                let fetched = cache.root().join(METADATA);
                self.fetch_metadata(url, &fetched)?;
                let reading = self.keep(&fetched, &location);
                let _ = fs::remove_file(&fetched);
                Ok(reading?)
            }
        }
    }

    fn fetch_metadata(&self, url: &Url, target: &Path) -> Result<(), HubError> {
        if self.offline {
            return Err(HubError::OfflineIndex { url: shown(url) });
        }
        let client = Client::new(self.limits, None);
        let most = self.limits.largest_file;
        let wanted = Wanted { model: METADATA, url, target, most, checksum: None, kind: Kind::Plain };
        fetch(&client, &wanted, self.progress.as_ref()).map(drop)
    }

    /// Reads an index and keeps what is of use of it.
    fn keep(&self, path: &Path, origin: &Location) -> Result<Reading, HubError> {
        let file = File::open(path).map_err(HubError::io("read", path))?;
        let (index, reading) = Index::read(BufReader::new(file), &origin.to_string())?;
        if reading.kept == 0 {
            return Err(HubError::NotAnIndex {
                origin: origin.to_string(),
                reason: format!("none of its models is of use, as those of {} are", ANNOTATORS.join(" and ")),
            });
        }
        let target = self.cache()?.index();
        let part = beside(&target, ".part");
        let file = File::create(&part).map_err(HubError::io("write", &part))?;
        index.write(BufWriter::new(file)).map_err(HubError::io("write", &part))?;
        fs::rename(&part, &target).map_err(HubError::io("write", &target))?;
        Ok(reading)
    }
}

/// What interrupted imports of a name left: no process that still runs writes there once the name is locked.
fn partials(models: &Path, name: &str) -> Vec<PathBuf> {
    let start = format!(".{name}.partial-");
    let left = |path: &PathBuf| {
        let process = path.file_name().and_then(|file| file.to_str()?.strip_prefix(&start));
        path.is_dir()
            && process.is_some_and(|process| process.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
    };
    fs::read_dir(models).into_iter().flatten().flatten().map(|entry| entry.path()).filter(left).collect()
}
