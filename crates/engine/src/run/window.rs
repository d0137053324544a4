//! Batches of any size become windows of one size.

use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::DataType;

use super::RunSettings;
use crate::error::clause;
use crate::{EngineError, Source};

/// Rows of the first window, when windows are to keep a pace that is not known yet.
const FIRST_ROWS: usize = 256;

/// The windows of a source in turn.
pub(super) struct Windows {
    source: Source,
    most_rows: usize,
    /// Rows of the next window.
    rows: usize,
    bytes: usize,
    time: Option<Duration>,
    /// What is left of a batch that did not fit whole.
    rest: Option<RecordBatch>,
}

impl Windows {
    pub(super) fn new(source: Source, settings: &RunSettings) -> Self {
        let most_rows = settings.window_rows.max(1);
        let rows = if settings.window_time.is_some() { FIRST_ROWS.min(most_rows) } else { most_rows };
        Self { source, most_rows, rows, bytes: settings.window_bytes.max(1), time: settings.window_time, rest: None }
    }

    /// Sizes the next window by how long the last one, of `rows` rows, took.
    pub(super) fn keep_pace(&mut self, rows: usize, took: Duration) {
        let Some(time) = self.time else { return };
        let in_time = rows as f64 * time.as_secs_f64() / took.as_secs_f64().max(1e-6);
        self.rows = (in_time as usize).clamp(1, self.most_rows);
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    fn fill(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        let mut parts = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        while rows < self.rows && bytes < self.bytes {
            let batch = match self.rest.take() {
                Some(batch) => batch,
                None => match self.source.next().transpose()? {
                    Some(batch) => batch,
                    None => break,
                },
            };
            let size = size_of(&batch);
            let fit = rows_that_fit(batch.num_rows(), size, self.rows - rows, self.bytes - bytes);
            // A window has at least one row, however large.
            let taken = if rows == 0 { fit.max(1) } else { fit }.min(batch.num_rows());
            if taken < batch.num_rows() {
                self.rest = Some(batch.slice(taken, batch.num_rows() - taken));
            }
            if taken == 0 {
                break;
            }
            rows += taken;
            bytes += if taken == batch.num_rows() { size } else { self.bytes };
            parts.push(batch.slice(0, taken));
        }
        match parts.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            [first, ..] => concat_batches(&first.schema(), &parts)
                .map(Some)
                .map_err(|error| EngineError::Encode { path: "a window".into(), reason: clause(&error.to_string()) }),
        }
    }
}

impl Iterator for Windows {
    type Item = Result<RecordBatch, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill().transpose()
    }
}

/// How many of `rows` rows of `size` bytes fit into what is left of a window, taking them as equally large.
fn rows_that_fit(rows: usize, size: usize, rows_left: usize, bytes_left: usize) -> usize {
    let by_bytes = if size <= bytes_left { rows } else { (rows as u128 * bytes_left as u128 / size as u128) as usize };
    by_bytes.min(rows_left)
}

/// The bytes that the rows of a batch take; slices share buffers, of which only their own part counts.
fn size_of(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(size_of_column).sum()
}

fn size_of_column(column: &ArrayRef) -> usize {
    match column.data_type() {
        DataType::Utf8View => column.as_string_view().total_buffer_bytes_used() + 16 * column.len(),
        DataType::BinaryView => column.as_binary_view().total_buffer_bytes_used() + 16 * column.len(),
        _ => column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::io::Cursor;

    use super::*;
    use crate::{Format, OnError};

    fn windows(text: &str, rows: usize, bytes: usize) -> Vec<usize> {
        let source = Source::from_reader(Box::new(Cursor::new(text.to_owned())), Format::Txt, OnError::Fail).unwrap();
        let settings = RunSettings { window_rows: rows, window_bytes: bytes, window_time: None };
        let windows: Vec<_> = Windows::new(source, &settings).map(Result::unwrap).collect();
        let lines: Vec<String> = windows
            .iter()
            .flat_map(|window| {
                window.column(0).as_string::<i32>().iter().map(|line| line.unwrap().to_owned()).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(lines, text.lines().collect::<Vec<_>>(), "every row, in order");
        windows.iter().map(RecordBatch::num_rows).collect()
    }

    #[test]
    fn windows_are_full_but_the_last() {
        assert_eq!(windows(&"a\n".repeat(10_000), 3000, 1 << 20), [3000, 3000, 3000, 1000]);
        assert_eq!(windows(&"a\n".repeat(10_000), 9000, 1 << 20), [9000, 1000]);
        assert!(windows("", 10, 10).is_empty());
    }

    #[test]
    fn windows_keep_the_pace_of_the_last() {
        let source =
            Source::from_reader(Box::new(Cursor::new("a\n".repeat(10_000))), Format::Txt, OnError::Fail).unwrap();
        let time = Some(Duration::from_secs(1));
        let settings = RunSettings { window_rows: 3000, window_bytes: 1 << 20, window_time: time };
        let mut windows = Windows::new(source, &settings);
        assert_eq!(windows.next().unwrap().unwrap().num_rows(), FIRST_ROWS);
        windows.keep_pace(256, Duration::from_millis(500));
        assert_eq!(windows.next().unwrap().unwrap().num_rows(), 512);
        windows.keep_pace(512, Duration::from_secs(100));
        assert_eq!(windows.next().unwrap().unwrap().num_rows(), 5);
        windows.keep_pace(5, Duration::from_secs(100));
        assert_eq!(windows.next().unwrap().unwrap().num_rows(), 1, "never none");
        windows.keep_pace(1, Duration::ZERO);
        assert_eq!(windows.next().unwrap().unwrap().num_rows(), 3000, "never more than allowed");
    }

    #[test]
    fn windows_keep_to_their_bytes() {
        let line = "x".repeat(100) + "\n";
        assert!(windows(&line.repeat(1000), 1000, 10_000).iter().all(|rows| (1..=100).contains(rows)));
        assert_eq!(windows(&line.repeat(3), 1000, 1), [1, 1, 1], "a window has at least one row");
    }
}
