//! The two parametrised functions that everything is made of: linear layers and LayerNorms.

use std::ops::Range;

use albertine_kernels::{Activation, Element, Epilogue, Kernels, LayerNorm, Matrix, PackedWeights};

use crate::{ModelError, Weights};

/// `y = x Wᵀ + b`, with packed weights.
#[derive(Debug)]
pub(crate) struct Linear {
    weights: PackedWeights,
    bias: Vec<f32>,
}

impl Linear {
    /// The linear layer of that name for rows of that element: `{name}.weight`, `[outputs, inputs]`, and `{name}.bias`,
    /// `[outputs]`.
    pub(crate) fn load(
        weights: &Weights<'_>,
        name: &str,
        [outputs, inputs]: [usize; 2],
        kernels: Kernels,
        element: Element,
    ) -> Result<Self, ModelError> {
        let (weight, bias) = tensors(weights, name, outputs, inputs)?;
        Ok(Self { weights: PackedWeights::pack(kernels, element, &weight, outputs, inputs), bias })
    }

    /// Linear layers of the same shape as one, each multiplied by a scale. The columns of each part start at a multiple
    /// of [`part_width`]; those in between are 0.
    pub(super) fn load_parts(
        weights: &Weights<'_>,
        parts: &[(String, f32)],
        [outputs, inputs]: [usize; 2],
        kernels: Kernels,
        element: Element,
    ) -> Result<Self, ModelError> {
        let width = part_width(outputs, kernels);
        let (mut all_weights, mut all_biases) = (Vec::new(), Vec::new());
        for (index, (name, scale)) in parts.iter().enumerate() {
            let (weight, bias) = tensors(weights, name, outputs, inputs)?;
            all_weights.extend(weight.iter().map(|value| value * scale));
            all_biases.extend(bias.iter().map(|value| value * scale));
            all_weights.resize((index + 1) * width * inputs, 0.0);
            all_biases.resize((index + 1) * width, 0.0);
        }
        let weights = PackedWeights::pack(kernels, element, &all_weights, parts.len() * width, inputs);
        Ok(Self { weights, bias: all_biases })
    }

    /// The columns of the result.
    pub(crate) fn outputs(&self) -> usize {
        self.weights.outputs()
    }

    /// `out = x Wᵀ + b`: `out` is `[rows, outputs]`, `x` is `[rows, inputs]`.
    pub(crate) fn forward(&self, kernels: Kernels, out: &mut Matrix, x: &Matrix) {
        kernels.matmul(out, x, &self.weights, Epilogue::Bias(&self.bias));
    }

    /// Some columns of the same.
    pub(super) fn forward_columns(&self, kernels: Kernels, out: &mut Matrix, x: &Matrix, columns: Range<usize>) {
        kernels.matmul_columns(out, x, &self.weights, columns, Epilogue::Bias(&self.bias));
    }

    /// `out = activation(x Wᵀ + b)`
    pub(crate) fn forward_activated(&self, kernels: Kernels, out: &mut Matrix, x: &Matrix, activation: Activation) {
        kernels.matmul(out, x, &self.weights, Epilogue::BiasActivation(&self.bias, activation));
    }

    /// `out = x Wᵀ + b + residual`: `residual` is `[rows, outputs]` of f32.
    pub(super) fn forward_added(&self, kernels: Kernels, out: &mut Matrix, x: &Matrix, residual: &Matrix) {
        kernels.matmul(out, x, &self.weights, Epilogue::BiasResidual { bias: &self.bias, residual });
    }
}

/// The columns of one of several linear layers that are computed as one.
pub(super) fn part_width(outputs: usize, kernels: Kernels) -> usize {
    outputs.next_multiple_of(kernels.panel_width())
}

fn tensors(
    weights: &Weights<'_>,
    name: &str,
    outputs: usize,
    inputs: usize,
) -> Result<(Vec<f32>, Vec<f32>), ModelError> {
    let weight = weights.get(&format!("{name}.weight"), &[outputs, inputs])?;
    let bias = weights.get(&format!("{name}.bias"), &[outputs])?;
    Ok((weight, bias))
}

/// The parameters of a LayerNorm.
#[derive(Debug)]
pub(super) struct Norm {
    gamma: Vec<f32>,
    beta: Vec<f32>,
    eps: f32,
}

impl Norm {
    /// The LayerNorm of that name: `{name}.weight` and `{name}.bias`, `[width]`.
    pub(super) fn load(weights: &Weights<'_>, name: &str, width: usize, eps: f32) -> Result<Self, ModelError> {
        let gamma = weights.get(&format!("{name}.weight"), &[width])?;
        let beta = weights.get(&format!("{name}.bias"), &[width])?;
        Ok(Self { gamma, beta, eps })
    }

    pub(super) fn view(&self) -> LayerNorm<'_> {
        LayerNorm { gamma: &self.gamma, beta: &self.beta, eps: self.eps }
    }
}
