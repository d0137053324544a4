//! The subcommands: one file and one function each.

mod bench;
mod calibrate;
mod classify;
mod clean;
mod completions;
mod evaluate;
mod explain;
mod inspect;
mod models;
mod serve;
#[cfg_attr(not(feature = "sql"), path = "commands/sql/absent.rs")]
mod sql;
mod train;

pub(crate) use self::bench::bench;
pub(crate) use self::calibrate::calibrate;
pub(crate) use self::classify::classify;
pub(crate) use self::clean::clean;
pub(crate) use self::completions::completions;
pub(crate) use self::evaluate::evaluate;
pub(crate) use self::explain::explain;
pub(crate) use self::inspect::inspect;
pub(crate) use self::models::models;
pub(crate) use self::serve::serve;
pub(crate) use self::sql::sql;
pub(crate) use self::train::train;
