//! Connections: accepted within limits, with TLS if there are certificates, and finished before the service ends.

mod connection;
mod exchange;
mod refusal;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

pub(crate) use self::connection::Connections;
use crate::app::App;
use crate::descriptors::room_for_connections;
use crate::error::ApiError;

/// Serves until `stop`, then finishes what was accepted. Returns whether all of it was in time.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    app: Arc<App>,
    stop: impl Future<Output = ()>,
) -> bool {
    let limits = app.settings.limits.clone();
    let room = Arc::new(Semaphore::new(room_for_connections(limits.connections)));
    // each connection holds a receiver: it hears of the end, and its own end is heard of
    let (ending, end) = watch::channel(false);
    let connections = Connections { router, app, end };
    tokio::pin!(stop);
    loop {
        let (stream, permit) = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = &mut stop => break,
        };
        let (connections, tls) = (connections.clone(), tls.clone());
        tokio::spawn(async move {
            let _permit = permit;
            // small answers are whole packets
            let _ = stream.set_nodelay(true);
            match tls {
                None => connections.serve(stream).await,
                Some(tls) => with_tls(stream, &tls, connections).await,
            }
        });
    }
    drop(listener);
    drop(connections);
    // none is left to hear it if there is no connection
    let _ = ending.send(true);
    tokio::time::timeout(limits.shutdown, ending.closed()).await.is_ok()
}

/// The next connection, when there is room for one.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    let permit = Arc::clone(room).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                // out of file descriptors, or a client that is gone: it passes
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// A connection that begins with a handshake. Who speaks HTTP without TLS is told so.
async fn with_tls(stream: TcpStream, tls: &TlsAcceptor, connections: Connections) {
    let idle = connections.app.settings.limits.idle;
    let mut first = [0];
    match tokio::time::timeout(idle, stream.peek(&mut first)).await {
        Ok(Ok(_)) if first[0].is_ascii_uppercase() => connections.refuse(stream, ApiError::NotTls).await,
        Ok(Ok(_)) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(idle, tls.accept(stream)).await {
                connections.serve(stream).await;
            }
        }
        Ok(Err(_)) | Err(_) => {}
    }
}

/// An address as a URL.
pub(crate) fn url(address: SocketAddr, tls: bool) -> String {
    format!("{}://{address}", if tls { "https" } else { "http" })
}
