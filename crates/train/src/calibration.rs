//! Calibration: whether predictions with a score of 0.9 are correct nine times out of ten.

/// The number of bins, as in the paper.
const BINS: usize = 15;

/// Predictions by their confidence, in bins of equal width from 0 to 1.
///
/// Source: Guo et al., On Calibration of Modern Neural Networks, 2017, <https://arxiv.org/abs/1706.04599>.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    bins: Vec<Bin>,
}

/// The predictions whose confidence lies between two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bin {
    /// How many there are.
    pub rows: u64,
    /// How many of them are correct.
    pub right: u64,
    /// The sum of their confidences.
    confidence_sum: f64,
}

impl Bin {
    /// Their accuracy, if there are any.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.right as f64 / self.rows as f64)
    }

    /// The mean of the confidences, if there are any.
    #[must_use]
    pub fn confidence(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.confidence_sum / self.rows as f64)
    }
}

impl Default for Calibration {
    fn default() -> Self {
        Self { bins: vec![Bin::default(); BINS] }
    }
}

impl Calibration {
    /// Counts a prediction; `confidence` is between 0 and 1.
    pub(crate) fn add(&mut self, confidence: f64, right: bool) {
        // The upper bound of a bin belongs to it.
        let place = (confidence * BINS as f64).ceil() as usize;
        let bin = &mut self.bins[place.clamp(1, BINS) - 1];
        bin.rows += 1;
        bin.right += u64::from(right);
        bin.confidence_sum += confidence;
    }

    /// The bins, from the least confident up.
    #[must_use]
    pub fn bins(&self) -> &[Bin] {
        &self.bins
    }

    /// The expected calibration error: the difference of accuracy and confidence, averaged over all predictions; 0
    /// without any.
    #[must_use]
    pub fn error(&self) -> f64 {
        let rows: u64 = self.bins.iter().map(|bin| bin.rows).sum();
        let gaps: f64 = self.bins.iter().map(|bin| (bin.right as f64 - bin.confidence_sum).abs()).sum();
        if rows == 0 { 0.0 } else { gaps / rows as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_bin_under_it() {
        let mut calibration = Calibration::default();
        for confidence in [0.0, 1.0 / 15.0, 0.5, 1.0] {
            calibration.add(confidence, true);
        }
        let rows: Vec<u64> = calibration.bins().iter().map(|bin| bin.rows).collect();
        assert_eq!(rows, [2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn the_error_is_the_mean_gap() {
        let mut calibration = Calibration::default();
        // four answers of 0.9, half of them right, and one of 0.5 that is wrong
        for right in [true, true, false, false] {
            calibration.add(0.9, right);
        }
        calibration.add(0.5, false);
        assert!((calibration.error() - (4.0 * 0.4 + 0.5) / 5.0).abs() < 1e-12);
        assert_eq!(Calibration::default().error(), 0.0);
    }
}
