//! The binomial distribution: how likely so few errors are.

/// The probability of at most `errors` errors in `trials`, each of which is one with the probability `rate`.
pub(super) fn tail(errors: u64, trials: u64, rate: f64) -> f64 {
    if errors >= trials {
        return 1.0;
    }
    let (ln_rate, ln_rest) = (rate.ln(), (1.0 - rate).ln());
    let mut sum = 0.0;
    // From the most errors down: below the mean, terms only get smaller.
    for count in (0..=errors).rev() {
        let ways = ln_factorial(trials) - ln_factorial(count) - ln_factorial(trials - count);
        let term = (ways + count as f64 * ln_rate + (trials - count) as f64 * ln_rest).exp();
        sum += term;
        if term < sum * 1e-12 && (count as f64) < rate * trials as f64 {
            break;
        }
    }
    sum.min(1.0)
}

/// The lowest rate of errors at which `errors` or fewer in `trials` are no likelier than `doubt`: with a probability of
/// 1 - `doubt`, the true rate is lower (Clopper and Pearson 1934).
pub(super) fn upper_bound(errors: u64, trials: u64, doubt: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if tail(errors, trials, middle) > doubt {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The logarithm of `n!`, to 1e-10 of it or better.
fn ln_factorial(n: u64) -> f64 {
    /// Below, the numbers are multiplied; from here on Stirling's series with two terms is as exact.
    const SERIES: u64 = 32;
    if n < SERIES {
        return (2..=n).map(|factor| (factor as f64).ln()).sum();
    }
    let n = n as f64;
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.binom.cdf(errors, trials, rate)`.
    #[test]
    fn tails_are_those_of_scipy() {
        let cases = [
            (0, 10, 0.1, 0.348_678_440_1),
            (3, 10, 0.5, 0.171_875),
            (10, 10, 0.5, 1.0),
            (20, 1500, 0.02, 0.033_946_917_7),
            (37, 90_000, 0.000_5, 0.130_064_373_9),
        ];
        for (errors, trials, rate, expected) in cases {
            let found = tail(errors, trials, rate);
            assert!((found - expected).abs() < 1e-9, "{errors} of {trials} at {rate}: {found}, not {expected}");
        }
    }

    #[test]
    fn a_bound_is_where_the_tail_is_the_doubt() {
        // without errors it is 1 - doubt^(1/n)
        assert!((upper_bound(0, 100, 0.05) - (1.0 - 0.05_f64.powf(0.01))).abs() < 1e-9);
        assert!((tail(7, 300, upper_bound(7, 300, 0.01)) - 0.01).abs() < 1e-9);
        assert_eq!(upper_bound(5, 5, 0.05), 1.0);
    }
}
