//! What the environment says about models.

use std::env;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::cache::{self, Cache};
use super::http::{Limits, Token};
use super::progress::Silent;
use super::reference::Location;
use super::{Hub, HubError, Program, Progress};

/// The Hugging Face hub.
const HUGGING_FACE: &str = "https://huggingface.co";

/// The public folder of Spark NLP's models. The name of the bucket has dots, so that it stands in the path.
const PUBLIC: &str = "https://s3.amazonaws.com/auxdata.johnsnowlabs.com/public/models/";

/// Where Spark NLP unpacks its models, within the home folder.
const SPARK_NLP: &str = "cache_pretrained";

impl<P: Program> Hub<P> {
    /// A hub that keeps models in `cache`, and knows nothing of the environment: published models come from Spark NLP's
    /// public folder, repositories from huggingface.co.
    #[must_use]
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: Some(Cache::new(cache.into())),
            places: read_places(PUBLIC.split(',')).map_err(UnsoundSetting::of("ALBERTINE_HUB", PUBLIC)),
            endpoint: read_endpoint(HUGGING_FACE).map_err(UnsoundSetting::of("HF_ENDPOINT", HUGGING_FACE)),
            token: None,
            foreign_archives: None,
            foreign_repositories: None,
            offline: false,
            limits: Limits::default(),
            progress: Arc::new(Silent),
            program: PhantomData,
        }
    }

    /// A hub as the environment has it; a variable that is empty counts as not set.
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `ALBERTINE_CACHE` | the cache; else `albertine` in the system's folder for caches |
    /// | `ALBERTINE_HUB` | where archives of published models are looked for, instead of Spark NLP's public folder: folders and addresses, separated by commas |
    /// | `ALBERTINE_OFFLINE`, `HF_HUB_OFFLINE` | `1`, `true`, `yes` or `on`: the network is never used; `0`, `false`, `no` or `off`: it is |
    /// | `HF_ENDPOINT` | a mirror of huggingface.co |
    /// | `HF_TOKEN` | the token for it, sent to no other server |
    /// | `HF_HUB_CACHE`, else `HF_HOME` | the cache of Hugging Face's clients, which is read and never written |
    ///
    /// Proxies are taken from `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY`, the first of them that is set, but for hosts
    /// in `NO_PROXY` and for this machine.
    ///
    /// # Errors
    /// [`HubError::Setting`] when it cannot be told whether the network may be used. A place or an endpoint that is no
    /// address is such an error only once it is needed.
    pub fn from_env() -> Result<Self, HubError> {
        let root = path("ALBERTINE_CACHE").map_or_else(cache::default_folder, Ok);
        let mut hub = Self::new("");
        hub.cache = root.ok().map(Cache::new);
        if let Some(places) = text("ALBERTINE_HUB") {
            hub.places = read_places(places.split(',')).map_err(UnsoundSetting::of("ALBERTINE_HUB", &places));
        }
        if let Some(endpoint) = text("HF_ENDPOINT") {
            hub.endpoint = read_endpoint(&endpoint).map_err(UnsoundSetting::of("HF_ENDPOINT", &endpoint));
        }
        hub.token = text("HF_TOKEN");
        let home = path(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
        let caches = path("XDG_CACHE_HOME").or_else(|| home.as_ref().map(|home| home.join(".cache")));
        let hugging_face = path("HF_HOME").or_else(|| caches.map(|caches| caches.join("huggingface")));
        hub.foreign_repositories = path("HF_HUB_CACHE").or_else(|| hugging_face.map(|folder| folder.join("hub")));
        hub.foreign_archives = home.map(|home| home.join(SPARK_NLP));
        let switches = ["ALBERTINE_OFFLINE", "HF_HUB_OFFLINE"];
        let [ours, theirs] = switches.map(|variable| is_on(variable, text(variable)));
        hub.offline = ours? | theirs?;
        Ok(hub)
    }

    /// Whether the network is never to be used.
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// Where archives of published models are looked for, in this order: folders that hold them and addresses that they
    /// lie below.
    ///
    /// # Errors
    /// [`HubError::Url`] for an address that cannot be read or is of another kind.
    pub fn places<'p>(mut self, places: impl IntoIterator<Item = &'p str>) -> Result<Self, HubError> {
        self.places = Ok(read_places(places)?);
        Ok(self)
    }

    /// The hub that repositories come from.
    ///
    /// # Errors
    /// [`HubError::Url`] for anything but an `http://` or `https://` address.
    pub fn endpoint(mut self, endpoint: &str) -> Result<Self, HubError> {
        self.endpoint = Ok(read_endpoint(endpoint)?);
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

    /// Where archives of published models are looked for.
    pub(super) fn sound_places(&self) -> Result<&[Location], HubError> {
        self.places.as_deref().map_err(UnsoundSetting::error)
    }

    /// The hub that repositories come from.
    pub(super) fn sound_endpoint(&self) -> Result<&Url, HubError> {
        self.endpoint.as_ref().map_err(UnsoundSetting::error)
    }

    /// The token, bound to the server that it belongs to.
    pub(super) fn bound_token(&self) -> Option<Token> {
        let origin = self.endpoint.as_ref().ok()?.origin();
        self.token.clone().map(|value| Token { origin, value })
    }
}

