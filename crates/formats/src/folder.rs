//! The files of a model, seen the same way in a directory and in an archive.

use std::fmt;
use std::fs::{self, File};
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archive::{Archive, Kind, MAGIC};
use super::place::{ReadSeek, is_inside};
use super::{files, lfs};
use crate::FormatError;

/// The most names in one folder of a directory. Models have a few dozen.
const MAX_NAMES: usize = 1 << 16;

/// Names of a folder's files that a message repeats at most.
const LISTED: usize = 8;

/// A folder of a model's files: a directory, or a zip or tar archive or a folder in one. It is cheap to clone.
///
/// Names are relative and have `/` between their parts on every system. An archive is refused when an entry has a name
/// that leads out of it, when two entries share a name or bytes, and when an entry is a link, is encrypted or would
/// unpack to absurdly more than it is; entries are unpacked in memory alone, when they are read.
///
/// A file that is a pointer of Git Large File Storage is an error, [`FormatError::LfsPointer`], whoever reads it.
///
/// ```
/// use albertine_formats::Folder;
///
/// let directory = tempfile::tempdir()?;
/// std::fs::create_dir(directory.path().join("assets"))?;
/// std::fs::write(directory.path().join("assets/labels.txt"), "World\nSports\n")?;
///
/// let folder = Folder::open(directory.path())?;
/// assert_eq!(folder.names()?, ["assets/"]);
/// assert_eq!(folder.read("assets/labels.txt", 1 << 20)?.as_deref(), Some(&b"World\nSports\n"[..]));
/// assert_eq!(folder.sub("assets").names()?, ["labels.txt"]);
/// assert_eq!(folder.read("config.json", 1 << 20)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Folder {
    root: Root,
    /// What errors call this folder.
    path: PathBuf,
    /// The folder's place in an archive: empty, or ending in a slash.
    prefix: String,
}

#[derive(Clone)]
enum Root {
    Directory,
    Archive(Arc<Archive>),
}

/// An open file, and its size in bytes.
pub type OpenFile = (Box<dyn ReadSeek>, u64);

