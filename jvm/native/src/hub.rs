//! Models by name, with a word on what is fetched.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use albertine::Error;
use albertine::hub::{Entry, Hub, ModelSource, Progress, Transfer, Version};

use crate::failure::Failure;
use crate::message::{Reader, Writer};

/// Tells on stderr what is fetched, in the words of Spark NLP.
struct Talk;

fn say(line: &str) {
    // a program without stderr hears nothing
    let _ = writeln!(std::io::stderr(), "{line}");
}

impl Progress for Talk {
    fn started(&self, transfer: &Transfer<'_>) {
        say(&format!("{} download started this may take some time.", transfer.model));
        if let Some(size) = transfer.size {
            say(&format!("Approximate size to download {:.1} MB", size as f64 / 1e6));
        }
    }

    fn finished(&self) {
        say("[OK!]");
    }

    fn retrying(&self, reason: &str, wait: Duration) {
        say(&format!("{reason}; tried again in {} s", wait.as_secs()));
    }

    fn waiting(&self, model: &str) {
        say(&format!("waiting for another process that is downloading {model}"));
    }
}

fn hub() -> Result<Hub, Error> {
    Ok(Hub::from_env()?.progress(Arc::new(Talk)))
}

/// Where the model of a name is, after it was fetched if it has to be: from `place`, if one is named, else from where the
/// environment says.
pub(crate) fn resolve(name: &str, lang: Option<&str>, place: Option<&str>) -> Result<ModelSource, Error> {
    let hub = match place {
        Some(place) => hub()?.places([place])?,
        None => hub()?,
    };
    match lang {
        Some(lang) => Ok(hub.resolve_language(name, lang)?),
        None => Ok(hub.resolve(name)?),
    }
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
    let (lang, version) = (request.optional()?, request.optional()?);
    let version = match version.map(|text| (text, Version::parse(text))) {
        Some((text, None)) => {
            let (value, expected) = (text.to_owned(), "numbers such as 3.4.0");
            return Err(Error::Param { stage: "the hub", name: "version", value, expected }.into());
        }
        asked => asked.and_then(|(_, version)| version),
    };
    let index = hub().and_then(|hub| Ok(hub.index()?))?;
    let reads = |entry: &Entry| match (&version, &entry.lib_version) {
        (Some(version), Some(found)) => version.reads(found),
        _ => true,
    };
    let speaks = |entry: &Entry| lang.is_none() || entry.language.is_none() || entry.language.as_deref() == lang;
    let entries: Vec<_> =
        index.entries().iter().filter(|entry| entry.ready_to_use && reads(entry) && speaks(entry)).collect();
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
