//! The queue before the encoder: texts of many requests, in batches by token budget.
//!
//! A batch forms from what waits when the engine becomes free, so that a lone request never waits for others. Requests
//! take turns text by text: one of ten thousand texts does not hold up one of a single text.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use albertine::{EncodedText, TextOutput};
use tokio::sync::oneshot;

use crate::error::ApiError;
use crate::metrics::{Metrics, seconds};
use crate::models::Served;

/// What a request waits for.
pub(crate) type Reply = Result<Vec<TextOutput>, albertine::Error>;

/// The texts of one request.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) served: Arc<Served>,
    pub(crate) texts: Vec<EncodedText>,
    arrived: Instant,
    results: Mutex<Results>,
}

#[derive(Debug)]
struct Results {
    outputs: Vec<Option<TextOutput>>,
    missing: usize,
    /// When the last text was taken from the queue.
    taken: Option<Instant>,
    reply: Option<oneshot::Sender<Reply>>,
}

impl Job {
    /// The job, and where its reply arrives.
    fn new(served: Arc<Served>, texts: Vec<EncodedText>) -> (Arc<Self>, oneshot::Receiver<Reply>) {
        let (reply, receiver) = oneshot::channel();
        let outputs = texts.iter().map(|_| None).collect();
        let results = Results { outputs, missing: texts.len(), taken: None, reply: Some(reply) };
        (Arc::new(Self { served, texts, arrived: Instant::now(), results: Mutex::new(results) }), receiver)
    }

    /// Whether nobody waits for it any more: the client has hung up, or the job has failed.
    fn is_abandoned(&self) -> bool {
        lock(&self.results).reply.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    /// The output of one of its texts; with the last one the job is answered.
    pub(crate) fn finish(&self, text: usize, output: TextOutput, metrics: &Metrics) {
        let mut results = lock(&self.results);
        if results.outputs[text].replace(output).is_none() {
            results.missing -= 1;
        }
        if results.missing == 0 {
            if let Some(taken) = results.taken {
                metrics.queued.observe(seconds(taken - self.arrived));
                metrics.inference.observe(seconds(taken.elapsed()));
            }
            let outputs = std::mem::take(&mut results.outputs).into_iter().flatten().collect();
            if let Some(reply) = results.reply.take() {
                // a client that has just hung up needs none
                let _ = reply.send(Ok(outputs));
            }
        }
    }

    /// Answers the job with an error.
    pub(crate) fn fail(&self, error: albertine::Error) {
        if let Some(reply) = lock(&self.results).reply.take() {
            let _ = reply.send(Err(error));
        }
    }
}

/// What the engine does next.
pub(crate) enum Batch {
    /// Texts of one model: jobs with the index of a text.
    Texts(Vec<(Arc<Job>, usize)>),
    /// Something else that needs the processor: a window of a file.
    Work(Box<dyn FnOnce() + Send>),
}

/// What waits.
enum Waiting {
    /// The texts of a job from the one at `next` on, which have so many tokens.
    Texts {
        job: Arc<Job>,
        next: usize,
        tokens: usize,
    },
    Work(Box<dyn FnOnce() + Send>),
}

impl Waiting {
    fn texts(&self) -> usize {
        match self {
            Self::Texts { job, next, .. } => job.texts.len() - next,
            Self::Work(_) => 1,
        }
    }

    /// Seconds until it has had as many turns as `turns`, by the speed of its model; what is not known counts nothing.
    fn seconds(&self, turns: usize) -> f64 {
        match self {
            Self::Texts { job, tokens, .. } => {
                let share = turns.min(self.texts()) as f64 / self.texts().max(1) as f64;
                job.served.seconds(*tokens) * share
            }
            Self::Work(_) => 0.0,
        }
    }
}

/// How much goes through the encoder together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchLimits {
    /// About so many tokens.
    pub(crate) tokens: usize,
    /// About so long, at the speed measured so far: whoever comes next waits for the end of the batch.
    pub(crate) time: Duration,
}

/// A batch has at least so many texts for each thread, however long they take: with fewer, threads wait for each other.
const TEXTS_FOR_EACH_THREAD: usize = 2;

/// The queue.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    batch: BatchLimits,
    most_tokens: usize,
    longest_wait: Duration,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// Tokens of what waits.
    tokens: usize,
    closed: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} jobs, {} tokens", self.waiting.len(), self.tokens)
    }
}

impl Queue {
    /// An empty queue that gives batches within limits, and refuses jobs once `most_tokens` wait, or what waits would take
    /// longer than `longest_wait`.
    pub(crate) fn new(batch: BatchLimits, most_tokens: usize, longest_wait: Duration) -> Self {
        Self { state: Mutex::default(), arrived: Condvar::new(), batch, most_tokens, longest_wait }
    }

    /// Whether a job of so many texts would be taken.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] with the seconds after which there is likely to be room, [`ApiError::Closing`].
    pub(crate) fn check(&self, texts: usize) -> Result<(), ApiError> {
        self.admit(&lock(&self.state), texts)
    }

