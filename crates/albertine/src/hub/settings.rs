//! What the environment says about models.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::cache::{self, Cache};
use super::http::{Limits, Token};
use super::progress::Silent;
use super::reference::Location;
use super::{Hub, HubError, Progress};

/// The Hugging Face hub.
const HUGGING_FACE: &str = "https://huggingface.co";

/// The public folder of Spark NLP's models. The name of the bucket has dots, so that it stands in the path.
const PUBLIC: &str = "https://s3.amazonaws.com/auxdata.johnsnowlabs.com/public/models/";

/// Where Spark NLP unpacks its models, within the home folder.
const SPARK_NLP: &str = "cache_pretrained";

impl Hub {
    /// A hub that keeps models in `cache`, and knows nothing of the environment: published models come from Spark NLP's public
    /// folder, repositories from huggingface.co.
    #[must_use]
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: Some(Cache::new(cache.into())),
            places: Location::parse(PUBLIC).into_iter().collect(),
            endpoint: Url::parse(HUGGING_FACE).ok(),
            token: None,
            foreign_archives: None,
            foreign_repositories: None,
            offline: false,
            limits: Limits::default(),
            progress: Arc::new(Silent),
        }
    }

    /// A hub as the environment has it; a variable that is empty counts as not set.
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `ALBERTINE_CACHE` | the cache; else `albertine` in the system's folder for caches |
    /// | `ALBERTINE_HUB` | where archives of published models are looked for, instead of Spark NLP's public folder: folders and addresses, separated by commas |
    /// | `ALBERTINE_OFFLINE`, `HF_HUB_OFFLINE` | `1`, `true`, `yes` or `on`: the network is never used |
    /// | `HF_ENDPOINT` | a mirror of huggingface.co |
    /// | `HF_TOKEN` | the token for it, sent to no other server |
    /// | `HF_HUB_CACHE`, else `HF_HOME` | the cache of Hugging Face's clients, which is read and never written |
    ///
    /// Proxies are taken from `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY`, the first of them that is set, but for hosts in
    /// `NO_PROXY` and for this machine.
    ///
    /// # Errors
    /// [`HubError::Setting`] for a place or an endpoint that is no address.
    pub fn from_env() -> Result<Self, HubError> {
        let wrong = |variable, value: &str| {
            let value = value.to_owned();
            move |error: HubError| match error {
                HubError::Url { reason, .. } => HubError::Setting { variable, value, reason },
                error => error,
            }
        };
        let root = path("ALBERTINE_CACHE").map_or_else(cache::default_folder, Ok);
        let mut hub = Self::new("");
        hub.cache = root.ok().map(Cache::new);
        if let Some(places) = text("ALBERTINE_HUB") {
            hub = hub.places(places.split(',')).map_err(wrong("ALBERTINE_HUB", &places))?;
        }
        if let Some(endpoint) = text("HF_ENDPOINT") {
            hub = hub.endpoint(&endpoint).map_err(wrong("HF_ENDPOINT", &endpoint))?;
        }
        hub.token = text("HF_TOKEN");
        let home = path(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
        let caches = path("XDG_CACHE_HOME").or_else(|| home.as_ref().map(|home| home.join(".cache")));
        let hugging_face = path("HF_HOME").or_else(|| caches.map(|caches| caches.join("huggingface")));
        hub.foreign_repositories = path("HF_HUB_CACHE").or_else(|| hugging_face.map(|folder| folder.join("hub")));
        hub.foreign_archives = home.map(|home| home.join(SPARK_NLP));
        hub.offline = is_on("ALBERTINE_OFFLINE") || is_on("HF_HUB_OFFLINE");
        Ok(hub)
    }

    /// Whether the network is never to be used.
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// Where archives of published models are looked for, in this order: folders that hold them and addresses that they lie
    /// below.
    ///
    /// # Errors
    /// [`HubError::Url`] for an address that cannot be read or is of another kind.
    pub fn places<'p>(mut self, places: impl IntoIterator<Item = &'p str>) -> Result<Self, HubError> {
        let places = places.into_iter().map(str::trim).filter(|place| !place.is_empty());
        self.places = places.map(Location::parse_folder).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// The hub that repositories come from.
    ///
    /// # Errors
    /// [`HubError::Url`] for anything but an `http://` or `https://` address.
    pub fn endpoint(mut self, endpoint: &str) -> Result<Self, HubError> {
        let wrong = |reason: String| HubError::Url { url: endpoint.to_owned(), reason };
        let url = Url::parse(endpoint).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("it is neither https:// nor http://".to_owned()));
        }
        self.endpoint = Some(url);
        Ok(self)
    }

    /// The token for the hub that repositories come from; no other server sees it.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Bounds of what is fetched, and how long is waited for it.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Who hears how downloads go.
    #[must_use]
    pub fn progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// The folder where fetched and imported models are kept.
    ///
    /// # Errors
    /// [`HubError::NoCacheFolder`] when neither `ALBERTINE_CACHE` nor the system tells.
    pub fn cache_folder(&self) -> Result<&std::path::Path, HubError> {
        self.cache().map(Cache::root)
    }

    pub(super) fn cache(&self) -> Result<&Cache, HubError> {
        match &self.cache {
            Some(cache) => Ok(cache),
            None => Err(cache::default_folder().err().unwrap_or(HubError::NoCacheFolder { variable: "HOME" })),
        }
    }

    /// The token, bound to the server that it belongs to.
    pub(super) fn bound_token(&self) -> Option<Token> {
        let origin = self.endpoint.as_ref()?.origin();
        self.token.clone().map(|value| Token { origin, value })
    }
}

fn text(variable: &str) -> Option<String> {
    env::var(variable).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn path(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn is_on(variable: &str) -> bool {
    text(variable).is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on"))
}
