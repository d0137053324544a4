//! LayerNorm, forward and back.

use albertine_kernels::{Element, Matrix};
use albertine_model::Affine;
use rayon::prelude::*;

use crate::Tensors;

/// Rows whose gradients of scale and shift are added up together. The number is fixed, so that sums do not depend on
/// threads.
const BLOCK: usize = 64;

#[derive(Debug)]
pub(super) struct Norm {
    indices: Affine<usize>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
    eps: f32,
}

/// What the gradient needs of a forward pass.
#[derive(Debug)]
pub(super) struct Normed {
    /// `(x - mean) / √(variance + eps)`, `[rows, width]`
    normal: Matrix,
    /// `1 / √(variance + eps)` of each row
    inverse: Vec<f32>,
}

impl Norm {
    pub(super) fn new(weights: &Tensors, indices: Affine<usize>, eps: f32) -> Self {
        Self { indices, gamma: weights.at(indices.weight).to_vec(), beta: weights.at(indices.bias).to_vec(), eps }
    }

    /// `normal * gamma + beta`, `[rows, width]`, of rows that become the normal ones.
    pub(super) fn forward(&self, mut rows: Matrix) -> (Matrix, Normed) {
        let width = self.gamma.len();
        let mut out = Matrix::default();
        out.reshape(Element::F32, rows.rows(), width);
        let mut inverse = vec![0.0; rows.rows()];
        let lines = rows.par_rows_mut().zip(out.par_rows_mut()).zip(&mut inverse);
        lines.for_each(|((row, out), inverse)| {
            let mean = sum(row.iter().copied()) / width as f32;
            let variance = sum(row.iter().map(|x| (x - mean) * (x - mean))) / width as f32;
            *inverse = 1.0 / (variance + self.eps).sqrt();
            let parameters = self.gamma.iter().zip(&self.beta);
            for ((x, out), (gamma, beta)) in row.iter_mut().zip(out).zip(parameters) {
                *x = (*x - mean) * *inverse;
                *out = *x * gamma + beta;
            }
        });
        (out, Normed { normal: rows, inverse })
    }

    /// The gradient of what went in, in the place of that of what came out, `[rows, width]`.
    pub(super) fn backward(&self, saved: &Normed, gradient: &mut Matrix, gradients: &mut Tensors) {
        let (rows, width) = (gradient.rows(), self.gamma.len());
        let sums: Vec<(Vec<f32>, Vec<f32>)> = (0..rows.div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let (mut gammas, mut betas) = (vec![0.0; width], vec![0.0; width]);
                for row in block * BLOCK..rows.min((block + 1) * BLOCK) {
                    let (gradient, normal) = (gradient.row(row), saved.normal.row(row));
                    for (sum, (gradient, normal)) in gammas.iter_mut().zip(gradient.iter().zip(normal)) {
                        *sum += gradient * normal;
                    }
                    betas.iter_mut().zip(gradient).for_each(|(sum, gradient)| *sum += gradient);
                }
                (gammas, betas)
            })
            .collect();
        for (gammas, betas) in sums {
            gradients.add(self.indices.weight, &gammas);
            gradients.add(self.indices.bias, &betas);
        }
        let each = gradient.par_rows_mut().enumerate();
        each.for_each(|(row, gradient)| {
            let normal = saved.normal.row(row);
            gradient.iter_mut().zip(&self.gamma).for_each(|(gradient, gamma)| *gradient *= gamma);
            let mean = sum(gradient.iter().copied()) / width as f32;
            let product = sum(gradient.iter().zip(normal).map(|(gradient, normal)| gradient * normal)) / width as f32;
            for (gradient, normal) in gradient.iter_mut().zip(normal) {
                *gradient = (*gradient - mean - normal * product) * saved.inverse[row];
            }
        });
    }
}

/// A sum in sixteen parts, which a compiler can make vectors of.
fn sum(values: impl Iterator<Item = f32>) -> f32 {
    let mut parts = [0.0; 16];
    for (index, value) in values.enumerate() {
        parts[index % 16] += value;
    }
    parts.iter().sum()
}
