//! What a call counts.

use std::iter::Sum;
use std::ops::AddAssign;
use std::time::Duration;

use albertine_model::{Phase, Profile};

/// What a [`Session`](crate::Session) did in one call, or in several that are added up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Documents given, blank ones included.
    pub documents: u64,
    /// Documents without text (null, or only spaces): they have no logits.
    pub blank: u64,
    /// Rows that got no label because the model abstained: [`Columns::abstain`](crate::Columns::abstain).
    pub abstained: u64,
    /// Documents longer than the limit, whose end was not read.
    pub truncated: u64,
    /// Sequences that went through the encoder: documents, or windows of them. Of documents that are given together,
    /// equal ones go through once.
    pub sequences: u64,
    /// Tokens of those sequences.
    pub tokens: u64,
    /// Floating-point operations of the encoder and head that those tokens need, padding and waste not counted.
    pub flops: u64,
    /// What each stage cost, in the order of the work; empty unless
    /// [`measure_stages`](crate::ClassifierSettings::measure_stages) is set.
    pub stages: Vec<StageCost>,
}

impl Counts {
    /// Adds what a call counted, an entry for each classifier, to the sum over the calls before.
    pub fn add_each(sums: &mut Vec<Self>, counts: Vec<Self>) {
        sums.resize_with(counts.len().max(sums.len()), Self::default);
        sums.iter_mut().zip(counts).for_each(|(sum, counts)| *sum += counts);
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.documents += other.documents;
        self.blank += other.blank;
        self.abstained += other.abstained;
        self.truncated += other.truncated;
        self.sequences += other.sequences;
        self.tokens += other.tokens;
        self.flops += other.flops;
        if self.stages.is_empty() {
            self.stages = other.stages;
        } else {
            for (stage, other) in self.stages.iter_mut().zip(other.stages) {
                stage.time += other.time;
                stage.flops += other.flops;
            }
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(calls: I) -> Self {
        calls.fold(Self::default(), |mut sum, counts| {
            sum += counts;
            sum
        })
    }
}

impl<'a> Sum<&'a Self> for Counts {
    fn sum<I: Iterator<Item = &'a Self>>(calls: I) -> Self {
        calls.cloned().sum()
    }
}

/// A part of the work of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageCost {
    /// `pieces` (tokenization), or the [name](albertine_model::Phase::name) of a phase of the model.
    pub name: &'static str,
    /// The time that all threads together spent in it.
    pub time: Duration,
    /// The floating-point operations that it took, none for `pieces`.
    pub flops: u64,
}

/// Tokenization and the stages of the encoder, if they were measured.
pub(super) fn stage_costs(tokenization: Duration, encoder: &Profile) -> Vec<StageCost> {
    if !encoder.is_on() {
        return Vec::new();
    }
    let cost = |phase: Phase| StageCost { name: phase.name(), time: encoder.time(phase), flops: encoder.flops(phase) };
    let tokenization = StageCost { name: "pieces", time: tokenization, flops: 0 };
    [tokenization].into_iter().chain(Phase::ALL.map(cost)).collect()
}
