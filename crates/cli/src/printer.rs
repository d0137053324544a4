//! Output of the command: data on standard output, messages on standard error.
//!
//! A [`Printer`] is made once and handed to the commands, so that quiet mode and color are not global state.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

/// The width, in columns, of a terminal that does not report its own.
const USUAL_WIDTH: usize = 80;

/// Standard output, buffered.
pub(crate) type Data = BufWriter<StdoutLock<'static>>;

/// The two streams of the command, and their properties.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    quiet: bool,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    color: bool,
}

impl Printer {
    /// Examines the streams once. Color needs a terminal, and neither `NO_COLOR` nor `TERM=dumb`
    /// (<https://no-color.org>).
    pub(crate) fn new(quiet: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            quiet,
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            color: !no_color && !dumb,
        }
    }

    /// Whether standard output is a terminal.
    pub(crate) fn stdout_is_terminal(&self) -> bool {
        self.stdout_is_terminal
    }

    /// Whether notes and warnings are suppressed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether a progress bar may be drawn: standard error is a terminal, and not quiet.
    pub(crate) fn may_draw_progress(&self) -> bool {
        self.stderr_is_terminal && !self.quiet
    }

    /// Whether standard output is a terminal that shows color.
    pub(crate) fn colors_stdout(&self) -> bool {
        self.color && self.stdout_is_terminal
    }

    /// Width in columns of the terminal behind standard output.
    pub(crate) fn width(&self) -> usize {
        terminal_size::terminal_size().map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0))
    }

    /// Standard output, buffered: the caller flushes.
    pub(crate) fn data(&self) -> Data {
        BufWriter::new(io::stdout().lock())
    }

    /// Prints a note about the run, unless quiet.
    pub(crate) fn note(&self, message: impl Display) {
        if !self.quiet {
            say(&message);
        }
    }

    /// Prints a warning, unless quiet.
    pub(crate) fn warn(&self, message: impl Display) {
        if !self.quiet {
            say(&format_args!("{} {message}", self.painted("33", "warning:")));
        }
    }

    /// Prints the error that made the command fail, even when quiet.
    pub(crate) fn error(&self, message: impl Display) {
        say(&format_args!("{} {message}", self.painted("31", "error:")));
    }

    /// Prints what to do about an error.
    pub(crate) fn hint(&self, message: impl Display) {
        say(&format_args!("{} {message}", self.painted("36", "hint:")));
    }

    fn painted(&self, color: &str, word: &str) -> String {
        if self.color && self.stderr_is_terminal { format!("\x1b[1;{color}m{word}\x1b[0m") } else { word.to_owned() }
    }
}

/// Writes a line to standard error. A closed standard error is no reason to stop.
fn say(message: &dyn Display) {
    let _ = writeln!(io::stderr().lock(), "{message}");
}
