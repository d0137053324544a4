//! What a file was, to tell whether it still is.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 18;

/// The content of a file by its SHA-256, and what the file system says of it.
///
/// Reading a file again to know that it is the same takes as long as reading it. So the sum is trusted as long as size and
/// times are as they were, as `git` and `make` trust them; only when one of them differs is the file read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    stamp: Stamp,
    sha256: String,
}

/// What the file system says of a file. The time of the last change of any kind, which Unix keeps and no program sets,
/// tells of a write that set the other time back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    modified: String,
    changed: String,
}

impl Fingerprint {
    /// Of a file that was `known` before, if it was.
    pub(super) fn of(path: &Path, known: Option<&Self>) -> io::Result<Self> {
        let stamp = Stamp::of(&fs::metadata(path)?);
        let sha256 = match known.filter(|known| known.stamp == stamp) {
            Some(known) => known.sha256.clone(),
            None => sha256(&mut File::open(path)?)?,
        };
        Ok(Self { stamp, sha256 })
    }

    /// Of a file that is a part of the program.
    pub(super) fn of_bytes(mut bytes: &[u8]) -> io::Result<Self> {
        let stamp = Stamp { size: bytes.len() as u64, modified: String::new(), changed: String::new() };
        Ok(Self { stamp, sha256: sha256(&mut bytes)? })
    }

    /// Whether both have the same content.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }

    /// The SHA-256 of the content.
    pub(super) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.stamp.size
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified =
            since.map_or_else(String::new, |since| format!("{}.{:09}", since.as_secs(), since.subsec_nanos()));
        Self { size: metadata.len(), modified, changed: changed(metadata) }
    }
}

#[cfg(unix)]
fn changed(metadata: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    format!("{}.{:09}", metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_: &Metadata) -> String {
    String::new()
}

/// The SHA-256 of all that a reader gives, in hexadecimal digits.
pub(super) fn sha256(reader: &mut dyn Read) -> io::Result<String> {
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            Ok(count) => hash.update(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_that_is_only_touched_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "abc").unwrap();
        let before = Fingerprint::of(&path, None).unwrap();
        assert_eq!(before.sha256(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let time = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        let after = Fingerprint::of(&path, Some(&before)).unwrap();
        assert!(before != after && before.is_same(&after));
    }

    #[test]
    fn another_content_of_one_size_and_time_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "abc").unwrap();
        let before = Fingerprint::of(&path, None).unwrap();
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        // The clock of a file system may tick as slowly as a hundred times a second.
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, "abd").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        assert_eq!(before.is_same(&Fingerprint::of(&path, Some(&before)).unwrap()), !cfg!(unix));
    }
}
