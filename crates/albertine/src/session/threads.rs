//! The threads that one session works with.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{CancellationToken, Error};

/// A pool of threads that is started when the first work arrives that is worth sharing. One thread, or one piece of
/// work, never enters the pool: a lone text pays nothing for it.
#[derive(Debug)]
pub(super) struct Threads {
    count: usize,
    pool: Mutex<Option<Started>>,
}

/// A pool belongs to the process that started it: the child of a fork has a copy of it, but none of its threads.
#[derive(Debug)]
struct Started {
    process: u32,
    pool: Option<Arc<ThreadPool>>,
}

impl Drop for Started {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            // the locks inside may be held for ever, by threads that are not here
            std::mem::forget(self.pool.take());
        }
    }
}

impl Threads {
    /// `count` threads; 0 means one for each core.
    pub(super) fn new(count: usize) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        Self { count: if count == 0 { cores() } else { count }, pool: Mutex::new(None) }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Applies `work` to every item, each taken by whichever thread is free; results in the order of the items. It
    /// stops between two items when `cancellation` is asked for.
    pub(super) fn map<T: Sync, R: Send>(
        &self,
        items: &[T],
        cancellation: &CancellationToken,
        work: impl Fn(&T) -> Result<R, Error> + Sync,
    ) -> Result<Vec<R>, Error> {
        let work = |item: &T| {
            cancellation.check()?;
            work(item)
        };
        if self.count == 1 || items.len() <= 1 {
            return items.iter().map(work).collect();
        }
        self.run(|| items.par_iter().with_max_len(1).map(work).collect())?
    }

    /// Does `work` on a thread of the pool, which may share it with the others.
    pub(super) fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> Result<R, Error> {
        Ok(self.pool()?.install(work))
    }

    fn pool(&self) -> Result<Arc<ThreadPool>, Error> {
        let mut started = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if let Some(Started { process: of, pool: Some(pool) }) = started.as_ref()
            && *of == process
        {
            return Ok(pool.clone());
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(self.count)
            .thread_name(|index| format!("albertine-{index}"))
            .build()
            .map_err(|error| Error::Threads { threads: self.count, reason: error.to_string() })?;
        let pool = Arc::new(pool);
        *started = Some(Started { process, pool: Some(pool.clone()) });
        Ok(pool)
    }
}
