//! The mistakes that a model is surest of: wrong labels in the table, or what it has not learned.

/// A text that got another class than its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    /// The row of the table, from 1, without a header.
    pub row: u64,
    /// The text, or its beginning.
    pub text: String,
    /// The true class.
    pub expected: usize,
    /// The class that it got.
    pub predicted: usize,
    /// How sure the model was of it, from 0 to 1.
    pub confidence: f64,
}

/// The surest mistakes seen so far, a few of them.
#[derive(Debug, Clone)]
pub struct Mistakes {
    most: usize,
    surest: Vec<Mistake>,
}

impl Mistakes {
    /// Keeps `most` mistakes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, surest: Vec::new() }
    }

    /// Whether a mistake of that confidence would be kept: of equals the earlier stays.
    #[must_use]
    pub fn wants(&self, confidence: f64) -> bool {
        self.place(confidence) < self.most
    }

    /// Keeps a mistake if it is sure enough.
    pub fn offer(&mut self, mistake: Mistake) {
        if self.wants(mistake.confidence) {
            self.surest.insert(self.place(mistake.confidence), mistake);
            self.surest.truncate(self.most);
        }
    }

    fn place(&self, confidence: f64) -> usize {
        self.surest.partition_point(|other| other.confidence >= confidence)
    }

    /// The mistakes, the surest first.
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
