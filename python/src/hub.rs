//! Models by name, with a word on what is fetched.

use std::path::PathBuf;
use std::sync::Arc;

use albertine::Error;
use albertine::hub::{Entry, Hub, Lines, ModelSource, Version, version};
use pyo3::prelude::*;

use crate::error::Failure;
use crate::work::abandonable;

fn say(line: &str) {
    Python::attach(|py| {
        let write = || py.import("sys")?.getattr("stderr")?.call_method1("write", (format!("{line}\n"),));
        // a program without stderr hears nothing
        let _ = write();
    });
}

/// The hub of the environment, which tells on Python's stderr what is fetched.
fn hub() -> Result<Hub, Error> {
    Ok(Hub::from_env()?.progress(Arc::new(Lines(say))))
}

/// Where the model of a name is, after it was fetched if it has to be: from `place`, if one is named, else from where the
/// environment says.
pub(crate) fn resolve(name: &str, lang: Option<&str>, place: Option<&str>) -> Result<ModelSource, Error> {
    Ok(hub()?.resolve_from(name, lang, place)?)
}

/// A known model: name, language, where it comes from, whether it is a pipeline, bytes, path.
type Known = (String, Option<String>, &'static str, Option<u64>, Option<PathBuf>);

/// The models that have a name here.
#[pyfunction]
pub(crate) fn known_models() -> PyResult<Vec<Known>> {
    let known = hub().and_then(|hub| Ok(hub.known()?)).map_err(Failure::from)?;
    Ok(known
        .into_iter()
        .map(|model| (model.name, model.language, model.origin.name(), model.size, model.path))
        .collect())
}

/// A published model: name, language, version of Spark NLP, whether it is a pipeline, annotator, name of its archive.
type Published = (String, Option<String>, Option<String>, bool, Option<String>, String);

/// The published models of a language that a version of Spark NLP reads; of all where neither is said.
#[pyfunction]
#[pyo3(signature = (lang=None, version=None))]
pub(crate) fn published_models(lang: Option<&str>, version: Option<&str>) -> PyResult<Vec<Published>> {
    let library = version.map(self::version).transpose().map_err(Failure::from)?;
    let index = hub().and_then(|hub| Ok(hub.index()?)).map_err(Failure::from)?;
    let published = |entry: &Entry| {
        let version = entry.lib_version.as_ref().map(Version::to_string);
        let (name, language, annotator) = (entry.name.clone(), entry.language.clone(), entry.annotator.clone());
        (name, language, version, entry.is_pipeline(), annotator, entry.file_name())
    };
    Ok(index.published(lang, library.as_ref()).map(published).collect())
}

/// Fetches a model, if it is not here, and tells where it is: nowhere on disk for a built-in one.
#[pyfunction]
#[pyo3(signature = (name, lang=None))]
pub(crate) fn pull(name: String, lang: Option<String>) -> PyResult<Option<PathBuf>> {
    let source = abandonable(move || resolve(&name, lang.as_deref(), None))?;
    Ok(source.path().map(std::path::Path::to_owned))
}

/// Removes a model from the cache, and tells what was removed.
#[pyfunction]
pub(crate) fn remove(name: &str) -> PyResult<Vec<PathBuf>> {
    Ok(hub().and_then(|hub| Ok(hub.remove(name)?)).map_err(Failure::from)?)
}
