//! The log, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::settings::LogFormat;

/// The environment variable with the level: `error`, `warn`, `info` or `debug`.
const LEVEL: &str = "ALBERTINE_LOG";

/// Starts the log of this process, once; the environment variable `ALBERTINE_LOG` sets its level (`info` if it is not
/// set).
pub fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_env(LEVEL).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // a log that was started before goes on
    let _ = match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
