//! What the two sides of a connection know of each other: the service, which takes requests and gives answers, and the
//! stream, which carries their bytes.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// The requests and answers of a connection, one after the other.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// Whether the service has given something to write since this was last [taken](Self::take_owed).
    owed: AtomicBool,
    /// Whether the last request was dropped before its body was read to the end.
    unread: AtomicBool,
}

impl Exchange {
    /// Notes that the service has given something to write.
    pub(super) fn owe(&self) {
        self.owed.store(true, Ordering::Relaxed);
    }

    /// Whether the service has given something to write since the last call.
    pub(super) fn take_owed(&self) -> bool {
        self.owed.swap(false, Ordering::Relaxed)
    }

    /// Whether bytes of the last request are still to come.
    pub(super) fn is_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }
}

/// The body of a request, which notes whether it is read to its end.
#[derive(Debug)]
pub(super) struct Received<B: Body> {
    body: B,
    exchange: Arc<Exchange>,
}

impl<B: Body> Received<B> {
    pub(super) fn new(body: B, exchange: Arc<Exchange>) -> Self {
        exchange.unread.store(!body.is_end_stream(), Ordering::Relaxed);
        Self { body, exchange }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Received<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if let Poll::Ready(None) = frame {
            this.exchange.unread.store(false, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer, which notes that there is something to write.
#[derive(Debug)]
pub(super) struct Given<B> {
    pub(super) body: B,
    pub(super) exchange: Arc<Exchange>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Given<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if frame.is_ready() {
            this.exchange.owe();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
