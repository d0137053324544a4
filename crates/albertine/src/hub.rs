//! From what a person calls a model to where its files are: in the program, on disk, and with the feature `hub` (on by
//! default) in the cache or fetched. [`albertine_hub`] says in which order they are looked for.

use albertine_model::BuiltIn;
pub use albertine_model::ModelSource;

use crate::Error;
use crate::builtin::BUILT_IN;

#[cfg(feature = "hub")]
pub use self::program::*;

/// The model that is used when none is named.
pub const DEFAULT: &str = BUILT_IN[0].name;

/// Finds a model as [`Hub::resolve`] does, with the settings of the environment ([`Hub::from_env`]). Without the
/// feature `hub` it is a built-in name or a path.
///
/// # Errors
/// As [`Hub::from_env`] and [`Hub::resolve`]; `Error::NoHub` for a name without the feature `hub`.
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
        None => find(name_or_path, None),
    }
}

/// As [`resolve`], for a model of the language `lang`; a path, a repository and an address may be of any language.
///
/// # Errors
/// As [`resolve`], and [`HubError::UnknownModel`] when the named model is of another language.
pub fn resolve_language(name_or_path: &str, lang: &str) -> Result<ModelSource, Error> {
    match built_in(name_or_path) {
        Some(model) if model.language == lang => Ok(ModelSource::BuiltIn(model)),
        _ => find(name_or_path, Some(lang)),
    }
}

/// The built-in model of a name.
fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|model| model.name == name)
}

/// Finds a model that is not built in.
#[cfg(feature = "hub")]
fn find(name: &str, lang: Option<&str>) -> Result<ModelSource, Error> {
    Ok(Hub::from_env()?.resolve_from(name, lang, None)?)
}

/// Finds a model that is not built in: there are only paths.
#[cfg(not(feature = "hub"))]
fn find(name: &str, lang: Option<&str>) -> Result<ModelSource, Error> {
    let path = std::path::Path::new(name);
    if built_in(name).is_none() && path.exists() {
        return Ok(ModelSource::Directory(path.to_owned()));
    }
    let lang = lang.map(|lang| format!(" ({lang})")).unwrap_or_default();
    Err(Error::NoHub { name: format!("{name}{lang}"), built_in: DEFAULT })
}

/// The hub as this library uses it.
#[cfg(feature = "hub")]
mod program {
    use std::path::Path;

    use albertine_hub::Program;
    pub use albertine_hub::{
        Entry, FileRecord, HubError, Index, Known, Limits, Lines, Origin, Progress, Reading, Record, Request, Transfer,
        Version,
    };
    use albertine_model::{BuiltIn, Checkpoint};

    use crate::builtin::BUILT_IN;
    use crate::{Error, PipelineModel};

    /// Finds models, and fetches and keeps those that are elsewhere.
    ///
    /// ```
    /// use albertine::hub::{Hub, ModelSource};
    ///
    /// let cache = tempfile::tempdir()?;
    /// let hub = Hub::new(cache.path()).offline(true);
    /// assert!(matches!(hub.resolve("ag_news")?, ModelSource::BuiltIn(_)));
    /// let error = hub.resolve("albert_base_sequence_classifier_imdb").unwrap_err();
    /// assert!(error.to_string().ends_with("is not on this machine, and network access is disabled"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub type Hub = albertine_hub::Hub<Albertine>;

    /// Tells the hub which models are built in, and how a model is imported.
    #[derive(Debug, Clone, Copy)]
    pub enum Albertine {}

    impl Program for Albertine {
        type Error = Error;

        fn built_in() -> &'static [BuiltIn] {
            BUILT_IN
        }

        fn import(from: &Path, to: &Path) -> Result<(), Error> {
            match PipelineModel::load_if_one(from)? {
                // what comes before the classifier belongs to its answers
                Some(pipeline) => pipeline.save(to),
                None => Ok(Checkpoint::open(from)?.save(to)?),
            }
        }
    }

    /// A version of Spark NLP, as people write it.
    ///
    /// # Errors
    /// [`Error::Param`] for anything that does not begin with a number.
    pub fn version(text: &str) -> Result<Version, Error> {
        let expected = "numbers such as 3.4.0";
        let unsound = || Error::Param { stage: "the hub", name: "version", value: text.to_owned(), expected };
        Version::parse(text).ok_or_else(unsound)
    }

    #[cfg(test)]
    mod tests {
        #![allow(clippy::unwrap_used)]
        use crate::Error;
        use crate::hub::{DEFAULT, HubError, resolve, resolve_language};

        #[test]
        fn the_default_is_built_in() {
            assert_eq!(resolve(DEFAULT).unwrap().to_string(), DEFAULT);
            assert_eq!(resolve_language(DEFAULT, "en").unwrap().to_string(), DEFAULT);
            assert!(matches!(resolve_language(DEFAULT, "de"), Err(Error::Hub(HubError::UnknownModel { .. }))));
        }
    }
}

#[cfg(all(test, not(feature = "hub")))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn without_a_hub_there_are_the_built_in_model_and_paths() {
        assert!(matches!(resolve_language(DEFAULT, "en"), Ok(ModelSource::BuiltIn(_))));
        assert!(matches!(resolve("src"), Ok(ModelSource::Directory(_))));
        for name in ["albert_base_sequence_classifier_imdb", "org/repo", "https://a.org/m.zip", "no/such/folder"] {
            assert!(resolve(name).unwrap_err().to_string().starts_with(&format!("`{name}` is neither")), "{name}");
        }
        let error = resolve_language(DEFAULT, "de").unwrap_err().to_string();
        assert!(error.starts_with("`ag_news (de)` is neither the built-in model `ag_news`"), "{error}");
    }
}
