//! Labeled texts as a model reads them.

use albertine_model::RaggedBatch;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;

use crate::fingerprint::Hash;

/// The piece ids and the true class of each text.
#[derive(Debug, Clone, Default)]
pub struct Examples {
    pieces: RaggedBatch,
    classes: Vec<usize>,
}

impl Examples {
    /// No examples.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Texts by their tokens, and the class of each.
    pub(crate) fn of_tokens(pieces: RaggedBatch, classes: Vec<usize>) -> Self {
        Self { pieces, classes }
    }

    /// Adds a text by its piece ids, special pieces included, and its class.
    pub fn push(&mut self, ids: &[u32], class: usize) {
        self.pieces.push(ids);
        self.classes.push(class);
    }

    /// The number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are no texts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The true class of each text.
    #[must_use]
    pub fn classes(&self) -> &[usize] {
        &self.classes
    }

    /// Removes `count` examples, drawn at random with `seed`, and returns them.
    ///
    /// ```
    /// # use albertine_train::Examples;
    /// let mut examples = Examples::new();
    /// (0..10).for_each(|text| examples.push(&[2, text, 3], 0));
    /// assert_eq!((examples.split(3, 42).len(), examples.len()), (3, 7));
    /// ```
    #[must_use]
    pub fn split(&mut self, count: usize, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
        let (taken, kept) = order.split_at_mut(count.min(self.len()));
        // What stays stays in order.
        kept.sort_unstable();
        taken.sort_unstable();
        let (taken, kept) = (self.of(taken), self.of(kept));
        *self = kept;
        taken
    }

    /// The class weights with which all classes have the same total weight; 0 for a class without examples.
    #[must_use]
    pub fn balanced_weights(&self, classes: usize) -> Vec<f32> {
        let mut counts = vec![0_u64; classes];
        self.classes.iter().for_each(|&class| counts[class] += 1);
        let seen = counts.iter().filter(|&&count| count > 0).count();
        let weight = |count: u64| if count == 0 { 0.0 } else { self.len() as f64 / (seen as f64 * count as f64) };
        counts.into_iter().map(|count| weight(count) as f32).collect()
    }

    /// A hash of all texts and classes.
    pub(crate) fn hash(&self) -> Hash {
        let pieces = self.pieces.ids().iter().copied().map(u64::from);
        let starts = self.pieces.starts().iter().map(|&start| start as u64);
        let types = self.pieces.token_types().into_iter().flatten().copied().map(u64::from);
        let classes = self.classes.iter().map(|&class| class as u64);
        Hash::default().numbers(pieces).numbers(starts).numbers(types).numbers(classes)
    }

    /// The examples of these indices, in that order.
    pub(crate) fn of(&self, indices: &[usize]) -> Self {
        let classes = indices.iter().map(|&index| self.classes[index]).collect();
        Self { pieces: self.batch(indices), classes }
    }

    /// The pieces of the texts of these indices, in that order.
    pub(crate) fn batch(&self, indices: &[usize]) -> RaggedBatch {
        let mut batch = RaggedBatch::new();
        indices.iter().for_each(|&index| batch.push_from(&self.pieces, index));
        batch
    }

    /// The pieces of one text.
    pub(crate) fn pieces(&self, index: usize) -> usize {
        self.pieces.document(index).len()
    }

    /// `indices` in parts of at most `tokens` pieces, or of one text that has more.
    pub(crate) fn parts<'a>(&self, indices: &'a [usize], tokens: usize) -> Vec<&'a [usize]> {
        let mut parts = Vec::new();
        let (mut first, mut sum) = (0, 0);
        for (end, &index) in indices.iter().enumerate() {
            let pieces = self.pieces(index);
            if end > first && sum + pieces > tokens {
                parts.push(&indices[first..end]);
                (first, sum) = (end, 0);
            }
            sum += pieces;
        }
        if first < indices.len() {
            parts.push(&indices[first..]);
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_is_by_chance_and_loses_nothing() {
        let all = || {
            let mut examples = Examples::new();
            (0..20).for_each(|text| examples.push(&[text], text as usize % 2));
            examples
        };
        let split = |seed: u64| {
            let mut kept = all();
            let taken = kept.split(5, seed);
            (taken.pieces.ids().to_vec(), kept.pieces.ids().to_vec())
        };
        let (taken, kept) = split(1);
        let mut both = [taken.clone(), kept].concat();
        both.sort_unstable();
        assert_eq!(both, (0..20).collect::<Vec<_>>());
        assert_eq!(split(1).0, taken);
        assert_ne!(split(2).0, taken);
        assert_eq!(all().split(100, 1).len(), 20);
    }

    #[test]
    fn classes_of_few_examples_count_more() {
        let mut examples = Examples::new();
        for class in [0, 0, 0, 1] {
            examples.push(&[2, 3], class);
        }
        assert_eq!(examples.balanced_weights(3), [4.0 / 6.0, 2.0, 0.0]);
    }

    #[test]
    fn parts_keep_to_the_budget_and_lose_nothing() {
        let mut examples = Examples::new();
        for pieces in [3, 4, 9, 1, 2] {
            examples.push(&vec![5; pieces], 0);
        }
        let indices = [4, 2, 0, 1, 3];
        let parts = examples.parts(&indices, 8);
        assert_eq!(parts, [&[4][..], &[2], &[0, 1, 3]]);
        assert!(examples.parts(&[], 8).is_empty());
        assert_eq!(examples.batch(parts[2]).tokens(), 8);
    }
}
