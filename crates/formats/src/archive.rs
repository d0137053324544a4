//! An archive whose entries have been looked over before any of them is read.

pub(crate) mod tar;
mod zip;

use std::collections::BTreeMap;
use std::path::Path;

use self::tar::Tar;
use self::zip::Zip;
use super::place::{ReadSeek, is_inside};
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

/// The kinds of archive that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Zip,
    Tar,
    /// A tar archive as one gzip stream.
    TarGz,
}

/// Bytes that tell the kind.
pub(crate) const MAGIC: usize = 4096;

impl Kind {
    /// The kind of a file that begins like this, with [`MAGIC`] bytes if it has as many.
    pub(crate) fn of(beginning: &[u8]) -> Option<Self> {
        // Zip archives with entries and without.
        if beginning.starts_with(b"PK\x03\x04") || beginning.starts_with(b"PK\x05\x06") {
            return Some(Self::Zip);
        }
        if tar::is_tar(beginning) {
            return Some(Self::Tar);
        }
        tar::is_tar_gz(beginning).then_some(Self::TarGz)
    }
}

/// The looked-over files of an archive.
pub(crate) struct Archive {
    packed: Packed,
    /// Files by name, with their place in the archive. Folders that have no files are left out.
    files: BTreeMap<String, usize>,
}

enum Packed {
    Zip(Zip),
    Tar(Tar),
}

impl Archive {
    /// Reads the directory of an archive of `size` bytes and looks at every entry; `path` is what errors call it.
    pub(crate) fn open(kind: Kind, reader: Box<dyn ReadSeek>, size: u64, path: &Path) -> Result<Self, FormatError> {
        let mut entries = Entries { path, files: BTreeMap::new(), unpacked: 0 };
        let packed = match kind {
            Kind::Zip => Packed::Zip(Zip::open(reader, size, path, &mut entries)?),
            Kind::Tar | Kind::TarGz => Packed::Tar(Tar::open(reader, kind == Kind::TarGz, size, path, &mut entries)?),
        };
        Ok(Self { packed, files: entries.files })
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
        let missing = || FormatError::MissingFile { path: path.to_owned() };
        let place = *self.files.get(name).ok_or_else(missing)?;
        match &self.packed {
            Packed::Zip(zip) => zip.read(place, limit, path),
            Packed::Tar(tar) => tar.read(place, limit, path),
        }
    }
}

/// The entries of an archive that is being looked over.
struct Entries<'p> {
    path: &'p Path,
    files: BTreeMap<String, usize>,
    unpacked: u64,
}

impl Entries<'_> {
    fn refuse(&self, name: &str, fault: &'static str) -> FormatError {
        FormatError::ArchiveEntry { path: self.path.to_owned(), entry: shortened(name), fault }
    }

    /// Refuses a name that leads out of the archive; that of a folder ends in a slash.
    fn check_name(&self, name: &str) -> Result<(), FormatError> {
        if is_inside(name.strip_suffix('/').unwrap_or(name)) {
            return Ok(());
        }
        Err(self.refuse(name, "has a name that leads out of the archive or that is no name"))
    }

    /// Adds an entry that has been looked at.
    fn add(&mut self, name: String, place: usize, size: u64) -> Result<(), FormatError> {
        self.unpacked = self.unpacked.saturating_add(size);
        if self.unpacked > MAX_UNPACKED {
            return Err(FormatError::TooLarge { path: self.path.to_owned(), size: self.unpacked, limit: MAX_UNPACKED });
        }
        if !name.ends_with('/') && !name.split('/').any(|part| part == JUNK) {
            self.files.insert(name, place);
        }
        Ok(())
    }
}

/// Refuses a file that is empty or larger than `limit`.
fn check_size(size: u64, limit: u64, path: &Path) -> Result<(), FormatError> {
    match size {
        0 => Err(FormatError::EmptyFile { path: path.to_owned() }),
        _ if size > limit => Err(FormatError::TooLarge { path: path.to_owned(), size, limit }),
        _ => Ok(()),
    }
}

/// Room for so many bytes, if there is as much memory.
fn room(size: u64, path: &Path) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::new();
    let room = usize::try_from(size).unwrap_or(usize::MAX);
    let no_room = |error| FormatError::Io { path: path.to_owned(), source: std::io::Error::other(error) };
    bytes.try_reserve_exact(room).map_err(no_room)?;
    Ok(bytes)
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
