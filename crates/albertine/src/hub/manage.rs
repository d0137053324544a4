//! What is known and what is kept: listing, importing, removing, refreshing the index.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use albertine_model::Checkpoint;
use url::Url;

use super::archive_name::{ArchiveName, is_plain};
use super::archives::archives;
use super::download::{Kind, Wanted, beside, fetch};
use super::find::names;
use super::http::Client;
use super::record::Record;
use super::reference::{Location, Reference, Repository};
use super::{Hub, HubError, Index, ModelSource, Reading, built_in};
use crate::Error;
use crate::builtin::BUILT_IN;

/// The name of an index beside the archives that it tells of.
const METADATA: &str = "metadata.json";

/// Where a known model comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Part of the program.
    BuiltIn,
    /// Imported under a name of its own.
    Imported,
    /// Published among Spark NLP's models.
    SparkNlp,
    /// A repository on the Hugging Face hub.
    HuggingFace,
    /// Fetched by its address.
    Address,
}

impl Origin {
    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BuiltIn => "built in",
            Self::Imported => "imported",
            Self::SparkNlp => "Spark NLP",
            Self::HuggingFace => "Hugging Face",
            Self::Address => "address",
        }
    }
}

/// A model that has a name here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Known {
    /// What `--model` and `pretrained` take.
    pub name: String,
    /// The language of its texts, where that is known.
    pub language: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// One line on what it does.
    pub summary: Option<String>,
    /// Its labels, where they are known without reading the model.
    pub labels: Vec<String>,
    /// Bytes that it takes on disk, or about that many that would be fetched.
    pub size: Option<u64>,
    /// Where it is, if it is on disk.
    pub path: Option<PathBuf>,
}

impl Hub {
    /// Every model that is part of the program, in the cache or in the index: of published ones the newest of each name and
    /// language.
    ///
    /// # Errors
    /// When the index in the cache cannot be read.
    ///
    /// ```
    /// use albertine::hub::{Hub, Origin};
    /// let known = Hub::new("cache").known()?;
    /// assert!(known.iter().any(|model| model.name == "ag_news" && model.origin == Origin::BuiltIn));
    /// # Ok::<(), albertine::hub::HubError>(())
    /// ```
    pub fn known(&self) -> Result<Vec<Known>, HubError> {
        let mut known: Vec<Known> = BUILT_IN
            .iter()
            .map(|model| Known {
                name: model.name.to_owned(),
                language: Some(model.language.to_owned()),
                origin: Origin::BuiltIn,
                summary: Some(model.summary.to_owned()),
                labels: Vec::new(),
                size: Some((model.weights.len() + model.spiece.len() + model.config.len()) as u64),
                path: None,
            })
            .collect();
        known.extend(self.known_published()?);
        let Some(cache) = &self.cache else { return Ok(known) };
        let on_disk = |name: String, origin: Origin, path: PathBuf| Known {
            name,
            language: None,
            origin,
            summary: None,
            labels: Vec::new(),
            size: Some(size(&path)),
            path: Some(path),
        };
        let models = cache.models();
        known.extend(names(&models).into_iter().map(|name| {
            let path = models.join(&name);
            on_disk(name, Origin::Imported, path)
        }));
        for (repository, path) in snapshots(&cache.repositories()) {
            known.push(on_disk(repository.spelled(), Origin::HuggingFace, path));
        }
        for hash in names(&cache.addresses()) {
            let Ok(entries) = fs::read_dir(cache.addresses().join(hash)) else { continue };
            for path in entries.flatten().map(|entry| entry.path()) {
                if let Some(record) = Record::read(&path) {
                    known.push(on_disk(record.source, Origin::Address, path));
                }
            }
        }
        Ok(known)
    }

