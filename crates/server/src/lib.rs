//! Albertine as an HTTP service: one queue before one encoder, behind the routes of several inference servers, and a
//! page to try it.
//!
//! ```text
//! connections ─▶ context, key, limits ─▶ routes ─▶ tokenization ─▶ queue ─▶ engine ─▶ answers
//!   listen         request                routes/    app             queue    engine
//! ```
//!
//! Requests are refused before they take memory: by the size of their body, by the number that are handled at a time,
//! and by what waits in the queue. Texts never appear in the log.
//!
//! ```no_run
//! use albertine_server::{LogFormat, NamedModel, Server, ServerSettings, start_log};
//!
//! start_log(LogFormat::Text)?;
//! let model = NamedModel { name: "ag_news".to_owned(), source: albertine::hub::resolve("ag_news")? };
//! let server = Server::bind(ServerSettings::new(vec![model]))?;
//! println!("listening on {}", server.url());
//! server.run()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod app;
mod body;
mod context;
mod corrections;
mod descriptors;
mod engine;
mod error;
mod files;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod listen;
mod log;
mod metrics;
mod models;
mod page;
mod path;
mod queue;
mod request;
mod routes;
mod server;
mod settings;
mod tls;

pub use error::ServerError;
pub use log::start_log;
pub use server::{Ended, Server};
pub use settings::{Limits, LogFormat, NamedModel, ServerSettings, TlsFiles};
