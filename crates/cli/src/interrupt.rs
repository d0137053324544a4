//! Ctrl-C and the terminate signal: exit at once and leave no partial file.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use albertine::CancellationToken;
use anyhow::Context;

use crate::exit::INTERRUPTED;
use crate::printer::Printer;

/// The work that the first interrupt asks to finish, rather than end the process.
static GRACEFUL: Mutex<Option<CancellationToken>> = Mutex::new(None);

/// Whether what is done is kept when the process ends.
static RESUMABLE: AtomicBool = AtomicBool::new(false);

/// A folder that is being filled, to be removed when the process ends before it is complete.
static UNFINISHED_FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Names the folder that is being filled, or none when it is complete or gone.
pub(crate) fn set_unfinished_folder(folder: Option<PathBuf>) {
    *UNFINISHED_FOLDER.lock().unwrap_or_else(PoisonError::into_inner) = folder;
}

/// Says that what is done is kept when the process ends, and that `--resume` goes on from there.
pub(crate) fn keep_what_is_done() {
    RESUMABLE.store(true, Ordering::SeqCst);
}

/// From now on a first interrupt cancels the work that is given this token; a second one ends the process.
pub(crate) fn cancel_first() -> CancellationToken {
    let cancellation = CancellationToken::default();
    *GRACEFUL.lock().unwrap_or_else(PoisonError::into_inner) = Some(cancellation.clone());
    cancellation
}

/// Makes an interrupt remove the unfinished output and end the process with [`INTERRUPTED`].
///
/// An unfinished output is simply removed, so there is nothing to wind down and no need to wait for the current window.
/// A partial download stays, to be resumed. Only the first call has an effect.
pub(crate) fn discard_output_on_interrupt(printer: Printer) -> anyhow::Result<()> {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if INSTALLED.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    ctrlc::set_handler(move || {
        if let Some(work) = GRACEFUL.lock().unwrap_or_else(PoisonError::into_inner).take() {
            work.cancel();
            printer.note("stopping after this step; press Ctrl-C again to stop at once");
            return;
        }
        let mut discarded = albertine_engine::discard_unfinished();
        if let Some(folder) = UNFINISHED_FOLDER.lock().unwrap_or_else(PoisonError::into_inner).take() {
            discarded += usize::from(std::fs::remove_dir_all(folder).is_ok());
        }
        printer.note(match (RESUMABLE.load(Ordering::SeqCst), discarded) {
            (true, _) => "interrupted: `--resume` goes on from here",
            (false, 0) => "interrupted",
            (false, _) => "interrupted: the unfinished output was removed",
        });
        std::process::exit(INTERRUPTED);
    })
    .context("cannot install the interrupt handler")
}
