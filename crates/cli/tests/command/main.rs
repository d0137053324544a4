//! The whole conversation of the real binary: exit code, standard output and standard error, by command and by theme.
// A test that cannot run on this machine says so on standard error.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

#[path = "../../../hub/tests/server/mod.rs"]
mod server;
mod support;

mod bench;
mod calibrate;
mod checkpoints;
mod class_names;
mod clean;
mod completions;
mod dialects;
mod evaluate;
mod explain;
mod hub;
mod inspect;
mod model_files;
mod models;
mod outputs;
mod resume;
mod serve;
mod signals;
mod spark_nlp;
#[cfg_attr(not(feature = "sql"), path = "sql_absent.rs")]
mod sql;
mod tables;
mod texts;
mod train;
mod train_tasks;
mod usage;