    fn known_published(&self) -> Result<Vec<Known>, HubError> {
        let mut known: Vec<Known> = Vec::new();
        let mut entries = self.index()?.entries().to_vec();
        entries.retain(|entry| entry.ready_to_use);
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.milliseconds()));
        for entry in entries {
            if known.iter().any(|other| other.name == entry.name && other.language == entry.language) {
                continue;
            }
            known.push(Known {
                name: entry.name,
                language: entry.language,
                origin: Origin::SparkNlp,
                summary: entry.summary,
                labels: entry.labels,
                size: entry.size,
                path: None,
            });
        }
        known.sort_by(|a, b| (&a.name, &a.language).cmp(&(&b.name, &b.language)));
        // what a folder has is known by the names of its archives, whether or not an index tells of it
        for folder in self.folders() {
            for (name, path) in archives(&folder).into_iter().rev() {
                let same = |other: &&mut Known| {
                    other.name == name.name && other.language.as_ref().is_none_or(|language| *language == name.language)
                };
                match known.iter_mut().find(same) {
                    Some(other) if other.path.is_some() => {}
                    Some(other) => {
                        other.size = Some(size(&path));
                        other.path = Some(path);
                    }
                    None => known.push(Known {
                        name: name.name,
                        language: Some(name.language),
                        origin: Origin::SparkNlp,
                        summary: None,
                        labels: Vec::new(),
                        size: Some(size(&path)),
                        path: Some(path),
                    }),
                }
            }
        }
        Ok(known)
    }

    /// Where a model came from and the sums of its files, if it was fetched into the cache.
    #[must_use]
    pub fn record(&self, source: &ModelSource) -> Option<Record> {
        source.path().and_then(Record::read)
    }

    /// Makes a model directory of any kind of model, and keeps it in the cache under `name`. What is fetched by its address for
    /// that is not kept beside.
    ///
    /// # Errors
    /// [`HubError::Name`] and [`HubError::Taken`] for a name that cannot be given, and whatever is wrong with the model.
    pub fn import(&self, from: &str, name: &str) -> Result<PathBuf, Error> {
        let wrong = |reason| HubError::Name { name: name.to_owned(), reason };
        if !is_plain(name) || name.ends_with(".part") {
            return Err(wrong(
                "a name has letters, digits, `_`, `-` and `.`, and begins with a letter, a digit or `_`",
            )
            .into());
        }
        if built_in(name).is_some() {
            return Err(wrong("a model of the program has that name").into());
        }
        let cache = self.cache()?;
        let target = cache.models().join(name);
        let _lock = cache.lock(&format!("model-{name}"), name, self.progress.as_ref())?;
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
        Checkpoint::open(path)?.save(&target)?;
        if fetched && matches!(Reference::parse(from)?, Reference::Url(_)) {
            self.remove(from)?;
        }
        Ok(target)
    }

    /// Removes a model from the cache, a repository with all its revisions, with what was left of an interrupted download, and
    /// gives what was removed.
    ///
    /// # Errors
    /// [`HubError::NotCached`] when there is nothing to remove, [`HubError::NotOurs`] for a model that others keep, and
    /// [`HubError::BuiltIn`] for one that is part of the program.
    pub fn remove(&self, name: &str) -> Result<Vec<PathBuf>, Error> {
        if built_in(name).is_some() {
            return Err(HubError::BuiltIn { name: name.to_owned() }.into());
        }
        let cache = self.cache()?;
        let mut paths = Vec::new();
        match Reference::parse(name)? {
            Reference::Name(_) => {
                paths.extend(self.imported(name));
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
            Reference::Url(url) => paths.push(cache.address_folder(&url)),
            Reference::Path(path) if path.exists() => return Err(HubError::NotOurs { path }.into()),
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
            }
            .into());
        }
        for path in &paths {
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.map_err(HubError::io("remove", path))?;
            path.parent().into_iter().for_each(|folder| cache.prune(folder));
        }
        Ok(paths)
    }

    /// Reads the index of published models anew, from an address or a file in the form of Spark NLP's `metadata.json`, and keeps
    /// what is of use in the cache. Without `from` it is the one at the first place where archives are looked for.
    ///
    /// # Errors
    /// When it cannot be fetched or is no index; then the one before stays.
    pub fn refresh(&self, from: Option<&str>) -> Result<Reading, Error> {
        let cache = self.cache()?;
        let location = match (from, self.places.first()) {
            (Some(from), _) => Location::parse(from)?,
            (None, Some(place)) => place.file(METADATA)?,
            (None, None) => {
                return Err(HubError::NotAtAnyPlace { name: METADATA.to_owned(), places: Vec::new() }.into());
            }
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
            return Err(HubError::Offline { name: url.to_string() });
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
        let target = self.cache()?.index();
        let part = beside(&target, ".part");
        let file = File::create(&part).map_err(HubError::io("write", &part))?;
        index.write(BufWriter::new(file)).map_err(HubError::io("write", &part))?;
        fs::rename(&part, &target).map_err(HubError::io("write", &target))?;
        Ok(reading)
    }
}

/// The whole snapshots of a cache of repositories, each under the branch or the commit that leads to it.
fn snapshots(cache: &Path) -> Vec<(Repository, PathBuf)> {
    let mut found: Vec<(Repository, PathBuf)> = Vec::new();
    for folder in names(cache) {
        let Some((owner, name)) = folder.strip_prefix("models--").and_then(|rest| rest.split_once("--")) else {
            continue;
        };
        let references = fs::read_dir(cache.join(&folder).join("refs")).into_iter().flatten().flatten();
        let references = references.filter_map(|entry| entry.file_name().into_string().ok());
        let commits = names(&cache.join(&folder).join("snapshots"));
        for revision in references.chain(commits) {
            let repository = Repository { owner: owner.to_owned(), name: name.to_owned(), revision };
            let Some(path) = super::repository::cached(cache, &repository) else { continue };
            if found.iter().all(|(_, other)| *other != path) {
                found.push((repository, path));
            }
        }
    }
    found
}

/// The bytes of a file, or of the files of a folder and of those below it.
fn size(path: &Path) -> u64 {
    // links are followed: Hugging Face's clients keep the files elsewhere
    let Ok(metadata) = fs::metadata(path) else { return 0 };
    if metadata.is_file() {
        return metadata.len();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_symlink() && entry.path().is_dir() { 0 } else { size(&entry.path()) }).sum()
}
