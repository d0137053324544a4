//! Work without the interpreter's lock, that Ctrl-C stops.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::Builder;
use std::time::Duration;

use albertine::{CancellationToken, Error};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

use crate::error::Failure;

/// How often Python is asked whether Ctrl-C was pressed.
const PATIENCE: Duration = Duration::from_millis(50);

fn no_thread(error: std::io::Error) -> Failure {
    Failure::Library(Error::Threads { threads: 1, reason: error.to_string() })
}

/// Does `work` on a thread of its own, while this one listens to Ctrl-C and whatever else Python has to say; then the
/// work is told to stop, by `cancellation` if it looks at that, and is waited for.
pub(crate) fn interruptible<R, E>(
    cancellation: &CancellationToken,
    work: impl FnOnce() -> Result<R, E> + Send,
) -> Result<R, Failure>
where
    R: Send,
    E: Send,
    Failure: From<E>,
{
    listening(work, |signal| {
        cancellation.cancel();
        Some(signal)
    })
}

/// As [`interruptible`], for work that keeps what it has when it is told to stop: its result is given in spite of a
/// first Ctrl-C, and not after a second one.
pub(crate) fn stoppable<R, E>(
    cancellation: &CancellationToken,
    work: impl FnOnce() -> Result<R, E> + Send,
) -> Result<R, Failure>
where
    R: Send,
    E: Send,
    Failure: From<E>,
{
    listening(work, |signal| {
        let was_cancelled = cancellation.is_cancelled();
        cancellation.cancel();
        let is_interrupt = Python::attach(|py| signal.is_instance_of::<PyKeyboardInterrupt>(py));
        (was_cancelled || !is_interrupt).then_some(signal)
    })
}

/// Does `work` on a thread of its own, and asks `answer` about what Python's signals raise meanwhile; what that gives
/// is raised when the work is over.
fn listening<R, E>(
    work: impl FnOnce() -> Result<R, E> + Send,
    mut answer: impl FnMut(PyErr) -> Option<PyErr> + Send,
) -> Result<R, Failure>
where
    R: Send,
    E: Send,
    Failure: From<E>,
{
    let wait = || {
        std::thread::scope(|scope| {
            let (sender, receiver) = channel::<()>();
            let work = move || {
                let _ends = sender;
                work()
            };
            let worker = Builder::new().spawn_scoped(scope, work).map_err(no_thread)?;
            let stopped = loop {
                match receiver.recv_timeout(PATIENCE) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => break None,
                }
                if let Err(signal) = Python::attach(|py| py.check_signals())
                    && let Some(signal) = answer(signal)
                {
                    break Some(signal);
                }
            };
            let outcome = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            match stopped {
                Some(signal) => Err(Failure::Python(signal)),
                None => Ok(outcome?),
            }
        })
    };
    // Whoever calls may or may not hold the lock: held first, it can be let go for certain.
    Python::attach(|py| py.detach(wait))
}

/// As [`interruptible`], for work that cannot be told to stop, such as a download: it is left alone then.
pub(crate) fn abandonable<R, E>(work: impl FnOnce() -> Result<R, E> + Send + 'static) -> Result<R, Failure>
where
    R: Send + 'static,
    E: Send + 'static,
    Failure: From<E>,
{
    let (sender, receiver) = channel();
    Builder::new().spawn(move || sender.send(work())).map_err(no_thread)?;
    let wait = move || loop {
        match receiver.recv_timeout(PATIENCE) {
            Ok(outcome) => return Ok(outcome?),
            Err(RecvTimeoutError::Timeout) => Python::attach(|py| py.check_signals())?,
            Err(RecvTimeoutError::Disconnected) => {
                let message = "the work ended without a result";
                return Err(Failure::Python(pyo3::exceptions::PyRuntimeError::new_err(message)));
            }
        }
    };
    Python::attach(|py| py.detach(wait))
}
