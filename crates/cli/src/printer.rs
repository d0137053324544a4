//! Who says what where: data on standard output, talk on standard error.
//!
//! A [`Printer`] is made once and handed to the commands, so that quietness and colour are no globals.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

/// The width, in columns, of a terminal that does not tell its own.
const USUAL_WIDTH: usize = 80;

/// Standard output, buffered.
pub(crate) type Data = BufWriter<StdoutLock<'static>>;

/// The two streams of the command, and what is known about them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    quiet: bool,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    colour: bool,
}

impl Printer {
    /// Looks at the streams once. Colour needs a terminal, and neither `NO_COLOR` nor `TERM=dumb` (<https://no-color.org>).
    pub(crate) fn new(quiet: bool) -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            quiet,
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            colour: !no_colour && !dumb,
        }
    }

    /// Whether a person reads standard output.
    pub(crate) fn stdout_is_terminal(&self) -> bool {
        self.stdout_is_terminal
    }

    /// Whether notes and warnings go unsaid.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether a progress bar may be drawn: a person reads standard error, and wants to hear.
    pub(crate) fn may_draw_progress(&self) -> bool {
        self.stderr_is_terminal && !self.quiet
    }

    /// Whether standard output is a terminal that shows colour.
    pub(crate) fn colours_stdout(&self) -> bool {
        self.colour && self.stdout_is_terminal
    }

    /// Columns of the terminal behind standard output.
    pub(crate) fn width(&self) -> usize {
        terminal_size::terminal_size().map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0))
    }

    /// Standard output, buffered: the caller flushes.
    pub(crate) fn data(&self) -> Data {
        BufWriter::new(io::stdout().lock())
    }

    /// Says something about the run, unless quiet.
    pub(crate) fn note(&self, message: impl Display) {
        if !self.quiet {
            say(&message);
        }
    }

    /// Says that something is not as one may think, unless quiet.
    pub(crate) fn warn(&self, message: impl Display) {
        if !self.quiet {
            say(&format_args!("{} {message}", self.painted("33", "warning:")));
        }
    }

    /// Says why the command could not do it, quiet or not.
    pub(crate) fn error(&self, message: impl Display) {
        say(&format_args!("{} {message}", self.painted("31", "error:")));
    }

    /// Says what to do about an error.
    pub(crate) fn hint(&self, message: impl Display) {
        say(&format_args!("{} {message}", self.painted("36", "hint:")));
    }

    fn painted(&self, colour: &str, word: &str) -> String {
        if self.colour && self.stderr_is_terminal { format!("\x1b[1;{colour}m{word}\x1b[0m") } else { word.to_owned() }
    }
}

/// Writes a line on standard error. That nobody listens there is no reason to stop the work.
fn say(message: &dyn Display) {
    let _ = writeln!(io::stderr().lock(), "{message}");
}
