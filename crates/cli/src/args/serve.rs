//! `albertine serve`.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use albertine_server::LogFormat;
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum, ValueHint};

use super::{RunArgs, positive};

pub(super) const EXAMPLES: &str = "\
The address that is printed opens a page to try the models. Programs use the routes of Hugging Face inference (POST /), \
text-embeddings-inference (POST /predict), vLLM (POST /v1/classify), the Open Inference Protocol (POST /v2/models/NAME/infer) or \
Albertine's own (POST /v1/annotate); GET /openapi.json describes them all, GET /metrics is for Prometheus. SIGTERM and Ctrl-C answer \
what was accepted before the service ends; a second one ends it at once. The environment variable ALBERTINE_API_KEY sets a key that \
requests must carry, ALBERTINE_LOG the level of the log (error, warn, info, debug).

Examples:
  albertine serve
  albertine serve --model news=./my-model --model ag_news --precision int8
  albertine serve --host 0.0.0.0 --port 443 --tls-certificate server.pem --tls-key server.key --log-format json
  curl -s localhost:8080/v1/annotate -d '{\"texts\": [\"Oil prices rose on Monday\"]}'";

/// `albertine serve`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServeArgs {
    /// Model to serve, with a name for requests; may be repeated, and the first answers requests that name none
    #[arg(long = "model", value_name = "[NAME=]MODEL", default_value = albertine::hub::DEFAULT, value_hint = ValueHint::DirPath,
        help_heading = "Model")]
    pub(crate) models: Vec<String>,

    #[command(flatten)]
    pub(crate) run: RunArgs,

    /// Address to listen on; 0.0.0.0 is all of this machine's
    #[arg(long, value_name = "IP", default_value = "127.0.0.1", env = "ALBERTINE_HOST", help_heading = "Service")]
    pub(crate) host: IpAddr,

    /// Port to listen on; 0 is any free one
    #[arg(long, value_name = "N", default_value_t = 8080, env = "ALBERTINE_PORT", help_heading = "Service")]
    pub(crate) port: u16,

    /// Certificate chain in PEM format, to serve HTTPS
    #[arg(long, value_name = "PATH", requires = "tls_key", value_hint = ValueHint::FilePath, help_heading = "Service")]
    pub(crate) tls_certificate: Option<PathBuf>,

    /// Private key of the certificate in PEM format
    #[arg(long, value_name = "PATH", requires = "tls_certificate", value_hint = ValueHint::FilePath, help_heading = "Service")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Origin whose pages may call the service from a browser, such as https://example.org, or *; may be repeated
    /// [default: none]
    #[arg(long = "cors-origin", value_name = "ORIGIN", help_heading = "Service")]
    pub(crate) cors_origins: Vec<String>,

    /// CSV file to append the corrections to that people make on the page, for `albertine train` [default: the page
    /// keeps them in the browser]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Service")]
    pub(crate) corrections: Option<PathBuf>,

    /// Do not serve the page
    #[arg(long, help_heading = "Service")]
    pub(crate) no_page: bool,

    /// Refuse texts that are too long where a request does not ask for them to be truncated
    #[arg(long, help_heading = "Service")]
    pub(crate) no_truncate: bool,

    /// Format of the log on standard error; it never contains a text
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Log::Text, help_heading = "Service")]
    pub(crate) log_format: Log,

    /// Maximum size of a request's body, and of a text in a file, in bytes
    #[arg(long, value_name = "N", value_parser = positive, default_value = "8388608", help_heading = "Limits")]
    pub(crate) max_body: NonZeroUsize,

    /// Maximum size of a file that is sent to be labeled, packed and unpacked, in bytes
    #[arg(long, value_name = "N", value_parser = positive, default_value = "268435456", help_heading = "Limits")]
    pub(crate) max_file: NonZeroUsize,

    /// Maximum number of texts in a request
    #[arg(long, value_name = "N", value_parser = positive, default_value = "100000", help_heading = "Limits")]
    pub(crate) max_texts: NonZeroUsize,

    /// Maximum number of requests at a time; more get status 429
    #[arg(long, value_name = "N", value_parser = positive, default_value = "512", help_heading = "Limits")]
    pub(crate) max_concurrent_requests: NonZeroUsize,

    /// Maximum number of connections at a time; more wait to be accepted
    #[arg(long, value_name = "N", value_parser = positive, default_value = "4096", help_heading = "Limits")]
    pub(crate) max_connections: NonZeroUsize,

    /// Maximum number of tokens in a batch, a single text aside
    #[arg(long, value_name = "N", value_parser = positive, default_value = "4096", help_heading = "Limits")]
    pub(crate) max_batch_tokens: NonZeroUsize,

    /// Maximum time of a batch, in seconds, as estimated from its model's speed, two texts for each thread aside: so long
    /// a request may wait for those before it
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "0.1", help_heading = "Limits")]
    pub(crate) max_batch_time: Duration,

    /// Maximum number of tokens in the queue before requests get status 429
    #[arg(long, value_name = "N", value_parser = positive, default_value = "4194304", help_heading = "Limits")]
    pub(crate) max_queue_tokens: NonZeroUsize,

    /// Maximum time in the queue, in seconds, as estimated when a request arrives; it gets status 429 if it would wait
    /// longer
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10", help_heading = "Limits")]
    pub(crate) max_wait: Duration,

    /// Maximum time of a request from the arrival of its body to its answer, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "120", help_heading = "Limits")]
    pub(crate) timeout: Duration,

    /// Maximum time that a client may be silent while it sends or reads, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30", help_heading = "Limits")]
    pub(crate) idle_timeout: Duration,

    /// Maximum time to finish accepted requests after SIGTERM, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30", help_heading = "Limits")]
    pub(crate) shutdown_timeout: Duration,

    /// Maximum memory of loaded models, in MB; the least recently used is unloaded first [default: no limit]
    #[arg(long, value_name = "MB", value_parser = RangedU64ValueParser::<u64>::new().range(1..=1_000_000_000), help_heading = "Limits")]
    pub(crate) max_model_memory: Option<u64>,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Log {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

impl From<Log> for LogFormat {
    fn from(format: Log) -> Self {
        match format {
            Log::Text => Self::Text,
            Log::Json => Self::Json,
        }
    }
}

/// A time in seconds, up to a day.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("not a number of seconds above 0 and up to 86400".to_owned()),
    }
}
