//! The records of delimited text, each with the line it starts on and bounded in size.
//!
//! The parser is ours because the libraries let pass what must not pass: text after a closing quote, which `csv-core`
//! and DuckDB's lenient mode take into the value, and a quote that is never closed. Both are faults here, told with the
//! physical line, and a reader that goes on starts again on the line after.

use memchr::{memchr, memchr_iter, memchr2, memchr3};

use super::COLUMNS;
use super::bytes::Text;
use super::dialect::Dialect;
use super::window::Window;
use crate::EngineError;

/// The largest record, in bytes of its file.
pub(super) const ROW_LIMIT: usize = 256 << 20;

/// A record's fields, unescaped.
#[derive(Debug, Default)]
pub(super) struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    quoted: Vec<bool>,
    /// The line that the record starts on, from 1.
    pub(super) line: u64,
    /// Why the record ends before its line does; the fields are those before the fault.
    pub(super) fault: Option<QuoteFault>,
}

/// A quoted field that does not end as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuoteFault {
    /// Its closing quote is followed by text, on this line of those of the record, from 0.
    TextAfterQuote(u64),
    /// It is open at the end of the file.
    Unclosed,
}

impl Record {
    /// The number of fields.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of field `index`, if the record has it.
    pub(super) fn field(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.bytes.get(start..end)
    }

    /// Whether field `index` is in quotes.
    pub(super) fn is_quoted(&self, index: usize) -> bool {
        self.quoted.get(index).copied().unwrap_or(false)
    }

    /// The bytes of all fields together.
    pub(super) fn size(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.quoted.clear();
        self.fault = None;
    }

    fn end_field(&mut self, quoted: bool) {
        self.ends.push(self.bytes.len());
        self.quoted.push(quoted);
    }
}

/// A text's records in turn.
pub(super) struct Records {
    window: Window,
    dialect: Dialect,
    /// Whether an empty line is a record: in a table of one column it is a row whose value is empty.
    blank_lines: bool,
    line: u64,
    limit: usize,
}

impl Records {
    pub(super) fn new(text: Text, dialect: Dialect) -> Self {
        Self { window: Window::new(text), dialect, blank_lines: false, line: 1, limit: ROW_LIMIT }
    }

    /// Takes empty lines for records from now on.
    pub(super) fn keep_blank_lines(&mut self) {
        self.blank_lines = true;
    }

    /// The file's name in messages.
    pub(super) fn path(&self) -> &str {
        self.window.path()
    }

    /// Whether the next record would have to be waited for, because a pipe's writer has nothing to say at the moment.
    pub(super) fn would_wait(&self) -> bool {
        memchr(b'\n', self.window.bytes()).is_none() && self.window.is_idle()
    }

    /// Skips so many physical lines.
    pub(super) fn skip_lines(&mut self, count: u64) -> Result<(), EngineError> {
        for _ in 0..count {
            self.skip_line()?;
        }
        Ok(())
    }

    /// Reads the next record into `record`; `false` at the end of the file.
    ///
    /// A record with a [fault](Record::fault) ends with its first line, and the next record is on the line after.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, EngineError> {
        loop {
            record.line = self.line;
            let bytes = self.window.bytes();
            match bytes.first() {
                None if self.window.is_last() => return Ok(false),
                None => {
                    self.window.grow()?;
                    continue;
                }
                Some(first) if Some(*first) == self.dialect.comment => {
                    self.skip_line()?;
                    continue;
                }
                Some(_) => match line_end(bytes, 0, self.window.is_last(), &self.dialect) {
                    LineEnd::None => {}
                    LineEnd::Unknown => {
                        self.window.grow()?;
                        continue;
                    }
                    LineEnd::At(end) => {
                        self.window.consume(end);
                        self.line += 1;
                        if self.blank_lines {
                            record.clear();
                            record.end_field(false);
                            return Ok(true);
                        }
                        continue;
                    }
                },
            }
            record.clear();
            let too_many = || EngineError::TooManyColumns { path: self.path().to_owned(), limit: COLUMNS };
            if let Some(used) = parse(bytes, self.window.is_last(), &self.dialect, record) {
                if record.len() > COLUMNS {
                    return Err(too_many());
                }
                if record.fault.is_some() {
                    self.skip_line()?;
                } else {
                    self.line += lines(&bytes[..used]);
                    self.window.consume(used);
                }
                return Ok(true);
            }
            if record.len() > COLUMNS {
                return Err(too_many());
            }
            if bytes.len() > self.limit {
                return Err(EngineError::RowTooLarge {
                    path: self.path().to_owned(),
                    line: record.line,
                    limit: self.limit,
                });
            }
            self.window.grow()?;
        }
    }

    /// Moves behind the next line end, or to the end of the file.
    fn skip_line(&mut self) -> Result<(), EngineError> {
        loop {
            if let Some(end) = memchr(b'\n', self.window.bytes()) {
                self.window.consume(end + 1);
                self.line += 1;
                return Ok(());
            }
            self.window.consume(self.window.bytes().len());
            if self.window.is_last() {
                return Ok(());
            }
            self.window.grow()?;
        }
    }
}

