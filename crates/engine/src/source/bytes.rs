//! The text of a file: opened wherever it is, counted, decompressed, in UTF-8 without a byte order mark.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::encoding::{Decode, Guess, guess};
use super::gzip::Gzip;
use super::live::Live;
use crate::dialect::CharacterEncoding;
use crate::format::{Compression, Format};
use crate::location::{InputFile, Location};
use crate::remote::RemoteRead;
use crate::{EngineError, TextOptions};

const BUFFER: usize = 256 * 1024;

/// The bytes that the encoding is found from.
const LOOKED_AT: u64 = 64 << 10;

/// How long is waited for more of a pipe before what it gave until then is taken for all that is to be looked at.
const PATIENCE: Duration = Duration::from_secs(1);

/// A file's text, and what a fault in it is to be called.
pub(super) struct Text {
    path: String,
    compression: Compression,
    size: Option<u64>,
    /// What was found that neither the name nor the caller told.
    notes: Vec<String>,
    inner: Box<dyn BufRead + Send>,
    /// The pipe behind `inner`, if there is nothing in between that holds bytes back.
    live: Option<Live>,
}

impl Text {
    /// Opens `file`. Its bytes are added to `count` as they are read, before decompression.
    pub(super) fn open(file: &InputFile, options: &TextOptions, count: &Arc<AtomicU64>) -> Result<Self, EngineError> {
        let path = file.location.to_string();
        let (raw, size): (Box<dyn Read + Send>, Option<u64>) = match &file.location {
            Location::Stdin => return Self::of_pipe(file, Box::new(io::stdin()), options, count),
            Location::File(name) => {
                let opened = File::open(name).map_err(|source| EngineError::reading(&path, source))?;
                if file.location.is_stream() {
                    return Self::of_pipe(file, Box::new(opened), options, count);
                }
                let size = opened.metadata().ok().map(|metadata| metadata.len());
                (Box::new(opened), size)
            }
            Location::Url(url) => {
                let (remote, size) = RemoteRead::open(url)?;
                (Box::new(remote), size)
            }
        };
        Ok(Self { size, ..Self::new(path, raw, file.format, file.compression, options.encoding, None, count)? })
    }

    /// Reads `raw` as it comes in place of `file`.
    pub(super) fn of_pipe(
        file: &InputFile,
        raw: Box<dyn Read + Send>,
        options: &TextOptions,
        count: &Arc<AtomicU64>,
    ) -> Result<Self, EngineError> {
        let path = file.location.to_string();
        let (live, raw) = Live::new(raw).map_err(|source| EngineError::Read { path: path.clone(), source })?;
        Self::new(path, Box::new(raw), file.format, file.compression, options.encoding, Some(live), count)
    }

    /// Reads `raw` as text, which comes from the pipe `live` if that is given. What its first bytes tell about compression
    /// counts; `named` is what its name tells.
    ///
    /// # Errors
    /// When the first bytes cannot be read, or show that the name is wrong.
    pub(super) fn new(
        path: String,
        raw: Box<dyn Read + Send>,
        format: Format,
        named: Compression,
        encoding: Option<CharacterEncoding>,
        live: Option<Live>,
        count: &Arc<AtomicU64>,
    ) -> Result<Self, EngineError> {
        let counted = Counted { inner: raw, count: Arc::clone(count) };
        let (head, raw) = peek::<4, _>(counted).map_err(|source| EngineError::reading(&path, source))?;
        let compression = Compression::of_magic(&head);
        // Servers and clients of HTTP unpack files and keep their names.
        let is_misnamed = named != Compression::None && named != compression && !head.is_empty();
        if head == *b"PAR1" {
            let found = "it is a parquet file".to_owned();
            return Err(EngineError::WrongFormat { path, expected: format.name(), found });
        }
        let raw = BufReader::with_capacity(BUFFER, raw);
        let plain: Box<dyn Read + Send> = match compression {
            Compression::None => Box::new(raw),
            Compression::Gzip => Box::new(Gzip::new(raw)),
            Compression::Zstd => Box::new(
                zstd::Decoder::with_buffer(raw).map_err(|source| EngineError::Read { path: path.clone(), source })?,
            ),
        };
        let inner = Box::new(BufReader::with_capacity(BUFFER, plain));
        // What a decompressor holds back is not seen from the pipe.
        let live = live.filter(|_| compression == Compression::None);
        let mut text = Self { path, compression, size: None, notes: Vec::new(), inner, live };
        if is_misnamed {
            if compression == Compression::None && !is_text(&text.look_ahead(LOOKED_AT)?.0) {
                let found = format!("its name tells {}, its content does not", named.name());
                return Err(EngineError::WrongFormat { path: text.path, expected: named.name(), found });
            }
            text.notes.push(match compression {
                Compression::None => "not compressed".to_owned(),
                other => format!("compressed with {}", other.name()),
            });
        }
        text.decode(format, encoding)?;
        Ok(text)
    }

