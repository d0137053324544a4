//! What a person calls a model: a name, a path, a repository, an address.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::HubError;
use super::archive_name::is_plain;
use super::http::shown;

/// The branch of a repository that is taken when none is named.
pub(super) const MAIN: &str = "main";

/// What was typed, by its shape alone; what is on disk is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// A word without a separator.
    Name(String),
    /// Something with separators that is no repository, and `file://`.
    Path(PathBuf),
    /// `owner/name` or `owner/name@revision`.
    Repository(Repository),
    /// `http://` or `https://`: an archive, or with `/` at its end a folder of files.
    Url(Url),
}

impl Reference {
    /// Reads what was typed.
    ///
    /// # Errors
    /// [`HubError::Url`] for an address that cannot be read or is of another kind.
    pub(super) fn parse(text: &str) -> Result<Self, HubError> {
        if text.contains("://") {
            return Ok(match Location::parse(text)? {
                Location::Path(path) => Self::Path(path),
                Location::Url(url) => Self::Url(url),
            });
        }
        if let Some(repository) = Repository::parse(text) {
            return Ok(Self::Repository(repository));
        }
        let path = PathBuf::from(text);
        if path.components().count() == 1 && is_plain(text) {
            return Ok(Self::Name(text.to_owned()));
        }
        Ok(Self::Path(path))
    }
}

/// A place of this machine or of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location {
    Path(PathBuf),
    Url(Url),
}

impl Location {
    /// Reads an address, or else a path.
    ///
    /// # Errors
    /// [`HubError::Url`] for an address that cannot be read or is of another kind.
    pub(super) fn parse(text: &str) -> Result<Self, HubError> {
        if !text.contains("://") {
            return Ok(Self::Path(PathBuf::from(text)));
        }
        let wrong = |reason: String| HubError::Url { url: text.to_owned(), reason };
        let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        match url.scheme() {
            "file" => {
                url.to_file_path().map(Self::Path).map_err(|()| wrong("it names no file of this machine".to_owned()))
            }
            "http" | "https" => Ok(Self::Url(url)),
            scheme => Err(HubError::Url {
                url: shown(&url),
                reason: format!("models come by https://, http:// or file://, not by {scheme}://"),
            }),
        }
    }

    /// As [`Location::parse`], of something that has files in it.
    ///
    /// # Errors
    /// As [`Location::parse`].
    pub(super) fn parse_folder(text: &str) -> Result<Self, HubError> {
        let mut location = Self::parse(text)?;
        if let Self::Url(url) = &mut location
            && !url.path().ends_with('/')
        {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(location)
    }

    /// The place of a file in this one.
    ///
    /// # Errors
    /// [`HubError::Url`] when an address cannot be continued with the name.
    pub(super) fn file(&self, name: &str) -> Result<Self, HubError> {
        match self {
            Self::Path(path) => Ok(Self::Path(path.join(name))),
            Self::Url(url) => url
                .join(name)
                .map(Self::Url)
                .map_err(|error| HubError::Url { url: shown(url), reason: error.to_string() }),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(&shown(url)),
        }
    }
}

/// A repository on the Hugging Face hub, at a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    pub(super) owner: String,
    pub(super) name: String,
    /// A branch, a tag or a commit.
    pub(super) revision: String,
}

impl Repository {
    /// Reads `owner/name` or `owner/name@revision`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (repository, revision) = text.split_once('@').unwrap_or((text, MAIN));
        let (owner, name) = repository.split_once('/')?;
        let plain_revision = revision.split('/').all(is_plain);
        (is_plain(owner) && is_plain(name) && plain_revision).then(|| Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
            revision: revision.to_owned(),
        })
    }

    /// The folder of the repository in a cache: `models--owner--name`, as the clients of Hugging Face call it.
    pub(super) fn folder(&self) -> String {
        format!("models--{}--{}", self.owner, self.name)
    }

    /// `owner/name`, and `@revision` where it is not the main one.
    pub(super) fn spelled(&self) -> String {
        let at = if self.revision == MAIN { String::new() } else { format!("@{}", self.revision) };
        format!("{}/{}{at}", self.owner, self.name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn repository(owner: &str, name: &str, revision: &str) -> Reference {
        Reference::Repository(Repository { owner: owner.into(), name: name.into(), revision: revision.into() })
    }

    #[test]
    fn the_shape_tells_what_is_meant() {
        let url = |text: &str| Reference::Url(Url::parse(text).unwrap());
        let path = |text: &str| Reference::Path(PathBuf::from(text));
        let cases = [
            ("ag_news", Reference::Name("ag_news".to_owned())),
            ("org/repo", repository("org", "repo", "main")),
            ("org/repo-v2.1@v1.0", repository("org", "repo-v2.1", "v1.0")),
            ("org/repo@refs/pr/1", repository("org", "repo", "refs/pr/1")),
            ("./ag_news", path("./ag_news")),
            ("../ag_news", path("../ag_news")),
            ("/models/ag_news", path("/models/ag_news")),
            ("models/a/b", path("models/a/b")),
            ("org/repo@../../x", path("org/repo@../../x")),
            (".", path(".")),
            ("", path("")),
            ("~/models", path("~/models")),
            ("https://a.org/m.zip", url("https://a.org/m.zip")),
        ];
        for (text, expected) in cases {
            assert_eq!(Reference::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn an_address_of_this_machine_is_a_path() {
        assert_eq!(Reference::parse("file:///tmp/a%20b.zip").unwrap(), Reference::Path(PathBuf::from("/tmp/a b.zip")));
        assert!(Reference::parse("file://elsewhere/a.zip").is_err());
    }

    #[test]
    fn a_place_with_files_is_a_folder_or_a_server() {
        assert_eq!(Location::parse_folder("/mnt/models").unwrap(), Location::Path(PathBuf::from("/mnt/models")));
        let server = Location::parse_folder("https://m.org/a").unwrap();
        assert_eq!(server.to_string(), "https://m.org/a/");
        assert_eq!(server.file("b.zip").unwrap().to_string(), "https://m.org/a/b.zip");
        assert!(Location::parse_folder("s3://bucket/").is_err());
    }

    #[test]
    fn other_addresses_are_refused() {
        let error = Reference::parse("s3://bucket/a.zip").unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot download `s3://bucket/a.zip`: models come by https://, http:// or file://, not by s3://"
        );
        let error = Reference::parse("ftp://user:secret@a.org/m.zip").unwrap_err().to_string();
        assert!(error.starts_with("cannot download `ftp://a.org/m.zip`"), "{error}");
        assert!(Reference::parse("https://").is_err());
    }

    #[test]
    fn a_repository_is_spelled_as_it_is_asked_for() {
        for text in ["org/repo", "org/repo@v2"] {
            assert_eq!(Repository::parse(text).unwrap().spelled(), text);
        }
        assert_eq!(Repository::parse("org/repo@v2").unwrap().folder(), "models--org--repo");
    }
}
