//! What a classifier counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a classifier has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Rows given, blank ones included.
    pub rows: u64,
    /// Rows without text (null, or only spaces): they get no label.
    pub blank: u64,
    /// Texts longer than the limit, whose end was not read.
    pub truncated: u64,
    /// Texts, or windows of them, that went through the encoder.
    pub computed: u64,
    /// Pieces that went through the encoder. Of texts that are given together, equal ones go through once.
    pub tokens: u64,
    /// Floating-point operations of the encoder and head that those pieces need, padding and waste not counted.
    pub flops: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) rows: AtomicU64,
    pub(super) blank: AtomicU64,
    pub(super) truncated: AtomicU64,
    pub(super) computed: AtomicU64,
    pub(super) tokens: AtomicU64,
    pub(super) flops: AtomicU64,
    /// Time spent on pieces, while stages are watched.
    pub(super) pieces: AtomicU64,
}

impl Counters {
    pub(super) fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            rows: read(&self.rows),
            blank: read(&self.blank),
            truncated: read(&self.truncated),
            computed: read(&self.computed),
            tokens: read(&self.tokens),
            flops: read(&self.flops),
        }
    }
}

/// A part of the work of a [`Classifier`](crate::Classifier), as [`Classifier::stages`](crate::Classifier::stages) tells
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageCost {
    /// `pieces`, or the [name](albertine_model::Stage::name) of a stage of the encoder.
    pub name: &'static str,
    /// The time that all threads together spent in it.
    pub time: Duration,
    /// The floating-point operations that it took, none for `pieces`.
    pub flops: u64,
}
