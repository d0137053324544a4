//! Any bytes as a table of every format: rows or an error, and `OnError::Null` changes no table that has no fault.
#![no_main]

use std::io::Cursor;

use albertine_engine::{Format, OnError, Source};
use libfuzzer_sys::fuzz_target;

/// The rows of `bytes`, unless they are no table.
fn rows(bytes: &[u8], format: Format, on_error: OnError) -> Option<usize> {
    let source = Source::from_reader(Box::new(Cursor::new(bytes.to_vec())), format, on_error).ok()?;
    source.map(|batch| batch.ok().map(|batch| batch.num_rows())).sum()
}

fuzz_target!(|bytes: &[u8]| {
    for format in [Format::Csv, Format::Tsv, Format::Jsonl, Format::Parquet, Format::Txt] {
        let strict = rows(bytes, format, OnError::Fail);
        let lenient = rows(bytes, format, OnError::Null);
        assert!(strict.is_none() || strict == lenient, "{format}: {strict:?} rows or {lenient:?}");
    }
});
