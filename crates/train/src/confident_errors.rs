//! The most confident errors of a model: wrong labels in the table, or what it has not learned.

/// A text whose predicted class is not its true one.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfidentError {
    /// The row of the table, from 1, without a header.
    pub row: u64,
    /// The text, or its beginning.
    pub text: String,
    /// The true class.
    pub expected: usize,
    /// The predicted class.
    pub predicted: usize,
    /// The score of the predicted class, from 0 to 1.
    pub confidence: f64,
}

/// The most confident errors so far, up to a number.
#[derive(Debug, Clone)]
pub struct ConfidentErrors {
    most: usize,
    most_confident: Vec<ConfidentError>,
}

impl ConfidentErrors {
    /// Keeps up to `most` errors.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, most_confident: Vec::new() }
    }

    /// Whether an error of that confidence would be kept: of equals the earlier stays.
    #[must_use]
    pub fn wants(&self, confidence: f64) -> bool {
        self.position(confidence) < self.most
    }

    /// Keeps an error if it is confident enough.
    pub fn offer(&mut self, error: ConfidentError) {
        if self.wants(error.confidence) {
            self.most_confident.insert(self.position(error.confidence), error);
            self.most_confident.truncate(self.most);
        }
    }

    fn position(&self, confidence: f64) -> usize {
        self.most_confident.partition_point(|other| other.confidence >= confidence)
    }

    /// The errors, the most confident first.
    #[must_use]
    pub fn most_confident(&self) -> &[ConfidentError] {
        &self.most_confident
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_confident_stay_and_of_equals_the_earlier() {
        let mut errors = ConfidentErrors::new(3);
        for (row, confidence) in [(1, 0.5), (2, 0.9), (3, 0.5), (4, 0.7), (5, 0.5), (6, 0.7)] {
            errors.offer(ConfidentError { row, text: String::new(), expected: 0, predicted: 1, confidence });
        }
        assert_eq!(errors.most_confident().iter().map(|error| error.row).collect::<Vec<_>>(), [2, 4, 6]);
        assert!(!errors.wants(0.7) && errors.wants(0.8));
        assert!(!ConfidentErrors::new(0).wants(1.0));
    }
}
