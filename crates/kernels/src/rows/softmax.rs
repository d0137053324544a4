//! Softmax: values to probabilities.

use crate::math::{exp, exp2_rough};
use crate::matrix::{Element, Matrix, Target};
use crate::simd::{Operation, Simd};

/// The softmax of each row of scores.
pub(crate) struct Softmax<'a> {
    pub(crate) scores: &'a mut Matrix,
    /// A matrix of the same shape, of f32 or bf16.
    pub(crate) to: Target,
}

impl Operation for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for row in 0..self.scores.rows() {
            // SAFETY: the target has the same shape, and is borrowed exclusively by whoever made it.
            unsafe { softmax_row(simd, self.scores.row_mut(row), self.to, row) };
        }
    }
}

/// Replaces a row of scores by its softmax, `e^(x - max) / Σ e^(x - max)`, written to the row at `index` of `to`. A row
/// that holds NaN, or nothing but -∞, becomes NaN. Where the result is bfloat16, the powers are only as exact as that.
///
/// # Safety
///
/// The row lies within `to`, of f32 or bf16, and is as long; nothing else accesses it meanwhile.
#[inline(always)]
unsafe fn softmax_row<S: Simd>(s: S, row: &mut [f32], to: Target, index: usize) {
    // SAFETY: the caller promises the same.
    unsafe {
        if to.element() == Element::F32 {
            softmax::<S, true>(s, row, to, index);
        } else {
            softmax::<S, false>(s, row, to, index);
        }
    }
}

#[inline(always)]
unsafe fn softmax<S: Simd, const EXACT: bool>(s: S, row: &mut [f32], to: Target, index: usize) {
    let whole = row.len() / S::LANES * S::LANES;
    let (vectors, tail) = row.split_at_mut(whole);
    let mut largest = s.first_of(tail.len(), s.load(tail), s.splat(f32::NEG_INFINITY));
    for chunk in vectors.chunks_exact(S::LANES) {
        largest = s.max(largest, s.load(chunk));
    }
    let largest = s.splat(s.largest(largest));

    let mut sums = s.splat(0.0);
    for chunk in vectors.chunks_exact_mut(S::LANES) {
        let y = power::<S, EXACT>(s, s.sub(s.load(chunk), largest));
        sums = s.add(sums, y);
        s.store(chunk, y);
    }
    let last = power::<S, EXACT>(s, s.sub(s.load(tail), largest));
    let sum = s.sum(s.add(sums, s.first_of(tail.len(), last, s.splat(0.0))));

    let scale = s.splat(1.0 / sum);
    // SAFETY: the caller promises that the row of `to` is as long as `row`.
    unsafe {
        for (part, chunk) in vectors.chunks_exact(S::LANES).enumerate() {
            store::<S, EXACT>(s, to, index, part * S::LANES, S::LANES, s.mul(s.load(chunk), scale));
        }
        store::<S, EXACT>(s, to, index, whole, tail.len(), s.mul(last, scale));
    }
}

/// eˣ for x up to 0.
#[inline(always)]
fn power<S: Simd, const EXACT: bool>(s: S, x: S::V) -> S::V {
    if EXACT {
        return exp(s, x);
    }
    // Below -126 a power of two is subnormal. In this order of arguments NaN passes through.
    let t = s.mul(x, s.splat(std::f32::consts::LOG2_E));
    exp2_rough(s, s.max(s.splat(-126.0), s.min(s.splat(0.0), t)))
}

/// # Safety
///
/// The place has room for `count` values.
#[inline(always)]
unsafe fn store<S: Simd, const EXACT: bool>(s: S, to: Target, row: usize, column: usize, count: usize, y: S::V) {
    // SAFETY: the caller promises the room.
    unsafe {
        if EXACT {
            s.store_first(to.f32_at(row, column), count, y);
        } else {
            s.store_bf16(to.u16_at(row, column), count, y);
        }
    }
}
