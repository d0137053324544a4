//! One connection, from its first byte to the end of the stream.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;
use tower::ServiceExt;

use super::exchange::{Exchange, Given, Received};
use super::refusal;
use super::stream::Stream;
use crate::app::App;
use crate::error::ApiError;

/// Bytes that the head of a request may have.
const MOST_HEADER_BYTES: usize = 64 << 10;

/// How long a client that was refused may go on sending before the connection is cut, and how long it may be silent. Cut
/// earlier, it would get an error of its network instead of the answer.
const LINGER: Duration = Duration::from_secs(10);
const LINGER_SILENT: Duration = Duration::from_secs(1);

/// What connections have in common.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    pub(crate) router: Router,
    pub(crate) app: Arc<App>,
    /// Whether the service is about to end.
    pub(crate) end: watch::Receiver<bool>,
}

impl Connections {
    /// Serves the requests of a connection until either side ends it.
    pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(mut self, stream: S) {
        let idle = self.app.settings.limits.idle;
        let exchange = Arc::new(Exchange::default());
        let stream = Stream::new(stream, Arc::clone(&exchange), idle);
        let (router, shared) = (self.router.clone(), Arc::clone(&exchange));
        let service = service_fn(move |request: Request<Incoming>| {
            let (router, exchange) = (router.clone(), Arc::clone(&shared));
            async move {
                let request = request.map(|body| Body::new(Received::new(body, Arc::clone(&exchange))));
                let answer = router.oneshot(request).await?;
                exchange.owe();
                Ok::<_, Infallible>(answer.map(|body| Given { body, exchange }))
            }
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(idle)
            .max_buf_size(MOST_HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let end = async { drop(self.end.wait_for(|end| *end).await) };
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = end => {
                Pin::new(&mut connection).graceful_shutdown();
                (&mut connection).await
            }
        };
        let parts = connection.into_parts();
        let (stream, kept_back) = parts.io.into_inner().into_parts();
        let refused = match ended {
            Ok(()) => None,
            Err(error) => {
                tracing::debug!("a connection ended: {error}");
                refusal_of(&error, kept_back, !parts.read_buf.is_empty())
            }
        };
        match refused {
            Some(error) => self.refuse(stream, error).await,
            None => finish(stream, idle, exchange.is_unread()).await,
        }
    }

    /// Answers what is no request, and ends the connection.
    pub(super) async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S, error: ApiError) {
        let idle = self.app.settings.limits.idle;
        let answer = refusal::answer(&self.app, error).await;
        if let Ok(Ok(())) = timeout(idle, stream.write_all(&answer)).await {
            finish(stream, idle, true).await;
        }
    }
}

/// What a client is told whose connection the library has given up. `in_head`: it has begun a request.
fn refusal_of(error: &hyper::Error, kept_back: Option<StatusCode>, in_head: bool) -> Option<ApiError> {
    match kept_back {
        Some(StatusCode::URI_TOO_LONG) => Some(ApiError::UriTooLong),
        Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE) => Some(ApiError::HeadTooLarge { limit: MOST_HEADER_BYTES }),
        Some(_) => Some(ApiError::NotHttp),
        None if error.is_parse() => Some(ApiError::NotHttp),
        None if error.is_timeout() && in_head => Some(ApiError::SlowHead),
        // it has hung up, or kept silent between two requests
        None => None,
    }
}

/// Ends a connection. If the client is still sending, what it sends is read for a while and thrown away.
async fn finish<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, idle: Duration, sending: bool) {
    let ended = timeout(idle, stream.shutdown()).await;
    if !sending || !matches!(ended, Ok(Ok(()))) {
        return;
    }
    let mut thrown_away = vec![0; 16 << 10];
    let rest = async { while let Ok(Ok(1..)) = timeout(LINGER_SILENT, stream.read(&mut thrown_away)).await {} };
    let _ = timeout(LINGER, rest).await;
}
