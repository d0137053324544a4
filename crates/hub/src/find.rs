//! What is on this machine, and how to get at what is not. Nothing here touches the network.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use albertine_model::{Folder, FormatError};
use url::Url;

use super::archive_name::is_plain;
use super::archives::newest;
use super::cache::Cache;
use super::http::shown;
use super::known::{addresses, names};
use super::reference::{Location, Reference, Repository};
use super::{Hub, HubError, Index, ModelSource, Program, Request, built_in, repository};

/// Names that are offered for one that is not known.
const OFFERED: usize = 3;

/// A model that has been found.
#[derive(Debug)]
pub(super) enum Resolved {
    /// It is on this machine.
    Local(ModelSource),
    /// It has to be fetched.
    Remote(Remote),
}

/// A model that has to be fetched.
#[derive(Debug)]
pub(super) enum Remote {
    /// A published one.
    Published(Box<super::Entry>),
    /// A repository on the Hugging Face hub.
    Repository(Repository),
    /// An archive, or with `/` at its end a folder.
    Address(Url),
}

impl Remote {
    /// What people are told that a model is called which was asked for as `name`: an address may hold a password or a
    /// signature.
    pub(super) fn called(&self, name: &str) -> String {
        match self {
            Self::Address(url) => shown(url),
            Self::Published(_) | Self::Repository(_) => name.to_owned(),
        }
    }

    fn archive(&self) -> Option<String> {
        match self {
            Self::Published(entry) => Some(entry.file_name()),
            Self::Repository(_) | Self::Address(_) => None,
        }
    }
}

impl<P: Program> Hub<P> {
    /// Finds a model, and fetches it if it is not on this machine and the network may be used.
    ///
    /// # Errors
    /// [`HubError::UnknownModel`] with the nearest names, [`HubError::NotAModelDirectory`] for a path that leads to no
    /// directory and no archive, [`HubError::NeitherPathNorRepository`] for `owner/name` that is neither,
    /// [`HubError::Offline`] for another model that would have to be fetched, and whatever goes wrong while it is.
    pub fn resolve(&self, name_or_path: &str) -> Result<ModelSource, HubError> {
        self.resolve_in(name_or_path, None)
    }

    /// As [`Hub::resolve`], for a model of the language `lang`; a path, a repository and an address may be of any
    /// language.
    ///
    /// # Errors
    /// As [`Hub::resolve`], and [`HubError::UnknownModel`] when the named model is of another language.
    pub fn resolve_language(&self, name_or_path: &str, lang: &str) -> Result<ModelSource, HubError> {
        self.resolve_in(name_or_path, Some(lang))
    }

    /// As [`Hub::resolve`] or, with a language, [`Hub::resolve_language`]; a published model is looked for in `place`, if
    /// one is named, instead of the hub's own.
    ///
    /// # Errors
    /// As [`Hub::resolve_language`], and as [`Hub::places`].
    pub fn resolve_from(
        &self,
        name_or_path: &str,
        lang: Option<&str>,
        place: Option<&str>,
    ) -> Result<ModelSource, HubError> {
        match place {
            Some(place) => self.clone().places([place])?.resolve_in(name_or_path, lang),
            None => self.resolve_in(name_or_path, lang),
        }
    }

    fn resolve_in(&self, name: &str, lang: Option<&str>) -> Result<ModelSource, HubError> {
        let remote = match self.find(name, lang)? {
            Resolved::Local(source) => return Ok(source),
            Resolved::Remote(remote) => remote,
        };
        let is_repository = matches!(remote, Remote::Repository(_));
        let outcome = match self.offline {
            true => Err(HubError::Offline { name: remote.called(name), archive: remote.archive() }),
            false => self.pull(name, remote),
        };
        // what looks like a repository may be meant as a path
        outcome.map_err(|refusal| match refusal {
            HubError::Offline { .. } | HubError::Unreachable { .. } | HubError::Status { .. } if is_repository => {
                HubError::NeitherPathNorRepository { name: name.to_owned(), refusal: Box::new(refusal) }
            }
            refusal => refusal,
        })
    }

    /// Finds a model without a look at the network: `None` for one that is known and would have to be fetched.
    ///
    /// # Errors
    /// As [`Hub::resolve`], but that nothing is fetched.
    pub fn here(&self, name_or_path: &str) -> Result<Option<ModelSource>, HubError> {
        Ok(match self.find(name_or_path, None)? {
            Resolved::Local(source) => Some(source),
            Resolved::Remote(_) => None,
        })
    }

