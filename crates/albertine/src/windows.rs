//! Batches of any size become windows of one size.

use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use arrow_select::concat::concat_batches;

use crate::Error;

/// Rows of the first window, when windows are to keep a pace that is not known yet.
const FIRST_ROWS: usize = 256;

/// How large a window is: the rows that are sorted by length and worked on together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSettings {
    /// The most rows of a window.
    pub rows: usize,
    /// About the most bytes of a window; a single row may have more.
    pub bytes: usize,
    /// Windows are sized to take about this long each, so that progress is seen and stopping is quick; `None`: as large
    /// as may be.
    pub time: Option<Duration>,
}

impl Default for WindowSettings {
    /// 8,192 rows or 32 MiB, of two seconds.
    fn default() -> Self {
        Self { rows: 8192, bytes: 32 << 20, time: Some(Duration::from_secs(2)) }
    }
}

/// The windows of a stream of batches in turn: every row once, in order. A batch without rows ends a window: its source
/// has paused, and the rows before it need not wait.
///
/// ```
/// use std::sync::Arc;
/// use albertine::{Error, WindowSettings, Windows};
/// use arrow_array::{Int32Array, RecordBatch};
///
/// let numbers = |numbers: Vec<i32>| RecordBatch::try_from_iter([("n", Arc::new(Int32Array::from(numbers)) as _)]);
/// let batches = [numbers(vec![1])?, numbers(vec![2, 3, 4, 5])?].map(Ok::<_, Error>);
/// let settings = WindowSettings { rows: 3, bytes: usize::MAX, time: None };
/// let windows = Windows::new(batches.into_iter(), settings).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(windows.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [3, 2]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Windows<S> {
    source: S,
    settings: WindowSettings,
    /// Rows of the next window.
    rows: usize,
    /// What is left of a batch that did not fit whole.
    rest: Option<RecordBatch>,
}

impl<S> Windows<S> {
    /// The windows of `source`.
    #[must_use]
    pub fn new(source: S, settings: WindowSettings) -> Self {
        let settings = WindowSettings { rows: settings.rows.max(1), bytes: settings.bytes.max(1), ..settings };
        let rows = if settings.time.is_some() { FIRST_ROWS.min(settings.rows) } else { settings.rows };
        Self { source, settings, rows, rest: None }
    }

    /// Sizes the next window by how long the last one, of `rows` rows, took.
    pub fn keep_pace(&mut self, rows: usize, took: Duration) {
        let Some(time) = self.settings.time else { return };
        let in_time = rows as f64 * time.as_secs_f64() / took.as_secs_f64().max(1e-6);
        self.rows = (in_time as usize).clamp(1, self.settings.rows);
    }

    /// Where the batches come from.
    #[must_use]
    pub fn source(&self) -> &S {
        &self.source
    }
}

impl<S, E> Windows<S>
where
    S: Iterator<Item = Result<RecordBatch, E>>,
    E: From<Error>,
{
    fn fill(&mut self) -> Result<Option<RecordBatch>, E> {
        let mut parts = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        while rows < self.rows && bytes < self.settings.bytes {
            let batch = match self.rest.take() {
                Some(batch) => batch,
                None => match self.source.next().transpose()? {
                    Some(batch) => batch,
                    None => break,
                },
            };
            // A batch without rows says that its source has paused: what there is need not wait for more.
            if batch.num_rows() == 0 {
                if parts.is_empty() {
                    continue;
                }
                break;
            }
            let size = size_of(&batch);
            let fit = rows_that_fit(batch.num_rows(), size, self.rows - rows, self.settings.bytes - bytes);
            // A window has at least one row, however large.
            let taken = if rows == 0 { fit.max(1) } else { fit }.min(batch.num_rows());
            if taken < batch.num_rows() {
                self.rest = Some(batch.slice(taken, batch.num_rows() - taken));
            }
            if taken == 0 {
                break;
            }
            rows += taken;
            bytes += if taken == batch.num_rows() { size } else { self.settings.bytes };
            parts.push(batch.slice(0, taken));
        }
        match parts.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            [first, ..] => Ok(Some(concat_batches(&first.schema(), &parts).map_err(Error::from)?)),
        }
    }
}

impl<S, E> Iterator for Windows<S>
where
    S: Iterator<Item = Result<RecordBatch, E>>,
    E: From<Error>,
{
    type Item = Result<RecordBatch, E>;

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
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use super::*;
    use arrow_array::StringArray;

    /// One batch of texts, given as a source that has it in parts of up to 700 rows.
    fn source(texts: &[String]) -> impl Iterator<Item = Result<RecordBatch, Error>> {
        let array: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
        let whole = RecordBatch::try_from_iter([("text", array)]).unwrap();
        let starts = (0..texts.len()).step_by(700);
        starts.map(move |start| Ok(whole.slice(start, 700.min(whole.num_rows() - start))))
    }

    fn windows(texts: &[String], rows: usize, bytes: usize) -> Vec<usize> {
        let settings = WindowSettings { rows, bytes, time: None };
        let windows: Vec<_> = Windows::new(source(texts), settings).map(Result::unwrap).collect();
        let seen = windows.iter().flat_map(|window| window.column(0).as_string::<i32>().iter().flatten());
        assert!(seen.eq(texts.iter()), "every row, in order");
        windows.iter().map(RecordBatch::num_rows).collect()
    }

    #[test]
    fn windows_are_full_but_the_last() {
        let texts = vec!["a".to_owned(); 10_000];
        assert_eq!(windows(&texts, 3000, 1 << 20), [3000, 3000, 3000, 1000]);
        assert_eq!(windows(&texts, 9000, 1 << 20), [9000, 1000]);
        assert!(windows(&[], 10, 10).is_empty());
    }

    #[test]
    fn a_batch_without_rows_ends_a_window() {
        let texts = vec!["a".to_owned(); 5];
        let whole = source(&texts).next().unwrap().unwrap();
        let empty = || whole.slice(0, 0);
        let batches = [empty(), whole.slice(0, 2), empty(), empty(), whole.slice(2, 3)].map(Ok::<_, Error>);
        let settings = WindowSettings { rows: 100, bytes: 1 << 20, time: None };
        let rows: Vec<_> =
            Windows::new(batches.into_iter(), settings).map(|window| window.unwrap().num_rows()).collect();
        assert_eq!(rows, [2, 3]);
    }

    #[test]
    fn windows_keep_the_pace_of_the_last() {
        let texts = vec!["a".to_owned(); 10_000];
        let settings = WindowSettings { rows: 3000, bytes: 1 << 20, time: Some(Duration::from_secs(1)) };
        let mut windows = Windows::new(source(&texts), settings);
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
        let texts = vec!["x".repeat(100); 1000];
        assert!(windows(&texts, 1000, 10_000).iter().all(|rows| (1..=100).contains(rows)));
        assert_eq!(windows(&texts[..3], 1000, 1), [1, 1, 1], "a window has at least one row");
    }
}
