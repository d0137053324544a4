//! What all routes share: the models, the queue, the limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use albertine::{Activation, Document, EncodedText, TextOutput, TruncationSide};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::corrections::Corrections;
use crate::error::ApiError;
use crate::files::Files;
use crate::metrics::{Metrics, seconds};
use crate::models::{Models, Served};
use crate::queue::Queue;
use crate::settings::ServerSettings;

/// Bytes of texts from which on they are tokenized on a thread of their own, so that other requests are served.
pub(crate) const WORTH_A_THREAD: usize = 32 << 10;

/// A request is refused when it is estimated to take this many times the time that it has: the estimate is a rough one.
const CERTAINLY_TOO_LONG: f64 = 2.0;

/// Bodies of the largest size that may be in memory at a time.
const BODIES: usize = 32;

/// What all routes share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) settings: ServerSettings,
    pub(crate) models: Models,
    pub(crate) queue: Arc<Queue>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) files: Files,
    pub(crate) corrections: Option<Corrections>,
    /// One for each request that may be handled at a time.
    requests: Arc<Semaphore>,
    /// One for each processor that may tokenize large requests: a long text takes many times its bytes meanwhile.
    tokenizing: Arc<Semaphore>,
    /// Bytes of bodies that are in memory.
    bodies: AtomicUsize,
}

/// A text of a request, or a pair of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) text: String,
    pub(crate) pair: Option<String>,
}

impl Input {
    fn bytes(&self) -> usize {
        self.text.len() + self.pair.as_ref().map_or(0, String::len)
    }
}

/// What becomes of a text that has more tokens than the model reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truncation {
    /// It is truncated; else the request is refused.
    pub(crate) allowed: bool,
    /// The side, if not the tokenizer's own.
    pub(crate) side: Option<TruncationSide>,
}

/// What the model says of the texts of a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) served: Arc<Served>,
    /// One for each text.
    pub(crate) outputs: Vec<TextOutput>,
    /// Tokens of all texts.
    pub(crate) tokens: usize,
    /// Texts that were truncated.
    pub(crate) truncated: usize,
}

impl Answer {
    /// The scores of each text; `None` for a blank one.
    pub(crate) fn scores(&self, activation: Option<Activation>) -> impl Iterator<Item = Option<Vec<f32>>> {
        let activation = activation.unwrap_or(self.served.classifier.activation());
        self.outputs.iter().map(move |output| output.scores(activation))
    }

    pub(crate) fn labels(&self) -> &[String] {
        self.served.classifier.labels()
    }
}

impl App {
    pub(crate) fn new(
        settings: ServerSettings,
        models: Models,
        queue: Arc<Queue>,
        metrics: Arc<Metrics>,
        files: Files,
        corrections: Option<Corrections>,
    ) -> Self {
        let requests = Arc::new(Semaphore::new(settings.limits.concurrent_requests));
        let tokenizing = Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)));
        let bodies = AtomicUsize::new(0);
        Self { settings, models, queue, metrics, files, corrections, requests, tokenizing, bodies }
    }

    /// What happens to long texts when a request does not say.
    pub(crate) fn truncation(&self) -> Truncation {
        Truncation { allowed: self.settings.truncate, side: None }
    }

    /// What a model says of texts. They are in the queue from here on, until they are answered or the client hangs up.
    pub(crate) async fn classify(
        &self,
        model: Option<&str>,
        inputs: Vec<Input>,
        truncation: Truncation,
    ) -> Result<Answer, ApiError> {
        let limit = self.settings.limits.texts;
        if inputs.len() > limit {
            return Err(ApiError::TooManyTexts { count: inputs.len(), limit });
        }
        let method = if inputs.len() == 1 { "single" } else { "batch" };
        self.metrics.requests.with_label_values(&[method]).inc();
        let arrived = Instant::now();
        self.queue.check(inputs.len())?;
        let served = self.models.get(model).await?;
        let started = Instant::now();
        let texts = self.encode(&served, inputs, truncation).await?;
        self.metrics.tokenization.observe(seconds(started.elapsed()));
        texts.iter().for_each(|text| self.metrics.input_length.observe(text.tokens() as f64));
        let tokens = texts.iter().map(EncodedText::tokens).sum();
        let truncated = texts.iter().filter(|text| text.truncated()).count();
        let count = texts.len();
        let (takes, limit) = (served.seconds(tokens), self.settings.limits.timeout);
        if takes > CERTAINLY_TOO_LONG * limit.as_secs_f64() {
            return Err(ApiError::TooMuchWork { seconds: takes as u64, limit: limit.as_secs() });
        }
        let reply = self.queue.push(Arc::clone(&served), texts)?;
        self.metrics.queue_size.set(self.queue.len() as i64);
        // the engine drops what it cannot answer only when it is gone
        let outputs = reply.await.map_err(|_| ApiError::Internal)??;
        self.metrics.texts.inc_by(count as u64);
        self.metrics.truncated.inc_by(truncated as u64);
        self.metrics.successes.with_label_values(&[method]).inc();
        self.metrics.duration.observe(seconds(arrived.elapsed()));
        Ok(Answer { served, outputs, tokens, truncated })
    }

    /// The texts in tokens.
    async fn encode(
        &self,
        served: &Arc<Served>,
        inputs: Vec<Input>,
        truncation: Truncation,
    ) -> Result<Vec<EncodedText>, ApiError> {
        let bytes: usize = inputs.iter().map(Input::bytes).sum();
        let served = Arc::clone(served);
        let work =
            move || inputs.iter().enumerate().map(|(index, input)| one(&served, index, input, truncation)).collect();
        if bytes < WORTH_A_THREAD { work() } else { self.tokenize(work).await? }
    }

    /// Does work with long texts on a thread of its own, when there is a processor for it.
    pub(crate) async fn tokenize<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let permit = Arc::clone(&self.tokenizing).acquire_owned().await.map_err(|_| ApiError::Closing)?;
        let work = move || {
            // the work goes on when the client has hung up
            let _permit = permit;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| ApiError::Internal)
    }

    /// Whether as many requests are being handled as may be.
    pub(crate) fn is_full(&self) -> bool {
        self.requests.available_permits() == 0
    }

    /// A request that has arrived whole, among those that are being handled.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when as many are being handled as may be.
    pub(crate) fn admit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.requests).try_acquire_owned().map_err(|_| ApiError::Overloaded { retry_after: 1 })
    }

    /// Memory for a body, of which none is taken yet.
    pub(crate) fn memory(self: &Arc<Self>) -> Memory {
        Memory { app: Arc::clone(self), bytes: 0 }
    }
}

/// Memory that is set apart for a body; it is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Memory {
    app: Arc<App>,
    bytes: usize,
}

impl Memory {
    /// Takes so many bytes more.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when bodies that are in memory leave no room for it.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), ApiError> {
        let most = self.app.settings.limits.body_bytes.saturating_mul(BODIES);
        let before = self.app.bodies.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if before + bytes > most { Err(ApiError::Overloaded { retry_after: 1 }) } else { Ok(()) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.app.bodies.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn one(served: &Served, index: usize, input: &Input, truncation: Truncation) -> Result<EncodedText, ApiError> {
    let document = Document { text: &input.text, pair: input.pair.as_deref(), tokens: None };
    let text = served.classifier.encode(document, truncation.side)?;
    if text.truncated() && !truncation.allowed {
        return Err(ApiError::TextTooLong { index, limit: served.classifier.max_sentence_length() });
    }
    Ok(text)
}
