//! The folder of a resumable run: its manifest, its parts, and the lock that keeps other processes out.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::part::{self, Head, Totals};
use crate::EngineError;
use crate::sink::SUFFIX;

const MANIFEST: &str = "manifest.json";
const FINISHED: &str = "finished";
const LOCK: &str = "lock";

/// The folder, held by this process until it is dropped.
#[derive(Debug)]
pub(super) struct PartsFolder {
    path: PathBuf,
    /// The lock goes with the process, however that ends.
    _lock: File,
}

/// A part that is there.
#[derive(Debug)]
pub(super) struct Part {
    /// The rows of its input up to its end.
    pub(super) end: u64,
    pub(super) path: PathBuf,
    pub(super) head: Head,
}

impl PartsFolder {
    /// Makes the folder if there is none, and takes it. What a run that was killed was writing is removed. `output` is
    /// the name in messages.
    pub(super) fn open(path: &Path, output: &str) -> Result<Self, EngineError> {
        let writing = |source| EngineError::writing(&path.display().to_string(), source);
        if fs::symlink_metadata(path).is_ok_and(|folder| folder.is_symlink()) {
            return Err(EngineError::LinkedParts { path: path.display().to_string() });
        }
        fs::create_dir_all(path).map_err(writing)?;
        let lock = File::create(path.join(LOCK)).map_err(writing)?;
        match lock.try_lock() {
            // A file system without locks has no protection from two runs at once.
            Ok(()) => {}
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::WouldBlock) => return Err(EngineError::InUse { path: output.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(writing(source)),
        }
        let folder = Self { path: path.to_owned(), _lock: lock };
        folder.remove(is_temporary)?;
        Ok(folder)
    }

    pub(super) fn manifest(&self) -> PathBuf {
        self.path.join(MANIFEST)
    }

    /// Where the part of so many rows of an input is.
    pub(super) fn part(&self, input: usize, start: u64, end: u64) -> PathBuf {
        self.path.join(format!("{input:06}-{start:012}-{end:012}.part"))
    }

    /// Where the rows of an input are that could not be read whole, if they are put aside.
    pub(super) fn rejected(&self, input: usize) -> PathBuf {
        self.path.join(format!("{input:06}.rejected"))
    }

    /// Where what was counted over an input with a table of its own is, when that table is in its place.
    fn done(&self, input: usize) -> PathBuf {
        self.path.join(format!("{input:06}.done"))
    }

    /// The parts of each input from its first row on, as far as they are done. What follows is removed: its rows would be
    /// read before those that are missing.
    pub(super) fn parts(&self, is_done: &dyn Fn(&Part) -> bool) -> Result<BTreeMap<usize, Vec<Part>>, EngineError> {
        let mut found = Vec::new();
        for name in self.names()? {
            if let Some((input, start, end)) = ranges(&name) {
                found.push((input, start, end, self.path.join(&name)));
            }
        }
        found.sort();
        let mut parts: BTreeMap<usize, Vec<Part>> = BTreeMap::new();
        for (input, start, end, path) in found {
            let before = parts.entry(input).or_default();
            let part = Part { end, head: part::head(&path)?, path };
            let follows = before.last().map_or(start == 0, |last| last.end == start && !last.head.is_last);
            // A part that was renamed would stand for other rows.
            let is_named_rightly = end.checked_sub(start) == Some(part.head.totals.rows);
            if follows && is_named_rightly && is_done(&part) {
                before.push(part);
            } else {
                remove_file(&part.path)?;
            }
        }
        Ok(parts)
    }

    /// What was counted over an input whose own table is in its place.
    pub(super) fn totals_of_done(&self, input: usize) -> Result<Option<Totals>, EngineError> {
        let path = self.done(input);
        if path.exists() { part::read_totals(&path).map(Some) } else { Ok(None) }
    }

    /// Notes that the own table of an input is in its place.
    pub(super) fn set_done(&self, input: usize, totals: &Totals) -> Result<(), EngineError> {
        part::write_totals(&self.done(input), totals)?;
        self.remove_parts_of(input)
    }

    /// Removes the parts of an input.
    pub(super) fn remove_parts_of(&self, input: usize) -> Result<(), EngineError> {
        self.remove(|name| ranges(name).is_some_and(|(of, ..)| of == input))
    }

    /// What was counted, if the one table of all inputs is in its place.
    pub(super) fn totals_of_finished(&self) -> Result<Option<Totals>, EngineError> {
        let path = self.path.join(FINISHED);
        if path.exists() { part::read_totals(&path).map(Some) } else { Ok(None) }
    }

    /// Notes that the one table of all inputs is in its place.
    pub(super) fn set_finished(&self, totals: &Totals) -> Result<(), EngineError> {
        part::write_totals(&self.path.join(FINISHED), totals)
    }

    /// Removes all that a run has written here; the manifest, which says that there is a run, at the end.
    pub(super) fn clear(&self) -> Result<(), EngineError> {
        self.remove(|name| is_ours(name) && ![MANIFEST, FINISHED, LOCK].contains(&name))?;
        self.remove(|name| name == MANIFEST)?;
        self.remove(|name| name == FINISHED)
    }

    /// Removes the folder, unless there is something in it that no run has written.
    pub(super) fn remove_all(self) -> Result<(), EngineError> {
        self.clear()?;
        let path = self.path.clone();
        // Some systems do not remove a file that is open.
        drop(self);
        remove_file(&path.join(LOCK))?;
        match fs::remove_dir(&path) {
            Err(source) if source.kind() != io::ErrorKind::DirectoryNotEmpty => {
                Err(EngineError::writing(&path.display().to_string(), source))
            }
            _ => Ok(()),
        }
    }

    fn remove(&self, is_wanted: impl Fn(&str) -> bool) -> Result<(), EngineError> {
        let names = self.names()?;
        names.iter().filter(|name| is_wanted(name)).try_for_each(|name| remove_file(&self.path.join(name)))
    }

    fn names(&self) -> Result<Vec<String>, EngineError> {
        let reading = |source| EngineError::reading(&self.path.display().to_string(), source);
        let entries = fs::read_dir(&self.path).map_err(reading)?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        names.collect::<Result<_, _>>().map_err(reading)
    }
}

/// Whether it is the name of a file that runs write here, under its own name or a temporary one.
fn is_ours(name: &str) -> bool {
    let of_input = |suffix: &str| {
        name.strip_suffix(suffix).is_some_and(|digits| digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit()))
    };
    [MANIFEST, FINISHED, LOCK].contains(&name)
        || ranges(name).is_some()
        || of_input(".done")
        || of_input(".rejected")
        || is_temporary(name)
}

