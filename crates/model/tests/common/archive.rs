//! Folders of files as zip archives in memory, to be changed.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use albertine_model::{Checkpoint, Folder, ModelError};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Files by name.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// The files of a zip archive.
pub(crate) fn unzip(bytes: &[u8]) -> Files {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files = Vec::new();
    for place in 0..archive.len() {
        let mut entry = archive.by_index(place).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let name = entry.name().unwrap().into_owned();
        if !name.ends_with('/') {
            files.push((name, bytes));
        }
    }
    files
}

/// The files of a directory, those in directories in it included.
pub(crate) fn walk(directory: &Path) -> Files {
    let mut files = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap()).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            files.extend(walk(&entry.path()).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            files.push((name, std::fs::read(entry.path()).unwrap()));
        }
    }
    files
}

/// An archive of files that are stored as they are.
pub(crate) fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(name, SimpleFileOptions::default().compression_method(CompressionMethod::Stored)).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Reads files as a model.
pub(crate) fn open(files: &[(String, Vec<u8>)]) -> Result<Checkpoint, ModelError> {
    Checkpoint::read(&Folder::from_archive(zip(files), Path::new("m.zip"))?)
}

/// One of the files, to be changed.
pub(crate) fn file<'f>(files: &'f mut Files, name: &str) -> &'f mut Vec<u8> {
    let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    let found = files.iter_mut().find(|(known, _)| known == name);
    &mut found.unwrap_or_else(|| panic!("no {name} among {names:?}")).1
}
