//! What is made of logits, wherever they are read.

/// The probabilities of a row of logits, which add up to 1, computed in double precision.
///
/// ```
/// assert_eq!(albertine_model::softmax(&[3.0, 3.0]), [0.5, 0.5]);
/// ```
#[must_use]
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|&x| f64::from(x - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| (power / sum) as f32).collect()
}

/// The first index of the greatest value; 0 for an empty row.
///
/// ```
/// assert_eq!(albertine_model::argmax(&[0.25, 0.5, 0.5]), 1);
/// assert_eq!(albertine_model::argmax(&[]), 0);
/// ```
#[must_use]
pub fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}
