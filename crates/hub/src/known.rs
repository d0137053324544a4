//! The models that have a name here.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::archive_name::is_plain;
use super::archives::archives;
use super::cache::Cache;
use super::record::Record;
use super::reference::Repository;
use super::{Hub, HubError, Program};

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

impl<P: Program> Hub<P> {
    /// Every model that is part of the program, in the cache or in the index: of published ones the newest of each name
    /// and language.
    ///
    /// # Errors
    /// When the index in the cache cannot be read, or the setting of the places cannot be used.
    ///
    /// ```
    /// use albertine_hub::{Hub, Origin};
    /// let known = Hub::<()>::new("cache").known()?;
    /// assert_eq!(known[0].name, "albert_base_sequence_classifier_ag_news");
    /// assert_eq!(known[0].origin, Origin::SparkNlp);
    /// # Ok::<(), albertine_hub::HubError>(())
    /// ```
    pub fn known(&self) -> Result<Vec<Known>, HubError> {
        let mut known: Vec<Known> = P::built_in()
            .iter()
            .map(|model| Known {
                name: model.name.to_owned(),
                language: Some(model.language.to_owned()),
                origin: Origin::BuiltIn,
                summary: Some(model.summary.to_owned()),
                labels: Vec::new(),
                size: Some(model.files().iter().map(|(_, bytes)| bytes.len() as u64).sum()),
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
        let addresses = addresses(cache).into_iter();
        known.extend(addresses.map(|(record, path)| on_disk(record.source, Origin::Address, path)));
        Ok(known)
    }

    fn known_published(&self) -> Result<Vec<Known>, HubError> {
        let mut known: Vec<Known> = Vec::new();
        let mut entries = self.index()?.entries().to_vec();
        entries.retain(|entry| entry.ready_to_use);
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.milliseconds()));
        let mut seen = HashSet::new();
        for entry in entries {
            if !seen.insert((entry.name.clone(), entry.language.clone())) {
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
        for folder in self.folders()? {
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
}

/// The names of the folders in a folder that can be the names of models, sorted.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| is_plain(name) && !name.ends_with(".part"));
    names.sort();
    names
}

/// The models of a cache that were fetched by their address, which their records show.
pub(super) fn addresses(cache: &Cache) -> Vec<(Record, PathBuf)> {
    let folders = names(&cache.addresses()).into_iter().map(|hash| cache.addresses().join(hash));
    let entries = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    entries.map(|entry| entry.path()).filter_map(|path| Some((Record::read(&path)?, path))).collect()
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fmt::Write;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::program::tests::News;

    #[test]
    fn the_newest_of_each_name_and_language_is_known_and_many_do_not_take_long() {
        let cache = tempfile::tempdir().unwrap();
        let mut lines = String::new();
        for number in 0..40_000 {
            for (language, year) in [("en", 2022), ("en", 2023), ("de", 2021)] {
                if language == "de" && number > 0 {
                    continue;
                }
                writeln!(
                    lines,
                    "{{\"name\":\"albert_{number}\",\"language\":\"{language}\",\"readyToUse\":true,\
                     \"time\":\"{year}-01-01T00:00:00.000Z\",\"annotator\":\"AlbertForSequenceClassification\",\"size\":{year}}}"
                )
                .unwrap();
            }
        }
        fs::write(cache.path().join("index.jsonl"), lines).unwrap();
        let started = Instant::now();
        let known = Hub::<News>::new(cache.path()).known().unwrap();
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        let first = known.iter().filter(|model| model.name == "albert_0");
        let first: Vec<_> = first.map(|model| (model.language.as_deref().unwrap(), model.size.unwrap())).collect();
        assert_eq!(first, [("de", 2021), ("en", 2023)]);
        assert_eq!(known.iter().filter(|model| model.name.starts_with("albert_")).count(), 40_001 + 2);
    }
}
