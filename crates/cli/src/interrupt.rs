//! Ctrl-C and the terminate signal: exit at once and leave no partial file.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use crate::exit::INTERRUPTED;
use crate::printer::Printer;

/// Whether the first interrupt asks the work to finish, rather than end the process.
static GRACEFUL: AtomicBool = AtomicBool::new(false);

/// Whether there was such an interrupt.
static ASKED: AtomicBool = AtomicBool::new(false);

/// A folder that is being filled, to be removed when the process ends before it is complete.
static UNFINISHED_FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Names the folder that is being filled, or none when it is complete or gone.
pub(crate) fn set_unfinished_folder(folder: Option<PathBuf>) {
    *UNFINISHED_FOLDER.lock().unwrap_or_else(PoisonError::into_inner) = folder;
}

/// From now on a first interrupt asks the work to end, which looks at [`is_asked_to_stop`]; a second one ends the
/// process.
pub(crate) fn ask_first() {
    GRACEFUL.store(true, Ordering::SeqCst);
}

/// Whether an interrupt has asked the work to end.
pub(crate) fn is_asked_to_stop() -> bool {
    ASKED.load(Ordering::SeqCst)
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
        if GRACEFUL.load(Ordering::SeqCst) && !ASKED.swap(true, Ordering::SeqCst) {
            printer.note(
                "stopping after this step, keeping the model as trained so far; press Ctrl-C again to stop at once",
            );
            return;
        }
        let mut discarded = albertine_engine::discard_unfinished();
        if let Some(folder) = UNFINISHED_FOLDER.lock().unwrap_or_else(PoisonError::into_inner).take() {
            discarded += usize::from(std::fs::remove_dir_all(folder).is_ok());
        }
        printer.note(if discarded > 0 { "interrupted: the unfinished output was removed" } else { "interrupted" });
        std::process::exit(INTERRUPTED);
    })
    .context("cannot install the interrupt handler")
}
