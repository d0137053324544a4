//! Where a table is to be written, and the checks that can be made before any work.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::destination::{Destination, Naming, Unfinished};
use crate::format::{Compression, Format};
use crate::{EngineError, Source};

/// Where a table is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file. A pipe or a device (`/dev/null`) is written to in place.
    File(PathBuf),
    /// Standard output.
    Stdout,
}

impl Target {
    /// The target's name in messages.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdout => "standard output".to_owned(),
        }
    }

    /// Checks, before a model is loaded or a row is read, that this target can be written and is not a file of
    /// `source`, not even through a link.
    ///
    /// # Errors
    /// When it is, or when its folder does not exist or the target is a folder itself.
    pub fn check(&self, source: &Source) -> Result<(), EngineError> {
        let Self::File(path) = self else { return Ok(()) };
        if path.is_dir() {
            return Err(EngineError::OutputIsFolder { path: self.name() });
        }
        if !folder_of(path).is_dir() {
            return Err(EngineError::NoOutputFolder { path: self.name() });
        }
        if path.is_file() && source.local_paths().any(|input| same_file(path, input)) {
            return Err(EngineError::OutputIsInput { path: self.name() });
        }
        Ok(())
    }

    /// The compression that the name asks for.
    pub(super) fn compression(&self, format: Format) -> Result<Compression, EngineError> {
        let compression = match self {
            Self::File(path) => Compression::of_name(&path.to_string_lossy()).1,
            Self::Stdout => Compression::None,
        };
        match (format, compression) {
            (Format::Txt, _) => Err(EngineError::NotAnOutputFormat { what: "txt".to_owned() }),
            (Format::Parquet, Compression::Gzip | Compression::Zstd) => {
                Err(EngineError::NotAnOutputFormat { what: format!("parquet within {}", compression.name()) })
            }
            _ => Ok(compression),
        }
    }

    /// Opens the target for writing.
    pub(super) fn open(&self, naming: Naming) -> Result<Destination, EngineError> {
        let Self::File(path) = self else { return Ok(Destination::Stream(Box::new(std::io::stdout()))) };
        // A link keeps pointing to the file, which is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => Err(EngineError::OutputIsFolder { path: self.name() }),
            Ok(metadata) if !metadata.is_file() => {
                let device = OpenOptions::new().write(true).open(&path);
                device
                    .map(|file| Destination::Stream(Box::new(file)))
                    .map_err(|source| EngineError::writing(&self.name(), source))
            }
            _ if !folder_of(&path).is_dir() => Err(EngineError::NoOutputFolder { path: self.name() }),
            _ => Unfinished::create(&path, folder_of(&path), naming)
                .map(Destination::File)
                .map_err(|source| EngineError::writing(&self.name(), source)),
        }
    }
}

/// A small file that is written at once, and only when all of it is there: a report beside a table.
///
/// It is opened before the work that fills it, so that an unwritable location is reported before there is something
/// to lose. Dropped, or [discarded](super::discard_unfinished), it leaves nothing behind.
///
/// ```
/// use albertine_engine::{Target, WholeFile};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("metrics.json");
/// let file = WholeFile::create(&Target::File(path.clone()))?;
/// assert!(!path.exists());
/// file.finish(b"{}")?;
/// assert_eq!(std::fs::read(path)?, b"{}");
/// # Ok(())
/// # }
/// ```
pub struct WholeFile {
    destination: Destination,
    name: String,
}

impl WholeFile {
    /// Opens the target.
    ///
    /// # Errors
    /// When it cannot be written, its folder does not exist, or it is a folder itself.
    pub fn create(target: &Target) -> Result<Self, EngineError> {
        Ok(Self { destination: target.open(Naming::Random)?, name: target.name() })
    }

    /// Writes all of it and moves it into place.
    ///
    /// # Errors
    /// When it cannot be written, or was discarded meanwhile.
    pub fn finish(mut self, bytes: &[u8]) -> Result<(), EngineError> {
        self.destination.write_all(bytes).map_err(|source| EngineError::writing(&self.name, source))?;
        self.destination.finish(&self.name)
    }
}

impl std::fmt::Debug for WholeFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WholeFile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether two paths lead to one file, by any kind of link.
fn same_file(one: &Path, two: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if let (Ok(one), Ok(two)) = (one.metadata(), two.metadata()) {
            return (one.dev(), one.ino()) == (two.dev(), two.ino());
        }
    }
    matches!((fs::canonicalize(one), fs::canonicalize(two)), (Ok(one), Ok(two)) if one == two)
}
