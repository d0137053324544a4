//! Where the time goes, stage by stage.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A part of a forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Embeddings, their LayerNorm and their projection to the hidden size.
    Embed,
    /// The products that make queries, keys and values.
    Qkv,
    /// Scores, softmax and context.
    Attention,
    /// The product behind attention and its LayerNorm.
    Projection,
    /// The two products of the feed-forward part, its activation and its LayerNorm.
    FeedForward,
    /// Pooler and classifier.
    Head,
}

impl Stage {
    /// All stages in the order of the computation.
    pub const ALL: [Self; 6] =
        [Self::Embed, Self::Qkv, Self::Attention, Self::Projection, Self::FeedForward, Self::Head];

    /// A name for a table: `embed`, `qkv`, `attention`, `projection`, `feed-forward`, `head`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Embed => "embed",
            Self::Qkv => "qkv",
            Self::Attention => "attention",
            Self::Projection => "projection",
            Self::FeedForward => "feed-forward",
            Self::Head => "head",
        }
    }
}

/// The time spent in each stage by all threads together and the work done in it, counted while it is switched on. While
/// it is off, which is how it starts, a stage costs one relaxed load.
///
/// ```
/// use albertine_model::{Stage, StageTimes};
///
/// let times = StageTimes::default();
/// times.switch(true);
/// for stage in Stage::ALL {
///     println!("{:>12} {:?}", stage.name(), times.time(stage));
/// }
/// ```
#[derive(Debug, Default)]
pub struct StageTimes {
    on: AtomicBool,
    nanoseconds: [AtomicU64; Stage::ALL.len()],
    flops: [AtomicU64; Stage::ALL.len()],
}

impl StageTimes {
    /// Starts or stops counting.
    pub fn switch(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    /// Whether it counts.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Sets everything to zero.
    pub fn reset(&self) {
        self.nanoseconds.iter().chain(&self.flops).for_each(|count| count.store(0, Ordering::Relaxed));
    }

    /// The time spent in a stage so far, added up over threads.
    #[must_use]
    pub fn time(&self, stage: Stage) -> Duration {
        Duration::from_nanos(self.nanoseconds[stage as usize].load(Ordering::Relaxed))
    }

    /// The floating-point operations that a stage was needed for so far.
    #[must_use]
    pub fn flops(&self, stage: Stage) -> u64 {
        self.flops[stage as usize].load(Ordering::Relaxed)
    }

    /// A stopwatch that runs if counting is on, for work that so many threads share.
    pub(crate) fn stopwatch(&self, threads: usize) -> Stopwatch<'_> {
        Stopwatch { times: self, threads: threads as u64, since: self.is_on().then(Instant::now) }
    }

    /// Counts work, if counting is on.
    pub(crate) fn add_flops(&self, flops: impl Fn(Stage) -> u64) {
        if self.is_on() {
            for (stage, count) in Stage::ALL.into_iter().zip(&self.flops) {
                count.fetch_add(flops(stage), Ordering::Relaxed);
            }
        }
    }
}

/// Counts the time between two calls of [`Stopwatch::lap`] for the stage that ended.
pub(crate) struct Stopwatch<'a> {
    times: &'a StageTimes,
    threads: u64,
    since: Option<Instant>,
}

impl Stopwatch<'_> {
    /// The stage that has run since the last lap is over.
    pub(crate) fn lap(&mut self, stage: Stage) {
        if let Some(since) = &mut self.since {
            let now = Instant::now();
            let nanoseconds = u64::try_from((now - *since).as_nanos()).unwrap_or(u64::MAX);
            let nanoseconds = nanoseconds.saturating_mul(self.threads);
            self.times.nanoseconds[stage as usize].fetch_add(nanoseconds, Ordering::Relaxed);
            *since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_counted_only_while_switched_on() {
        let times = StageTimes::default();
        let pause = || std::thread::sleep(Duration::from_millis(2));
        let mut off = times.stopwatch(1);
        pause();
        off.lap(Stage::Embed);
        times.switch(true);
        let since = Instant::now();
        let mut on = times.stopwatch(1);
        pause();
        on.lap(Stage::Qkv);
        on.lap(Stage::Head);
        assert_eq!(times.time(Stage::Embed), Duration::ZERO);
        assert!(times.time(Stage::Qkv) >= Duration::from_millis(2));
        assert!(times.time(Stage::Qkv) + times.time(Stage::Head) <= since.elapsed(), "no time is counted twice");
        times.add_flops(|stage| stage as u64);
        assert_eq!(times.flops(Stage::Qkv), 1);
        times.reset();
        assert_eq!((times.time(Stage::Qkv), times.flops(Stage::Qkv)), (Duration::ZERO, 0));
        times.switch(false);
        times.add_flops(|stage| stage as u64);
        assert_eq!(times.flops(Stage::Qkv), 0);
    }

    #[test]
    fn stages_are_numbered_in_order() {
        assert!(Stage::ALL.iter().enumerate().all(|(index, &stage)| stage as usize == index));
    }
}
