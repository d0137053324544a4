//! A zip archive whose entries have been looked over before any of them is read.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use zip::ZipArchive;
use zip::result::ZipError;

use super::folder::{ReadSeek, is_inside};
use crate::FormatError;

/// The most entries of an archive. A pipeline of some stages has a few hundred.
const MAX_ENTRIES: usize = 1 << 16;

/// The most bytes that all entries of an archive may unpack to.
const MAX_UNPACKED: u64 = 16 << 30;

/// Entries below this size may be packed as tightly as they like, in bytes.
const FREELY_PACKED: u64 = 1 << 20;

/// How many times its packed size a larger entry may have. Weights hardly shrink; text shrinks some ten times over.
const MAX_RATIO: u64 = 200;

/// What only some programs put into archives, and no model needs.
const JUNK: &str = "__MACOSX";

/// The folder of a stage of Spark that every stage has.
const METADATA: &str = "metadata";

/// The looked-over files of an archive.
pub(crate) struct Archive {
    archive: Mutex<ZipArchive<Box<dyn ReadSeek>>>,
    /// Files by name, with their place in the archive. Folders that have no files are left out.
    files: BTreeMap<String, usize>,
}

impl Archive {
    /// Reads the directory of an archive of `size` bytes and looks at every entry; `path` is what errors call it.
    pub(crate) fn open(reader: Box<dyn ReadSeek>, size: u64, path: &Path) -> Result<Self, FormatError> {
        let unsound = |source| FormatError::Archive { path: path.to_owned(), source };
        let mut archive = ZipArchive::new(reader).map_err(unsound)?;
        if archive.len() > MAX_ENTRIES {
            return Err(FormatError::TooManyEntries { path: path.to_owned(), limit: MAX_ENTRIES });
        }
        let mut files = BTreeMap::new();
        let mut unpacked = 0_u64;
        for place in 0..archive.len() {
            let entry = archive.by_index_data(place).map_err(unsound)?;
            let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
            let refused = |fault| FormatError::ArchiveEntry { path: path.to_owned(), entry: shortened(&name), fault };
            if !is_inside(name.strip_suffix('/').unwrap_or(&name)) {
                return Err(refused("has a name that leads out of the archive or that is no name"));
            }
            if entry.is_symlink() {
                return Err(refused("is a link"));
            }
            if entry.encrypted() {
                return Err(refused("is encrypted"));
            }
            let (packed, size) = (entry.compressed_size(), entry.size());
            if size > FREELY_PACKED && size / MAX_RATIO > packed {
                return Err(refused("would unpack to over 200 times its packed size"));
            }
            unpacked = unpacked.saturating_add(size);
            if !name.ends_with('/') && !name.split('/').any(|part| part == JUNK) {
                files.insert(name, place);
            }
        }
        if unpacked > MAX_UNPACKED {
            return Err(FormatError::TooLarge { path: path.to_owned(), size: unpacked, limit: MAX_UNPACKED });
        }
        if archive.has_duplicate_names() {
            return Err(unsound(ZipError::InvalidArchive("two entries have the same name".into())));
        }
        if size > 0 && archive.has_overlapping_files().map_err(unsound)? {
            return Err(unsound(ZipError::InvalidArchive("two entries share bytes".into())));
        }
        Ok(Self { archive: Mutex::new(archive), files })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// What follows `prefix` in the names of the files that begin with it, sorted.
    pub(crate) fn names<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.files.range(prefix.to_owned()..).map_while(move |(name, _)| name.strip_prefix(prefix))
    }

    /// The deepest folder that all files are in, if there is one: hidden files do not count, and the `metadata` of a stage is a
    /// part of it even where it has nothing else.
    pub(crate) fn single_top_folder(&self) -> Option<&str> {
        let mut names = self.files.keys().filter(|name| !name.split('/').any(is_hidden));
        let (mut top, _) = names.next()?.rsplit_once('/')?;
        for name in names {
            while !name.strip_prefix(top).is_some_and(|rest| rest.starts_with('/')) {
                (top, _) = top.rsplit_once('/')?;
            }
        }
        let above = top.split('/').take_while(|folder| *folder != METADATA);
        let end = above.map(|folder| folder.len() + 1).sum::<usize>().checked_sub(1)?;
        Some(&top[..end])
    }

    /// Unpacks a file of at most `limit` bytes; `path` is what errors call it.
    pub(crate) fn read(&self, name: &str, limit: u64, path: &Path) -> Result<Vec<u8>, FormatError> {
        let unsound = |source| FormatError::Archive { path: path.to_owned(), source };
        let io = |source| FormatError::Io { path: path.to_owned(), source };
        let place = *self.files.get(name).ok_or(ZipError::FileNotFound).map_err(unsound)?;
        let mut archive = self.archive.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = archive.by_index(place).map_err(unsound)?;
        let size = entry.size();
        if size == 0 {
            return Err(FormatError::EmptyFile { path: path.to_owned() });
        }
        if size > limit {
            return Err(FormatError::TooLarge { path: path.to_owned(), size, limit });
        }
        let mut bytes = Vec::new();
        let room = usize::try_from(size).unwrap_or(usize::MAX);
        bytes.try_reserve_exact(room).map_err(|error| io(std::io::Error::other(error)))?;
        // Reading to the end checks the checksum. The size is a claim, so the cap holds while unpacking, too.
        entry.take(size + 1).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 != size {
            return Err(unsound(ZipError::InvalidArchive("an entry unpacks to another size than it claims".into())));
        }
        Ok(bytes)
    }
}

/// Whether a part of a name is that of a hidden file or folder.
fn is_hidden(part: &str) -> bool {
    part.starts_with('.')
}

/// A name of an entry as messages repeat it.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}