    pub(super) fn find(&self, name: &str, lang: Option<&str>) -> Result<Resolved, HubError> {
        if let Some(model) = built_in::<P>(name) {
            if lang.is_some_and(|lang| lang != model.language) {
                return Err(HubError::UnknownModel {
                    name: format!("{name} ({})", lang.unwrap_or_default()),
                    nearest: vec![format!("{} ({})", model.name, model.language)],
                });
            }
            return Ok(Resolved::Local(ModelSource::BuiltIn(model)));
        }
        match Reference::parse(name)? {
            Reference::Url(url) => Ok(self.find_address(&url)),
            Reference::Path(path) => match on_disk(&path)? {
                Some(source) => Ok(Resolved::Local(source)),
                None => Err(HubError::NotAModelDirectory { path, reason: "nothing is there" }),
            },
            Reference::Repository(repository) => match (on_disk(Path::new(name)), self.find_repository(repository)) {
                (Ok(Some(source)), _) => Ok(Resolved::Local(source)),
                // nobody who names a file means something to be fetched
                (Err(error), Resolved::Remote(_)) => Err(error),
                (_, found) => Ok(found),
            },
            Reference::Name(_) => match (on_disk(Path::new(name)), self.find_name(name, lang)) {
                (_, Ok(Resolved::Local(source))) | (Ok(Some(source)), _) => Ok(Resolved::Local(source)),
                (Err(error), Err(HubError::UnknownModel { .. })) => Err(error),
                (_, found) => found,
            },
        }
    }

    fn find_address(&self, url: &Url) -> Resolved {
        let own = |cache: &Cache| Some(cache.address(url)).filter(|place| place.exists());
        let listed = |cache: &Cache| listed(cache, url).into_iter().next();
        let place = self.cache.as_ref().and_then(|cache| own(cache).or_else(|| listed(cache)));
        place.map_or_else(
            || Resolved::Remote(Remote::Address(url.clone())),
            |place| Resolved::Local(ModelSource::Directory(place)),
        )
    }

    fn find_repository(&self, repository: Repository) -> Resolved {
        let own = self.cache.as_ref().map(|cache| cache.repositories());
        let caches = [own.as_deref(), self.foreign_repositories.as_deref()];
        let snapshot = caches.into_iter().flatten().find_map(|cache| repository::cached(cache, &repository));
        snapshot.map_or_else(
            || Resolved::Remote(Remote::Repository(repository)),
            |snapshot| Resolved::Local(ModelSource::Directory(snapshot)),
        )
    }

    fn find_name(&self, name: &str, lang: Option<&str>) -> Result<Resolved, HubError> {
        if let Some(imported) = self.imported(name) {
            return Ok(Resolved::Local(ModelSource::Directory(imported)));
        }
        let request = Request::new(name, lang);
        if let Some(archive) = self.folders()?.iter().find_map(|folder| newest(folder, &request)) {
            return Ok(Resolved::Local(ModelSource::Directory(archive)));
        }
        let index = self.index()?;
        let Some(entry) = index.find(&request) else {
            return Err(self.unknown(name, lang, &index));
        };
        let archive = self.cache.as_ref().map(|cache| cache.archives().join(entry.file_name()));
        Ok(match archive.filter(|archive| archive.is_file()) {
            Some(archive) => Resolved::Local(ModelSource::Directory(archive)),
            None => Resolved::Remote(Remote::Published(Box::new(entry.clone()))),
        })
    }

    /// The folder of an imported model.
    pub(super) fn imported(&self, name: &str) -> Option<PathBuf> {
        let folder = self.cache.as_ref()?.models().join(name);
        (is_plain(name) && folder.is_dir()).then_some(folder)
    }

    /// Folders with archives, in the order in which they are looked at.
    pub(super) fn folders(&self) -> Result<Vec<PathBuf>, HubError> {
        let own = self.cache.as_ref().map(|cache| cache.archives());
        let named = self.sound_places()?.iter().filter_map(|place| match place {
            Location::Path(folder) => Some(folder.clone()),
            Location::Url(_) => None,
        });
        Ok(own.into_iter().chain(named).chain(self.foreign_archives.clone()).collect())
    }

    /// The index: what the program knows by itself, and what the cache has since it was refreshed.
    ///
    /// # Errors
    /// When the index in the cache cannot be read.
    pub fn index(&self) -> Result<Index, HubError> {
        let mut index = Index::built_in()?;
        // an empty file has nothing to add, and is no reason to know less than without it
        let has_lines = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0);
        let Some(path) = self.cache.as_ref().map(|cache| cache.index()).filter(has_lines) else {
            return Ok(index);
        };
        let file = File::open(&path).map_err(HubError::io("read", &path))?;
        let (refreshed, _) = Index::read(BufReader::new(file), &path.display().to_string())?;
        index.add(refreshed);
        Ok(index)
    }

    /// Says that a name is not known, and which known ones are the most alike.
    fn unknown(&self, name: &str, lang: Option<&str>, index: &Index) -> HubError {
        let others: Vec<&str> = index
            .entries()
            .iter()
            .filter(|entry| entry.name == name)
            .filter_map(|entry| entry.language.as_deref())
            .collect();
        if let (Some(lang), false) = (lang, others.is_empty()) {
            let mut nearest: Vec<String> = others.iter().map(|other| format!("{name} ({other})")).collect();
            nearest.dedup();
            nearest.truncate(OFFERED);
            return HubError::UnknownModel { name: format!("{name} ({lang})"), nearest };
        }
        let imported = self.cache.as_ref().map(|cache| names(&cache.models())).unwrap_or_default();
        let mut known: Vec<String> = P::built_in().iter().map(|model| model.name.to_owned()).chain(imported).collect();
        known.extend(index.entries().iter().map(|entry| entry.name.clone()));
        known.sort_by(|a, b| strsim::jaro_winkler(b, name).total_cmp(&strsim::jaro_winkler(a, name)));
        known.dedup();
        known.truncate(OFFERED);
        HubError::UnknownModel { name: name.to_owned(), nearest: known }
    }
}

