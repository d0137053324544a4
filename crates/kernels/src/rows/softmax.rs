//! Softmax: values to probabilities.

use crate::cpu::Kernels;
use crate::math::exp;
use crate::simd::{Operation, Simd};

impl Kernels {
    /// Replaces each row of `rows`, `[rows, width]`, by its softmax: `e^(x - max) / Σ e^(x - max)`.
    /// A row that holds NaN, or nothing but -∞, becomes NaN.
    ///
    /// # Panics
    ///
    /// When `rows` is no number of rows of `width` values.
    pub fn softmax(self, rows: &mut [f32], width: usize) {
        assert!(width > 0 && rows.len().is_multiple_of(width), "{} values are no rows of {width}", rows.len());
        self.run(SoftmaxRows { rows, width });
    }
}

struct SoftmaxRows<'a> {
    rows: &'a mut [f32],
    width: usize,
}

impl Operation for SoftmaxRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for row in self.rows.chunks_exact_mut(self.width) {
            softmax_row(simd, row);
        }
    }
}

/// The softmax of one row, in place.
#[inline(always)]
pub(crate) fn softmax_row<S: Simd>(s: S, row: &mut [f32]) {
    let whole = row.len() - row.len() % S::LANES;
    let mut largest = s.splat(f32::NEG_INFINITY);
    for chunk in row[..whole].chunks_exact(S::LANES) {
        largest = s.max(largest, s.load(chunk));
    }
    let largest = row[whole..].iter().fold(s.largest(largest), |largest, &x| largest.max(x));
    let largest = s.splat(largest);

    let mut sums = s.splat(0.0);
    for chunk in row[..whole].chunks_exact_mut(S::LANES) {
        let y = exp(s, s.sub(s.load(chunk), largest));
        sums = s.add(sums, y);
        s.store(chunk, y);
    }
    let mut sum = s.sum(sums);
    let tail = &mut row[whole..];
    let y = exp(s, s.sub(s.load(tail), largest));
    s.store(tail, y);
    for &value in &row[whole..] {
        sum += value;
    }

    let scale = s.splat(1.0 / sum);
    for chunk in row.chunks_mut(S::LANES) {
        let y = s.mul(s.load(chunk), scale);
        s.store(chunk, y);
    }
}
