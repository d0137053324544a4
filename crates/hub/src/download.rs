//! One file from a server to a place on disk: resumed where it broke off, checked, and moved into place whole.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread;

use albertine_model::Folder;
use serde::{Deserialize, Serialize};
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED};
use url::Url;

use super::checksum::Checksum;
use super::http::{Answer, Client, Failure, Rest, shown};
use super::{HubError, Progress, Transfer};

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 16;

/// The file that is wanted.
pub(super) struct Wanted<'a> {
    /// The model that it belongs to, as it was asked for.
    pub(super) model: &'a str,
    pub(super) url: &'a Url,
    /// Where it shall be. Until it is whole it is beside, with `.part` after its name.
    pub(super) target: &'a Path,
    /// The most bytes that it may have.
    pub(super) most: u64,
    /// Its sum, where that is known beforehand.
    pub(super) checksum: Option<Checksum>,
    pub(super) kind: Kind,
}

/// What is known of a file that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    Plain,
    /// It is to be a sound archive.
    Archive,
    /// The server is one of Hugging Face's kind, which tells size and SHA-256 of a large file before it leads on to it.
    Linked,
}

/// What the part of a file is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    url: String,
    /// An `ETag` or a `Last-Modified`, which the server compares.
    validator: String,
}

/// What came of one attempt that brought the whole file.
struct Whole {
    commit: Option<String>,
    /// The sum that the server told.
    linked: Option<Checksum>,
}

/// Fetches a file, and gives the commit that it is of, if the server told.
///
/// # Errors
/// When the server refuses, cannot be reached, or sends something too large or with another sum than it should have.
pub(super) fn fetch(client: &Client, wanted: &Wanted<'_>, progress: &dyn Progress) -> Result<Option<String>, HubError> {
    let mut part = Part::open(wanted)?;
    loop {
        let resumed = part.size > 0;
        let whole = part.complete(client, wanted, progress)?;
        let sums = [whole.linked.as_ref(), wanted.checksum.as_ref()];
        let fault = sums.into_iter().flatten().find_map(|expected| part.fault(wanted, expected).transpose());
        match fault {
            None => {
                part.check(wanted)?;
                part.settle(wanted.target)?;
                return Ok(whole.commit);
            }
            // what was here before may have been at fault
            Some(Ok(_)) if resumed => part.restart()?,
            Some(Ok(fault)) => {
                part.discard();
                return Err(fault);
            }
            Some(Err(error)) => return Err(error),
        }
    }
}

/// What is here of a file.
struct Part {
    path: PathBuf,
    file: File,
    size: u64,
    /// What it is a part of; without that it cannot be resumed.
    version: Option<Version>,
}

