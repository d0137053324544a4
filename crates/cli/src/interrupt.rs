//! Ctrl-C and the terminate signal: end at once and leave no half file.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use crate::exit::INTERRUPTED;
use crate::printer::Printer;

/// Makes an interrupt remove the unfinished output and end the process with [`INTERRUPTED`].
///
/// A run is short on state: what is not finished is not there. So there is nothing to wind down, and a person who
/// interrupts need not wait for the window in work. What there is of a download stays, to go on with. Only the first call has an
/// effect.
pub(crate) fn discard_output_on_interrupt(printer: Printer) -> anyhow::Result<()> {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if INSTALLED.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    ctrlc::set_handler(move || {
        let discarded = albertine_engine::discard_unfinished();
        printer.note(if discarded > 0 { "interrupted: the unfinished output was removed" } else { "interrupted" });
        std::process::exit(INTERRUPTED);
    })
    .context("the handler of interrupts could not be installed")
}
