//! The plain bytes of a file: opened wherever it is, counted, decompressed, without a byte order mark.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::EngineError;
use crate::format::{Compression, Format};
use crate::location::{InputFile, Location};
use crate::remote::RemoteRead;

const BUFFER: usize = 256 * 1024;

/// A file's text, and what a fault in it is to be called.
pub(super) struct Text {
    path: String,
    compression: Compression,
    size: Option<u64>,
    inner: Box<dyn BufRead + Send>,
}

impl Text {
    /// Opens `file`. Its bytes are added to `count` as they are read, before decompression.
    pub(super) fn open(file: &InputFile, count: &Arc<AtomicU64>) -> Result<Self, EngineError> {
        let path = file.location.to_string();
        let (raw, size): (Box<dyn Read + Send>, Option<u64>) = match &file.location {
            Location::Stdin => (Box::new(io::stdin()), None),
            Location::File(name) => {
                let opened = File::open(name).map_err(|source| EngineError::reading(&path, source))?;
                let size = opened.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
                (Box::new(opened), size)
            }
            Location::Url(url) => {
                let (remote, size) = RemoteRead::open(url)?;
                (Box::new(remote), Some(size))
            }
        };
        Ok(Self { size, ..Self::new(path, raw, file.format, file.compression, count)? })
    }

    /// Reads `raw` as text. What its first bytes tell about compression counts; `named` is what its name tells.
    ///
    /// # Errors
    /// When the first bytes cannot be read, or show that the name is wrong.
    pub(super) fn new(
        path: String,
        raw: Box<dyn Read + Send>,
        format: Format,
        named: Compression,
        count: &Arc<AtomicU64>,
    ) -> Result<Self, EngineError> {
        let counted = Counted { inner: raw, count: Arc::clone(count) };
        let (head, raw) = peek::<4, _>(counted).map_err(|source| EngineError::reading(&path, source))?;
        let compression = Compression::of_magic(&head);
        if named != Compression::None && named != compression && !head.is_empty() {
            let found = format!("its name tells {}, its content does not", named.name());
            return Err(EngineError::WrongFormat { path, expected: named.name(), found });
        }
        if head == *b"PAR1" {
            let found = "it is a parquet file".to_owned();
            return Err(EngineError::WrongFormat { path, expected: format.name(), found });
        }
        let raw = BufReader::with_capacity(BUFFER, raw);
        let plain: Box<dyn Read + Send> = match compression {
            Compression::None => Box::new(raw),
            Compression::Gzip => Box::new(MultiGzDecoder::new(raw)),
            Compression::Zstd => Box::new(
                zstd::Decoder::with_buffer(raw).map_err(|source| EngineError::Read { path: path.clone(), source })?,
            ),
        };
        let fault = |source| fault(&path, compression, source);
        let (mark, plain) = peek::<3, _>(plain).map_err(fault)?;
        let text: Box<dyn BufRead + Send> = match mark.as_slice() {
            [0xef, 0xbb, 0xbf] => Box::new(BufReader::with_capacity(BUFFER, plain.into_inner().1)),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                let found = "it is UTF-16".to_owned();
                return Err(EngineError::WrongFormat { path, expected: "UTF-8 text", found });
            }
            _ => Box::new(BufReader::with_capacity(BUFFER, plain)),
        };
        Ok(Self { path, compression, size: None, inner: text })
    }

    /// The file's name in messages.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The size of the file as it is stored, if it is known.
    pub(super) fn size(&self) -> Option<u64> {
        self.size
    }

    /// The next bytes, empty at the end of the file; [`consume`](Self::consume) tells how many were used.
    pub(super) fn fill(&mut self) -> Result<&[u8], EngineError> {
        self.inner.fill_buf().map_err(|source| fault(&self.path, self.compression, source))
    }

    /// Marks `count` bytes of the last [`fill`](Self::fill) as used.
    pub(super) fn consume(&mut self, count: usize) {
        self.inner.consume(count);
    }

    /// Reads at most `limit` bytes and puts them back: they are read again.
    pub(super) fn look_ahead(&mut self, limit: u64) -> Result<Vec<u8>, EngineError> {
        let mut head = Vec::new();
        let inner = std::mem::replace(&mut self.inner, Box::new(io::empty()));
        let mut limited = inner.take(limit);
        limited.read_to_end(&mut head).map_err(|source| fault(&self.path, self.compression, source))?;
        self.inner = Box::new(Cursor::new(head.clone()).chain(limited.into_inner()));
        Ok(head)
    }
}

/// A reader some of whose bytes were looked at.
type Peeked<R> = Chain<Cursor<Vec<u8>>, R>;

/// The first bytes of a reader, at most `N`, and a reader that gives all of them.
fn peek<const N: usize, R: Read>(mut reader: R) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut head = Vec::with_capacity(N);
    reader.by_ref().take(N as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(reader)))
}

/// In compressed data, bytes that make no sense or are missing are not the system's fault.
fn fault(path: &str, compression: Compression, source: io::Error) -> EngineError {
    let damaged = matches!(
        source.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other
    );
    if source.get_ref().is_some_and(|inner| inner.is::<EngineError>()) {
        if let Some(Ok(inner)) = source.into_inner().map(|inner| inner.downcast::<EngineError>()) {
            return *inner;
        }
        return EngineError::Stopped { stage: "reader" };
    }
    if compression != Compression::None && damaged {
        return EngineError::Compressed { path: path.to_owned(), reason: crate::error::clause(&source.to_string()) };
    }
    EngineError::reading(path, source)
}

/// A reader that adds up what went through it.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
