//! Tar archives, as they are or as one gzip stream: entries one after the other, which are found by reading all of it.
//!
//! A stream cannot be entered in its middle, so small files are kept when the archive is looked over, and a large one is
//! unpacked from the beginning when it is read. Extensions of names are read here, not by the library: it would hold
//! whatever a name claims to have.

use std::collections::BTreeMap;
use std::io::{self, Read, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use flate2::read::MultiGzDecoder;
use tar::{EntryType, PaxExtensions};

use super::{Entries, FREELY_PACKED, MAX_ENTRIES, MAX_RATIO, MAX_UNPACKED};
use crate::FormatError;
use crate::place::ReadSeek;

/// Where a header says that it is one, and how.
const USTAR: (usize, &[u8]) = (257, b"ustar");

/// How a gzip stream begins.
const GZIP: &[u8] = b"\x1f\x8b";

/// The largest file that is kept in memory, in bytes; a vocabulary takes one or two million.
const SMALL: u64 = 4 << 20;

/// The most bytes that are kept of all small files.
const MAX_KEPT: u64 = 64 << 20;

/// The most bytes of an extension: a long name, or the attributes that some programs add.
const MAX_EXTENSION: u64 = 1 << 20;

/// Whether a file that begins like this is a tar archive.
pub(super) fn is_tar(beginning: &[u8]) -> bool {
    beginning.get(USTAR.0..).is_some_and(|rest| rest.starts_with(USTAR.1))
}

/// Whether a file that begins like this is a tar archive as a gzip stream.
pub(super) fn is_tar_gz(beginning: &[u8]) -> bool {
    let mut unpacked = Vec::new();
    // The beginning of a stream ends early, which does not matter.
    let _ = beginning
        .starts_with(GZIP)
        .then(|| MultiGzDecoder::new(beginning).take(super::MAGIC as u64).read_to_end(&mut unpacked));
    is_tar(&unpacked)
}

pub(super) struct Tar {
    reader: Mutex<Box<dyn ReadSeek>>,
    gzip: bool,
    /// The size of the archive in bytes.
    size: u64,
    /// Small files by their place in the archive.
    kept: BTreeMap<usize, Vec<u8>>,
}

impl Tar {
    /// Goes through an archive of `size` bytes and looks at every entry.
    pub(super) fn open(
        mut reader: Box<dyn ReadSeek>,
        gzip: bool,
        size: u64,
        path: &Path,
        entries: &mut Entries<'_>,
    ) -> Result<Self, FormatError> {
        let unsound = |source| FormatError::Tar { path: path.to_owned(), source };
        let mut kept = BTreeMap::new();
        let mut room = MAX_KEPT;
        let mut archive = tar::Archive::new(Unpacked::new(&mut reader, gzip, size));
        // A name that is too long for a header comes in an entry before its file.
        let mut long_name = None;
        for (place, entry) in archive.entries().map_err(unsound)?.raw(true).enumerate() {
            let mut entry = entry.map_err(unsound)?;
            if place == MAX_ENTRIES {
                return Err(FormatError::TooManyEntries { path: path.to_owned(), limit: MAX_ENTRIES });
            }
            let (kind, size) = (entry.header().entry_type(), entry.size());
            if matches!(kind, EntryType::GNULongName | EntryType::GNULongLink | EntryType::XHeader) {
                let mut extension = Vec::new();
                entry.by_ref().take(MAX_EXTENSION + 1).read_to_end(&mut extension).map_err(unsound)?;
                if extension.len() as u64 > MAX_EXTENSION {
                    return Err(FormatError::TooLarge { path: path.to_owned(), size, limit: MAX_EXTENSION });
                }
                match kind {
                    EntryType::GNULongName => {
                        long_name = Some(extension.split(|byte| *byte == 0).next().unwrap_or_default().to_vec());
                    }
                    EntryType::XHeader => long_name = pax_name(&extension).map_err(unsound)?.or(long_name),
                    _ => {}
                }
                continue;
            }
            let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
            let name = String::from_utf8_lossy(&name);
            let mut name = name.as_ref();
            while let Some(rest) = name.strip_prefix("./") {
                name = rest;
            }
            match kind {
                EntryType::XGlobalHeader => continue,
                EntryType::Directory if matches!(name, "" | ".") => continue,
                EntryType::Directory => entries.check_name(name)?,
                EntryType::Regular | EntryType::Continuous => {
                    entries.check_name(name)?;
                    if entries.files.contains_key(name) {
                        return Err(unsound(invalid("two entries have the same name")));
                    }
                    if size <= SMALL.min(room) {
                        let mut bytes = Vec::new();
                        entry.read_to_end(&mut bytes).map_err(unsound)?;
                        room -= bytes.len() as u64;
                        kept.insert(place, bytes);
                    }
                    entries.add(name.to_owned(), place, size)?;
                }
                EntryType::Symlink | EntryType::Link => return Err(entries.refuse(name, "is a link")),
                _ => return Err(entries.refuse(name, "is neither a file nor a folder")),
            }
        }
        // Reading to the end checks the checksum of the stream.
        io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(unsound)?;
        Ok(Self { reader: Mutex::new(reader), gzip, size, kept })
    }

    /// Unpacks the entry of a place, of at most `limit` bytes; `path` is what errors call it.
    pub(super) fn read(&self, place: usize, limit: u64, path: &Path) -> Result<Vec<u8>, FormatError> {
        if let Some(bytes) = self.kept.get(&place) {
            super::check_size(bytes.len() as u64, limit, path)?;
            return Ok(bytes.clone());
        }
        let unsound = |source| FormatError::Tar { path: path.to_owned(), source };
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.seek(SeekFrom::Start(0)).map_err(unsound)?;
        let mut archive = tar::Archive::new(Unpacked::new(&mut reader, self.gzip, self.size));
        let mut entries = archive.entries().map_err(unsound)?.raw(true);
        let entry = entries.nth(place).ok_or_else(|| unsound(invalid("it has changed")))?;
        let mut entry = entry.map_err(unsound)?;
        let size = entry.size();
        super::check_size(size, limit, path)?;
        let mut bytes = super::room(size, path)?;
        entry.read_to_end(&mut bytes).map_err(unsound)?;
        if bytes.len() as u64 != size {
            return Err(unsound(invalid("it has changed")));
        }
        Ok(bytes)
    }
}

/// The name that an extension of POSIX gives the next file, if it gives one.
fn pax_name(extension: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut name = None;
    for field in PaxExtensions::new(extension) {
        let field = field?;
        match field.key_bytes() {
            b"path" => name = Some(field.value_bytes().to_vec()),
            b"size" => return Err(invalid("an entry has a size over 8 GiB")),
            key if key.starts_with(b"GNU.sparse") => return Err(invalid("an entry is sparse")),
            _ => {}
        }
    }
    Ok(name)
}

fn invalid(fault: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, fault)
}

/// The bytes of a tar archive, of which there cannot be absurdly many more than its file has.
struct Unpacked<'r> {
    reader: Box<dyn Read + 'r>,
    left: u64,
}

impl<'r> Unpacked<'r> {
    fn new(reader: &'r mut Box<dyn ReadSeek>, gzip: bool, size: u64) -> Self {
        let reader: Box<dyn Read + 'r> = if gzip { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) };
        Self { reader, left: size.saturating_mul(MAX_RATIO).clamp(FREELY_PACKED, MAX_UNPACKED) }
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| invalid("it would unpack to over 200 times its packed size"))?;
        Ok(read)
    }
}

#[cfg(test)]
pub(crate) mod tests;
