//! The records of delimited text, each with the line it starts on and bounded in size.
//!
//! The state machine is `csv-core`'s; the loop around it is ours because it knows three things that the `csv` crate's
//! does not tell: the physical line of a record in files with blank lines or CRLF, a quote that is still open at the
//! end, and a record that grows without end, in bytes or in fields.

use csv_core::ReadRecordResult;

use super::COLUMNS;
use super::bytes::Text;
use crate::EngineError;

/// The largest record, in bytes of its file.
pub(super) const ROW_LIMIT: usize = 256 << 20;

/// A record's fields, unescaped.
#[derive(Debug, Default)]
pub(super) struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
    /// The line that the record starts on, from 1.
    pub(super) line: u64,
    /// Whether the file ended within one of its quotes, in the last field then.
    pub(super) unclosed: bool,
}

impl Record {
    /// The number of fields.
    pub(super) fn len(&self) -> usize {
        self.fields
    }

    /// The bytes of field `index`, if the record has it.
    pub(super) fn field(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends[..self.fields].get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.bytes.get(start..end)
    }

    /// The bytes of all fields together.
    pub(super) fn size(&self) -> usize {
        self.ends[..self.fields].last().copied().unwrap_or(0)
    }
}

/// A file's records in turn.
pub(super) struct Records {
    text: Text,
    core: csv_core::Reader,
    line: u64,
    limit: usize,
}

impl Records {
    pub(super) fn new(text: Text, delimiter: u8) -> Self {
        let core = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { text, core, line: 1, limit: ROW_LIMIT }
    }

    /// The file's name in messages.
    pub(super) fn path(&self) -> &str {
        self.text.path()
    }

    /// Reads the next record into `record`; `false` at the end of the file. Blank lines are no records.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, EngineError> {
        record.fields = 0;
        record.unclosed = false;
        if !self.skip_line_ends()? {
            return Ok(false);
        }
        record.line = self.line;
        let (mut used, mut written, mut fields) = (0, 0, 0);
        let mut ended = false;
        loop {
            let input = self.text.fill()?;
            let at_end = input.is_empty();
            // At the end of the file a line end is offered once: a record that it does not end is within quotes.
            let input = if at_end && !ended { b"\n" } else { input };
            if record.bytes.len() == written {
                record.bytes.resize((written * 2).max(1024), 0);
            }
            if record.ends.len() == fields {
                record.ends.resize((fields * 2).max(32), 0);
            }
            let (result, read, wrote, closed) =
                self.core.read_record(input, &mut record.bytes[written..], &mut record.ends[fields..]);
            if at_end {
                ended |= read > 0;
            } else {
                self.line += input[..read].iter().filter(|byte| **byte == b'\n').count() as u64;
                self.text.consume(read);
            }
            used += read;
            written += wrote;
            fields += closed;
            if used > self.limit {
                return Err(EngineError::RowTooLarge {
                    path: self.path().to_owned(),
                    line: record.line,
                    limit: self.limit,
                });
            }
            if fields > COLUMNS {
                return Err(EngineError::TooManyColumns { path: self.path().to_owned(), limit: COLUMNS });
            }
            match result {
                ReadRecordResult::Record => {
                    record.fields = fields;
                    return Ok(true);
                }
                ReadRecordResult::InputEmpty if at_end => {
                    record.unclosed = true;
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// Moves to the first byte of the next record; `false` at the end of the file.
    fn skip_line_ends(&mut self) -> Result<bool, EngineError> {
        loop {
            let input = self.text.fill()?;
            if input.is_empty() {
                return Ok(false);
            }
            let ends = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            let lines = input[..ends].iter().filter(|byte| **byte == b'\n').count();
            let more = ends < input.len();
            self.text.consume(ends);
            self.line += lines as u64;
            if more {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::io::Cursor;
    use std::sync::Arc;

    use super::*;
    use crate::format::{Compression, Format};

    fn records(text: &str) -> Records {
        let raw = Box::new(Cursor::new(text.as_bytes().to_vec()));
        Records::new(Text::new("t.csv".into(), raw, Format::Csv, Compression::None, &Arc::default()).unwrap(), b',')
    }

    fn read_all(text: &str) -> Vec<(u64, bool, Vec<String>)> {
        let (mut records, mut record, mut all) = (records(text), Record::default(), Vec::new());
        while records.read(&mut record).unwrap() {
            let fields =
                (0..record.len()).map(|i| String::from_utf8(record.field(i).unwrap().to_vec()).unwrap()).collect();
            all.push((record.line, record.unclosed, fields));
        }
        all
    }

    fn row(line: u64, fields: &[&str]) -> (u64, bool, Vec<String>) {
        (line, false, fields.iter().map(|field| (*field).to_owned()).collect())
    }

    #[test]
    fn lines_are_physical() {
        let expected = [row(1, &["a", "b"]), row(3, &["1", "x\r\ny"]), row(5, &["2", ""])];
        assert_eq!(read_all("a,b\r\n\r\n1,\"x\r\ny\"\r\n2,\r\n"), expected);
        assert_eq!(read_all("a,b\n\n1,\"x\r\ny\"\n2,"), expected);
    }

    #[test]
    fn the_end_of_the_file_ends_a_record_but_not_a_quote() {
        assert_eq!(read_all("a\n\"b\""), [row(1, &["a"]), row(2, &["b"])]);
        assert_eq!(read_all("a,5\" disk"), [row(1, &["a", "5\" disk"])], "a quote within a field is a character");
        let open = read_all("a\nb,\"c\nd\n");
        assert_eq!((open[1].0, open[1].1, open[1].2[0].as_str()), (2, true, "b"));
        assert!(read_all("\"").pop().unwrap().1);
    }

    #[test]
    fn a_record_is_bounded() {
        let mut records = records(&format!("a\n\"{}", "x".repeat(100)));
        records.limit = 50;
        let mut record = Record::default();
        assert!(records.read(&mut record).unwrap());
        assert!(matches!(records.read(&mut record), Err(EngineError::RowTooLarge { line: 2, limit: 50, .. })));
    }
}
