//! A service without a network, for fuzz targets (the cargo feature `fuzzing`).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tower::ServiceExt;

use crate::app::App;
use crate::error::ServerError;
use crate::listen::Connections;
use crate::server::Server;
use crate::settings::{Limits, ServerSettings};
use crate::{engine, routes};

/// A service that is given requests and connections from the same process.
#[derive(Debug)]
pub struct Service {
    runtime: Runtime,
    router: Router,
    app: Arc<App>,
    // connections end when it is dropped
    _ending: watch::Sender<bool>,
    end: watch::Receiver<bool>,
}

impl Service {
    /// A service that waits for nothing.
    ///
    /// # Errors
    /// As [`Server::bind`].
    pub fn new(settings: ServerSettings) -> Result<Self, ServerError> {
        let limits = Limits { idle: Duration::from_millis(200), ..settings.limits };
        let app = Server::bind(ServerSettings { limits, ..settings })?.into_app();
        let (queue, metrics) = (Arc::clone(&app.queue), Arc::clone(&app.metrics));
        std::thread::spawn(move || engine::work(&queue, &metrics));
        let runtime = Runtime::new().map_err(ServerError::Threads)?;
        let (ending, end) = watch::channel(false);
        Ok(Self { runtime, router: routes::router(Arc::clone(&app))?, app, _ending: ending, end })
    }

    /// The answer to a request.
    #[must_use]
    pub fn answer(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        let router = self.router.clone();
        // on a thread of the runtime, as all requests are
        let answer = self.runtime.spawn(async move {
            let Ok(answer) = router.oneshot(request.map(Body::from)).await;
            let (head, body) = answer.into_parts();
            Response::from_parts(head, to_bytes(body, usize::MAX).await.unwrap_or_default().to_vec())
        });
        self.runtime.block_on(answer).unwrap_or_default()
    }

    /// What is sent to a client that sends these bytes and then nothing more.
    #[must_use]
    pub fn converse(&self, bytes: Vec<u8>) -> Vec<u8> {
        let (router, app, end) = (self.router.clone(), Arc::clone(&self.app), self.end.clone());
        let (near, far) = tokio::io::duplex(1 << 20);
        let connection = self.runtime.spawn(Connections { router, app, end }.serve(far));
        let answer = self.runtime.block_on(async move {
            let (mut reading, mut writing) = tokio::io::split(near);
            let mut answer = Vec::new();
            let write = async {
                // the service may have ended the connection
                let _ = writing.write_all(&bytes).await;
                let _ = writing.shutdown().await;
            };
            let (_, _) = tokio::join!(write, reading.read_to_end(&mut answer));
            answer
        });
        let _ = self.runtime.block_on(connection);
        answer
    }
}