fn text(variable: &str) -> Option<String> {
    env::var(variable).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn path(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Whether a switch is on; one that is neither on nor off is not taken for either.
fn is_on(variable: &'static str, value: Option<String>) -> Result<bool, HubError> {
    match value.as_ref().map(|value| value.to_ascii_lowercase()).as_deref() {
        Some("1" | "true" | "yes" | "on") => Ok(true),
        None | Some("0" | "false" | "no" | "off") => Ok(false),
        Some(_) => Err(HubError::Setting {
            variable,
            value: value.unwrap_or_default(),
            reason: "it is neither `1`, `true`, `yes` or `on` nor `0`, `false`, `no` or `off`".to_owned(),
        }),
    }
}

fn read_places<'p>(places: impl IntoIterator<Item = &'p str>) -> Result<Vec<Location>, HubError> {
    let places = places.into_iter().map(str::trim).filter(|place| !place.is_empty());
    places.map(Location::parse_folder).collect()
}

fn read_endpoint(endpoint: &str) -> Result<Url, HubError> {
    let wrong = |reason: String| HubError::Url { url: endpoint.to_owned(), reason };
    let url = Url::parse(endpoint).map_err(|error| wrong(error.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(wrong("it is neither https:// nor http://".to_owned())),
    }
}

/// A setting that cannot be used.
#[derive(Debug, Clone)]
pub(super) struct UnsoundSetting {
    variable: &'static str,
    value: String,
    reason: String,
}

impl UnsoundSetting {
    /// Makes what is wrong with an address what is wrong with the setting that has it.
    fn of(variable: &'static str, value: &str) -> impl FnOnce(HubError) -> Self {
        let value = value.to_owned();
        move |error| {
            let reason = match error {
                HubError::Url { reason, .. } => reason,
                error => error.to_string(),
            };
            Self { variable, value, reason }
        }
    }

    fn error(&self) -> HubError {
        HubError::Setting { variable: self.variable, value: self.value.clone(), reason: self.reason.clone() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::program::tests::News;

    #[test]
    fn a_switch_is_on_or_off_and_nothing_else() {
        let read = |value: &str| is_on("ALBERTINE_OFFLINE", Some(value.to_owned()));
        assert!(["1", "true", "Yes", "ON"].into_iter().all(|value| read(value).unwrap()));
        assert!(["0", "false", "No", "OFF"].into_iter().all(|value| !read(value).unwrap()));
        assert!(!is_on("ALBERTINE_OFFLINE", None).unwrap());
        let error = read("ja").unwrap_err().to_string();
        assert!(error.starts_with("the environment variable ALBERTINE_OFFLINE is `ja`: it is neither"), "{error}");
    }

    #[test]
    fn an_unsound_place_is_an_error_once_it_is_needed() {
        let cache = tempfile::tempdir().unwrap();
        let wrong = "s3://bucket/";
        let mut hub = Hub::<News>::new(cache.path());
        hub.places = read_places([wrong]).map_err(UnsoundSetting::of("ALBERTINE_HUB", wrong));
        hub.endpoint = read_endpoint(wrong).map_err(UnsoundSetting::of("HF_ENDPOINT", wrong));
        std::fs::create_dir_all(cache.path().join("models/mine")).unwrap();
        for name in ["ag_news", "mine", "src", "./src"] {
            assert!(hub.resolve(name).is_ok(), "{name}");
        }
        let fault = |name: &str| hub.resolve(name).unwrap_err().to_string();
        let published = fault("albert_base_sequence_classifier_imdb");
        assert!(
            published.starts_with("the environment variable ALBERTINE_HUB is `s3://bucket/`: models come by"),
            "{published}"
        );
        let repository = fault("org/repo");
        assert_eq!(
            repository,
            "the environment variable HF_ENDPOINT is `s3://bucket/`: it is neither https:// nor http://"
        );
        assert!(matches!(hub.refresh(None), Err(HubError::Setting { .. })));
    }
}
