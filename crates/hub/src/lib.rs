//! From what a person calls a model to where its files are: in the program, on disk, in the cache, or fetched.
//!
//! What is on this machine is used without a look at the network. A model is looked for in this order:
//!
//! 1. a built-in name (a folder of the same name is reached as `./name`);
//! 2. a path, or `file://`, to a model directory or an archive; what is on disk wins over a repository of the same
//!    spelling, and over a name only while no model of that name is on this machine (`./name` is the path in any case);
//! 3. `owner/name` or `owner/name@revision`, a repository on the Hugging Face hub: in the cache, in the cache of Hugging
//!    Face's own clients, else fetched;
//! 4. an address: an archive, or a folder of files when it ends in `/`;
//! 5. a name: an imported model, then a published one in the cache, in the folders of `ALBERTINE_HUB`, among what Spark
//!    NLP has in `~/cache_pretrained`, else fetched by the [`Index`].
//!
//! An archive is kept as it was fetched: one file, whose sum stays checkable, which is read where it lies and cannot
//! write outside its folder because it is never unpacked. [`Hub::import`] makes a model directory of it, which loads
//! faster.

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
mod program;
mod progress;
mod pull;
mod record;
mod reference;
mod repository;
mod settings;
mod version;

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;

use albertine_model::BuiltIn;
pub use albertine_model::ModelSource;
use url::Url;

use self::cache::Cache;
pub use self::entry::Entry;
pub use self::error::HubError;
pub use self::http::Limits;
pub use self::index::{Index, Reading, Request};
pub use self::known::{Known, Origin};
pub use self::program::Program;
pub use self::progress::{Lines, Progress, Transfer};
pub use self::record::{FileRecord, Record};
use self::reference::Location;
use self::settings::UnsoundSetting;
pub use self::version::Version;

/// Finds models, and fetches and keeps those that are elsewhere.
///
/// `P` is the program whose hub it is ([`Program`]): which models it has built in, and how it imports one.
///
/// ```
/// let cache = tempfile::tempdir()?;
/// let hub = albertine_hub::Hub::<()>::new(cache.path()).offline(true);
/// let error = hub.resolve("albert_base_sequence_classifier_imdb").unwrap_err();
/// assert!(error.to_string().ends_with("is not on this machine, and network access is disabled"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Hub<P> {
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
    program: PhantomData<fn() -> P>,
}

impl<P> fmt::Debug for Hub<P> {
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

/// The built-in model of a name.
fn built_in<P: Program>(name: &str) -> Option<&'static BuiltIn> {
    P::built_in().iter().find(|model| model.name == name)
}
