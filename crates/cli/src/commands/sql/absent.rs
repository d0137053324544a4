//! `albertine sql` in a build without the cargo feature `sql`: it says how to get one with it.

use albertine::hub::Hub;

use crate::args::SqlArgs;
use crate::exit::{Misuse, Outcome};
use crate::printer::Printer;

/// Refuses the query.
pub(crate) fn sql(_: &SqlArgs, _: &Hub, _: &Printer) -> anyhow::Result<Outcome> {
    let hint = "`cargo install --path crates/cli --features sql` installs one with it, and \
                `cargo run --release --features sql -- sql ...` runs it";
    Err(Misuse::new("this build of albertine has no SQL engine", hint).into())
}
