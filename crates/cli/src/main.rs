//! The `albertine` command: text classification with ALBERT, from one headline to a table of millions.
//!
//! Three layers: [`args`] records what was typed, [`settings`] resolves it, [`commands`] do it. Standard output carries
//! data and nothing else; all talk goes to standard error through [`printer`]. How a command ends is told in [`exit`].

mod args;
mod commands;
mod download;
mod exit;
mod facts;
mod interrupt;
mod labeled;
mod labels;
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
use crate::exit::Outcome;
use crate::printer::Printer;

fn main() -> ExitCode {
    let Cli { command, quiet, offline } = Cli::parse();
    let printer = Printer::new(quiet);
    let tables = match command {
        Command::Sql(_) => exit::Tables::Query,
        _ => exit::Tables::Arguments,
    };
    exit::finish(run(command, offline, &printer), tables, &printer)
}

fn run(command: Command, offline: bool, printer: &Printer) -> anyhow::Result<Outcome> {
    let hub = download::hub(offline, *printer);
    match command {
        Command::Classify(args) => commands::classify(*args, &hub?, printer),
        Command::Explain(args) => commands::explain(&args, &hub?, printer),
        Command::Evaluate(args) => commands::evaluate(&args, &hub?, printer),
        Command::Calibrate(args) => commands::calibrate(&args, &hub?, printer),
        Command::Clean(args) => commands::clean(&args, &hub?, printer),
        Command::Train(args) => commands::train(&args, &hub?, printer),
        Command::Serve(args) => commands::serve(*args, &hub?, printer),
        Command::Sql(args) => commands::sql(&args, &hub?, printer),
        Command::Inspect { subject } => commands::inspect(subject, &hub?, printer),
        Command::Models { action } => commands::models(action, &hub?, printer),
        Command::Bench(args) => commands::bench(&args, &hub?, printer),
        Command::Completions { shell } => commands::completions(shell, printer),
    }
}
