//! The confusion matrix.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeSeq, Serializer};

/// Rows by true class and predicted class. Only pairs that occur take memory.
///
/// As JSON it is the matrix, true classes outside, up to [`Confusion::MOST_IN_FULL`] classes; of more, it is the list
/// of the pairs that occur: true class, predicted class, rows.
///
/// ```
/// # use albertine_train::{Evaluation, Loss, Run};
/// # let mut evaluation = Evaluation::new(vec!["no".into(), "yes".into()], Loss::CrossEntropy)?;
/// # evaluation.add(0, &[0.0, 1.0])?;
/// let confusion = evaluation.metrics(Run::default())?.confusion;
/// assert_eq!(confusion.rows(0, 1), 1);
/// assert_eq!(serde_json::to_string(&confusion)?, "[[0,1],[0,0]]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    counts: BTreeMap<(usize, usize), u64>,
}

impl Confusion {
    /// The most classes whose matrix can still be read, by a person or as JSON.
    pub const MOST_IN_FULL: usize = 100;

    pub(crate) fn new(classes: usize) -> Self {
        Self { classes, counts: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, expected: usize, predicted: usize) {
        *self.counts.entry((expected, predicted)).or_insert(0) += 1;
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The number of rows of the class `expected` with the prediction `predicted`.
    #[must_use]
    pub fn rows(&self, expected: usize, predicted: usize) -> u64 {
        self.counts.get(&(expected, predicted)).copied().unwrap_or(0)
    }

    /// The pairs of a true class and a predicted class that occur, with their rows, in the order of the classes.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        self.counts.iter().map(|(&(expected, predicted), &rows)| (expected, predicted, rows))
    }

    /// The pairs of different classes, the most frequent first.
    #[must_use]
    pub fn most_frequent(&self) -> Vec<(usize, usize, u64)> {
        let mut pairs: Vec<_> = self.pairs().filter(|(expected, predicted, _)| expected != predicted).collect();
        pairs.sort_by_key(|&(_, _, rows)| std::cmp::Reverse(rows));
        pairs
    }
}

impl Serialize for Confusion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(None)?;
        if self.classes <= Self::MOST_IN_FULL {
            for expected in 0..self.classes {
                let row: Vec<u64> = (0..self.classes).map(|predicted| self.rows(expected, predicted)).collect();
                rows.serialize_element(&row)?;
            }
        } else {
            for pair in self.pairs() {
                rows.serialize_element(&pair)?;
            }
        }
        rows.end()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn many_classes_are_told_by_the_pairs_that_occur() {
        let mut confusion = Confusion::new(1_000_000);
        for (expected, predicted) in [(7, 7), (999_999, 0), (5, 6), (999_999, 0)] {
            confusion.add(expected, predicted);
        }
        assert_eq!(serde_json::to_string(&confusion).unwrap(), "[[5,6,1],[7,7,1],[999999,0,2]]");
        assert_eq!(confusion.most_frequent(), [(999_999, 0, 2), (5, 6, 1)]);
    }
}
