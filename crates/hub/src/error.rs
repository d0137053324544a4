//! What can go wrong on the way to a model.

use std::io;
use std::path::{Path, PathBuf};

use albertine_model::ModelError;

/// Why a model could not be found or fetched; each variant names the file, the address or the setting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// No model has this name.
    #[error("there is no model named `{name}`{}", did_you_mean(nearest))]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// The nearest known names, best first.
        nearest: Vec<String>,
    },
    /// A path to a model leads to no directory and no archive.
    #[error("{} is not a model directory: {reason}", path.display())]
    NotAModelDirectory {
        /// What was asked for.
        path: PathBuf,
        /// What is there instead.
        reason: &'static str,
    },
    /// What may be a path or a repository leads to nothing as a path, and as a repository to this.
    #[error(
        "there is no folder or archive {name} on this machine, and no repository of that name can be downloaded: {}",
        short(refusal)
    )]
    NeitherPathNorRepository {
        /// What was asked for.
        name: String,
        /// What came of the repository.
        refusal: Box<HubError>,
    },
    /// A model that is imported is unsound.
    #[error(transparent)]
    Model(#[from] Box<ModelError>),
    /// The operating system refused a file of the cache.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Nobody answered, or the answer broke off, as often as it was tried.
    #[error("cannot download {url}: {reason}")]
    Unreachable {
        /// The address.
        url: String,
        /// What happened the last time.
        reason: String,
    },
    /// A server refused.
    #[error("{url} answered {status}{}", explained(explanation))]
    Status {
        /// The address.
        url: String,
        /// The status, such as 404.
        status: u16,
        /// What the server said beside it, or what is known to be behind it; may be empty.
        explanation: String,
    },
    /// A file is larger than the limit; nothing of it is kept.
    #[error("{url} is {size} bytes or more, over the limit of {most}")]
    TooLarge {
        /// The address.
        url: String,
        /// What the server claims, or what had come.
        size: u64,
        /// The limit.
        most: u64,
    },
    /// A file is not what it should be; nothing of it is kept.
    #[error("{url} is damaged: its {kind} is {found}, but should be {expected}")]
    Checksum {
        /// The address.
        url: String,
        /// The kind of the sum.
        kind: &'static str,
        /// What the sum should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// An archive is unsound; nothing of it is kept.
    #[error("{url} is not an archive of a model: {source}")]
    Archive {
        /// The address.
        url: String,
        /// What is wrong with it.
        source: Box<ModelError>,
    },
    /// A file is not what its name says; nothing of it is kept.
    #[error("{url} is not what a model has there: {reason}")]
    NotOfAModel {
        /// The address.
        url: String,
        /// What is there instead.
        reason: String,
    },
    /// An address leads on in a way that is not followed.
    #[error("{url} redirects to {location}, which is not followed: {reason}")]
    Redirect {
        /// The address.
        url: String,
        /// Where it leads.
        location: String,
        /// Why not.
        reason: &'static str,
    },
    /// An address that is none, or of a kind that is not fetched.
    #[error("cannot download `{url}`: {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting of the environment that means nothing.
    #[error("the environment variable {variable} is `{value}`: {reason}")]
    Setting {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Neither a setting nor the system tells where the cache is.
    #[error("there is no cache folder: neither ALBERTINE_CACHE nor {variable} is set")]
    NoCacheFolder {
        /// What the system has for it.
        variable: &'static str,
    },
    /// A model would have to be fetched, and the network is switched off.
    #[error("`{name}` is not on this machine, and network access is disabled")]
    Offline {
        /// The model.
        name: String,
        /// The file that it is published as, where it is one.
        archive: Option<String>,
    },
    /// An index would have to be fetched, and the network is switched off.
    #[error("the index {url} is not on this machine, and network access is disabled")]
    OfflineIndex {
        /// Its address.
        url: String,
    },
    /// None of the places that models are fetched from has it.
    #[error("`{name}` was not found in {}", places.join(", "))]
    NotAtAnyPlace {
        /// The file that was looked for.
        name: String,
        /// Where it was looked for.
        places: Vec<String>,
    },
    /// A repository or a folder of a server lacks what makes a model.
    #[error("{origin} has none of {files}")]
    NoModel {
        /// The repository or the address.
        origin: String,
        /// The files that are looked for.
        files: String,
    },
    /// A file that tells which files to read next is wrong.
    #[error("cannot read {}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// An index is none: not one of its lines describes a model, or none that is of use here.
    #[error("{origin} is not an index of models: {reason}")]
    NotAnIndex {
        /// The file or address.
        origin: String,
        /// What is wrong.
        reason: String,
    },
    /// A name that cannot be given to a model.
    #[error("a model cannot be called `{name}`: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The name of an imported model is taken.
    #[error("the model `{name}` already exists: {}", path.display())]
    Taken {
        /// The name.
        name: String,
        /// Where that model is.
        path: PathBuf,
    },
    /// A model is not in the cache, so that there is no path to it and nothing to remove.
    #[error("`{name}` is not in the cache {}", cache.display())]
    NotCached {
        /// The model.
        name: String,
        /// The cache.
        cache: PathBuf,
    },
    /// A model belongs to somebody else, who may need it.
    #[error("{} is not in Albertine's cache and was not removed", path.display())]
    NotOurs {
        /// Where the model is.
        path: PathBuf,
    },
    /// A model is part of the program.
    #[error("`{name}` is built into the program and has no file")]
    BuiltIn {
        /// The model.
        name: String,
    },
}

impl HubError {
    /// Makes an error of the operating system one of the hub.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// A refusal without the name of what was asked for.
fn short(refusal: &HubError) -> String {
    match refusal {
        HubError::Offline { .. } => "network access is disabled".to_owned(),
        other => other.to_string(),
    }
}

fn did_you_mean(nearest: &[String]) -> String {
    let names: Vec<String> = nearest.iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { String::new() } else { format!("; the nearest are {}", names.join(", ")) }
}

fn explained(explanation: &str) -> String {
    if explanation.is_empty() { String::new() } else { format!(": {explanation}") }
}
