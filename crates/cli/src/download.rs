//! The hub as the command uses it: messages and a progress bar while a model is downloaded.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use albertine::hub::{Hub, HubError, Progress, Transfer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::interrupt::discard_output_on_interrupt;
use crate::printer::Printer;
use crate::report::size;

/// The bar, with a size that is known and without.
const KNOWN: &str =
    "{percent:>3}% {bar:30} {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
const UNKNOWN: &str = "{spinner} {decimal_bytes}  {decimal_bytes_per_sec}  {elapsed}";

/// The hub of the environment; `offline` keeps it off the network.
///
/// # Errors
/// When an environment variable has an invalid value.
pub(crate) fn hub(offline: bool, printer: Printer) -> Result<Hub, HubError> {
    let hub = Hub::from_env()?.progress(Arc::new(Download { printer, bar: Mutex::new(None) }));
    Ok(if offline { hub.offline(true) } else { hub })
}

/// Reports what is downloaded and shows its progress.
struct Download {
    printer: Printer,
    bar: Mutex<Option<ProgressBar>>,
}

impl Download {
    fn set(&self, bar: Option<ProgressBar>) {
        let mut current = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = std::mem::replace(&mut *current, bar) {
            old.finish_and_clear();
        }
    }
}

impl Progress for Download {
    fn started(&self, transfer: &Transfer<'_>) {
        // without a handler a shell would see another exit code; failing to install one is no reason not to download
        let _ = discard_output_on_interrupt(self.printer);
        let known = transfer.size.map_or_else(String::new, |bytes| format!(" ({})", size(bytes)));
        match transfer.resumed {
            0 => self.printer.note(format_args!("downloading {}{known}", transfer.url)),
            here => self.printer.note(format_args!("resuming {}{known} at {}", transfer.url, size(here))),
        }
        if self.printer.may_draw_progress() {
            self.set(Some(bar(transfer.size, transfer.resumed)));
        }
    }

    fn advanced(&self, bytes: u64) {
        if let Some(bar) = &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.set_position(bytes);
        }
    }

    fn finished(&self) {
        self.set(None);
    }

    fn retrying(&self, reason: &str, wait: Duration) {
        self.printer.warn(format_args!("{reason}; retrying in {:.1} s", wait.as_secs_f64()));
    }

    fn waiting(&self, model: &str) {
        self.printer.note(format_args!("waiting for another process that is downloading {model}"));
    }
}

/// A bar over `size` bytes, `resumed` of which are already there.
fn bar(size: Option<u64>, resumed: u64) -> ProgressBar {
    let template = if size.is_some() { KNOWN } else { UNKNOWN };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(size, ProgressDrawTarget::stderr());
    bar.set_style(style.progress_chars("━╸ "));
    bar.set_position(resumed);
    bar.reset_eta();
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_look_of_the_bar_is_a_valid_template() {
        for template in [KNOWN, UNKNOWN] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
