//! `albertine completions`: the completions of a shell, made from the definitions of the flags.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::Outcome;
use crate::printer::Printer;

/// Prints the script that teaches `shell` the command's flags.
pub(crate) fn completions(shell: Shell, printer: &Printer) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    let mut out = printer.data();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Outcome::Done)
}
