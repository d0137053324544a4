//! What is written down about a model that was fetched: where it came from, and the sums of its files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use url::Url;

use super::HubError;
use super::checksum::sha256;
use super::download::beside;
use super::http::shown;

/// The name of the record in a folder.
const NAME: &str = "source.json";

/// The largest record that is read.
const LARGEST: u64 = 1 << 20;

/// Where a model came from, and its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// The address.
    pub source: String,
    /// The files by name.
    pub files: BTreeMap<String, FileRecord>,
}

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileRecord {
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
}

impl Record {
    /// Looks at every file of a folder that came from `source`.
    pub(super) fn of_folder(source: &Url, folder: &Path) -> Result<Self, HubError> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(HubError::io("read", folder))? {
            let entry = entry.map_err(HubError::io("read", folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != NAME {
                files.insert(name, FileRecord::of(&entry.path())?);
            }
        }
        Ok(Self { source: shown(source), files })
    }

    /// Looks at a file that came from `source`.
    pub(super) fn of_file(source: &Url, path: &Path) -> Result<Self, HubError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { source: shown(source), files: BTreeMap::from([(name, FileRecord::of(path)?)]) })
    }

    /// Writes the record into the folder that it is about.
    pub(super) fn write_into(&self, folder: &Path) -> Result<(), HubError> {
        self.write(&folder.join(NAME))
    }

    /// Writes the record beside the file that it is about.
    pub(super) fn write_beside(&self, path: &Path) -> Result<(), HubError> {
        self.write(&beside(path, ".json"))
    }

    fn write(&self, path: &Path) -> Result<(), HubError> {
        let bytes = serde_json::to_vec_pretty(self).map_err(std::io::Error::other);
        bytes.and_then(|bytes| fs::write(path, bytes)).map_err(HubError::io("write", path))
    }

    /// The record of a folder or a file, if it has one.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let record = if path.is_dir() { path.join(NAME) } else { beside(path, ".json") };
        let small = fs::metadata(&record).is_ok_and(|file| file.len() <= LARGEST);
        small.then(|| serde_json::from_slice(&fs::read(&record).ok()?).ok()).flatten()
    }
}

impl FileRecord {
    fn of(path: &Path) -> Result<Self, HubError> {
        let size = fs::metadata(path).map_err(HubError::io("read", path))?.len();
        Ok(Self { size, sha256: sha256(path).map_err(HubError::io("read", path))? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_record_is_found_where_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let url = Url::parse("https://user:secret@a.org/m/?signature=1").unwrap();
        fs::write(folder.path().join("config.json"), "abc").unwrap();
        let record = Record::of_folder(&url, folder.path()).unwrap();
        assert_eq!(record.source, "https://a.org/m/");
        assert_eq!(record.files["config.json"].size, 3);
        record.write_into(folder.path()).unwrap();
        assert_eq!(Record::read(folder.path()), Some(record.clone()));
        // it does not speak of itself
        assert_eq!(Record::of_folder(&url, folder.path()).unwrap(), record);
        let file = folder.path().join("config.json");
        assert_eq!(Record::read(&file), None);
        Record::of_file(&url, &file).unwrap().write_beside(&file).unwrap();
        assert_eq!(Record::read(&file).unwrap().files, record.files);
    }
}
