//! The man pages of the `albertine` command, from the definitions of its flags: `albertine-man FOLDER`. A program of
//! its own, built with the cargo feature `man`, so that the command does not carry it.

// The values are for the command; here the definitions alone are read.
#[allow(dead_code, unused_imports)]
mod args;

use std::path::PathBuf;

use clap::{CommandFactory, Parser};

/// Write the man pages of the `albertine` command
#[derive(Parser)]
struct Man {
    /// Folder to write to
    folder: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let Man { folder } = Man::parse();
    std::fs::create_dir_all(&folder)?;
    clap_mangen::generate_to(args::Cli::command().disable_help_subcommand(true), folder)?;
    Ok(())
}
