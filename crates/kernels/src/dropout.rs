//! Dropout: which values are left out, by chance that depends on a seed and a place alone.

/// Leaves values out at random, the same ones whenever it is asked for the same row: a gradient needs no memory of the
/// forward pass ([Srivastava et al. 2014](https://jmlr.org/papers/v15/srivastava14a.html)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The probability that a value becomes 0, from 0 to below 1. The others are divided by what is left of 1.
    pub rate: f32,
    /// What chance depends on beside the row.
    pub seed: u64,
}

/// The step of SplitMix64 ([Steele et al. 2014](https://doi.org/10.1145/2660193.2660195)).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dropout {
    /// Multiplies the values of a row by 0 or by `1 / (1 - rate)`. What is left out of a longer row begins with what is
    /// left out of a shorter one.
    ///
    /// ```
    /// let dropout = albertine_kernels::Dropout { rate: 0.5, seed: 7 };
    /// let mut row = [1.0; 1000];
    /// dropout.apply(3, &mut row);
    /// let kept = row.iter().filter(|&&value| value == 2.0).count();
    /// assert!((400..600).contains(&kept) && row.iter().all(|&value| value == 0.0 || value == 2.0));
    /// ```
    pub fn apply(self, row: u64, values: &mut [f32]) {
        let threshold = (f64::from(self.rate) * f64::from(u32::MAX)) as u32;
        let kept = 1.0 / (1.0 - self.rate);
        let mut state = mixed(self.seed ^ mixed(row));
        for pair in values.chunks_mut(2) {
            state = state.wrapping_add(STEP);
            let draw = mixed(state);
            for (value, draw) in pair.iter_mut().zip([draw as u32, (draw >> 32) as u32]) {
                *value *= if draw < threshold { 0.0 } else { kept };
            }
        }
    }

    /// The same with another seed, for another place of the network.
    #[must_use]
    pub fn at(self, place: u64) -> Self {
        Self { seed: mixed(self.seed ^ mixed(place)), ..self }
    }
}

/// Every bit of the result depends on every bit of the number.
fn mixed(number: u64) -> u64 {
    let x = number.wrapping_add(STEP);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(dropout: Dropout, row: u64, length: usize) -> Vec<f32> {
        let mut values = vec![1.0; length];
        dropout.apply(row, &mut values);
        values
    }

    #[test]
    fn a_row_is_the_same_every_time_and_another_is_not() {
        let dropout = Dropout { rate: 0.1, seed: 1 };
        assert_eq!(row(dropout, 5, 99), row(dropout, 5, 100)[..99]);
        assert_ne!(row(dropout, 5, 100), row(dropout, 6, 100));
        assert_ne!(row(dropout, 5, 100), row(dropout.at(1), 5, 100));
        assert_ne!(row(dropout.at(2), 5, 100), row(dropout.at(1), 5, 100));
    }

    #[test]
    fn as_many_are_left_out_as_the_rate_says_and_the_mean_stays() {
        for rate in [0.0, 0.1, 0.5, 0.9] {
            let values = row(Dropout { rate, seed: 3 }, 0, 1 << 16);
            let dropped = values.iter().filter(|&&value| value == 0.0).count() as f32 / values.len() as f32;
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            assert!((dropped - rate).abs() < 0.01 && (mean - 1.0).abs() < 0.05, "{dropped} of {rate}, mean {mean}");
        }
    }
}
