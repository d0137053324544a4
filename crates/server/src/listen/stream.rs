//! The bytes of a connection on their way between the client and the HTTP library.
//!
//! The library answers a head that it cannot read by itself, without a body, and offers no way to give another answer.
//! What it writes although the service has given it nothing to write can only be that: it is kept back, for an answer of
//! the service's own. The end of the stream is left to the service too, which has to read what the client still sends.

use std::io::{Error, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::exchange::Exchange;
use crate::body::LEAST_RATE;

/// How an interim answer begins, which the library gives by itself as well.
const CONTINUE: &[u8] = b"HTTP/1.1 100";

/// The bytes of a connection.
#[derive(Debug)]
pub(super) struct Stream<S> {
    inner: S,
    exchange: Arc<Exchange>,
    writing: Writing,
    /// The status of the answer that was kept back.
    kept_back: Option<StatusCode>,
    /// How long a client may read nothing of an answer.
    idle: Duration,
    /// When it has read nothing for too long.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// Whose bytes are being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// Nobody's: all that there was is written.
    Nothing,
    /// Those of an answer of the service.
    Answer,
    /// Those of an answer that the library gives by itself.
    KeptBack,
}

impl<S> Stream<S> {
    pub(super) fn new(inner: S, exchange: Arc<Exchange>, idle: Duration) -> Self {
        Self { inner, exchange, writing: Writing::Nothing, kept_back: None, idle, deadline: None }
    }

    /// The stream, and the status of the answer that the library gave by itself, if it did.
    pub(super) fn into_parts(self) -> (S, Option<StatusCode>) {
        (self.inner, self.kept_back)
    }

    /// Whether bytes that begin with `start` are kept back.
    fn keeps_back(&mut self, start: &[u8]) -> bool {
        if self.writing == Writing::Nothing {
            let is_answer = self.exchange.take_owed() || start.starts_with(CONTINUE);
            self.writing = if is_answer { Writing::Answer } else { Writing::KeptBack };
            if !is_answer {
                self.kept_back = start.get(9..12).and_then(|code| StatusCode::from_bytes(code).ok());
            }
        }
        self.writing == Writing::KeptBack
    }

    /// Notes how many bytes the client took, or fails when it takes none or hardly any for too long.
    fn check_progress(
        &mut self,
        cx: &mut Context<'_>,
        taken: Poll<Result<usize, Error>>,
    ) -> Poll<Result<usize, Error>> {
        if let Poll::Ready(taken) = taken {
            if let (Some(deadline), Ok(bytes)) = (&mut self.deadline, &taken) {
                let earned = Duration::from_millis((*bytes as u64).saturating_mul(1000) / LEAST_RATE);
                let until = deadline.deadline() + earned;
                deadline.as_mut().reset(until.min(Instant::now() + self.idle));
            }
            return Poll::Ready(taken);
        }
        let idle = self.idle;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client does not read its answer")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        if this.keeps_back(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.check_progress(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        let start = parts.iter().find(|part| !part.is_empty()).map_or(&[][..], |part| part);
        if this.keeps_back(start) {
            return Poll::Ready(Ok(parts.iter().map(|part| part.len()).sum()));
        }
        let written = Pin::new(&mut this.inner).poll_write_vectored(cx, parts);
        this.check_progress(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    /// The library asks for it when all that it had is written.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        this.writing = Writing::Nothing;
        // what was given since the last write went with it
        this.exchange.take_owed();
        let flushed = Pin::new(&mut this.inner).poll_flush(cx).map_ok(|()| 0);
        let flushed = ready!(this.check_progress(cx, flushed));
        this.deadline = None;
        Poll::Ready(flushed.map(drop))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