/// The number of lines that end in the bytes of a record; a carriage return alone may end its last one.
fn lines(record: &[u8]) -> u64 {
    memchr_iter(b'\n', record).count() as u64 + u64::from(record.last() == Some(&b'\r'))
}

/// Whether a line ends at a place, and where what follows begins.
enum LineEnd {
    None,
    At(usize),
    /// What tells it is not in memory yet.
    Unknown,
}

/// The line end at `at`: a line feed with any number of carriage returns before it (text that was written for Windows
/// twice has two), or in some files a carriage return alone. Elsewhere that is a character as any other.
fn line_end(bytes: &[u8], at: usize, last: bool, dialect: &Dialect) -> LineEnd {
    let returns = bytes[at..].iter().take_while(|byte| **byte == b'\r').count();
    match bytes.get(at + returns) {
        Some(b'\n') => LineEnd::At(at + returns + 1),
        None if !last => LineEnd::Unknown,
        _ if returns == 0 => LineEnd::None,
        _ if dialect.carriage_returns => LineEnd::At(at + 1),
        None => LineEnd::At(at + returns),
        Some(_) => LineEnd::None,
    }
}

/// Where the field without quotes that begins at `at` ends; nothing if that is not in memory.
fn unquoted_end(bytes: &[u8], at: usize, last: bool, dialect: &Dialect) -> Option<usize> {
    let mut end = at;
    loop {
        match memchr3(dialect.delimiter, b'\n', b'\r', &bytes[end..]) {
            Some(length) => end += length,
            None => return last.then_some(bytes.len()),
        }
        if bytes[end] != b'\r' {
            return Some(end);
        }
        match line_end(bytes, end, last, dialect) {
            LineEnd::At(_) => return Some(end),
            LineEnd::Unknown => return None,
            LineEnd::None => end += 1,
        }
    }
}

/// Parses the record at the start of `bytes` and gives the number of bytes that it takes, with its line end; nothing if
/// it does not end in them and they are not the `last` of the file.
pub(super) fn parse(bytes: &[u8], last: bool, dialect: &Dialect, record: &mut Record) -> Option<usize> {
    let mut at = 0;
    loop {
        let quoted = dialect.quote.is_some() && bytes.get(at).copied() == dialect.quote;
        at = if quoted {
            match quoted_field(bytes, at + 1, last, dialect, record)? {
                Ok(end) => end,
                Err(fault) => {
                    let complete = record.size();
                    record.bytes.truncate(complete);
                    record.fault = Some(fault);
                    return Some(bytes.len());
                }
            }
        } else {
            let end = unquoted_end(bytes, at, last, dialect)?;
            record.bytes.extend_from_slice(&bytes[at..end]);
            end
        };
        if matches!(bytes.get(at), Some(b'\r' | b'\n')) {
            match line_end(bytes, at, last, dialect) {
                LineEnd::At(end) => {
                    record.end_field(quoted);
                    return Some(end);
                }
                LineEnd::Unknown => return None,
                LineEnd::None => {
                    let complete = record.size();
                    record.bytes.truncate(complete);
                    record.fault = Some(QuoteFault::TextAfterQuote(memchr_iter(b'\n', &bytes[..at]).count() as u64));
                    return Some(bytes.len());
                }
            }
        }
        record.end_field(quoted);
        match bytes.get(at) {
            None => return Some(at),
            // The delimiter. Very many fields are a fault of their own, which need not be read to their end.
            Some(_) if record.len() > COLUMNS => return Some(at + 1),
            Some(_) => at += 1,
        }
    }
}

