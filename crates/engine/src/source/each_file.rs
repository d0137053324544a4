//! A source taken apart into its files, for work that is done file by file and goes on within one.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_schema::Schema;

use super::{Reader, Rejects, Source, State};
use crate::location::InputFile;

impl Source {
    /// The same rows as a source for each file, in order, all with the columns of the whole. They share
    /// [`bytes_read`](Self::bytes_read), [`time`](Self::time) and [`rejects`](Self::rejects). For before the first batch.
    ///
    /// ```
    /// use albertine_engine::{Source, SourceOptions};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// let (a, b) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
    /// std::fs::write(&a, "n\n1\n2\n")?;
    /// std::fs::write(&b, "n,m\n3,4\n")?;
    /// let source = Source::open(SourceOptions { inputs: vec![a.into(), b.into()], ..Default::default() })?;
    /// let schema = source.schema().clone();
    /// for mut file in source.into_files() {
    ///     assert_eq!(file.schema(), &schema);
    ///     assert!(file.next().transpose()?.is_some());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn into_files(self) -> Vec<Self> {
        let (schema, bytes_read, busy, rejects) = (self.schema, self.bytes_read, self.busy, self.rejects);
        let mut reader = match self.state {
            State::Waiting(reader) => Some(*reader),
            State::Running { .. } | State::Done => None,
        };
        let of_file = |(file, own): (InputFile, Option<_>)| {
            // A file without rows is not among those that wait.
            let next = reader.as_mut().and_then(|reader| reader.waiting.pop_front_if(|(next, _)| *next == file));
            let (rows_total, bytes_total) =
                next.as_ref().map_or((Some(0), Some(0)), |(_, looked)| (looked.rows, looked.size));
            let state = match (&reader, next) {
                (Some(reader), Some(next)) => State::Waiting(Box::new(reader.of(next))),
                _ => State::Done,
            };
            Self {
                files: vec![file],
                schemas: vec![own],
                schema: Arc::clone(&schema),
                rows_total,
                bytes_total,
                bytes_read: Arc::clone(&bytes_read),
                busy: Arc::clone(&busy),
                rejects: rejects.clone(),
                notes: Vec::new(),
                state,
            }
        };
        self.files.into_iter().zip(self.schemas).map(of_file).collect()
    }

    /// A source without a file or a row, which takes the place of one that was taken apart.
    pub(crate) fn none() -> Self {
        Self {
            files: Vec::new(),
            schemas: Vec::new(),
            schema: Arc::new(Schema::empty()),
            rows_total: Some(0),
            bytes_total: Some(0),
            bytes_read: Arc::default(),
            busy: Arc::default(),
            rejects: Rejects::default(),
            notes: Vec::new(),
            state: State::Done,
        }
    }

    /// Passes so many rows at the beginning over: they are read, but in no batch. For before the first batch.
    pub fn skip_rows(&mut self, rows: u64) {
        if let State::Waiting(reader) = &mut self.state {
            reader.skip = rows;
        }
    }
}

impl Reader {
    /// The same reader for one file.
    fn of(&self, file: (InputFile, super::Looked)) -> Self {
        Self {
            waiting: VecDeque::from([file]),
            current: None,
            schema: Arc::clone(&self.schema),
            keys: Arc::clone(&self.keys),
            text: self.text.clone(),
            policy: self.policy.clone(),
            count: Arc::clone(&self.count),
            busy: Arc::clone(&self.busy),
            has_paused: true,
            is_stream: false,
            skip: 0,
            error_column: self.error_column.clone(),
        }
    }
}
