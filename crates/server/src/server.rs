//! A service from its start to its end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::corrections::Corrections;
use crate::error::ServerError;
use crate::files::{Files, SWEEP};
use crate::metrics::Metrics;
use crate::models::Models;
use crate::queue::{BatchLimits, Queue};
use crate::settings::ServerSettings;
use crate::{engine, listen, routes, tls};

/// Threads that read requests and write answers; the encoder has its own.
const NETWORK_THREADS: usize = 4;

/// A service that has its address and its first model.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    app: Arc<App>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({})", self.url())
    }
}

/// How a service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every request that it had accepted was answered.
    Complete,
    /// Some took longer than they had.
    Cut,
}

impl Server {
    /// Loads the default model and takes the address.
    ///
    /// # Errors
    /// When a setting is wrong, the model cannot be loaded, or the address is taken.
    pub fn bind(settings: ServerSettings) -> Result<Self, ServerError> {
        let limits = &settings.limits;
        let tls = settings.tls.as_ref().map(tls::acceptor).transpose()?;
        let corrections = settings.corrections.as_ref().map(|path| {
            Corrections::open(path).map_err(|source| ServerError::Corrections { path: path.clone(), source })
        });
        let corrections = corrections.transpose()?;
        routes::cors(&settings.cors_origins)?;
        let listen = |source| ServerError::Listen { address: settings.address, source };
        let listener = TcpListener::bind(settings.address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let models = Models::new(settings.models.clone(), settings.classifier.clone(), limits.model_bytes)?;
        models.load_default()?;
        let batch = BatchLimits { tokens: limits.batch_tokens, time: limits.batch_time };
        let queue = Arc::new(Queue::new(batch, limits.queue_tokens, limits.queue_wait));
        let metrics = Arc::new(Metrics::new().map_err(|error| ServerError::Threads(std::io::Error::other(error)))?);
        let files = Files::new().map_err(ServerError::Files)?;
        let app = Arc::new(App::new(settings, models, queue, metrics, files, corrections));
        Ok(Self { listener, address, tls, app })
    }

    /// What it would serve.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn into_app(self) -> Arc<App> {
        self.app
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        listen::url(self.address, self.tls.is_some())
    }

    /// Serves until the process is asked to end (SIGTERM or Ctrl-C), then answers what it has accepted. A second signal
    /// ends the process at once.
    ///
    /// # Errors
    /// When threads cannot be started.
    pub fn run(self) -> Result<Ended, ServerError> {
        self.run_until(asked_to_end())
    }

    /// Serves until `stop`, then answers what it has accepted.
    ///
    /// # Errors
    /// When threads cannot be started.
    pub fn run_until(self, stop: impl Future<Output = ()>) -> Result<Ended, ServerError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(NETWORK_THREADS);
        let runtime: Runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("albertine-http")
            .enable_all()
            .build()
            .map_err(ServerError::Threads)?;
        let (queue, metrics) = (Arc::clone(&self.app.queue), Arc::clone(&self.app.metrics));
        let engine = std::thread::Builder::new()
            .name("albertine-engine".to_owned())
            .spawn(move || engine::work(&queue, &metrics))
            .map_err(ServerError::Threads)?;
        let app = Arc::clone(&self.app);
        let ended = runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(self.listener).map_err(ServerError::Threads)?;
            let router = routes::router(Arc::clone(&app))?;
            let stop = async {
                stop.await;
                tracing::info!("shutting down: answering what was accepted");
                let files = app.files.cancel_all();
                if files > 0 {
                    tracing::warn!("{files} files that were sent are not labeled to the end");
                }
            };
            let sweeping = Arc::clone(&app);
            tokio::spawn(async move {
                let mut ticks = tokio::time::interval(SWEEP);
                loop {
                    ticks.tick().await;
                    sweeping.files.sweep();
                }
            });
            let complete = listen::serve(listener, self.tls, router, Arc::clone(&app), stop).await;
            Ok(if complete { Ended::Complete } else { Ended::Cut })
        });
        self.app.queue.close();
        if matches!(ended, Ok(Ended::Cut)) {
            // with the requests that were not answered in time their texts leave the queue
            runtime.shutdown_background();
        }
        // it panics only if the encoder did, which it catches
        let _ = engine.join();
        ended
    }
}

/// The first signal that asks the process to end. A second one ends it.
async fn asked_to_end() {
    signal().await;
    tokio::spawn(async {
        signal().await;
        std::process::exit(INTERRUPTED);
    });
}

/// The exit code of a process that was interrupted.
const INTERRUPTED: i32 = 130;

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("cannot listen for signals");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    // without it there is no way to ask
    let _ = tokio::signal::ctrl_c().await;
}