/// The models of a cache that are listed under an address: of their own, only what may be shown is told.
pub(super) fn listed(cache: &Cache, url: &Url) -> Vec<PathBuf> {
    let models = addresses(cache).into_iter();
    models.filter(|(record, _)| record.source == url.as_str()).map(|(_, path)| path).collect()
}

/// The model directory or archive at a path; `None` where nothing is.
fn on_disk(path: &Path) -> Result<Option<ModelSource>, HubError> {
    let here = || Ok(Some(ModelSource::Directory(path.to_owned())));
    if path.is_dir() {
        return here();
    }
    if !path.exists() {
        return Ok(None);
    }
    let reason = match Folder::check(path) {
        Ok(()) => return here(),
        Err(FormatError::LfsPointer { .. }) => "it is a Git LFS pointer, not the file itself: run `git lfs pull`",
        Err(_) => "it is a file, and no zip or tar archive",
    };
    Err(HubError::NotAModelDirectory { path: path.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::program::tests::News;

    type Hub = super::Hub<News>;

    const DEFAULT: &str = "ag_news";

    const AG_NEWS: &str = "albert_base_sequence_classifier_ag_news";
    const ARCHIVE: &str = "albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip";

    fn here(hub: &Hub, name: &str) -> Option<PathBuf> {
        hub.here(name).unwrap().map(|source| source.path().unwrap().to_owned())
    }

    #[test]
    fn a_built_in_model_needs_no_cache() {
        assert!(matches!(Hub::new("").resolve(DEFAULT), Ok(ModelSource::BuiltIn(model)) if model.name == DEFAULT));
    }

    #[test]
    fn a_path_to_nothing_and_a_file_are_told_apart() {
        let hub = Hub::new("").offline(true);
        let nothing = hub.resolve("no/such/model").unwrap_err().to_string();
        assert_eq!(nothing, "no/such/model is not a model directory: nothing is there");
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = hub.resolve(file.path().to_str().unwrap()).unwrap_err();
        assert!(matches!(
            error,
            HubError::NotAModelDirectory { reason: "it is a file, and no zip or tar archive", .. }
        ));
        fs::write(file.path(), "PK\x03\x04").unwrap();
        assert!(matches!(hub.resolve(file.path().to_str().unwrap()), Ok(ModelSource::Directory(_))));
        fs::write(file.path(), "version https://git-lfs.github.com/spec/v1\n").unwrap();
        let error = hub.resolve(file.path().to_str().unwrap()).unwrap_err().to_string();
        assert!(error.ends_with("it is a Git LFS pointer, not the file itself: run `git lfs pull`"), "{error}");
    }

    #[test]
    fn what_may_be_a_path_or_a_repository_is_told_as_both() {
        let cache = tempfile::tempdir().unwrap();
        let hub = Hub::new(cache.path()).offline(true);
        let told = |name: &str| hub.resolve(name).unwrap_err().to_string();
        for name in ["models/my-albert", "models/my-albert.tar.gz", "models/my-albert@v1"] {
            let expected = format!(
                "there is no folder or archive {name} on this machine, and no repository of that name can be downloaded: \
                 network access is disabled"
            );
            assert_eq!(told(name), expected);
        }
        // What can only be one of them is not.
        assert_eq!(told("models/my/albert"), "models/my/albert is not a model directory: nothing is there");
        assert_eq!(told("./my-albert"), "./my-albert is not a model directory: nothing is there");
        assert!(told("my-albert").starts_with("there is no model named `my-albert`"));
        assert!(told("https://a.org/m.zip").starts_with("`https://a.org/m.zip` is not on this machine"));
    }

    #[test]
    fn a_published_model_is_found_wherever_its_archive_lies() {
        let folder = tempfile::tempdir().unwrap();
        let mut hub = Hub::new(folder.path().join("cache")).offline(true);
        assert_eq!(here(&hub, AG_NEWS), None);
        assert!(matches!(hub.resolve(AG_NEWS), Err(HubError::Offline { .. })));
        let spark = folder.path().join("cache_pretrained");
        fs::create_dir_all(spark.join(ARCHIVE.trim_end_matches(".zip"))).unwrap();
        hub.foreign_archives = Some(spark.clone());
        assert_eq!(here(&hub, AG_NEWS), Some(spark.join(ARCHIVE.trim_end_matches(".zip"))));
        let mirror = folder.path().join("mirror");
        fs::create_dir_all(&mirror).unwrap();
        fs::write(mirror.join(ARCHIVE), "PK").unwrap();
        hub = hub.places([mirror.to_str().unwrap()]).unwrap();
        assert_eq!(here(&hub, AG_NEWS), Some(mirror.join(ARCHIVE)));
        let archives = folder.path().join("cache/archives");
        fs::create_dir_all(&archives).unwrap();
        fs::write(archives.join(ARCHIVE), "PK").unwrap();
        assert_eq!(here(&hub, AG_NEWS), Some(archives.join(ARCHIVE)));
        let imported = folder.path().join("cache/models").join(AG_NEWS);
        fs::create_dir_all(&imported).unwrap();
        assert_eq!(here(&hub, AG_NEWS), Some(imported));
    }

    #[test]
    fn what_lies_in_the_working_directory_hides_no_model_of_that_name() {
        // tests run where the manifest and the sources are
        let cache = tempfile::tempdir().unwrap();
        let hub = Hub::new(cache.path()).offline(true);
        let is_file = |name: &str| matches!(hub.here(name), Err(HubError::NotAModelDirectory { reason, .. }) if reason.contains("file"));
        assert_eq!(here(&hub, "src"), Some(PathBuf::from("src")));
        assert!(is_file("Cargo.toml"));
        for name in ["src", "Cargo.toml"] {
            let imported = cache.path().join("models").join(name);
            fs::create_dir_all(&imported).unwrap();
            assert_eq!(here(&hub, name), Some(imported));
        }
        assert_eq!(here(&hub, "./src"), Some(PathBuf::from("./src")));
        assert!(is_file("./Cargo.toml"));
        // a repository gives way to a folder, not to a file
        assert_eq!(here(&hub, "tests/server"), Some(PathBuf::from("tests/server")));
        assert!(is_file("tests/hub.rs"));
        for repository in ["tests--server", "tests--hub.rs"] {
            let snapshot = cache.path().join(format!("repositories/models--{repository}/snapshots/main"));
            fs::create_dir_all(&snapshot).unwrap();
            for name in ["config.json", "model.safetensors", "spiece.model"] {
                fs::write(snapshot.join(name), "x").unwrap();
            }
        }
        assert_eq!(here(&hub, "tests/server"), Some(PathBuf::from("tests/server")));
        assert!(here(&hub, "tests/hub.rs").unwrap().starts_with(cache.path()));
    }

    #[test]
    fn another_language_is_another_model() {
        let hub = Hub::new(tempfile::tempdir().unwrap().path()).offline(true);
        assert!(hub.resolve_language(DEFAULT, "en").is_ok());
        for name in [DEFAULT, AG_NEWS] {
            let error = hub.resolve_language(name, "de").unwrap_err().to_string();
            assert_eq!(error, format!("there is no model named `{name} (de)`; the nearest are `{name} (en)`"));
        }
    }

    #[test]
    fn a_mistyped_name_gets_the_nearest() {
        let cache = tempfile::tempdir().unwrap();
        fs::create_dir_all(cache.path().join("models/my_news")).unwrap();
        let hub = Hub::new(cache.path()).offline(true);
        let nearest = |name: &str| match hub.resolve(name).unwrap_err() {
            HubError::UnknownModel { nearest, .. } => nearest,
            other => panic!("{other}"),
        };
        assert_eq!(nearest("my_nevs")[0], "my_news");
        assert_eq!(nearest("albert_base_sequence_clasifier_imdb")[0], "albert_base_sequence_classifier_imdb");
        assert_eq!(nearest("ag_mews").len(), OFFERED);
    }

    #[test]
    fn a_repository_is_read_from_the_cache_of_other_clients() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = folder.path().join("models--org--repo/snapshots/0a1b");
        fs::create_dir_all(&snapshot).unwrap();
        for name in ["config.json", "model.safetensors", "spiece.model"] {
            fs::write(snapshot.join(name), "x").unwrap();
        }
        let mut hub = Hub::new(folder.path().join("cache")).offline(true);
        assert_eq!(here(&hub, "org/repo@0a1b"), None);
        hub.foreign_repositories = Some(folder.path().to_owned());
        assert_eq!(here(&hub, "org/repo@0a1b"), Some(snapshot));
        assert_eq!(here(&hub, "org/repo"), None);
    }
}
