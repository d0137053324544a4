//! Softmax: values to probabilities.

use crate::math::exp;
use crate::matrix::{Element, Target};
use crate::simd::Simd;

/// Replaces a row of scores by its softmax, `e^(x - max) / Σ e^(x - max)`, written to the row at `index` of `to`. A row
/// that holds NaN, or nothing but -∞, becomes NaN.
///
/// # Safety
///
/// The row lies within `to`, of f32 or bf16, and is as long; nothing else accesses it meanwhile.
#[inline(always)]
pub(crate) unsafe fn softmax_row<S: Simd>(s: S, row: &mut [f32], to: Target, index: usize) {
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
    for (part, chunk) in row.chunks(S::LANES).enumerate() {
        let y = s.mul(s.load(chunk), scale);
        // SAFETY: the caller promises that the row is as long as `row`.
        unsafe {
            if to.element() == Element::F32 {
                s.store_first(to.f32_at(index, part * S::LANES), chunk.len(), y);
            } else {
                s.store_bf16(to.u16_at(index, part * S::LANES), chunk.len(), y);
            }
        }
    }
}
