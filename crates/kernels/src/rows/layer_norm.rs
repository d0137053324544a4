//! Layer normalisation ([Ba, Kiros and Hinton 2016](https://arxiv.org/abs/1607.06450)).

use super::convert::{Row, convert_row};
use crate::cpu::Kernels;
use crate::matrix::{Element, Matrix, Target};
use crate::simd::{Operation, Simd};

/// The parameters of a layer normalization: `(x - mean) / √(variance + eps) * gamma + beta`, where the variance is
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
    /// Normalises each row of `rows`, `[rows, width]` of f32, in place. If the product behind reads another element,
    /// the rows are converted to it in the same pass: `operand` is of that element and shape.
    ///
    /// # Panics
    ///
    /// When the shapes do not fit each other, or the parameters are empty or not equally long.
    pub fn layer_norm(self, rows: &mut Matrix, norm: &LayerNorm<'_>, operand: Option<&mut Matrix>) {
        assert!(norm.width() == rows.columns(), "{rows:?} for a norm of {}", norm.width());
        let shape = (rows.rows(), rows.columns());
        let operand = operand.map(|operand| {
            assert!((operand.rows(), operand.columns()) == shape, "{operand:?} for {rows:?}");
            operand.target()
        });
        assert!(rows.element() == Element::F32, "{rows:?} to be normalised");
        let target = rows.target();
        self.split(shape.0, 1, |range| {
            for row in range {
                // SAFETY: the row lies within the matrix, and no other range has it.
                let row_mut = unsafe { std::slice::from_raw_parts_mut(target.f32_at(row, 0), shape.1) };
                self.run(LayerNormRow { row: row_mut, norm, operand, index: row });
            }
        });
    }
}

struct LayerNormRow<'a> {
    row: &'a mut [f32],
    norm: &'a LayerNorm<'a>,
    operand: Option<Target>,
    index: usize,
}

impl Operation for LayerNormRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        layer_norm_row(simd, self.row, self.norm);
        if let Some(operand) = self.operand {
            // SAFETY: `layer_norm` checked the shape of the operand, and gives each row to one range.
            unsafe { convert_row(simd, Row::F32(self.row), operand, self.index) };
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
pub(super) fn sum<S: Simd>(s: S, row: &[f32], mean: S::V, squared: bool) -> f32 {
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
