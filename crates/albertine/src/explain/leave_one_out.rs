//! What hiding each word alone takes from the values.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::coalition::Coalition;
use super::game::{Credits, Game, Outcome, Scores};
use super::masking::Masking;

/// The text, the text all hidden, and the text without each of its words.
pub(super) struct LeaveOneOut {
    /// In this order: all shown, all hidden, each word hidden.
    coalitions: Vec<Coalition>,
    asked: usize,
    known: HashMap<Coalition, Scores>,
}

impl LeaveOneOut {
    pub(super) fn new(masking: &Masking<'_>) -> Self {
        let all = Coalition::all(masking.kept().parts());
        let without = |parts: Range<usize>| all.clone().without(parts);
        let words = masking.words().map(without);
        let coalitions = [all.clone(), masking.kept().clone()].into_iter().chain(words).collect();
        Self { coalitions, asked: 0, known: HashMap::new() }
    }

    fn scores(&self, coalition: usize) -> Scores {
        self.known.get(&self.coalitions[coalition]).cloned().unwrap_or_else(|| Rc::new([]))
    }
}

impl Game for LeaveOneOut {
    fn wanted(&mut self, room: usize) -> Vec<Coalition> {
        let from = self.asked;
        self.asked = self.coalitions.len().min(from + room.max(1));
        self.coalitions[from..self.asked].to_vec()
    }

    fn take(&mut self, coalition: Coalition, scores: Scores) {
        self.known.insert(coalition, scores);
    }

    fn finish(self: Box<Self>) -> Outcome {
        let (values, base) = (self.scores(0), self.scores(1));
        let of_word = |word: usize| {
            let without = self.scores(word);
            values.iter().zip(without.iter()).map(|(&all, &rest)| f64::from(all) - f64::from(rest)).collect()
        };
        let credits = Credits::OfWords((2..self.coalitions.len()).map(of_word).collect());
        Outcome { base, values, credits, evaluations: self.coalitions.len() }
    }
}
