//! The most confident errors of a model: wrong labels in the table, or texts that it has not learned.

/// A text whose prediction is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    /// The row of the table, counted from 1, not counting a header.
    pub row: u64,
    /// The text, or its start.
    pub text: String,
    /// The true class.
    pub expected: usize,
    /// The predicted class.
    pub predicted: usize,
    /// The confidence of the prediction, from 0 to 1.
    pub confidence: f64,
}

/// The most confident errors so far.
#[derive(Debug, Clone)]
pub struct Mistakes {
    most: usize,
    surest: Vec<Mistake>,
}

impl Mistakes {
    /// Keeps at most `most` errors.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, surest: Vec::new() }
    }

    /// Whether an error of that confidence would be kept; of equals, the earlier one stays.
    #[must_use]
    pub fn wants(&self, confidence: f64) -> bool {
        self.place(confidence) < self.most
    }

    /// Keeps an error if it is confident enough.
    pub fn offer(&mut self, mistake: Mistake) {
        if self.wants(mistake.confidence) {
            self.surest.insert(self.place(mistake.confidence), mistake);
            self.surest.truncate(self.most);
        }
    }

    fn place(&self, confidence: f64) -> usize {
        self.surest.partition_point(|other| other.confidence >= confidence)
    }

    /// The errors, the most confident first.
    #[must_use]
    pub fn surest(&self) -> &[Mistake] {
        &self.surest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_stay_and_of_equals_the_earlier() {
        let mut mistakes = Mistakes::new(3);
        for (row, confidence) in [(1, 0.5), (2, 0.9), (3, 0.5), (4, 0.7), (5, 0.5), (6, 0.7)] {
            mistakes.offer(Mistake { row, text: String::new(), expected: 0, predicted: 1, confidence });
        }
        assert_eq!(mistakes.surest().iter().map(|mistake| mistake.row).collect::<Vec<_>>(), [2, 4, 6]);
        assert!(!mistakes.wants(0.7) && mistakes.wants(0.8));
        assert!(!Mistakes::new(0).wants(1.0));
    }
}
