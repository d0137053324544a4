//! Folders that appear when they are complete.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::FormatError;

/// A folder that is written beside its place and moved there when it is whole, so that nobody ever sees half of it.
///
/// It is on the same disk as its place, which the move needs. One that is dropped before it is finished is removed.
///
/// ```
/// use albertine_formats::WholeFolder;
///
/// let directory = tempfile::tempdir()?;
/// let place = directory.path().join("models/news");
/// let folder = WholeFolder::create(&place)?;
/// std::fs::write(folder.path().join("config.json"), "{}")?;
/// assert!(!place.exists());
/// folder.finish()?;
/// assert_eq!(std::fs::read_to_string(place.join("config.json"))?, "{}");
/// assert!(WholeFolder::create(&place).is_err()); // something is there
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WholeFolder {
    place: PathBuf,
    partial: PathBuf,
    /// What stands at the place may be replaced.
    replaces: bool,
}

impl WholeFolder {
    /// Begins a folder for a place where nothing is, or an empty folder.
    ///
    /// # Errors
    /// [`FormatError::Exists`] when something else is there, and [`FormatError::Write`].
    pub fn create(place: &Path) -> Result<Self, FormatError> {
        let taken = fs::read_dir(place).map_or(place.exists(), |mut entries| entries.next().is_some());
        if taken {
            return Err(FormatError::Exists { path: place.to_owned() });
        }
        Self::beside(place, false)
    }

    /// Begins a folder that will stand in the place of the one that is there, if any. Whether that one may go is for
    /// the caller to know.
    ///
    /// # Errors
    /// [`FormatError::Write`].
    pub fn replace(place: &Path) -> Result<Self, FormatError> {
        Self::beside(place, true)
    }

    fn beside(place: &Path, replaces: bool) -> Result<Self, FormatError> {
        let partial = beside(place, "partial");
        if let Some(parent) = partial.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(io(parent))?;
        }
        fs::create_dir(&partial).map_err(io(place))?;
        Ok(Self { place: place.to_owned(), partial, replaces })
    }

    /// Where it will stand.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Where to write until it is finished.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.partial
    }

    /// Flushes the files to the disk and moves the folder to its place. What stood there is moved aside first and comes
    /// back if that fails.
    ///
    /// # Errors
    /// [`FormatError::Write`], also when something has come to the place of a folder that was to be new.
    pub fn finish(self) -> Result<(), FormatError> {
        self.move_to_place().map_err(io(&self.place))
    }

    /// As [`finish`](Self::finish), for work that must not be lost: a folder that cannot be moved stays where it is.
    ///
    /// # Errors
    /// [`FormatError::NotMoved`], which says where.
    pub fn finish_or_keep(mut self) -> Result<(), FormatError> {
        let Err(source) = self.move_to_place() else { return Ok(()) };
        let kept = std::mem::take(&mut self.partial);
        Err(FormatError::NotMoved { path: self.place.clone(), kept, source })
    }

    fn move_to_place(&self) -> std::io::Result<()> {
        flush(&self.partial)?;
        if self.replaces {
            return replace_folder(&self.partial, &self.place);
        }
        remove_if_empty(&self.place);
        fs::rename(&self.partial, &self.place)
    }
}

/// Moves a complete folder to its place on the same disk, for folders that stay where they are until they are complete,
/// such as a download that is resumed. What stood there is moved aside first and comes back if the move fails.
///
/// # Errors
/// When a folder cannot be moved.
pub fn replace_folder(complete: &Path, place: &Path) -> std::io::Result<()> {
    remove_if_empty(place);
    if !place.exists() {
        return fs::rename(complete, place);
    }
    let old = beside(place, "old");
    fs::rename(place, &old)?;
    if let Err(source) = fs::rename(complete, place) {
        let _ = fs::rename(&old, place);
        return Err(source);
    }
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

/// Flushes all files below a folder to the disk, so that a power cut after the move leaves none of them empty.
fn flush(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => flush(&entry.path())?,
            false => fs::File::open(entry.path())?.sync_all()?,
        }
    }
    Ok(())
}

/// An empty folder in the way would keep another one from being moved on some systems.
fn remove_if_empty(place: &Path) {
    let _ = fs::remove_dir(place);
}

impl Drop for WholeFolder {
    fn drop(&mut self) {
        // Nothing is left of it when it was moved, and it has no path when it is kept.
        if !self.partial.as_os_str().is_empty() {
            let _ = fs::remove_dir_all(&self.partial);
        }
    }
}

/// A hidden name in the folder that `place` is in. Two threads that write to one place do not meet.
fn beside(place: &Path, what: &str) -> PathBuf {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut name = OsString::from(".");
    name.push(place.file_name().unwrap_or_default());
    name.push(format!(".{what}-{}-{number}", std::process::id()));
    place.with_file_name(name)
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> FormatError + '_ {
    move |source| FormatError::Write { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn a_folder_that_is_dropped_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let folder = WholeFolder::create(&directory.path().join("model")).unwrap();
        fs::write(folder.path().join("file"), "x").unwrap();
        assert_eq!(names(directory.path()).len(), 1);
        drop(folder);
        assert_eq!(names(directory.path()), [""; 0]);
    }

    #[test]
    fn only_an_empty_place_is_free() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("model");
        fs::create_dir(&place).unwrap();
        WholeFolder::create(&place).unwrap().finish().unwrap();
        fs::write(place.join("file"), "x").unwrap();
        assert!(matches!(WholeFolder::create(&place), Err(FormatError::Exists { .. })));
        let file = place.join("file");
        assert!(matches!(WholeFolder::create(&file), Err(FormatError::Exists { .. })));
    }

    #[test]
    fn what_is_replaced_stands_until_the_new_one_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("model");
        fs::create_dir(&place).unwrap();
        fs::write(place.join("old"), "x").unwrap();
        drop(WholeFolder::replace(&place).unwrap());
        assert_eq!(names(&place), ["old"]);
        let folder = WholeFolder::replace(&place).unwrap();
        fs::write(folder.path().join("new"), "x").unwrap();
        assert_eq!(names(&place), ["old"]);
        folder.finish().unwrap();
        assert_eq!(names(&place), ["new"]);
        assert_eq!(names(directory.path()), ["model"]);
    }

    #[test]
    fn a_folder_that_must_not_be_lost_is_kept_beside_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("model");
        let folder = WholeFolder::create(&place).unwrap();
        fs::write(folder.path().join("file"), "x").unwrap();
        fs::write(&place, "in the way").unwrap();
        let FormatError::NotMoved { path, kept, .. } = folder.finish_or_keep().unwrap_err() else { panic!() };
        assert_eq!(path, place);
        assert_eq!(names(&kept), ["file"]);
    }

    #[test]
    fn a_folder_that_has_come_to_the_place_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("model");
        let folder = WholeFolder::create(&place).unwrap();
        fs::create_dir(&place).unwrap();
        fs::write(place.join("other"), "x").unwrap();
        assert!(matches!(folder.finish(), Err(FormatError::Write { .. })));
        assert_eq!(names(&place), ["other"]);
        assert_eq!(names(directory.path()), ["model"]);
    }
}
