//! Where the time goes, phase by phase.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A part of a forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
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

impl Phase {
    /// All phases in the order of the computation.
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

/// The time spent in each phase by all threads together and the work done in it, counted while it is switched on. While
/// it is off, which is how it starts, a phase costs one relaxed load.
///
/// ```
/// use albertine_model::{Phase, Profile};
///
/// let profile = Profile::default();
/// profile.switch(true);
/// for phase in Phase::ALL {
///     println!("{:>12} {:?}", phase.name(), profile.time(phase));
/// }
/// ```
#[derive(Debug, Default)]
pub struct Profile {
    on: AtomicBool,
    nanoseconds: [AtomicU64; Phase::ALL.len()],
    flops: [AtomicU64; Phase::ALL.len()],
}

impl Profile {
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

    /// The time spent in a phase so far, added up over threads.
    #[must_use]
    pub fn time(&self, phase: Phase) -> Duration {
        Duration::from_nanos(self.nanoseconds[phase as usize].load(Ordering::Relaxed))
    }

    /// The floating-point operations that a phase was needed for so far.
    #[must_use]
    pub fn flops(&self, phase: Phase) -> u64 {
        self.flops[phase as usize].load(Ordering::Relaxed)
    }

    /// A stopwatch that runs if counting is on, for work that so many threads share.
    pub(crate) fn stopwatch(&self, threads: usize) -> Stopwatch<'_> {
        Stopwatch { profile: self, threads: threads as u64, since: self.is_on().then(Instant::now) }
    }

    /// Counts work, if counting is on.
    pub(crate) fn add_flops(&self, flops: impl Fn(Phase) -> u64) {
        if self.is_on() {
            for (phase, count) in Phase::ALL.into_iter().zip(&self.flops) {
                count.fetch_add(flops(phase), Ordering::Relaxed);
            }
        }
    }
}

/// Counts the time between two calls of [`Stopwatch::lap`] for the phase that ended.
pub(crate) struct Stopwatch<'a> {
    profile: &'a Profile,
    threads: u64,
    since: Option<Instant>,
}

impl Stopwatch<'_> {
    /// The phase that has run since the last lap is over.
    pub(crate) fn lap(&mut self, phase: Phase) {
        if let Some(since) = &mut self.since {
            let now = Instant::now();
            let nanoseconds = u64::try_from((now - *since).as_nanos()).unwrap_or(u64::MAX);
            let nanoseconds = nanoseconds.saturating_mul(self.threads);
            self.profile.nanoseconds[phase as usize].fetch_add(nanoseconds, Ordering::Relaxed);
            *since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_counted_only_while_switched_on() {
        let profile = Profile::default();
        let pause = || std::thread::sleep(Duration::from_millis(2));
        let mut off = profile.stopwatch(1);
        pause();
        off.lap(Phase::Embed);
        profile.switch(true);
        let since = Instant::now();
        let mut on = profile.stopwatch(1);
        pause();
        on.lap(Phase::Qkv);
        on.lap(Phase::Head);
        assert_eq!(profile.time(Phase::Embed), Duration::ZERO);
        assert!(profile.time(Phase::Qkv) >= Duration::from_millis(2));
        assert!(profile.time(Phase::Qkv) + profile.time(Phase::Head) <= since.elapsed(), "no time is counted twice");
        profile.add_flops(|phase| phase as u64);
        assert_eq!(profile.flops(Phase::Qkv), 1);
        profile.reset();
        assert_eq!((profile.time(Phase::Qkv), profile.flops(Phase::Qkv)), (Duration::ZERO, 0));
        profile.switch(false);
        profile.add_flops(|phase| phase as u64);
        assert_eq!(profile.flops(Phase::Qkv), 0);
    }

    #[test]
    fn phases_are_numbered_in_order() {
        assert!(Phase::ALL.iter().enumerate().all(|(index, &phase)| phase as usize == index));
    }
}