/// Whether a file that runs write here was being written under this name.
fn is_temporary(name: &str) -> bool {
    let Some(name) = name.strip_prefix('.').and_then(|name| name.strip_suffix(SUFFIX)) else { return false };
    is_ours(name) || name.rsplit_once('.').is_some_and(|(name, _)| is_ours(name))
}

/// The input and the rows that the name of a part says.
fn ranges(name: &str) -> Option<(usize, u64, u64)> {
    let mut numbers = name.strip_suffix(".part")?.split('-');
    let range = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    numbers.next().is_none().then_some(range)
}

/// Removes a file, if it is there.
pub(super) fn remove_file(path: &Path) -> Result<(), EngineError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(EngineError::writing(&path.display().to_string(), source))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_part_says_its_rows() {
        assert_eq!(ranges("000003-000000008192-000000009000.part"), Some((3, 8192, 9000)));
        for other in ["000003.done", "lock", "000003-1.part", "1-2-3-4.part", "a-1-2.part"] {
            assert_eq!(ranges(other), None, "{other}");
        }
    }

    #[test]
    fn only_files_of_runs_are_ours() {
        let part = "000003-000000008192-000000009000.part";
        for name in [part, "000003.done", "000003.rejected", "lock", "manifest.json", ".manifest.json.aB3.partial"] {
            assert!(is_ours(name), "{name}");
        }
        assert!(is_temporary(&format!(".{part}.partial")) && !is_temporary(part));
        for name in ["keep.txt", ".partial", ".keep.txt.partial", "a.done", "3.done"] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
