//! Linear layers, forward and back.

use std::borrow::Cow;

use albertine_kernels::{Dropout, Epilogue, Matrix, PackedWeights};
use albertine_model::Affine;
use rayon::prelude::*;

use super::{Arithmetic, Lent, drops};
use crate::Tensors;

/// One or several linear layers over the same rows: `y = x Wᵀ + b`, and `dx = dy W`.
#[derive(Debug)]
pub(super) struct Linear {
    parts: Vec<Part>,
    /// The columns of a part in the result; those behind its outputs are 0.
    width: usize,
    inputs: usize,
    forward: PackedWeights,
    bias: Vec<f32>,
    backward: PackedWeights,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    indices: Affine<usize>,
    outputs: usize,
    scale: f32,
}

impl Linear {
    pub(super) fn new(weights: &Tensors, indices: Affine<usize>, arithmetic: Arithmetic<'_>) -> Self {
        Self::of_parts(weights, &[(indices, 1.0)], weights.at(indices.bias).len(), arithmetic)
    }

    /// Layers of one shape, each multiplied by a scale, whose results have `width` columns each.
    pub(super) fn of_parts(
        weights: &Tensors,
        parts: &[(Affine<usize>, f32)],
        width: usize,
        arithmetic: Arithmetic<'_>,
    ) -> Self {
        let outputs = parts.first().map_or(0, |(first, _)| weights.at(first.bias).len());
        let inputs = parts.first().map_or(0, |(first, _)| weights.at(first.weight).len() / outputs.max(1));
        let columns = parts.len() * width;
        let (all, bias) = match parts {
            // Nothing to put together.
            &[(indices, 1.0)] if width == outputs => {
                (Cow::Borrowed(weights.at(indices.weight)), weights.at(indices.bias).to_vec())
            }
            _ => {
                let (mut all, mut bias) = (vec![0.0; columns * inputs], vec![0.0; columns]);
                for (index, (indices, scale)) in parts.iter().enumerate() {
                    let scaled = |to: &mut [f32], from: &[f32]| {
                        to.iter_mut().zip(from).for_each(|(to, from)| *to = from * scale);
                    };
                    scaled(&mut all[index * width * inputs..], weights.at(indices.weight));
                    scaled(&mut bias[index * width..], weights.at(indices.bias));
                }
                (Cow::Owned(all), bias)
            }
        };
        let Arithmetic { kernels, operand, .. } = arithmetic;
        Self {
            parts: parts.iter().map(|&(indices, scale)| Part { indices, outputs, scale }).collect(),
            width,
            inputs,
            forward: PackedWeights::pack(kernels, operand, &all, columns, inputs),
            bias,
            backward: PackedWeights::pack_columns(kernels, operand, inputs, columns, |row| {
                &all[row * inputs..][..inputs]
            }),
        }
    }

    /// `x Wᵀ + b`, or with a residual added to it: `[rows, parts * width]`.
    pub(super) fn forward<'m>(&self, arithmetic: Arithmetic<'m>, x: &Matrix, residual: Option<&Matrix>) -> Lent<'m> {
        let mut out = arithmetic.matrix(x.rows(), self.bias.len());
        let epilogue = match residual {
            Some(residual) => Epilogue::BiasResidual { bias: &self.bias, residual },
            None => Epilogue::Bias(&self.bias),
        };
        arithmetic.kernels.matmul(&mut out, &arithmetic.operand(x), &self.forward, epilogue);
        out
    }

    /// `dropout(x Wᵀ + b) + residual`
    pub(super) fn forward_dropped<'m>(
        &self,
        arithmetic: Arithmetic<'m>,
        x: &Matrix,
        residual: &Matrix,
        drop: Option<Dropout>,
    ) -> Lent<'m> {
        if drop.is_none() {
            return self.forward(arithmetic, x, Some(residual));
        }
        let mut out = self.forward(arithmetic, x, None);
        drops::apply(drop, &mut out);
        out.par_rows_mut().enumerate().for_each(|(row, out)| {
            out.iter_mut().zip(residual.row(row)).for_each(|(sum, value)| *sum += value);
        });
        out
    }

    /// The gradient of what went in, `[rows, inputs]`, from that of what came out, with `residual` added to it; the
    /// gradients of weight and bias are added to `gradients`. `x` is what went in.
    pub(super) fn backward<'m>(
        &self,
        arithmetic: Arithmetic<'m>,
        x: &Matrix,
        gradient: &Matrix,
        residual: Option<&Matrix>,
        gradients: &mut Tensors,
    ) -> Lent<'m> {
        self.add_gradient(arithmetic, x, gradient, gradients);
        let mut out = arithmetic.matrix(x.rows(), self.inputs);
        let zeros = vec![0.0; self.inputs];
        let epilogue = match residual {
            Some(residual) => Epilogue::BiasResidual { bias: &zeros, residual },
            None => Epilogue::Bias(&zeros),
        };
        arithmetic.kernels.matmul(&mut out, &arithmetic.operand(gradient), &self.backward, epilogue);
        out
    }

    /// Adds the gradients of weight (`dyᵀ x`) and bias (the sums of the columns of `dy`).
    pub(super) fn add_gradient(
        &self,
        arithmetic: Arithmetic<'_>,
        x: &Matrix,
        gradient: &Matrix,
        gradients: &mut Tensors,
    ) {
        let Arithmetic { kernels, operand, .. } = arithmetic;
        let packed = PackedWeights::pack_columns(kernels, operand, self.inputs, x.rows(), |row| x.row(row));
        let zeros = vec![0.0; self.inputs];
        for (index, Part { indices, outputs, scale }) in self.parts.iter().copied().enumerate() {
            let mut lines = arithmetic.matrix(outputs, gradient.rows());
            kernels.transpose(gradient, index * self.width..index * self.width + outputs, &mut lines);
            let mut out = arithmetic.matrix(outputs, self.inputs);
            kernels.matmul(&mut out, &arithmetic.operand(&lines), &packed, Epilogue::Bias(&zeros));
            let to = gradients.at_mut(indices.weight);
            to.par_chunks_exact_mut(self.inputs).enumerate().for_each(|(output, to)| {
                to.iter_mut().zip(out.row(output)).for_each(|(sum, value)| *sum += value * scale);
            });
            let sums: Vec<f32> = (0..outputs).into_par_iter().map(|output| sum(lines.row(output)) * scale).collect();
            gradients.add(indices.bias, &sums);
        }
    }
}

/// A sum in sixteen parts, of which a compiler makes vectors.
fn sum(values: &[f32]) -> f32 {
    let mut parts = [0.0; 16];
    let mut chunks = values.chunks_exact(parts.len());
    for chunk in &mut chunks {
        parts.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value);
    }
    parts.iter().chain(chunks.remainder()).sum()
}
