//! Layer normalization with what its gradient needs, and the gradient.

use super::layer_norm::{LayerNorm, sum};
use crate::cpu::Kernels;
use crate::matrix::{Element, Matrix};
use crate::simd::{Operation, Simd};

impl Kernels {
    /// Layer normalization of each row of `rows`, `[rows, width]` of f32, into `out`, which becomes of that shape. The
    /// rows themselves become `(x - mean) / √(variance + eps)`, and `inverse`, `[rows]`, the factor of each row.
    ///
    /// # Panics
    ///
    /// When the shapes do not fit each other.
    pub fn layer_norm_kept(self, rows: &mut Matrix, norm: &LayerNorm<'_>, out: &mut Matrix, inverse: &mut [f32]) {
        let shape = (rows.rows(), rows.columns());
        assert!(rows.element() == Element::F32 && norm.width() == shape.1 && inverse.len() == shape.0, "{rows:?}");
        out.reshape(Element::F32, shape.0, shape.1);
        let (rows, out, inverse) = (rows.target(), out.target(), Shared(inverse.as_mut_ptr()));
        self.split(shape.0, 1, |range| {
            for index in range {
                // SAFETY: the row lies within both matrices and the slice, and no other range has it.
                let (row, out, inverse) = unsafe {
                    (
                        std::slice::from_raw_parts_mut(rows.f32_at(index, 0), shape.1),
                        std::slice::from_raw_parts_mut(out.f32_at(index, 0), shape.1),
                        &mut *inverse.at(index),
                    )
                };
                *inverse = self.run(Forward { row, out, norm });
            }
        });
    }

    /// The gradient of what went into [`Kernels::layer_norm_kept`], in the place of that of what came out, `[rows,
    /// width]` of f32. `normal` and `inverse` are what it kept.
    ///
    /// # Panics
    ///
    /// When the shapes do not fit each other.
    pub fn layer_norm_gradient(self, gradient: &mut Matrix, normal: &Matrix, inverse: &[f32], gamma: &[f32]) {
        let shape = (gradient.rows(), gradient.columns());
        assert!(gradient.element() == Element::F32 && (normal.rows(), normal.columns()) == shape, "{gradient:?}");
        assert!(inverse.len() == shape.0 && gamma.len() == shape.1, "{gradient:?}");
        let target = gradient.target();
        self.split(shape.0, 1, |range| {
            for index in range {
                // SAFETY: the row lies within the matrix, and no other range has it.
                let row = unsafe { std::slice::from_raw_parts_mut(target.f32_at(index, 0), shape.1) };
                self.run(Backward { gradient: row, normal: normal.row(index), inverse: inverse[index], gamma });
            }
        });
    }
}

/// A slice that several ranges write, each in places of its own.
#[derive(Clone, Copy)]
struct Shared(*mut f32);

// SAFETY: it is a place, not a borrow; whoever writes through it promises that nobody else has the same place.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    fn at(self, index: usize) -> *mut f32 {
        self.0.wrapping_add(index)
    }
}

struct Forward<'a> {
    row: &'a mut [f32],
    out: &'a mut [f32],
    norm: &'a LayerNorm<'a>,
}

impl Operation for Forward<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let Self { row, out, norm } = self;
        let width = row.len() as f32;
        let mean = s.splat(sum(s, row, s.splat(0.0), false) / width);
        let variance = sum(s, row, mean, true) / width;
        let inverse = 1.0 / (variance + norm.eps).sqrt();
        let scale = s.splat(inverse);
        let parameters = norm.gamma.chunks(S::LANES).zip(norm.beta.chunks(S::LANES));
        for ((row, out), (gamma, beta)) in row.chunks_mut(S::LANES).zip(out.chunks_mut(S::LANES)).zip(parameters) {
            let x = s.mul(s.sub(s.load(row), mean), scale);
            s.store(row, x);
            s.store(out, s.mul_add(x, s.load(gamma), s.load(beta)));
        }
        inverse
    }
}

struct Backward<'a> {
    gradient: &'a mut [f32],
    normal: &'a [f32],
    inverse: f32,
    gamma: &'a [f32],
}

impl Operation for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { gradient, normal, inverse, gamma } = self;
        let width = gradient.len() as f32;
        // What lies behind the last value counts as 0 in both sums.
        let (mut sums, mut products) = (s.splat(0.0), s.splat(0.0));
        for ((gradient, normal), gamma) in
            gradient.chunks_mut(S::LANES).zip(normal.chunks(S::LANES)).zip(gamma.chunks(S::LANES))
        {
            let scaled = s.mul(s.load(gradient), s.load(gamma));
            s.store(gradient, scaled);
            sums = s.add(sums, scaled);
            products = s.mul_add(scaled, s.load(normal), products);
        }
        let (mean, product) = (s.splat(s.sum(sums) / width), s.splat(s.sum(products) / width));
        let inverse = s.splat(inverse);
        for (gradient, normal) in gradient.chunks_mut(S::LANES).zip(normal.chunks(S::LANES)) {
            let centered = s.sub(s.sub(s.load(gradient), mean), s.mul(s.load(normal), product));
            s.store(gradient, s.mul(centered, inverse));
        }
    }
}
