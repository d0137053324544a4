//! Layer normalisation ([Ba, Kiros and Hinton 2016](https://arxiv.org/abs/1607.06450)).

use crate::cpu::Kernels;
use crate::simd::{Operation, Simd};

/// The parameters of a layer normalisation: `(x - mean) / √(variance + eps) * gamma + beta`, where the variance is
/// the mean of the squared differences, as PyTorch's `LayerNorm` has it.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm<'a> {
    /// The scale, `[width]`.
    pub gamma: &'a [f32],
    /// The shift, `[width]`.
    pub beta: &'a [f32],
    /// What is added to the variance.
    pub eps: f32,
}

impl LayerNorm<'_> {
    /// The values in a row.
    pub(super) fn width(&self) -> usize {
        assert!(
            !self.gamma.is_empty() && self.gamma.len() == self.beta.len(),
            "a scale of {} and a shift of {}",
            self.gamma.len(),
            self.beta.len()
        );
        self.gamma.len()
    }
}

impl Kernels {
    /// Normalises each row of `rows`, `[rows, width]`, in place.
    ///
    /// # Panics
    ///
    /// When `rows` is no number of rows as wide as the parameters, or these are empty or not equally long.
    pub fn layer_norm(self, rows: &mut [f32], norm: &LayerNorm<'_>) {
        let width = norm.width();
        assert!(rows.len().is_multiple_of(width), "{} values are no rows of {width}", rows.len());
        self.run(LayerNormRows { rows, norm });
    }
}

struct LayerNormRows<'a> {
    rows: &'a mut [f32],
    norm: &'a LayerNorm<'a>,
}

impl Operation for LayerNormRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for row in self.rows.chunks_exact_mut(self.norm.gamma.len()) {
            layer_norm_row(simd, row, self.norm);
        }
    }
}

/// Normalises one row. Two passes over it, since the difference of squares would lose the variance of a row whose mean
/// is large.
#[inline(always)]
pub(super) fn layer_norm_row<S: Simd>(s: S, row: &mut [f32], norm: &LayerNorm<'_>) {
    let width = row.len() as f32;
    let mean = s.splat(sum(s, row, s.splat(0.0), false) / width);
    let variance = sum(s, row, mean, true) / width;
    let scale = s.splat(1.0 / (variance + norm.eps).sqrt());
    let parameters = norm.gamma.chunks(S::LANES).zip(norm.beta.chunks(S::LANES));
    for (chunk, (gamma, beta)) in row.chunks_mut(S::LANES).zip(parameters) {
        let x = s.mul(s.sub(s.load(chunk), mean), scale);
        let y = s.mul_add(x, s.load(gamma), s.load(beta));
        s.store(chunk, y);
    }
}

/// The sum of `x - mean`, or of its square. Four sums run side by side, so that they do not wait for each other.
#[inline(always)]
fn sum<S: Simd>(s: S, row: &[f32], mean: S::V, squared: bool) -> f32 {
    const SUMS: usize = 4;
    let mut sums = [s.splat(0.0); SUMS];
    let mut groups = row.chunks_exact(SUMS * S::LANES);
    for group in &mut groups {
        for (sum, chunk) in sums.iter_mut().zip(group.chunks_exact(S::LANES)) {
            let x = s.sub(s.load(chunk), mean);
            *sum = if squared { s.mul_add(x, x, *sum) } else { s.add(*sum, x) };
        }
    }
    let mut chunks = groups.remainder().chunks_exact(S::LANES);
    for chunk in &mut chunks {
        let x = s.sub(s.load(chunk), mean);
        sums[0] = if squared { s.mul_add(x, x, sums[0]) } else { s.add(sums[0], x) };
    }
    let total = s.sum(s.add(s.add(sums[0], sums[1]), s.add(sums[2], sums[3])));
    // The missing lanes of a last vector would count as -mean, so its values are added one by one.
    let mut tail = 0.0;
    for &value in chunks.remainder() {
        let x = s.sub(s.splat(value), mean);
        tail += s.first(if squared { s.mul(x, x) } else { x });
    }
    total + tail
}
