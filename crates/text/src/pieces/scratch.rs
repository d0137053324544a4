//! The memory that one text needs at a time, kept from text to text.

use std::sync::{Mutex, PoisonError};

use super::cache::Cache;
use super::lattice::Lattice;
use super::normalize::Flow;

/// A scratch that has grown larger than this, in bytes, for a rare text is not kept.
const MAX_KEPT: usize = 1 << 20;

/// What works on a text. It is as good as new between texts, but for the words it remembers.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) flow: Flow,
    pub(super) lattice: Lattice,
    pub(super) cache: Cache,
    /// Whether a stretch of text without white space has begun.
    pub(super) inside: bool,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self { flow: Flow::default(), lattice: Lattice::new(), cache: Cache::new(), inside: false }
    }

    /// Forgets the text.
    pub(super) fn clear(&mut self) {
        self.flow.clear();
        self.lattice.clear();
        self.inside = false;
    }
}

/// As many scratches as threads have worked at once.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: Mutex<Vec<Scratch>>,
}

impl Pool {
    /// Lends a scratch to `work`.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = free().pop();
        let mut scratch = taken.unwrap_or_else(Scratch::new);
        let done = work(&mut scratch);
        scratch.clear();
        if scratch.flow.capacity() + scratch.lattice.capacity() <= MAX_KEPT {
            free().push(scratch);
        }
        done
    }
}

/// A copy begins with nothing.
impl Clone for Pool {
    fn clone(&self) -> Self {
        Self::default()
    }
}
