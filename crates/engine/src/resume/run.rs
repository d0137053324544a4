//! What is missing of a run is done, and its parts become its tables.

use std::sync::Arc;
use std::time::{Duration, Instant};

use albertine::{CancellationToken, Counts, Transform, WindowSettings, Windowed};
use arrow_schema::ArrowError;

use super::folder::Part;
use super::join::Joined;
use super::part::{self, PartWriter, Totals};
use super::{FailedRows, ResumableOutput, ResumableRun};
use crate::error::clause;
use crate::sink::{Naming, Split};
use crate::{EngineError, Progress, Sink, Source, Summary, Target};

/// A part is complete at this many rows, at this many bytes, or after this time: what a process that is killed loses.
const PART_ROWS: u64 = 8192;
const PART_BYTES: usize = 8 << 20;
const PART_TIME: Duration = Duration::from_secs(15);

/// How a run works, and what it has done.
struct Work<'a> {
    transform: &'a dyn Transform,
    windows: WindowSettings,
    cancellation: &'a CancellationToken,
    progress: &'a mut dyn FnMut(&Progress),
    /// The rows of the inputs so far, and the bytes of those that were not read again.
    rows: u64,
    bytes: u64,
    counts: Counts,
    reading: Duration,
}

impl ResumableRun {
    /// Does what is missing, and puts the tables into their places. The summary is of all rows that no run has told of
    /// which was completed: also of those that one before has done and was interrupted.
    ///
    /// # Errors
    /// As [`run`](crate::run()); what was done before an error is kept. [`EngineError::InputChanged`] when an input was
    /// written to meanwhile, and [`EngineError::Damaged`] when a part is not as it was written.
    pub fn run(
        mut self,
        transform: &dyn Transform,
        windows: WindowSettings,
        cancellation: &CancellationToken,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Summary, EngineError> {
        let started = Instant::now();
        if let Some(totals) = self.finished.take() {
            self.folder.remove_all()?;
            return Ok(summary(totals, Counts::default()));
        }
        let counts = Counts::default();
        let (rows, bytes, reading) = (0, 0, Duration::ZERO);
        let mut work = Work { transform, windows, cancellation, progress, rows, bytes, counts, reading };
        let (mut totals, mut parts, mut writing) = (Totals::default(), Vec::new(), Duration::ZERO);
        let files = std::mem::replace(&mut self.source, Source::none()).into_files();
        for (source, input) in files.into_iter().zip(self.of_source.clone()) {
            if let Some(done) = self.done.get(&input) {
                work.rows = work.rows.saturating_add(done.rows);
                work.bytes += self.manifest.inputs[input].size();
                if !self.manifest.inputs[input].is_told {
                    totals += done;
                }
                continue;
            }
            let of_input = self.complete(source, input, &mut work)?;
            let mut of_input_totals = Totals::default();
            of_input.iter().for_each(|part| of_input_totals += &part.head.totals);
            totals += &of_input_totals;
            if let ResumableOutput::Folder(_) = self.options.output {
                let since = Instant::now();
                let name = self.manifest.inputs[input].output.clone();
                self.join(&self.options.output.target(name.as_deref()), &of_input, input)?.finish()?;
                self.folder.set_done(input, &of_input_totals)?;
                writing += since.elapsed();
            } else {
                parts.extend(of_input);
            }
        }
        let since = Instant::now();
        if let ResumableOutput::File(_) = self.options.output {
            let table = self.join(&self.options.output.target(None), &parts, 0)?;
            self.write_rejected()?;
            table.finish()?;
            self.folder.set_finished(&totals)?;
            self.folder.remove_all()?;
        } else {
            self.write_rejected()?;
            self.of_source.iter().for_each(|&input| self.manifest.inputs[input].is_told = true);
            self.manifest.write(&self.folder.manifest())?;
        }
        let summary = summary(totals, work.counts);
        Ok(Summary { elapsed: started.elapsed(), reading: work.reading, writing: writing + since.elapsed(), ..summary })
    }

    /// All parts of an input, after those that were missing are written.
    fn complete(&mut self, source: Source, input: usize, work: &mut Work<'_>) -> Result<Vec<Part>, EngineError> {
        let mut parts = self.parts.remove(&input).unwrap_or_default();
        if parts.last().is_some_and(|part| part.head.is_last) {
            work.bytes += self.manifest.inputs[input].size();
        } else {
            self.compute(source, input, &mut parts, work)?;
            if !self.manifest.inputs[input].is_as_it_was()? {
                return Err(EngineError::InputChanged { path: self.manifest.inputs[input].name.clone() });
            }
        }
        work.rows = work.rows.saturating_add(parts.last().map_or(0, |part| part.end));
        Ok(parts)
    }

    /// Computes the rows of an input behind its last part. Those before an error are kept.
    fn compute(
        &self,
        mut source: Source,
        input: usize,
        parts: &mut Vec<Part>,
        work: &mut Work<'_>,
    ) -> Result<(), EngineError> {
        let mut start = parts.last().map_or(0, |part| part.end);
        source.skip_rows(start);
        let schema = Arc::clone(source.schema());
        let first_row = usize::try_from(work.rows.saturating_add(start)).unwrap_or(usize::MAX);
        let mut windows = Windowed::new(source, &schema, work.transform, work.windows)?
            .with_cancellation(work.cancellation.clone())
            .with_first_row(first_row);
        let mut before = Counts::default();
        loop {
            let (since, mut part) = (Instant::now(), self.part()?);
            let mut next = Ok(None);
            while part.rows() < PART_ROWS && part.size() < PART_BYTES && since.elapsed() < PART_TIME {
                next = windows.next().transpose();
                let Ok(Some(window)) = &next else { break };
                part.write(window)?;
                let rows = work.rows.saturating_add(start + part.rows());
                (work.progress)(&Progress { rows, bytes_read: work.bytes + windows.source().bytes_read() });
            }
            let is_last = matches!(next, Ok(None));
            let end = start + part.rows();
            if end > start || is_last {
                let counts: Counts = windows.counts().iter().sum();
                let path = self.folder.part(input, start, end);
                let head = part.finish(&path, is_last, &counts, &before)?;
                parts.push(Part { end, path, head });
                (start, before) = (end, counts);
            }
            next?;
            if is_last {
                break;
            }
        }
        work.counts += before;
        work.reading = windows.source().time();
        Ok(())
    }

    fn part(&self) -> Result<PartWriter, EngineError> {
        PartWriter::new(&self.schema, self.options.error_column.as_deref())
    }

    /// The table of some parts, not yet in its place; rows with an error are put aside under the number of an input, if
    /// they do not belong into it.
    fn join(&self, target: &Target, parts: &[Part], input: usize) -> Result<Joined, EngineError> {
        let split = self.split()?;
        let schema = split.map_or_else(|| Arc::clone(&self.schema), |split| split.whole_schema(&self.schema));
        let sink = Sink::create_as(target.clone(), self.options.format, Arc::clone(&schema), Naming::Fixed)?;
        let mut table = Joined::new(sink, schema);
        let aside = split.filter(|_| matches!(self.options.failed_rows, FailedRows::PutAside(_)));
        let mut aside = aside.map(|split| PartWriter::new(&split.failed_schema(&self.schema), None)).transpose()?;
        for part in parts {
            part::read(&part.path, &self.schema, |batch| match (split, &mut aside) {
                (None, _) => table.write(&batch),
                (Some(split), aside) => {
                    if let (Some(aside), Some(failed)) = (aside, split.failed(&batch)?) {
                        aside.write(&failed)?;
                    }
                    table.write(&split.whole(&batch)?)
                }
            })?;
        }
        if let Some(aside) = aside {
            let nothing = Counts::default();
            aside.finish(&self.folder.rejected(input), true, &nothing, &nothing)?;
        }
        Ok(table)
    }

    /// Writes the rows that were put aside, of all inputs, those that are gone first.
    fn write_rejected(&self) -> Result<(), EngineError> {
        let (Some(split), FailedRows::PutAside(rejected)) = (self.split()?, &self.options.failed_rows) else {
            return Ok(());
        };
        let schema = split.failed_schema(&self.schema);
        let sink = Sink::create_as(rejected.target.clone(), rejected.format, Arc::clone(&schema), Naming::Fixed)?;
        let mut table = Joined::new(sink, Arc::clone(&schema));
        let gone = (0..self.manifest.inputs.len()).filter(|input| !self.of_source.contains(input));
        for input in gone.chain(self.of_source.iter().copied()) {
            let path = self.folder.rejected(input);
            if path.exists() {
                part::read(&path, &schema, |batch| table.write(&batch))?;
            }
        }
        table.finish()
    }

    /// How the column of errors and its rows are told from the others, if they are not in the table.
    fn split(&self) -> Result<Option<Split>, EngineError> {
        let Some(column) = self.options.error_column.as_ref().filter(|_| !self.options.keeps_errors()) else {
            return Ok(None);
        };
        let cannot = |error: ArrowError| EngineError::Encode {
            path: self.options.output.name(),
            reason: clause(&error.to_string()),
        };
        Split::of(&self.schema, column).map(Some).map_err(cannot)
    }
}

/// What a run says of itself at its end. What it tokenized and computed is of this process alone, as the time is.
fn summary(totals: Totals, now: Counts) -> Summary {
    let mut counts = totals.counts();
    (counts.sequences, counts.tokens, counts.flops, counts.stages) = (now.sequences, now.tokens, now.flops, now.stages);
    let (rows, failed_rows) = (totals.rows, totals.failed);
    Summary { rows, failed_rows, failures: totals.failures, counts: vec![counts], ..Summary::default() }
}
