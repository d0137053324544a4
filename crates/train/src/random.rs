//! Chance that depends on the seed and the place alone, so that nothing of it has to be kept for a training to go on.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

/// What chance decides.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Draw {
    /// The weights of a new head.
    Head = 1,
    /// The rows that are held out.
    Split = 2,
    /// The order of the examples in an epoch.
    Order = 3,
    /// What a step drops and masks.
    Step = 4,
}

/// A seed for the draw of that number.
pub(crate) fn derived(seed: u64, draw: Draw, number: u64) -> u64 {
    mixed(mixed(mixed(seed) ^ draw as u64) ^ number)
}

/// The random numbers of a draw.
pub(crate) fn random(seed: u64, draw: Draw, number: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(derived(seed, draw, number))
}

/// SplitMix64 ([Steele et al. 2014](https://doi.org/10.1145/2660193.2660195)): every bit of the result depends on every
/// bit of the number.
pub(crate) fn mixed(number: u64) -> u64 {
    let x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_draw_has_a_seed_of_its_own() {
        let mut seen = HashSet::new();
        for seed in 0..4 {
            for draw in [Draw::Head, Draw::Split, Draw::Order, Draw::Step] {
                seen.extend((0..16).map(|number| derived(seed, draw, number)));
            }
        }
        assert_eq!(seen.len(), 4 * 4 * 16);
    }
}
