//! Labeled texts as a model reads them.

use albertine_model::RaggedBatch;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;

use crate::fingerprint::Hash;
use crate::loss::Target;

/// The piece ids of each text, and what it is known to be.
#[derive(Debug, Clone, Default)]
pub struct Examples {
    pieces: RaggedBatch,
    known: Known,
    /// What teachers say of each text, `[texts, labels]`; empty without teachers.
    scores: Vec<f32>,
}

/// What each text is known to be.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// Of this class; none where only a teacher knows.
    Class(Vec<Option<usize>>),
    /// Of these classes.
    Classes(Vec<Option<Vec<u32>>>),
    /// Of this value.
    Value(Vec<Option<f32>>),
}

impl Default for Known {
    fn default() -> Self {
        Self::Class(Vec::new())
    }
}

impl Known {
    fn len(&self) -> usize {
        match self {
            Self::Class(all) => all.len(),
            Self::Classes(all) => all.len(),
            Self::Value(all) => all.len(),
        }
    }

    fn of(&self, indices: &[usize]) -> Self {
        fn chosen<T: Clone>(all: &[T], indices: &[usize]) -> Vec<T> {
            indices.iter().map(|&index| all[index].clone()).collect()
        }
        match self {
            Self::Class(all) => Self::Class(chosen(all, indices)),
            Self::Classes(all) => Self::Classes(chosen(all, indices)),
            Self::Value(all) => Self::Value(chosen(all, indices)),
        }
    }
}

impl Examples {
    /// No examples.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Texts by their tokens, and what each is known to be.
    pub(crate) fn of_tokens(pieces: RaggedBatch, known: Known) -> Self {
        Self { pieces, known, scores: Vec::new() }
    }

    /// Adds a text by its piece ids, special pieces included, and its class.
    pub fn push(&mut self, ids: &[u32], class: usize) {
        if let Known::Class(classes) = &mut self.known {
            self.pieces.push(ids);
            classes.push(Some(class));
        }
    }

    /// The same with what teachers say of each text, `[texts, labels]`.
    pub(crate) fn with_scores(self, scores: Vec<f32>) -> Self {
        Self { scores, ..self }
    }

    /// The number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there are no texts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a text is known to be.
    pub(crate) fn target(&self, index: usize) -> Target<'_> {
        match &self.known {
            Known::Class(all) => all[index].map_or(Target::Unlabeled, Target::Class),
            Known::Classes(all) => all[index].as_deref().map_or(Target::Unlabeled, Target::Classes),
            Known::Value(all) => all[index].map_or(Target::Unlabeled, Target::Value),
        }
    }

    /// What teachers say of a text; nothing without teachers.
    pub(crate) fn scores(&self, index: usize) -> Option<&[f32]> {
        let labels = self.scores.len() / self.len().max(1);
        (labels > 0).then(|| &self.scores[index * labels..][..labels])
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
        let mut order: Vec<usize> =
            (0..self.len()).filter(|&index| !matches!(self.target(index), Target::Unlabeled)).collect();
        order.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
        order.truncate(count);
        // What stays stays in order.
        order.sort_unstable();
        let kept: Vec<usize> = (0..self.len()).filter(|index| order.binary_search(index).is_err()).collect();
        let taken = self.of(&order);
        *self = self.of(&kept);
        taken
    }

    /// The number of texts that are known to be something.
    pub(crate) fn labeled(&self) -> usize {
        (0..self.len()).filter(|&index| !matches!(self.target(index), Target::Unlabeled)).count()
    }

    /// The class weights with which all classes have the same total weight; 0 for a class without examples.
    #[must_use]
    pub fn balanced_weights(&self, classes: usize) -> Vec<f32> {
        let mut counts = vec![0_u64; classes];
        for index in 0..self.len() {
            if let Target::Class(class) = self.target(index) {
                counts[class] += 1;
            }
        }
        let (all, seen) = (counts.iter().sum::<u64>(), counts.iter().filter(|&&count| count > 0).count());
        let weight = |count: u64| if count == 0 { 0.0 } else { all as f64 / (seen as f64 * count as f64) };
        counts.into_iter().map(|count| weight(count) as f32).collect()
    }

    /// A hash of all texts, of what they are known to be and of what teachers say.
    pub(crate) fn hash(&self) -> Hash {
        let pieces = self.pieces.ids().iter().copied().map(u64::from);
        let starts = self.pieces.starts().iter().map(|&start| start as u64);
        let types = self.pieces.token_types().into_iter().flatten().copied().map(u64::from);
        let known = (0..self.len()).flat_map(|index| match self.target(index) {
            Target::Class(class) => vec![1, class as u64],
            Target::Classes(classes) => [&[2, classes.len() as u64], &*widened(classes)].concat(),
            Target::Value(value) => vec![3, u64::from(value.to_bits())],
            Target::Unlabeled => vec![0],
        });
        let scores = self.scores.iter().map(|score| u64::from(score.to_bits()));
        Hash::default().numbers(pieces).numbers(starts).numbers(types).numbers(known).numbers(scores)
    }

    /// The examples of these indices, in that order.
    pub(crate) fn of(&self, indices: &[usize]) -> Self {
        let scores = indices.iter().filter_map(|&index| self.scores(index)).flatten().copied().collect();
        Self { pieces: self.batch(indices), known: self.known.of(indices), scores }
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
        parts(indices, tokens, |index| self.pieces(index))
    }
}

/// `indices` in parts of at most `tokens` pieces, or of one text that has more.
pub(crate) fn parts(indices: &[usize], tokens: usize, length: impl Fn(usize) -> usize) -> Vec<&[usize]> {
    let mut parts = Vec::new();
    let (mut first, mut sum) = (0, 0);
    for (end, &index) in indices.iter().enumerate() {
        let pieces = length(index);
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

fn widened(numbers: &[u32]) -> Vec<u64> {
    numbers.iter().copied().map(u64::from).collect()
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
    fn what_teachers_say_stays_with_its_text_and_texts_without_a_label_are_not_held_out() {
        let mut pieces = RaggedBatch::new();
        (0..10).for_each(|text| pieces.push(&[text]));
        let known = Known::Class((0..10).map(|text| (text % 3 != 0).then_some(text)).collect());
        let scores = (0..10).flat_map(|text| [text as f32, -1.0]).collect();
        let mut kept = Examples::of_tokens(pieces, known).with_scores(scores);
        let taken = kept.split(9, 1);
        assert_eq!((taken.len(), kept.len(), kept.labeled()), (6, 4, 0));
        for examples in [taken, kept] {
            for index in 0..examples.len() {
                let text = examples.pieces.document(index)[0];
                assert_eq!(examples.scores(index), Some(&[text as f32, -1.0][..]));
                assert_eq!(
                    matches!(examples.target(index), Target::Class(class) if class == text as usize),
                    text % 3 != 0
                );
            }
        }
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
