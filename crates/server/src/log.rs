//! The log, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::filter::LevelFilter;

use crate::error::ServerError;
use crate::settings::LogFormat;

/// The environment variable with the level.
const LEVEL: &str = "ALBERTINE_LOG";

/// Starts the log of this process, once; the environment variable `ALBERTINE_LOG` sets its level: `off`, `error`,
/// `warn`, `info` (if it is not set), `debug` or `trace`.
///
/// # Errors
/// [`ServerError::LogLevel`] for another level.
pub fn start_log(format: LogFormat) -> Result<(), ServerError> {
    let level = match std::env::var_os(LEVEL) {
        None => LevelFilter::INFO,
        Some(given) => {
            let given = given.to_string_lossy();
            given.parse().map_err(|_| ServerError::LogLevel { variable: LEVEL, given: given.into_owned() })?
        }
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    // a log that was started before goes on
    let _ = match format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    Ok(())
}