impl Part {
    /// Opens what is here, and takes it if it can be told what it is a part of.
    fn open(wanted: &Wanted<'_>) -> Result<Self, HubError> {
        let path = beside(wanted.target, ".part");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(HubError::io("create", folder))?;
        }
        let version = fs::read(version_path(&path)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let version = version.filter(|version: &Version| version.url == wanted.url.as_str());
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).read(true).open(&path).map_err(HubError::io("write", &path))?;
        let size = file.metadata().map_err(HubError::io("read", &path))?.len();
        let mut part = Self { path, file, size, version };
        if part.version.is_none() || part.size > wanted.most {
            part.restart()?;
        }
        Ok(part)
    }

    /// Asks until the whole file is here. An attempt that brings something does not count.
    fn complete(&mut self, client: &Client, wanted: &Wanted<'_>, progress: &dyn Progress) -> Result<Whole, HubError> {
        let (mut failures, mut pause) = (0, client.limits.first_pause);
        loop {
            let before = self.size;
            let (reason, asked) = match self.attempt(client, wanted, progress) {
                Ok(whole) => return Ok(whole),
                Err(Failure::Lasting(error)) => {
                    if self.size == 0 {
                        self.discard();
                    }
                    return Err(error);
                }
                Err(Failure::Passing(reason, asked)) => (reason, asked),
            };
            if self.size > before {
                (failures, pause) = (0, client.limits.first_pause);
            }
            failures += 1;
            if failures >= client.limits.attempts {
                if self.size == 0 {
                    self.discard();
                }
                return Err(HubError::Unreachable { url: shown(wanted.url), reason });
            }
            let wait = asked.unwrap_or(pause);
            progress.retrying(&reason, wait);
            thread::sleep(wait);
            pause *= 2;
        }
    }

    /// One request, and all that comes of it.
    fn attempt(&mut self, client: &Client, wanted: &Wanted<'_>, progress: &dyn Progress) -> Result<Whole, Failure> {
        let version = self.version.clone();
        let rest = version
            .as_ref()
            .filter(|_| self.size > 0)
            .map(|version| Rest { from: self.size, validator: &version.validator });
        let mut answer = client.get(wanted.url, rest.as_ref())?;
        let linked = wanted.kind == Kind::Linked;
        let whole = Whole {
            commit: answer.first_header("x-repo-commit").map(str::to_owned).filter(|_| linked),
            linked: linked_sum(&answer).filter(|_| linked),
        };
        if let Some(size) = linked.then(|| answer.first_header("x-linked-size")).flatten() {
            within(wanted, size.parse().unwrap_or(0))?;
        }
        let total = match answer.status {
            200 => {
                let total = answer.header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
                within(wanted, total.unwrap_or(0))?;
                self.restart()?;
                total
            }
            206 => {
                let range = answer.header(CONTENT_RANGE).and_then(content_range);
                let Some((_, total)) = range.filter(|&(start, _)| start == Some(self.size) && rest.is_some()) else {
                    self.restart()?;
                    return Err(Failure::Passing("it sent another part than was asked for".to_owned(), None));
                };
                within(wanted, total.unwrap_or(0))?;
                total
            }
            416 if rest.is_some() => {
                let range = answer.header(CONTENT_RANGE).and_then(content_range);
                if range.is_some_and(|(_, total)| total == Some(self.size)) {
                    return Ok(whole);
                }
                self.restart()?;
                return Err(Failure::Passing(
                    "it has another version than the one of which a part is here".to_owned(),
                    None,
                ));
            }
            status @ (408 | 425 | 429 | 500..=599) => {
                return Err(Failure::Passing(format!("it answered {status}"), answer.retry_after()));
            }
            status => {
                let explanation = answer.first_header("x-error-message").unwrap_or_default().to_owned();
                return Err(HubError::Status { url: shown(wanted.url), status, explanation }.into());
            }
        };
        self.remember(wanted, &answer)?;
        progress.started(&Transfer {
            model: wanted.model,
            file: &file_name(wanted.target),
            url: &shown(wanted.url),
            size: total,
            resumed: self.size,
        });
        let received = self.receive(&mut answer.body, wanted, progress);
        progress.finished();
        received?;
        match total {
            Some(total) if self.size < total => {
                Err(Failure::Passing(format!("it broke off after {} of {total} bytes", self.size), None))
            }
            _ => Ok(whole),
        }
    }

    /// Appends what comes.
    fn receive(&mut self, body: &mut dyn Read, wanted: &Wanted<'_>, progress: &dyn Progress) -> Result<(), Failure> {
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = match body.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Failure::Passing(format!("it broke off after {} bytes: {error}", self.size), None));
                }
            };
            if let Err(error) = within(wanted, self.size + read as u64) {
                self.discard();
                return Err(error.into());
            }
            self.file.write_all(&chunk[..read]).map_err(HubError::io("write", &self.path))?;
            self.size += read as u64;
            progress.advanced(self.size);
        }
    }

    /// Writes down what the part is a part of, before anything of it comes.
    fn remember(&mut self, wanted: &Wanted<'_>, answer: &Answer) -> Result<(), HubError> {
        // a weak tag promises no equal bytes
        let tag = answer.header(ETAG).filter(|tag| !tag.starts_with("W/"));
        let validator = tag.or_else(|| answer.header(LAST_MODIFIED));
        let version =
            validator.map(|validator| Version { url: wanted.url.as_str().to_owned(), validator: validator.to_owned() });
        if version == self.version {
            return Ok(());
        }
        let path = version_path(&self.path);
        match &version {
            Some(version) => {
                let bytes = serde_json::to_vec(version).map_err(std::io::Error::other);
                bytes.and_then(|bytes| fs::write(&path, bytes)).map_err(HubError::io("write", &path))?;
            }
            None => drop(fs::remove_file(&path)),
        }
        self.version = version;
        Ok(())
    }

    /// What is wrong with the whole file, if it has another sum than it should have.
    fn fault(&self, wanted: &Wanted<'_>, expected: &Checksum) -> Result<Option<HubError>, HubError> {
        let found = expected.of_file(&self.path).map_err(HubError::io("read", &self.path))?;
        Ok((found != *expected).then(|| HubError::Checksum {
            url: shown(wanted.url),
            kind: expected.kind(),
            expected: expected.digits().to_owned(),
            found: found.digits().to_owned(),
        }))
    }

    /// Looks at the entries of an archive, so that one that is unsound or would write outside its folder never gets its
    /// place.
    fn check(&mut self, wanted: &Wanted<'_>) -> Result<(), HubError> {
        if wanted.kind != Kind::Archive {
            return Ok(());
        }
        Folder::open(&self.path).map(drop).map_err(|source| {
            self.discard();
            HubError::Archive { url: shown(wanted.url), source: Box::new(source.into()) }
        })
    }

    /// Starts anew.
    fn restart(&mut self) -> Result<(), HubError> {
        self.file.set_len(0).map_err(HubError::io("write", &self.path))?;
        self.size = 0;
        Ok(())
    }

    /// Removes what is here.
    fn discard(&mut self) {
        let _ = fs::remove_file(version_path(&self.path));
        let _ = fs::remove_file(&self.path);
    }

    /// Moves the whole file to its place.
    fn settle(self, target: &Path) -> Result<(), HubError> {
        self.file.sync_all().map_err(HubError::io("write", &self.path))?;
        fs::rename(&self.path, target).map_err(HubError::io("write", target))?;
        let _ = fs::remove_file(version_path(&self.path));
        Ok(())
    }
}

