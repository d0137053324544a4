//! The memory that one text needs at a time, kept from text to text.

use std::sync::{Mutex, PoisonError};

use crate::subword::cache::Cache;
use crate::subword::models::Word;
use crate::subword::normalizers::Flow;

/// A scratch that has grown larger than this, in bytes, for a rare text is not kept.
const MAX_KEPT: usize = 1 << 20;

/// What works on a text. It is as good as new between texts, but for the words it remembers.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(crate) flow: Flow,
    pub(crate) word: Word,
    pub(crate) cache: Cache,
    /// Whether a stretch of text without white space has begun.
    pub(crate) inside: bool,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self { flow: Flow::default(), word: Word::new(), cache: Cache::new(), inside: false }
    }

    /// Forgets the text.
    pub(crate) fn clear(&mut self) {
        self.flow.clear();
        self.word.clear();
        self.inside = false;
    }
}

/// As many scratches as threads have worked at once.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    free: Mutex<Vec<Scratch>>,
}

impl Pool {
    /// Lends a scratch to `work`.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let free = || self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = free().pop();
        let mut scratch = taken.unwrap_or_else(Scratch::new);
        let done = work(&mut scratch);
        scratch.clear();
        if scratch.flow.capacity() + scratch.word.capacity() <= MAX_KEPT {
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
