//! Runs that go on where they were interrupted, and rows that cannot be read.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

/// What becomes of a run that is interrupted.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct ResumeArgs {
    /// Keep what is done in a hidden folder beside the output, and go on from there if a run before was interrupted; a
    /// folder as the output (with a / at its end) gets a table for each input, and later runs do only inputs that are new
    #[arg(long)]
    pub(crate) resume: bool,

    /// As --resume, but remove what a run before has done, and start again
    #[arg(long)]
    pub(crate) restart: bool,
}

impl ResumeArgs {
    /// Whether the run keeps what it has done.
    pub(crate) fn is_resumable(&self) -> bool {
        self.resume || self.restart
    }
}

/// What becomes of rows that cannot be read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct FailedRowArgs {
    /// How to handle a row that cannot be read: `fail` stops, `null` keeps what can be read of the row, with null for the
    /// rest and the reason in a column `error`, and continues
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = Errors::Fail)]
    pub(crate) errors: Errors,

    /// File for rows that cannot be read, with the reason in a column `error`; the run continues, and its output is
    /// without them
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with = "errors")]
    pub(crate) rejects: Option<PathBuf>,
}

/// What to do with a row that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Errors {
    /// Stop at the first such row
    Fail,
    /// Keep what can be read of the row, with null for the rest and the reason in a column `error`, continue, and exit
    /// with code 1
    Null,
}

impl FailedRowArgs {
    /// What a reader does with such a row.
    pub(crate) fn policy(&self) -> Errors {
        if self.rejects.is_some() { Errors::Null } else { self.errors }
    }
}
