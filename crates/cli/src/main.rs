//! The `albertine` command: text classification with ALBERT, from one headline to a table of millions.
//!
//! Three layers: [`args`] records what was typed, [`settings`] resolves it, [`commands`] do it. Standard output carries
//! data and nothing else; all talk goes to standard error through [`printer`]. How a command ends is told in [`exit`].

mod args;
mod commands;
mod exit;
mod facts;
mod interrupt;
mod printer;
mod progress;
mod report;
mod settings;
mod table;
mod timing;
mod writer;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::printer::Printer;

fn main() -> ExitCode {
    let Cli { command, quiet } = Cli::parse();
    let printer = Printer::new(quiet);
    let tables = match command {
        Command::Sql(_) => exit::Tables::Query,
        _ => exit::Tables::Arguments,
    };
    let result = match command {
        Command::Classify(args) => commands::classify(*args, &printer),
        Command::Sql(args) => commands::sql(&args, &printer),
        Command::Inspect { subject } => commands::inspect(subject, &printer),
        Command::Bench(args) => commands::bench(&args, &printer),
        Command::Completions { shell } => commands::completions(shell, &printer),
    };
    exit::finish(result, tables, &printer)
}
