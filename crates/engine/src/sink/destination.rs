//! Files that are moved into place when they are complete, and the registry of those that are not.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use crate::EngineError;

/// The temporary files of this process by number. Whoever renames or removes one holds the lock meanwhile.
static UNFINISHED: Mutex<BTreeMap<u64, PathBuf>> = Mutex::new(BTreeMap::new());

/// The number of the next temporary file.
static NEXT: AtomicU64 = AtomicU64::new(0);

fn unfinished() -> MutexGuard<'static, BTreeMap<u64, PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the temporary files of all sinks that are being written, and makes those sinks fail in
/// [`Sink::finish`](super::Sink::finish).
///
/// Returns the number of files removed. It is meant for the handler of an interrupt, just before the process exits,
/// when nothing is dropped any more. A file that is getting its name at this moment is waited for, and stays.
pub fn discard_unfinished() -> usize {
    let mut files = unfinished();
    // A file that cannot be removed, or is gone already, is not one that this removed; nobody is left to be told more.
    std::mem::take(&mut *files).into_values().filter(|path| fs::remove_file(path).is_ok()).count()
}

/// How the names of temporary files end.
pub(crate) const SUFFIX: &str = ".partial";

/// What a temporary file is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// A name that nothing has.
    Random,
    /// The same name in each run, so that a run takes the place of what one that was killed has left. Only one run at a
    /// time may write to the target.
    Fixed,
}

/// What the bytes of a table go to.
pub(super) enum Destination {
    File(Unfinished),
    Stream(Box<dyn Write + Send>),
}

/// A file under its temporary name. Dropped, it is removed.
#[derive(Debug)]
pub(super) struct Unfinished {
    id: u64,
    file: Option<NamedTempFile>,
    target: PathBuf,
}

impl Unfinished {
    /// A new file in `folder` that is to become `target`, with the permissions of the file in its place or those of any
    /// new file.
    pub(super) fn create(target: &Path, folder: &Path, naming: Naming) -> io::Result<Self> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let prefix = format!(".{name}{}", if naming == Naming::Random { "." } else { "" });
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX);
        if naming == Naming::Fixed {
            builder.rand_bytes(0);
            match fs::remove_file(folder.join(format!("{prefix}{SUFFIX}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The process's mask is applied to it, as to any file.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let mut files = unfinished();
        let file = builder.tempfile_in(folder)?;
        // Never used again: a number that comes back could be taken for that of a file finished just before.
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        files.insert(id, file.path().to_owned());
        drop(files);
        let unfinished = Self { id, file: Some(file), target: target.to_owned() };
        if let (Ok(old), Some(file)) = (target.metadata(), &unfinished.file) {
            file.as_file().set_permissions(old.permissions())?;
        }
        Ok(unfinished)
    }

    fn file(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().map(NamedTempFile::as_file_mut).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Moves the file to its target; `false` if it was discarded meanwhile.
    fn finish(mut self) -> io::Result<bool> {
        self.file()?.sync_all()?;
        {
            let mut files = unfinished();
            let Some(file) = self.file.take().filter(|_| files.contains_key(&self.id)) else { return Ok(false) };
            file.persist(&self.target).map_err(|error| error.error)?;
            files.remove(&self.id);
        }
        // The new name is on the disk when its folder is. Not every file system can do that, and the rows are safe
        // without.
        #[cfg(unix)]
        if let Some(folder) = self.target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(true)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut files = unfinished();
        self.file = None;
        files.remove(&self.id);
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(unfinished) => unfinished.file()?.write(bytes),
            Self::Stream(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(unfinished) => unfinished.file()?.flush(),
            Self::Stream(stream) => stream.flush(),
        }
    }
}

impl Destination {
    /// Whether someone may be waiting for the rows as they come.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(_))
    }

    /// Completes what was written under `name`.
    pub(super) fn finish(self, name: &str) -> Result<(), EngineError> {
        match self {
            Self::Stream(mut stream) => stream.flush().map_err(|source| EngineError::writing(name, source)),
            Self::File(unfinished) => match unfinished.finish() {
                Ok(true) => Ok(()),
                Ok(false) => Err(EngineError::Discarded { path: name.to_owned() }),
                Err(source) => Err(EngineError::writing(name, source)),
            },
        }
    }
}
