//! Sequences in batches: about equal work for each thread, so that all end together.

use std::cmp::Reverse;

use albertine_model::RaggedBatch;

/// How much of their speed threads keep that share the products of one batch.
const SHARED: f64 = 0.9;

/// A document, or a window of one, on its way through the encoder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sequence<'a> {
    /// The index of the document among the distinct ones.
    pub(super) document: usize,
    pub(super) batch: &'a RaggedBatch,
    /// Its index in the batch.
    pub(super) index: usize,
}

impl Sequence<'_> {
    /// Its tokens.
    pub(super) fn len(&self) -> usize {
        self.batch.document(self.index).len()
    }
}

/// Sorts sequences, the longest first: short ones fill the gaps at the end, when threads run out of work.
pub(super) fn sort(sequences: &mut [Sequence<'_>]) {
    sequences.sort_by_key(|sequence| (Reverse(sequence.len()), sequence.document));
}

/// Cuts sequences into batches of about equal work: no more than about `batch_tokens` tokens each, and as many for each
/// of so many threads.
pub(super) fn batches<'s, 'b>(
    sequences: &'s [Sequence<'b>],
    batch_tokens: usize,
    threads: usize,
) -> Vec<&'s [Sequence<'b>]> {
    let all: usize = sequences.iter().map(Sequence::len).sum();
    let count = all.div_ceil(batch_tokens).next_multiple_of(threads);
    let share = all.div_ceil(count.max(1)).max(1);
    let mut batches = Vec::new();
    let mut rest = sequences;
    while !rest.is_empty() {
        let mut tokens = 0;
        let fits = rest.iter().take_while(|sequence| {
            let fits = tokens < share;
            tokens += sequence.len();
            fits
        });
        let (batch, after) = rest.split_at(fits.count());
        batches.push(batch);
        rest = after;
    }
    batches
}

/// Whether threads that take a batch each, of so much work, would end so far apart that they had better share all of it:
/// as with three texts of one length for two threads.
pub(super) fn is_better_shared(work: &[u64], threads: usize) -> bool {
    let even = work.iter().sum::<u64>() as f64 / threads as f64;
    let last = work.iter().max().copied().unwrap_or(0) as f64;
    work.len() <= threads && even < SHARED * last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_shared_where_threads_would_wait() {
        assert!(is_better_shared(&[2, 1], 2));
        assert!(is_better_shared(&[5], 2));
        assert!(!is_better_shared(&[10, 9], 2));
        assert!(!is_better_shared(&[2, 1], 1), "one thread does all");
        assert!(!is_better_shared(&[2, 2, 1], 2), "there are more for whoever is done");
        assert!(!is_better_shared(&[], 2));
    }
}
