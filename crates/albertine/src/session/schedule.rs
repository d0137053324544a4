//! Sequences in batches: about equal work for each thread, so that all end together.

use std::cmp::Reverse;

use albertine_model::RaggedBatch;

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
