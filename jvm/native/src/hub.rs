//! Models by name, with a word on what is fetched.

use std::io::Write;
use std::sync::Arc;

use albertine::Error;
use albertine::hub::{Hub, Lines, ModelSource, Version, version};

use crate::failure::Failure;
use crate::message::{Reader, Writer};

/// The hub of the environment, which tells on stderr what is fetched.
fn hub() -> Result<Hub, Error> {
    // a program without stderr hears nothing
    let say = |line: &str| drop(writeln!(std::io::stderr(), "{line}"));
    Ok(Hub::from_env()?.progress(Arc::new(Lines(say))))
}

/// Where the model of a name is, after it was fetched if it has to be: from `place`, if one is named, else from where the
/// environment says.
pub(crate) fn resolve(name: &str, lang: Option<&str>, place: Option<&str>) -> Result<ModelSource, Error> {
    Ok(hub()?.resolve_from(name, lang, place)?)
}

/// The models that have a name here: name, language, where each comes from, path.
pub(crate) fn known(answer: &mut Writer) -> Result<(), Failure> {
    let known = hub().and_then(|hub| Ok(hub.known()?))?;
    answer.count(known.len());
    for model in known {
        answer.text(&model.name);
        answer.optional(model.language.as_deref());
        answer.text(model.origin.name());
        answer.optional(model.path.map(|path| path.display().to_string()).as_deref());
    }
    Ok(())
}

/// The published models of a language that a version of Spark NLP reads: name, language, version, whether each is a
/// pipeline, annotator, archive.
pub(crate) fn published(request: &mut Reader<'_>, answer: &mut Writer) -> Result<(), Failure> {
    let (lang, library) = (request.optional()?, request.optional()?.map(version).transpose()?);
    let index = hub().and_then(|hub| Ok(hub.index()?))?;
    let entries: Vec<_> = index.published(lang, library.as_ref()).collect();
    answer.count(entries.len());
    for entry in entries {
        answer.text(&entry.name);
        answer.optional(entry.language.as_deref());
        answer.optional(entry.lib_version.as_ref().map(Version::to_string).as_deref());
        answer.byte(entry.is_pipeline().into());
        answer.optional(entry.annotator.as_deref());
        answer.text(&entry.file_name());
    }
    Ok(())
}

/// Removes a model from the cache; the paths that are gone.
pub(crate) fn remove(name: &str, answer: &mut Writer) -> Result<(), Failure> {
    let gone = hub().and_then(|hub| Ok(hub.remove(name)?))?;
    answer.texts(&gone.iter().map(|path| path.display().to_string()).collect::<Vec<_>>());
    Ok(())
}