impl Folder {
    /// Opens a directory, or a file that is a zip archive, a tar archive or a tar archive in gzip, whatever its name is. An
    /// archive whose files, but for hidden ones, are all in one folder is seen from inside that folder, however deep it
    /// lies.
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::NotADirectory`] for any other file, and every way for an archive to be unsound.
    pub fn open(path: &Path) -> Result<Self, FormatError> {
        let Some((kind, file)) = archive_at(path)? else {
            return Ok(Self { root: Root::Directory, path: path.to_owned(), prefix: String::new() });
        };
        let size = file.metadata().map_err(io_error(path))?.len();
        Self::of_archive(kind, Box::new(BufReader::new(file)), size, path)
    }

    /// Checks that a path leads to a directory or to a file that begins as an archive does; what is in it is not looked
    /// at.
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::LfsPointer`] and [`FormatError::NotADirectory`].
    pub fn check(path: &Path) -> Result<(), FormatError> {
        archive_at(path).map(drop)
    }

    /// Opens an archive that is in memory, such as one that was inside another; `origin` is what errors call it.
    ///
    /// # Errors
    /// Every way for an archive to be unsound.
    pub fn from_archive(bytes: Vec<u8>, origin: &Path) -> Result<Self, FormatError> {
        let size = bytes.len() as u64;
        let kind = Kind::of(bytes.get(..MAGIC).unwrap_or(&bytes)).unwrap_or(Kind::Zip);
        Self::of_archive(kind, Box::new(Cursor::new(bytes)), size, origin)
    }

    fn of_archive(kind: Kind, reader: Box<dyn ReadSeek>, size: u64, path: &Path) -> Result<Self, FormatError> {
        let archive = Archive::open(kind, reader, size, path)?;
        let top = archive.single_top_folder().map(str::to_owned);
        let folder = Self { root: Root::Archive(Arc::new(archive)), path: path.to_owned(), prefix: String::new() };
        Ok(match top {
            Some(top) => folder.sub(&top),
            None => folder,
        })
    }

    /// What errors call the folder: its path, for one in an archive as `model.zip/folder`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What errors call a file of the folder.
    #[must_use]
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder of that name in this one, whether or not it is there.
    #[must_use]
    pub fn sub(&self, name: &str) -> Self {
        let name = name.trim_end_matches('/');
        Self { root: self.root.clone(), path: self.path_of(name), prefix: format!("{}{name}/", self.prefix) }
    }

    /// Whether a file of that name is there. A name that leads out of the folder is nowhere.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        is_inside(name)
            && match &self.root {
                Root::Directory => self.path_of(name).is_file(),
                Root::Archive(archive) => archive.has(&self.entry(name)),
            }
    }

    /// Whether there is a folder of that name with anything in it.
    #[must_use]
    pub fn has_folder(&self, name: &str) -> bool {
        is_inside(name)
            && match &self.root {
                Root::Directory => self.path_of(name).is_dir(),
                Root::Archive(archive) => archive.names(&format!("{}/", self.entry(name))).next().is_some(),
            }
    }

    /// Reads a whole file of at most `limit` bytes, or gives `None` where there is none of that name.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`], before anything is read or unpacked, [`FormatError::EmptyFile`], and whatever the
    /// operating system or the archive says.
    pub fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, FormatError> {
        if !self.has(name) {
            return Ok(None);
        }
        let path = self.path_of(name);
        let bytes = match &self.root {
            Root::Directory => files::read(&path, limit)?,
            Root::Archive(archive) => archive.read(&self.entry(name), limit, &path)?,
        };
        lfs::refuse(&bytes, &path)?;
        Ok(Some(bytes))
    }

    /// Opens a file of at most `limit` bytes to be read from any place, and gives its size; one of an archive is
    /// unpacked in memory.
    ///
    /// # Errors
    /// As [`Folder::read`].
    pub fn reader(&self, name: &str, limit: u64) -> Result<Option<OpenFile>, FormatError> {
        if matches!(self.root, Root::Archive(_)) {
            return Ok(self.read(name, limit)?.map(|bytes| {
                let size = bytes.len() as u64;
                (Box::new(Cursor::new(bytes)) as Box<dyn ReadSeek>, size)
            }));
        }
        if !self.has(name) {
            return Ok(None);
        }
        let path = self.path_of(name);
        let (mut file, size) = files::open(&path, limit)?;
        let mut beginning = Vec::new();
        file.by_ref().take(lfs::POINTER.len() as u64).read_to_end(&mut beginning).map_err(io_error(&path))?;
        lfs::refuse(&beginning, &path)?;
        file.rewind().map_err(io_error(&path))?;
        Ok(Some((Box::new(BufReader::new(file)), size)))
    }

    /// The names of what stands directly in the folder, sorted; those of folders end in a slash. Names that are not
    /// Unicode are left out.
    ///
    /// # Errors
    /// [`FormatError::Io`], also for a directory that has absurdly many names.
    pub fn names(&self) -> Result<Vec<String>, FormatError> {
        let mut names = Vec::new();
        match &self.root {
            Root::Directory => {
                let io = |source| FormatError::Io { path: self.path.clone(), source };
                for entry in fs::read_dir(&self.path).map_err(io)? {
                    let entry = entry.map_err(io)?;
                    let Ok(mut name) = entry.file_name().into_string() else { continue };
                    if entry.path().is_dir() {
                        name.push('/');
                    }
                    names.push(name);
                    if names.len() > MAX_NAMES {
                        return Err(io(std::io::Error::other(format!("it holds more than {MAX_NAMES} names"))));
                    }
                }
            }
            Root::Archive(archive) => {
                for rest in archive.names(&self.prefix) {
                    let end = rest.find('/').map_or(rest.len(), |slash| slash + 1);
                    names.push(rest[..end].to_owned());
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// What the folder holds, in words, for a message about what it does not hold.
    ///
    /// # Errors
    /// As [`Folder::names`].
    pub fn listing(&self) -> Result<String, FormatError> {
        let mut names = self.names()?;
        let more = names.len().saturating_sub(LISTED);
        names.truncate(LISTED);
        Ok(match (names.is_empty(), more) {
            (true, _) => "nothing".to_owned(),
            (false, 0) => names.join(", "),
            (false, more) => format!("{} and {more} more", names.join(", ")),
        })
    }

    /// The name of a file in the archive.
    fn entry(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Folder").field(&self.path).finish()
    }
}

fn io_error(path: &Path) -> impl Fn(std::io::Error) -> FormatError + '_ {
    move |source| FormatError::Io { path: path.to_owned(), source }
}

/// The archive at a path, at its beginning; none where the path leads to a directory.
fn archive_at(path: &Path) -> Result<Option<(Kind, File)>, FormatError> {
    if fs::metadata(path).map_err(io_error(path))?.is_dir() {
        return Ok(None);
    }
    let mut file = File::open(path).map_err(io_error(path))?;
    let mut beginning = Vec::new();
    file.by_ref().take(MAGIC as u64).read_to_end(&mut beginning).map_err(io_error(path))?;
    lfs::refuse(&beginning, path)?;
    let kind = Kind::of(&beginning).ok_or_else(|| FormatError::NotADirectory { path: path.to_owned() })?;
    file.rewind().map_err(io_error(path))?;
    Ok(Some((kind, file)))
}

#[cfg(test)]
mod tests;