/// Parses a quoted field from the byte after its opening quote, and gives the place of what follows its closing one.
fn quoted_field(
    bytes: &[u8],
    start: usize,
    last: bool,
    dialect: &Dialect,
    record: &mut Record,
) -> Option<Result<usize, QuoteFault>> {
    let quote = dialect.quote?;
    let escape = dialect.escape.unwrap_or(quote);
    let unfinished = || last.then_some(Err(QuoteFault::Unclosed));
    let mut at = start;
    loop {
        let Some(length) = memchr2(quote, escape, &bytes[at..]) else { return unfinished() };
        record.bytes.extend_from_slice(&bytes[at..at + length]);
        at += length;
        let (found, next) = (bytes[at], bytes.get(at + 1).copied());
        if found != quote {
            // Of an escape before any other character both are kept, as Spark does it.
            match next {
                Some(next) if next == quote || next == escape => record.bytes.push(next),
                Some(next) => record.bytes.extend_from_slice(&[escape, next]),
                None => return unfinished(),
            }
            at += 2;
            continue;
        }
        match next {
            Some(next) if next == quote => {
                record.bytes.push(quote);
                at += 2;
            }
            None if !last => return None,
            None => return Some(Ok(at + 1)),
            Some(next) if next == dialect.delimiter || matches!(next, b'\r' | b'\n') => return Some(Ok(at + 1)),
            Some(_) => {
                let line = memchr_iter(b'\n', &bytes[..at]).count() as u64;
                return Some(Err(QuoteFault::TextAfterQuote(line)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::io::{Cursor, Read};
    use std::sync::Arc;

    use super::*;
    use crate::format::{Compression, Format};

    /// Gives its bytes a few at a time.
    struct Slowly(Cursor<Vec<u8>>, usize);

    impl Read for Slowly {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = buffer.len().min(self.1);
            self.0.read(&mut buffer[..count])
        }
    }

    fn records(text: &str, dialect: Dialect, step: usize) -> Records {
        let raw = Box::new(Slowly(Cursor::new(text.as_bytes().to_vec()), step));
        let text = Text::new("t.csv".into(), raw, Format::Csv, Compression::None, None, None, &Arc::default()).unwrap();
        Records::new(text, dialect)
    }

    type Row = (u64, Option<QuoteFault>, Vec<String>);

    fn read_as(text: &str, dialect: &Dialect) -> Vec<Row> {
        let read = |step: usize| {
            let (mut records, mut record, mut all) =
                (records(text, dialect.clone(), step), Record::default(), Vec::new());
            while records.read(&mut record).unwrap() {
                let fields =
                    (0..record.len()).map(|i| String::from_utf8(record.field(i).unwrap().to_vec()).unwrap()).collect();
                all.push((record.line, record.fault, fields));
            }
            all
        };
        let whole = read(usize::MAX);
        for step in [1, 2, 3] {
            assert_eq!(read(step), whole, "{text:?} in pieces of {step}");
        }
        whole
    }

    fn read_all(text: &str) -> Vec<Row> {
        read_as(text, &Dialect::of(b','))
    }

    fn row(line: u64, fields: &[&str]) -> Row {
        (line, None, fields.iter().map(|field| (*field).to_owned()).collect())
    }

    fn faulty(line: u64, fault: QuoteFault, fields: &[&str]) -> Row {
        (line, Some(fault), fields.iter().map(|field| (*field).to_owned()).collect())
    }

    #[test]
    fn lines_are_physical() {
        let expected = [row(1, &["a", "b"]), row(3, &["1", "x\r\ny"]), row(5, &["2", ""])];
        assert_eq!(read_all("a,b\r\n\r\n1,\"x\r\ny\"\r\n2,\r\n"), expected);
        assert_eq!(read_all("a,b\n\n1,\"x\r\ny\"\n2,"), expected);
        let mac = Dialect { carriage_returns: true, ..Dialect::of(b',') };
        assert_eq!(read_as("a,b\r\r1,x\r", &mac), [row(1, &["a", "b"]), row(3, &["1", "x"])]);
        assert_eq!(read_all("a\rb,c\r\r\nd\r"), [row(1, &["a\rb", "c"]), row(2, &["d"])], "a character as any other");
        assert_eq!(read_all("\"a\"\rb\nc\n"), [faulty(1, QuoteFault::TextAfterQuote(0), &[]), row(2, &["c"])]);
    }

    #[test]
    fn the_end_of_the_file_ends_a_record_but_not_a_quote() {
        assert_eq!(read_all("a\n\"b\""), [row(1, &["a"]), row(2, &["b"])]);
        assert_eq!(read_all("a,5\" disk"), [row(1, &["a", "5\" disk"])], "a quote within a field is a character");
        let unclosed = faulty(2, QuoteFault::Unclosed, &["b"]);
        assert_eq!(read_all("a\nb,\"c\nd,e\n"), [row(1, &["a"]), unclosed, row(3, &["d", "e"])]);
        assert_eq!(read_all("\""), [faulty(1, QuoteFault::Unclosed, &[])]);
    }

    #[test]
    fn text_after_a_closing_quote_costs_its_line_only() {
        let table = "id,text,lang\n1,\"Shares of \"\"Acme\"\" fell\n2,\"Oil rose\",en\n3,\"Gold rose\",en\n";
        let expected = [
            row(1, &["id", "text", "lang"]),
            faulty(2, QuoteFault::TextAfterQuote(1), &["1"]),
            row(3, &["2", "Oil rose", "en"]),
            row(4, &["3", "Gold rose", "en"]),
        ];
        assert_eq!(read_all(table), expected);
        assert_eq!(read_all("\"a\"b,c\nd\n"), [faulty(1, QuoteFault::TextAfterQuote(0), &[]), row(2, &["d"])]);
    }

    #[test]
    fn quotes_are_escaped_as_the_dialect_says() {
        let spark = Dialect { escape: Some(b'\\'), ..Dialect::of(b',') };
        assert_eq!(read_as(r#""a \"b\", \\ \n c",1"#, &spark), [row(1, &[r#"a "b", \ \n c"#, "1"])]);
        assert_eq!(read_as(r"C:\dir,\", &spark), [row(1, &[r"C:\dir", r"\"])], "only within quotes");
        assert_eq!(read_as("\"a\\", &spark), [faulty(1, QuoteFault::Unclosed, &[])]);
        let single = Dialect { quote: Some(b'\''), ..Dialect::of(b';') };
        assert_eq!(read_as("'it''s; so';\"x\"\n", &single), [row(1, &["it's; so", "\"x\""])]);
        let none = Dialect { quote: None, ..Dialect::of(b'\t') };
        assert_eq!(read_as("\"a\tb\"\n", &none), [row(1, &["\"a", "b\""])]);
    }

    #[test]
    fn comments_and_empty_lines_are_records_only_if_they_are_meant() {
        let dialect = Dialect { comment: Some(b'#'), ..Dialect::of(b',') };
        assert_eq!(read_as("# x\na\n\n#y\nb#c\n", &dialect), [row(2, &["a"]), row(5, &["b#c"])]);
        let mut records = records("a\n\nb\n\r\n", Dialect::of(b','), 1);
        records.keep_blank_lines();
        let (mut record, mut all) = (Record::default(), Vec::new());
        while records.read(&mut record).unwrap() {
            all.push((record.line, record.field(0).unwrap().to_vec()));
        }
        assert_eq!(all, [(1, b"a".to_vec()), (2, Vec::new()), (3, b"b".to_vec()), (4, Vec::new())]);
    }

    #[test]
    fn a_record_is_bounded() {
        let mut records = records(&format!("a\n\"{}", "x".repeat(100)), Dialect::of(b','), 10);
        records.limit = 50;
        let mut record = Record::default();
        assert!(records.read(&mut record).unwrap());
        assert!(matches!(records.read(&mut record), Err(EngineError::RowTooLarge { line: 2, limit: 50, .. })));
    }
}
