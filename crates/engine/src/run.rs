//! A table from a source through a transform into a sink, in memory that depends on the window size only.
//!
//! ```text
//! reading thread ──▶ windows ──▶ transform ──▶ writing thread
//!    one batch       (the caller's thread)      one window
//! ```
//!
//! At most one item waits between two threads, so the slowest stage sets the pace and nothing piles up.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use albertine::{CancellationToken, Counts, Rows, Transform, WindowSettings, Windowed};
use arrow_array::RecordBatch;

use crate::{EngineError, Sink, Source};

/// The progress of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Rows transformed so far.
    pub rows: u64,
    /// Bytes of the source read so far.
    pub bytes_read: u64,
}

/// The summary of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Rows transformed so far.
    pub rows: u64,
    /// Rows that could not be read whole and were kept, included in [`rows`](Self::rows).
    pub failed_rows: u64,
    /// The errors of the first few of them.
    pub failures: Vec<String>,
    /// What each classifier of the transform counted.
    pub counts: Vec<Counts>,
    /// Wall-clock time of the run.
    pub elapsed: Duration,
    /// Time that the reading thread was busy.
    pub reading: Duration,
    /// Time that the writing thread was busy, if there is one.
    pub writing: Duration,
}

/// Takes every row of `source` through `transform` into `sink` and completes it. `progress` is called after each
/// window; `cancellation` stops the run.
///
/// There is one output row for each input row, in the same order.
///
/// # Errors
/// A transform that [multiplies rows](Rows::Multiplied), before a row is read; the first error of a stage, and
/// [`albertine::Error::Cancelled`]; the sink
/// then leaves nothing behind. The target must not be a file of the source.
pub fn run(
    source: Source,
    transform: &dyn Transform,
    sink: Sink,
    settings: WindowSettings,
    cancellation: &CancellationToken,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Summary, EngineError> {
    sink.target().check(&source)?;
    let started = Instant::now();
    let (sender, receiver) = sync_channel(0);
    let mut summary = std::thread::scope(|scope| {
        let writer = std::thread::Builder::new()
            .name("albertine-write".into())
            .spawn_scoped(scope, move || write_all(sink, &receiver))
            .map_err(|source| EngineError::Write { path: "a thread".into(), source })?;

        let outcome = for_each_window(source, transform, settings, cancellation, |window, now| {
            progress(now);
            // A writer that stopped has its reason, which is found when it is joined.
            let sent = sender.send(Step::Window(window));
            Ok::<_, EngineError>(if sent.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        });
        if outcome.is_ok() {
            // As above.
            let _ = sender.send(Step::Finish);
        }
        drop(sender);
        let written = writer.join().unwrap_or(Err(EngineError::Stopped { stage: "writer" }));
        let mut summary = outcome?;
        summary.writing = written?;
        Ok::<_, EngineError>(summary)
    })?;
    summary.elapsed = started.elapsed();
    Ok(summary)
}

/// Takes every row of `source` through `transform` and passes the windows to `visit`, in order, with the progress of
/// the run; it can stop the run, and so can `cancellation`. An aggregation, for example, needs no sink:
///
/// ```
/// # struct Keep;
/// # impl albertine::Transform for Keep {
/// #     fn output_schema(
/// #         &self,
/// #         input: &arrow_schema::SchemaRef,
/// #     ) -> Result<albertine::OutputSchema, albertine::Error> {
/// #         Ok(albertine::OutputSchema::unchanged(input))
/// #     }
/// #     fn run(
/// #         &self,
/// #         batch: &arrow_array::RecordBatch,
/// #         _: &albertine::CancellationToken,
/// #     ) -> Result<albertine::Transformed, albertine::Error> {
/// #         Ok((batch.clone(), Vec::new()))
/// #     }
/// # }
/// use std::ops::ControlFlow;
/// use albertine::{CancellationToken, WindowSettings};
/// use albertine_engine::{EngineError, Format, OnError, Source, for_each_window};
///
/// let source = Source::from_reader(Box::new(&b"n\n1\n2\n"[..]), Format::Csv, OnError::Fail)?;
/// let mut rows = 0;
/// for_each_window(source, &Keep, WindowSettings::default(), &CancellationToken::default(), |window, _| {
///     rows += window.num_rows();
///     Ok::<_, EngineError>(ControlFlow::Continue(()))
/// })?;
/// assert_eq!(rows, 2);
/// # Ok::<(), EngineError>(())
/// ```
///
/// # Errors
/// A transform that [multiplies rows](Rows::Multiplied), before a row is read; the first error of the source, of the
/// transform or of `visit`.
pub fn for_each_window<E: From<EngineError>>(
    source: Source,
    transform: &dyn Transform,
    settings: WindowSettings,
    cancellation: &CancellationToken,
    mut visit: impl FnMut(RecordBatch, &Progress) -> Result<ControlFlow<()>, E>,
) -> Result<Summary, E> {
    let started = Instant::now();
    let rejects = source.rejects().clone();
    let mut summary = Summary::default();
    let schema = Arc::clone(source.schema());
    let mut windows = Windowed::new(source, &schema, transform, settings)
        .map_err(EngineError::from)?
        .with_cancellation(cancellation.clone());
    if windows.output_schema().rows() == Rows::Multiplied {
        return Err(EngineError::RowsMultiplied.into());
    }
    while let Some(window) = windows.next().transpose()? {
        let now = Progress { rows: windows.rows() as u64, bytes_read: windows.source().bytes_read() };
        if visit(window, &now)?.is_break() {
            break;
        }
    }
    summary.rows = windows.rows() as u64;
    summary.counts = windows.counts().to_vec();
    summary.reading = windows.source().time();
    summary.failed_rows = rejects.rows();
    summary.failures = rejects.first();
    summary.elapsed = started.elapsed();
    Ok(summary)
}

/// What the writing thread is told. Only a table that is told to be whole becomes a file.
enum Step {
    Window(RecordBatch),
    Finish,
}

/// The writing thread's work, and the time that it took.
fn write_all(mut sink: Sink, steps: &Receiver<Step>) -> Result<Duration, EngineError> {
    let mut busy = Duration::ZERO;
    for step in steps {
        let since = Instant::now();
        match step {
            Step::Window(batch) => sink.write(&batch)?,
            Step::Finish => {
                sink.finish()?;
                return Ok(busy + since.elapsed());
            }
        }
        busy += since.elapsed();
    }
    Ok(busy)
}