    /// A job waits for its turns alone: between two of its texts every other job has one. Its own texts are no wait.
    fn admit(&self, state: &State, texts: usize) -> Result<(), ApiError> {
        if state.closed {
            return Err(ApiError::Closing);
        }
        let seconds: f64 = state.waiting.iter().map(|waiting| waiting.seconds(texts)).sum();
        let longest = self.longest_wait.as_secs_f64();
        if state.tokens >= self.most_tokens || seconds > longest {
            let retry_after = (seconds - longest / 2.0).ceil().clamp(1.0, 60.0) as u64;
            return Err(ApiError::Overloaded { retry_after });
        }
        Ok(())
    }

    /// Puts the texts of a request at the end. Dropping the receiver takes them out again.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(crate) fn push(
        &self,
        served: Arc<Served>,
        texts: Vec<EncodedText>,
    ) -> Result<oneshot::Receiver<Reply>, ApiError> {
        let mut state = lock(&self.state);
        self.admit(&state, texts.len())?;
        Ok(self.put(&mut state, served, texts))
    }

    /// Puts texts at the end that belong to a request that was taken before.
    ///
    /// # Errors
    /// [`ApiError::Closing`].
    pub(crate) fn push_more(
        &self,
        served: Arc<Served>,
        texts: Vec<EncodedText>,
    ) -> Result<oneshot::Receiver<Reply>, ApiError> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(ApiError::Closing);
        }
        Ok(self.put(&mut state, served, texts))
    }

    fn put(&self, state: &mut State, served: Arc<Served>, texts: Vec<EncodedText>) -> oneshot::Receiver<Reply> {
        let (job, reply) = Job::new(served, texts);
        if job.texts.is_empty() {
            if let Some(sender) = lock(&job.results).reply.take() {
                let _ = sender.send(Ok(Vec::new()));
            }
            return reply;
        }
        let tokens = job.texts.iter().map(EncodedText::tokens).sum();
        state.tokens += tokens;
        state.waiting.push_back(Waiting::Texts { job, next: 0, tokens });
        self.arrived.notify_one();
        reply
    }

    /// Puts other work at the end.
    ///
    /// # Errors
    /// [`ApiError::Closing`].
    pub(crate) fn push_work(&self, work: Box<dyn FnOnce() + Send>) -> Result<(), ApiError> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(ApiError::Closing);
        }
        state.waiting.push_back(Waiting::Work(work));
        self.arrived.notify_one();
        Ok(())
    }

    /// Takes no more jobs; those that wait are still done.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.arrived.notify_all();
    }

    /// Texts that wait.
    pub(crate) fn len(&self) -> usize {
        lock(&self.state).waiting.iter().map(Waiting::texts).sum()
    }

    /// The next batch, as soon as there is anything; `None` when the queue is closed and empty.
    pub(crate) fn next(&self) -> Option<Batch> {
        let mut state = lock(&self.state);
        loop {
            let State { waiting, tokens, .. } = &mut *state;
            waiting.retain(|waiting| match waiting {
                Waiting::Texts { job, tokens: left, .. } if job.is_abandoned() => {
                    *tokens -= left;
                    false
                }
                _ => true,
            });
            match state.waiting.pop_front() {
                Some(Waiting::Work(work)) => return Some(Batch::Work(work)),
                Some(first) => {
                    state.waiting.push_front(first);
                    return Some(Batch::Texts(self.batch(&mut state)));
                }
                None if state.closed => return None,
                None => state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Texts of the model of the first job, one of each job in turn, until the batch is full.
    fn batch(&self, state: &mut State) -> Vec<(Arc<Job>, usize)> {
        let (mut batch, mut tokens) = (Vec::new(), 0);
        let model = match state.waiting.front() {
            Some(Waiting::Texts { job, .. }) => Arc::clone(&job.served),
            _ => return batch,
        };
        let least = TEXTS_FOR_EACH_THREAD * model.classifier.threads();
        let is_full = |texts: usize, tokens: usize| {
            tokens >= self.batch.tokens || texts >= least && model.seconds(tokens) >= self.batch.time.as_secs_f64()
        };
        // whether each had a turn
        let mut turns = vec![false; state.waiting.len()];
        let mut took = true;
        while took && !is_full(batch.len(), tokens) {
            took = false;
            for (waiting, turn) in state.waiting.iter_mut().zip(&mut turns) {
                let Waiting::Texts { job, next, tokens: left } = waiting else { continue };
                if is_full(batch.len(), tokens) || *next == job.texts.len() || !Arc::ptr_eq(&job.served, &model) {
                    continue;
                }
                let taken = job.texts[*next].tokens();
                tokens += taken;
                *left -= taken;
                batch.push((Arc::clone(job), *next));
                *next += 1;
                (took, *turn) = (true, true);
                if *next == job.texts.len() {
                    lock(&job.results).taken = Some(Instant::now());
                }
            }
        }
        state.tokens -= tokens;
        // those that had a turn let the others go first
        let (mut first, mut later) = (VecDeque::new(), VecDeque::new());
        for (waiting, turn) in std::mem::take(&mut state.waiting).into_iter().zip(turns) {
            if waiting.texts() > 0 {
                if turn { &mut later } else { &mut first }.push_back(waiting);
            }
        }
        first.append(&mut later);
        state.waiting = first;
        batch
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "queue/tests.rs"]
mod tests;
