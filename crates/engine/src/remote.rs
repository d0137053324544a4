//! Object stores, seen from threads that block: `s3://`, `https://` and `http://`.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{HttpConnector, HttpRequestBody, ReqwestConnector};
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig};
use tokio::runtime::Runtime;
use url::Url;

use crate::EngineError;
use crate::error::clause;
use crate::redacted::redacted;

/// The runtime that all requests of the process run on. It is made on first use, so that local work never starts its
/// threads.
///
/// # Errors
/// When its threads cannot be started.
pub fn runtime() -> Result<&'static Runtime, EngineError> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("albertine-io")
                .enable_all()
                .build()
                .ok()
        })
        .as_ref()
        .ok_or(EngineError::Stopped { stage: "input and output runtime" })
}

/// The store that holds `url`, and the object's path in it.
///
/// S3 takes its credentials, region and endpoint from the environment (`AWS_ACCESS_KEY_ID`, `AWS_REGION`,
/// `AWS_ENDPOINT`, ...).
///
/// # Errors
/// When the environment's settings do not make a store, or the URL names no object.
pub fn store(url: &Url) -> Result<(Arc<dyn ObjectStore>, Path), EngineError> {
    let bad = |reason: String| EngineError::BadUrl { url: redacted(url.as_str()), reason: clause(&reason) };
    let path = Path::from_url_path(url.path()).map_err(|error| bad(error.to_string()))?;
    let retry =
        RetryConfig { max_retries: 4, retry_timeout: Duration::from_secs(60), backoff: BackoffConfig::default() };
    let store: Arc<dyn ObjectStore> = match url.scheme() {
        "s3" => {
            let mut builder = AmazonS3Builder::from_env().with_url(url.as_str()).with_retry(retry);
            // Whoever names an endpoint without TLS means it.
            if builder
                .get_config_value(&AmazonS3ConfigKey::Endpoint)
                .is_some_and(|endpoint| endpoint.starts_with("http://"))
            {
                builder = builder.with_allow_http(true);
            }
            Arc::new(builder.build().map_err(|error| bad(error.to_string()))?)
        }
        _ => {
            // The query stays with the base, to which the path is added.
            let mut base = url.clone();
            base.set_path("/");
            let options = ClientOptions::new().with_allow_http(true);
            let builder = HttpBuilder::new().with_url(base).with_client_options(options).with_retry(retry);
            Arc::new(builder.build().map_err(|error| bad(error.to_string()))?)
        }
    };
    Ok((store, path))
}

/// The objects of an S3 prefix (`s3://bucket/folder/`) or pattern (`s3://bucket/folder/*.csv`), in the order of their
/// names, each with its address as it is written in patterns.
pub(crate) fn list(pattern: &str) -> Result<Vec<(Url, String)>, EngineError> {
    let bad = |reason: String| EngineError::BadUrl { url: pattern.to_owned(), reason };
    let (bucket, key) = pattern
        .strip_prefix("s3://")
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(|| bad("it names no object".to_owned()))?;
    let root = Url::parse(&format!("s3://{bucket}/")).map_err(|error| bad(error.to_string()))?;
    let (store, _) = store(&root)?;

    // Only the folder part before the first special character can be asked of the store.
    let plain = key.split(['*', '?', '[']).next().unwrap_or_default();
    let folder = plain.rsplit_once('/').map_or("", |(folder, _)| folder);
    let prefix = Path::parse(folder).map_err(|error| bad(error.to_string()))?;
    let keys: Vec<Path> = runtime()?
        .block_on(store.list(Some(&prefix)).map_ok(|object| object.location).try_collect())
        .map_err(|error| fault(pattern, &error))?;

    let matches: Box<dyn Fn(&str) -> bool> = if plain == key {
        Box::new(|found| found.starts_with(key))
    } else {
        let glob = glob::Pattern::new(key)
            .map_err(|error| EngineError::BadPattern { pattern: pattern.to_owned(), reason: error.msg.to_owned() })?;
        let options = glob::MatchOptions { require_literal_separator: true, ..Default::default() };
        Box::new(move |found| glob.matches_with(found, options))
    };
    let mut found: Vec<&str> = keys.iter().map(Path::as_ref).filter(|key| matches(key)).collect();
    found.sort_unstable();
    found
        .into_iter()
        .map(|key| {
            let mut url = root.clone();
            url.path_segments_mut().map_err(|()| bad("it names no object".to_owned()))?.clear().extend(key.split('/'));
            Ok((url, format!("s3://{bucket}/{key}")))
        })
        .collect()
}

/// An object's bytes from its start, as a blocking reader.
pub(crate) struct RemoteRead {
    url: String,
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    chunk: Bytes,
}

impl RemoteRead {
    /// Asks for the object, and gives its size in bytes too if the server tells it.
    pub(crate) fn open(url: &Url) -> Result<(Self, Option<u64>), EngineError> {
        let (store, path) = store(url)?;
        let (stream, size) = match runtime()?.block_on(store.get(&path)) {
            Ok(object) => {
                let size = object.meta.size;
                (object.into_stream(), Some(size))
            }
            // An answer that is no object to a store, since it has no Content-Length for example, may be one to read.
            Err(error @ object_store::Error::Generic { .. }) if url.scheme() != "s3" => {
                (runtime()?.block_on(plain_get(url)).ok_or_else(|| fault(url.as_str(), &error))?, None)
            }
            Err(error) => return Err(fault(url.as_str(), &error)),
        };
        Ok((Self { url: url.to_string(), stream, chunk: Bytes::new() }, size))
    }
}

/// The body of the answer to a plain GET, if it succeeds.
async fn plain_get(url: &Url) -> Option<BoxStream<'static, object_store::Result<Bytes>>> {
    let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true)).ok()?;
    let request = http::Request::get(url.as_str()).body(HttpRequestBody::empty()).ok()?;
    let response = client.execute(request).await.ok().filter(|response| response.status().is_success())?;
    let failed = |error| object_store::Error::Generic { store: "HTTP", source: Box::new(error) };
    Some(response.into_body().bytes_stream().map_err(failed).boxed())
}

impl Read for RemoteRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let runtime = runtime().map_err(io::Error::other)?;
        while self.chunk.is_empty() {
            match runtime.block_on(self.stream.next()) {
                Some(Ok(chunk)) => self.chunk = chunk,
                Some(Err(error)) => return Err(io::Error::other(fault(&self.url, &error))),
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// A store's error with the innermost reason, which is the one that a person can act on.
#[must_use]
pub fn fault(url: &str, error: &object_store::Error) -> EngineError {
    let shown = redacted(url);
    match error {
        object_store::Error::NotFound { .. } => return EngineError::NotFound { path: shown },
        object_store::Error::PermissionDenied { .. } => {
            return EngineError::Remote { url: shown, reason: "access is denied".to_owned() };
        }
        object_store::Error::Unauthenticated { .. } => {
            return EngineError::Remote { url: shown, reason: "the credentials are missing or wrong".to_owned() };
        }
        _ => {}
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    // The reason may quote the URL.
    let reason = clause(&innermost.to_string()).replace(url, &shown);
    EngineError::Remote { url: shown, reason }
}
