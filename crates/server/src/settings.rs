//! What a service is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use albertine::ClassifierSettings;
use albertine::hub::ModelSource;

/// A model under the name that requests call it by.
#[derive(Debug, Clone)]
pub struct NamedModel {
    /// The name in requests and paths.
    pub name: String,
    /// Where its files are; they are read when it is first asked for.
    pub source: ModelSource,
}

/// A certificate chain and its private key, both in PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// How the service logs, on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What the service takes at most.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of a file that is sent to be labeled, packed and unpacked.
    pub file_bytes: u64,
    /// Texts of one request.
    pub texts: usize,
    /// Requests at a time; more are refused with 429.
    pub concurrent_requests: usize,
    /// Connections at a time; more wait to be accepted.
    pub connections: usize,
    /// Tokens that go through the encoder together.
    pub batch_tokens: usize,
    /// How long a batch takes, as estimated from its model's speed, unless it has only two texts for each thread.
    pub batch_time: Duration,
    /// Tokens that wait in the queue; when there are more, requests are refused with 429.
    pub queue_tokens: usize,
    /// How long a request would wait in the queue, as estimated from its speed; longer waits are refused with 429.
    pub queue_wait: Duration,
    /// How long a request may take, from the arrival of its body to its answer.
    pub timeout: Duration,
    /// How long a client may keep silent: before and between requests, within one, and while it reads an answer. After
    /// that time a body must arrive with 1,000 bytes a second on average.
    pub idle: Duration,
    /// How long accepted requests have to finish after the terminate signal.
    pub shutdown: Duration,
    /// Bytes of loaded models together; the one that was not used for the longest time is unloaded first. `None`: all
    /// stay.
    pub model_bytes: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 8 << 20,
            file_bytes: 256 << 20,
            texts: 100_000,
            concurrent_requests: 512,
            connections: 4096,
            batch_tokens: 4096,
            batch_time: Duration::from_millis(100),
            queue_tokens: 4 << 20,
            queue_wait: Duration::from_secs(10),
            timeout: Duration::from_secs(120),
            idle: Duration::from_secs(30),
            shutdown: Duration::from_secs(30),
            model_bytes: None,
        }
    }
}

/// What a service is started with.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Where it listens.
    pub address: SocketAddr,
    /// The models that it serves; the first answers requests that name none.
    pub models: Vec<NamedModel>,
    /// How the models run.
    pub classifier: ClassifierSettings,
    /// What it takes at most.
    pub limits: Limits,
    /// Whether texts that are too long are truncated when a request does not say: if not, they are refused.
    pub truncate: bool,
    /// The key that requests must carry as `Authorization: Bearer KEY`, if any.
    pub api_key: Option<String>,
    /// Origins whose pages may call the service from a browser; `*` for all.
    pub cors_origins: Vec<String>,
    /// Serves HTTPS with these files.
    pub tls: Option<TlsFiles>,
    /// Where corrections that people make on the page are appended, as CSV with the columns `text` and `label`.
    pub corrections: Option<PathBuf>,
    /// Whether the page is served.
    pub page: bool,
}

impl ServerSettings {
    /// Models on port 8080 of this machine alone, with default limits.
    #[must_use]
    pub fn new(models: Vec<NamedModel>) -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            models,
            classifier: ClassifierSettings::default(),
            limits: Limits::default(),
            truncate: true,
            api_key: None,
            cors_origins: Vec::new(),
            tls: None,
            corrections: None,
            page: true,
        }
    }
}