    /// Finds the encoding from the first bytes and decodes from then on.
    fn decode(&mut self, format: Format, given: Option<CharacterEncoding>) -> Result<(), EngineError> {
        let (head, _) = self.look_ahead(LOOKED_AT)?;
        let not = |expected, found| EngineError::NotText { path: self.path.clone(), expected, found };
        if format != Format::Txt && is_html(&head) {
            return Err(not(format.name(), "it is a web page; check the address, and whether it asks for a login"));
        }
        let (encoding, mark, guessed) = match guess(&head, given.map(|encoding| encoding.0)) {
            Guess::Binary(found) => return Err(not("text", found)),
            Guess::Marked(encoding, mark) => (encoding, mark, None),
            Guess::Utf8 => (encoding_rs::UTF_8, 0, None),
            Guess::Likely(likely) => (likely, 0, given.is_none().then(|| likely.name())),
        };
        self.notes.extend(guessed.map(|encoding| format!("encoding {encoding}")));
        self.inner.consume(mark);
        if encoding != encoding_rs::UTF_8 {
            let inner = std::mem::replace(&mut self.inner, Box::new(io::empty()));
            self.inner = Box::new(BufReader::with_capacity(BUFFER, Decode::new(inner, encoding)));
        }
        Ok(())
    }

    /// A text that is in memory, the beginning of the one of that name.
    pub(super) fn of_bytes(path: &str, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            compression: Compression::None,
            size: None,
            notes: Vec::new(),
            inner: Box::new(Cursor::new(bytes)),
            live: None,
        }
    }

    /// What was found that neither the name nor the caller told, for a person to read: the encoding, unless a byte order
    /// mark tells it, and the compression where the name is wrong.
    pub(super) fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// Whether the text is a pipe whose writer has nothing to say at the moment.
    pub(super) fn is_idle(&self) -> bool {
        self.live.as_ref().is_some_and(Live::is_idle)
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

    /// Reads at most `limit` bytes and puts them back: they are read again. Of a pipe it gives what comes within a
    /// second, at least a line. Tells too whether the text ends with them; what a pipe gave may end anywhere.
    pub(super) fn look_ahead(&mut self, limit: u64) -> Result<(Vec<u8>, bool), EngineError> {
        let (mut head, mut whole) = (Vec::new(), false);
        let deadline = Instant::now() + PATIENCE;
        while (head.len() as u64) < limit {
            let left = || deadline.saturating_duration_since(Instant::now());
            let silent = |live: &Live| head.contains(&b'\n') && live.is_idle_for(left());
            if self.live.as_ref().is_some_and(silent) {
                break;
            }
            let most = usize::try_from(limit).unwrap_or(usize::MAX) - head.len();
            let next = self.inner.fill_buf().map_err(|source| fault(&self.path, self.compression, source))?;
            if next.is_empty() {
                whole = true;
                break;
            }
            let next = &next[..next.len().min(most)];
            head.extend_from_slice(next);
            let count = next.len();
            self.inner.consume(count);
        }
        let rest = std::mem::replace(&mut self.inner, Box::new(io::empty()));
        self.inner = Box::new(Cursor::new(head.clone()).chain(rest));
        Ok((head, whole))
    }
}

/// Whether the beginning of a file may be a text: without control characters, if it does not have the mark of UTF-16.
fn is_text(head: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c);
    head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) || !head.iter().any(is_control)
}

/// Whether a text begins as a web page does.
fn is_html(head: &[u8]) -> bool {
    let start: Vec<u8> = head.trim_ascii_start().iter().take(14).map(u8::to_ascii_lowercase).collect();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
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
    if compression == Compression::None && source.kind() == io::ErrorKind::InvalidData {
        return EngineError::Encoding { path: path.to_owned(), reason: crate::error::clause(&source.to_string()) };
    }
    if compression != Compression::None && damaged {
        return EngineError::Compressed { path: path.to_owned(), reason: crate::error::clause(&source.to_string()) };
    }
    EngineError::reading(path, source)
}

/// A reader that adds up what went through it. A signal does not interrupt it.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    self.count.fetch_add(*read.as_ref().unwrap_or(&0) as u64, Ordering::Relaxed);
                    return read;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A reader that a signal interrupts before each byte.
    struct Interrupted<'a>(&'a [u8], bool);

    impl Read for Interrupted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let most = buffer.len().min(1);
            self.0.read(&mut buffer[..most])
        }
    }

    #[test]
    fn a_signal_does_not_interrupt_a_file() {
        let count = Arc::new(AtomicU64::new(0));
        let raw = Box::new(Interrupted(b"text\none\n", false));
        let name = "news.csv".to_owned();
        let mut text = Text::new(name, raw, Format::Csv, Compression::None, None, None, &count).unwrap();
        let (mut found, mut size) = (Vec::new(), 1);
        while size > 0 {
            let bytes = text.fill().unwrap();
            found.extend_from_slice(bytes);
            size = bytes.len();
            text.consume(size);
        }
        assert_eq!(found, b"text\none\n");
        assert_eq!(count.load(Ordering::Relaxed), 9);
    }
}