/// Refuses a size that is more than the file may have.
fn within(wanted: &Wanted<'_>, size: u64) -> Result<(), HubError> {
    if size <= wanted.most {
        return Ok(());
    }
    Err(HubError::TooLarge { url: shown(wanted.url), size, most: wanted.most })
}

/// The sum that a server of Hugging Face's kind tells: the tag of a large file is its SHA-256, that of a small one
/// something else.
fn linked_sum(answer: &Answer) -> Option<Checksum> {
    let tag = answer.first_header("x-linked-etag").or_else(|| answer.first_header("etag"))?;
    Checksum::parse(tag.trim_matches('"')).filter(|sum| matches!(sum, Checksum::Sha256(_)))
}

/// The first byte and the whole size that `bytes 5-9/10`, `bytes 5-9/*` and `bytes */10` tell.
fn content_range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let start = range.split_once('-').and_then(|(start, _)| start.trim().parse().ok());
    Some((start, total.trim().parse().ok()))
}

/// The path with something after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn version_path(part: &Path) -> PathBuf {
    beside(part, ".json")
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_told_in_three_ways() {
        assert_eq!(content_range("bytes 5-9/10"), Some((Some(5), Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((Some(5), None)));
        assert_eq!(content_range("bytes */10"), Some((None, Some(10))));
        assert_eq!(content_range("pages 1-2/3"), None);
        assert_eq!(content_range("bytes 18446744073709551616-0/1"), Some((None, Some(1))));
    }

    #[test]
    fn a_part_lies_beside() {
        assert_eq!(beside(Path::new("a/b.zip"), ".part"), Path::new("a/b.zip.part"));
    }
}
