//! Zip archives: a directory of entries, each of which can be unpacked by itself.

use std::io::Read;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use zip::ZipArchive;
use zip::result::ZipError;

use super::{Entries, FREELY_PACKED, MAX_ENTRIES, MAX_RATIO};
use crate::FormatError;
use crate::place::ReadSeek;

pub(super) struct Zip(Mutex<ZipArchive<Box<dyn ReadSeek>>>);

impl Zip {
    /// Reads the directory of an archive of `size` bytes and looks at every entry.
    pub(super) fn open(
        reader: Box<dyn ReadSeek>,
        size: u64,
        path: &Path,
        entries: &mut Entries<'_>,
    ) -> Result<Self, FormatError> {
        let unsound = |source| FormatError::Archive { path: path.to_owned(), source };
        let mut archive = ZipArchive::new(reader).map_err(unsound)?;
        if archive.len() > MAX_ENTRIES {
            return Err(FormatError::TooManyEntries { path: path.to_owned(), limit: MAX_ENTRIES });
        }
        for place in 0..archive.len() {
            let entry = archive.by_index_data(place).map_err(unsound)?;
            let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
            entries.check_name(&name)?;
            if entry.is_symlink() {
                return Err(entries.refuse(&name, "is a link"));
            }
            if entry.encrypted() {
                return Err(entries.refuse(&name, "is encrypted"));
            }
            let (packed, size) = (entry.compressed_size(), entry.size());
            if size > FREELY_PACKED && size / MAX_RATIO > packed {
                return Err(entries.refuse(&name, "would unpack to over 200 times its packed size"));
            }
            entries.add(name, place, size)?;
        }
        if archive.has_duplicate_names() {
            return Err(unsound(ZipError::InvalidArchive("two entries have the same name".into())));
        }
        if size > 0 && archive.has_overlapping_files().map_err(unsound)? {
            return Err(unsound(ZipError::InvalidArchive("two entries share bytes".into())));
        }
        Ok(Self(Mutex::new(archive)))
    }

    /// Unpacks the entry of a place, of at most `limit` bytes; `path` is what errors call it.
    pub(super) fn read(&self, place: usize, limit: u64, path: &Path) -> Result<Vec<u8>, FormatError> {
        let unsound = |source| FormatError::Archive { path: path.to_owned(), source };
        let io = |source| FormatError::Io { path: path.to_owned(), source };
        let mut archive = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = archive.by_index(place).map_err(unsound)?;
        let size = entry.size();
        super::check_size(size, limit, path)?;
        let mut bytes = super::room(size, path)?;
        // Reading to the end checks the checksum. The size is a claim, so the cap holds while unpacking, too.
        entry.take(size + 1).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 != size {
            return Err(unsound(ZipError::InvalidArchive("an entry unpacks to another size than it claims".into())));
        }
        Ok(bytes)
    }
}
