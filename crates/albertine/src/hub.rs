//! From what a person calls a model to where its files are: in the program, on disk, in the cache, or fetched.
//!
//! What is on this machine is used without a look at the network. A model is looked for in this order:
//!
//! 1. a built-in name (a folder of the same name is reached as `./name`);
//! 2. a path, or `file://`, to a model directory or an archive; what is on disk wins over a repository of the same spelling, and
//!    over a name only while no model of that name is on this machine (`./name` is the path in any case);
//! 3. `owner/name` or `owner/name@revision`, a repository on the Hugging Face hub: in the cache, in the cache of Hugging Face's own
//!    clients, else fetched;
//! 4. an address: an archive, or a folder of files when it ends in `/`;
//! 5. a name: an imported model, then a published one in the cache, in the folders of `ALBERTINE_HUB`, among what Spark NLP has in
//!    `~/cache_pretrained`, else fetched by the [`Index`].
//!
//! An archive is kept as it was fetched: one file, whose sum stays checkable, which is read where it lies and cannot write outside
//! its folder because it is never unpacked. [`Hub::import`] makes a model directory of it, which loads faster.

mod archive_name;
mod archives;
mod cache;
mod checksum;
mod download;
mod entry;
mod error;
mod find;
mod http;
mod index;
mod known;
mod manage;
mod progress;
mod pull;
mod record;
mod reference;
mod repository;
mod settings;
mod version;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use albertine_model::Checkpoint;
use url::Url;

use self::cache::Cache;
pub use self::entry::Entry;
pub use self::error::HubError;
pub use self::http::Limits;
pub use self::index::{Index, Reading, Request};
pub use self::known::{Known, Origin};
pub use self::progress::{Progress, Transfer};
pub use self::record::{FileRecord, Record};
use self::reference::Location;
use self::settings::UnsoundSetting;
pub use self::version::Version;
use crate::Error;
use crate::builtin::{BUILT_IN, BuiltIn};

/// The model that is used when none is named.
pub const DEFAULT: &str = BUILT_IN[0].name;

/// Where the files of a model are.
#[derive(Debug, Clone)]
pub enum ModelSource {
    /// Inside the program.
    BuiltIn(&'static BuiltIn),
    /// A model directory, or a zip archive of one.
    Directory(PathBuf),
}

impl ModelSource {
    /// The model's configuration, weights and vocabulary, as training reads them.
    ///
    /// # Errors
    /// Every way for a file of the model to be missing or unsound.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        Ok(match self {
            Self::BuiltIn(model) => Checkpoint::from_files(Path::new(model.name), &model.files())?,
            Self::Directory(path) => Checkpoint::open(path)?,
        })
    }

    /// Where the files are, if they are on disk.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Directory(path) => Some(path),
        }
    }
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(model) => write!(f, "{}", model.name),
            Self::Directory(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Finds models, and fetches and keeps those that are elsewhere.
///
/// ```
/// use albertine::hub::{Hub, ModelSource};
///
/// let cache = tempfile::tempdir()?;
/// let hub = Hub::new(cache.path()).offline(true);
/// assert!(matches!(hub.resolve("ag_news")?, ModelSource::BuiltIn(_)));
/// let error = hub.resolve("albert_base_sequence_classifier_imdb").unwrap_err();
/// assert!(error.to_string().ends_with("is not on this machine, and the network is not to be used"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Hub {
    /// `None` where neither a setting nor the system tells; that is an error only once it is needed.
    cache: Option<Cache>,
    /// An unsound setting is an error only once it is needed, as a built-in model never does.
    places: Result<Vec<Location>, UnsoundSetting>,
    endpoint: Result<Url, UnsoundSetting>,
    token: Option<String>,
    /// Spark NLP's own cache, which is only read.
    foreign_archives: Option<PathBuf>,
    /// The cache of Hugging Face's own clients, which is only read.
    foreign_repositories: Option<PathBuf>,
    offline: bool,
    limits: Limits,
    progress: Arc<dyn Progress>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cache, places, offline, limits, .. } = self;
        f.debug_struct("Hub")
            .field("cache", cache)
            .field("places", places)
            .field("offline", offline)
            .field("limits", limits)
            .finish_non_exhaustive()
    }
}

/// Finds a model as [`Hub::resolve`] does, with the settings of the environment ([`Hub::from_env`]).
///
/// # Errors
/// As [`Hub::from_env`] and [`Hub::resolve`].
///
/// ```
/// use albertine::hub::{ModelSource, resolve};
/// assert!(matches!(resolve("ag_news")?, ModelSource::BuiltIn(_)));
/// assert!(resolve("ag_mews").unwrap_err().to_string().contains("ag_news"));
/// # Ok::<(), albertine::Error>(())
/// ```
pub fn resolve(name_or_path: &str) -> Result<ModelSource, Error> {
    match built_in(name_or_path) {
        Some(model) => Ok(ModelSource::BuiltIn(model)),
        None => Hub::from_env()?.resolve(name_or_path),
    }
}

/// As [`resolve`], for a model of the language `lang`; a path, a repository and an address may be of any language.
///
/// # Errors
/// As [`resolve`], and [`Error::UnknownModel`] when the named model is of another language.
pub fn resolve_language(name_or_path: &str, lang: &str) -> Result<ModelSource, Error> {
    Hub::from_env()?.resolve_language(name_or_path, lang)
}

/// The built-in model of a name.
fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|model| model.name == name)
}
