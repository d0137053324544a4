//! The threads that one classifier works with.

use std::sync::OnceLock;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::Error;

/// A pool of threads that is started when the first work arrives that is worth sharing. One thread, or one piece of work, never
/// enters the pool: a lone text pays nothing for it.
#[derive(Debug)]
pub(crate) struct Threads {
    count: usize,
    pool: OnceLock<Result<ThreadPool, String>>,
}

impl Threads {
    /// `count` threads; 0 means one for each core.
    pub(crate) fn new(count: usize) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        Self { count: if count == 0 { cores() } else { count }, pool: OnceLock::new() }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Applies `work` to every item, each taken by whichever thread is free; results in the order of the items.
    pub(crate) fn map<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<R, Error> + Sync,
    ) -> Result<Vec<R>, Error> {
        if self.count == 1 || items.len() <= 1 {
            return items.iter().map(work).collect();
        }
        self.run(|| items.par_iter().with_max_len(1).map(&work).collect())?
    }

    /// Does `work` on a thread of the pool, which may share it with the others.
    pub(crate) fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> Result<R, Error> {
        let start = || {
            let named = |index| format!("albertine-{index}");
            ThreadPoolBuilder::new()
                .num_threads(self.count)
                .thread_name(named)
                .build()
                .map_err(|error| error.to_string())
        };
        match self.pool.get_or_init(start) {
            Ok(pool) => Ok(pool.install(work)),
            Err(reason) => Err(Error::Threads { threads: self.count, reason: reason.clone() }),
        }
    }
}
