//! LayerNorm, forward and back.

use albertine_kernels::{Kernels, LayerNorm, Matrix};
use albertine_model::Affine;
use rayon::prelude::*;

use super::{Arithmetic, Lent};
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
pub(super) struct Normed<'m> {
    /// `(x - mean) / √(variance + eps)`, `[rows, width]`
    normal: Lent<'m>,
    /// `1 / √(variance + eps)` of each row
    inverse: Vec<f32>,
}

impl Norm {
    pub(super) fn new(weights: &Tensors, indices: Affine<usize>, eps: f32) -> Self {
        Self { indices, gamma: weights.at(indices.weight).to_vec(), beta: weights.at(indices.bias).to_vec(), eps }
    }

    /// `normal * gamma + beta`, `[rows, width]`, of rows that become the normal ones.
    pub(super) fn forward<'m>(&self, arithmetic: Arithmetic<'m>, mut rows: Lent<'m>) -> (Lent<'m>, Normed<'m>) {
        let mut out = arithmetic.matrix(rows.rows(), rows.columns());
        let mut inverse = vec![0.0; rows.rows()];
        let norm = LayerNorm { gamma: &self.gamma, beta: &self.beta, eps: self.eps };
        arithmetic.kernels.layer_norm_kept(&mut rows, &norm, &mut out, &mut inverse);
        (out, Normed { normal: rows, inverse })
    }

    /// The gradient of what went in, in the place of that of what came out, `[rows, width]`.
    pub(super) fn backward(
        &self,
        kernels: Kernels,
        saved: &Normed<'_>,
        gradient: &mut Matrix,
        gradients: &mut Tensors,
    ) {
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
        kernels.layer_norm_gradient(gradient, &saved.normal, &saved.inverse, &self.gamma);
    }
}
