//! What can go wrong with tables: one variant per fault, with the file, the row and the column inside.

mod clause;

use std::io;

pub use self::clause::clause;
use crate::format::Format;

/// A fault in reading, working on or writing a table.
///
/// `path` is the name of a file as it was given, a URL, or `standard input` / `standard output`. `line` is a physical
/// line of a text file, counted from 1; a quoted CSV cell may hold several.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No input was named.
    #[error("no input was given")]
    NoInput,

    /// A file or folder that is not there.
    #[error("{path} does not exist")]
    NotFound {
        /// The file or folder.
        path: String,
    },

    /// A pattern, or a folder, without a file to read.
    #[error("no file to read matches {pattern}")]
    NoMatch {
        /// The pattern or folder.
        pattern: String,
    },

    /// A pattern that is not well formed.
    #[error("{pattern} is not a file pattern: {reason}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A URL that cannot be understood, or whose scheme is not one of `s3`, `http`, `https` and `file`.
    #[error("cannot read {url}: {reason}")]
    BadUrl {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A name that does not tell the format of its table.
    #[error("the format of {path} cannot be told from its name; the formats are {}", Format::LIST)]
    UnknownFormat {
        /// The file.
        path: String,
    },

    /// A format's name that is none.
    #[error("{name} is not a format; the formats are {}", Format::LIST)]
    UnknownFormatName {
        /// The name.
        name: String,
    },

    /// Content that belongs to another format.
    #[error("{path} is not {expected}: {found}")]
    WrongFormat {
        /// The file.
        path: String,
        /// What it should have been.
        expected: &'static str,
        /// What it is.
        found: String,
    },

    /// A file that is no text at all.
    #[error("{path} is not {expected}: {found}")]
    NotText {
        /// The file.
        path: String,
        /// What it should have been.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },

    /// A name that is no character encoding's.
    #[error("{name} is not a character encoding; some are utf-8, utf-16le, utf-16be, windows-1252 and shift_jis")]
    UnknownEncoding {
        /// The name.
        name: String,
    },

    /// Bytes that are not of the encoding of their file.
    #[error("cannot decode {path}: {reason}")]
    Encoding {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },

    /// The operating system could not read a file.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Its reason.
        source: io::Error,
    },

    /// Compressed data that is damaged or ends too soon.
    #[error("the compressed data of {path} is damaged or truncated: {reason}")]
    Compressed {
        /// The file.
        path: String,
        /// The decoder's reason.
        reason: String,
    },

    /// A remote store that did not deliver.
    #[error("cannot read {url}: {reason}")]
    Remote {
        /// The URL.
        url: String,
        /// The store's reason.
        reason: String,
    },

    /// A file without a header or a row, where there must be one to know the columns.
    #[error("{path} is empty")]
    EmptyFile {
        /// The file.
        path: String,
    },

    /// Two columns of one name.
    #[error("{path}: columns {first} and {second} are both named {name:?}")]
    DuplicateColumn {
        /// The file.
        path: String,
        /// The name.
        name: String,
        /// The first column of that name, counted from 1.
        first: usize,
        /// The second.
        second: usize,
    },

    /// More columns than a table may have, those within its columns counted.
    #[error("{path} has more than {limit} columns")]
    TooManyColumns {
        /// The file.
        path: String,
        /// The limit.
        limit: usize,
    },

    /// A row with more or fewer fields than the header.
    #[error("{path}, line {line}: {}, but the header has {expected}", fields(*found))]
    RaggedRow {
        /// The file.
        path: String,
        /// The line on which the row starts.
        line: u64,
        /// The number of columns.
        expected: usize,
        /// The number of fields in this row.
        found: usize,
    },

    /// Bytes that are not UTF-8.
    #[error("{path}, line {line}: column {column:?} is not valid UTF-8")]
    InvalidUtf8 {
        /// The file.
        path: String,
        /// The line on which the row starts.
        line: u64,
        /// The column, or its number if the header is at fault.
        column: String,
    },

    /// A value of a column of bytes, read as text, that is not UTF-8.
    #[error("{path}, row {row}: column {column:?} is not valid UTF-8")]
    BytesNotUtf8 {
        /// The file.
        path: String,
        /// The row, counted from 1.
        row: u64,
        /// The column.
        column: String,
    },

    /// Text between a closing quote and the next delimiter.
    #[error("{path}, line {line}: text follows a closing quote{}", on_line(*line, *at))]
    TextAfterQuote {
        /// The file.
        path: String,
        /// The line on which the row starts.
        line: u64,
        /// The line of the quote.
        at: u64,
    },

    /// A quote that is still open at the end of the file.
    #[error("{path}, line {line}: unclosed quote in this row")]
    UnclosedQuote {
        /// The file.
        path: String,
        /// The line on which the row starts.
        line: u64,
    },

    /// A row that is larger than a row may be.
    #[error("{path}, line {line}: the row is longer than {limit} bytes")]
    RowTooLarge {
        /// The file.
        path: String,
        /// The line on which the row starts.
        line: u64,
        /// The limit in bytes.
        limit: usize,
    },

    /// A line of JSON Lines that is not one object, or whose values do not fit the columns.
    #[error("{path}, line {line}: {reason}")]
    Json {
        /// The file.
        path: String,
        /// The line.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },

    /// A key of an object that is in none of those that the columns were found from: the first of a pipe or a URL.
    #[error("{path}, line {line}: the key {key:?} is not in the lines that the columns were found from")]
    LateKey {
        /// The file.
        path: String,
        /// The line.
        line: u64,
        /// The key.
        key: String,
    },

    /// A Parquet file that cannot be read.
    #[error("cannot read {path} as parquet: {reason}")]
    Parquet {
        /// The file.
        path: String,
        /// The reader's reason.
        reason: String,
    },

    /// Two inputs whose columns differ.
    #[error("{first} and {other} have different columns: {difference}")]
    ColumnsDiffer {
        /// The first input.
        first: String,
        /// The input that differs.
        other: String,
        /// In what it differs.
        difference: String,
    },

    /// An output that is also an input.
    #[error("the output {path} is also an input")]
    OutputIsInput {
        /// The output.
        path: String,
    },

    /// An output that is a folder.
    #[error("the output {path} is a folder")]
    OutputIsFolder {
        /// The output.
        path: String,
    },

    /// An output whose folder does not exist.
    #[error("the folder of the output {path} does not exist")]
    NoOutputFolder {
        /// The output.
        path: String,
    },

    /// A format, or a compression of it, that can be read but not written.
    #[error("{what} cannot be written; the output formats are csv, tsv and jsonl, also .gz and .zst, and parquet")]
    NotAnOutputFormat {
        /// The format.
        what: String,
    },

    /// The operating system could not create or write a file.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: String,
        /// Its reason.
        source: io::Error,
    },

    /// No room left on the disk of the output. What had been written is removed, the old file is as it was.
    #[error("cannot write {path}: the disk is full")]
    DiskFull {
        /// The output.
        path: String,
    },

    /// Whoever read standard output has stopped reading. A command ends quietly on it.
    #[error("standard output was closed")]
    ClosedPipe,

    /// The output was removed by [`discard_unfinished`](crate::discard_unfinished) while it was being written.
    #[error("{path} was discarded before it was complete")]
    Discarded {
        /// The output.
        path: String,
    },

    /// A column whose type the output format has no form for, or a value that it cannot hold.
    #[error("the output {path} cannot hold this table: {reason}")]
    Encode {
        /// The output.
        path: String,
        /// The writer's reason.
        reason: String,
    },

    /// An input that a resumable run cannot know to be the same when it goes on: a stream or a URL.
    #[error("a run over {path} cannot be resumed: it is not a file on this machine")]
    NotResumable {
        /// The input.
        path: String,
    },

    /// An input of a resumable run whose path is not UTF-8.
    #[error("a run over {path} cannot be resumed: its path is not UTF-8")]
    NameNotUtf8 {
        /// The input, as far as it can be shown.
        path: String,
    },

    /// A folder of parts that is a link to another place.
    #[error("{path} is a symbolic link, and files in it would be removed")]
    LinkedParts {
        /// The folder.
        path: String,
    },

    /// An output that was started from other inputs or with other settings.
    #[error("{path} was started with other inputs or settings: {differences}")]
    BegunDifferently {
        /// The output.
        path: String,
        /// What differs: of then, and of now.
        differences: String,
    },

    /// An output that another process is writing.
    #[error("another run is writing {path}")]
    InUse {
        /// The output.
        path: String,
    },

    /// A file of a resumable run that is not as it was written.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },

    /// An input that was written to while it was read.
    #[error("{path} changed while it was read")]
    InputChanged {
        /// The input.
        path: String,
    },

    /// An output folder that contains an input.
    #[error("the input {input} is in the output folder {path}")]
    InputInOutput {
        /// The output folder.
        path: String,
        /// The input.
        input: String,
    },

    /// A file in an output folder where a table is to be written, and which no run wrote.
    #[error("{path} already exists, and this run did not write it")]
    OutputExists {
        /// The file.
        path: String,
    },

    /// The transform failed.
    #[error(transparent)]
    Transform(#[from] albertine::Error),

    /// A transform that gives some rows several rows, or none.
    #[error(
        "the transform does not keep one row for each row, which a table needs: \
         turn off `explodeSentences` of its SentenceDetector"
    )]
    RowsMultiplied,

    /// A thread of the engine ended without a result.
    #[error("the {stage} stopped unexpectedly")]
    Stopped {
        /// What the thread was doing.
        stage: &'static str,
    },
}

impl EngineError {
    /// A fault in writing `path`: a full disk and a closed pipe are told apart from the rest.
    pub(crate) fn writing(path: &str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path: path.to_owned() },
            _ => Self::Write { path: path.to_owned(), source },
        }
    }

    /// A fault in reading `path`: a missing file is told apart from the rest.
    #[must_use]
    pub fn reading(path: &str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path: path.to_owned() },
            _ => Self::Read { path: path.to_owned(), source },
        }
    }
}

/// Where a fault is that is not on the line on which its row starts.
fn on_line(start: u64, at: u64) -> String {
    if at == start { String::new() } else { format!(" on line {at}") }
}

/// So many fields, in words.
fn fields(count: usize) -> String {
    if count == 1 { "1 field".to_owned() } else { format!("{count} fields") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_write_faults_are_told_apart() {
        let of = |kind: io::ErrorKind| EngineError::writing("out.csv", io::Error::from(kind));
        assert!(matches!(of(io::ErrorKind::BrokenPipe), EngineError::ClosedPipe));
        assert!(matches!(of(io::ErrorKind::StorageFull), EngineError::DiskFull { .. }));
        assert!(matches!(of(io::ErrorKind::PermissionDenied), EngineError::Write { .. }));
    }
}
