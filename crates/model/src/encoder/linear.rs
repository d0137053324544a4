//! The two parametrised functions that everything is made of: linear layers and LayerNorms.

use std::ops::Range;

use albertine_kernels::{Activation, Element, Epilogue, Kernels, LayerNorm, Matrix, PackedWeights};

use crate::{Affine, ModelError, TensorSpec, Weights};

/// `y = x Wᵀ + b`, with packed weights.
#[derive(Debug)]
pub(crate) struct Linear {
    weights: PackedWeights,
    bias: Vec<f32>,
}

impl Linear {
    /// A linear layer for rows of that element.
    pub(crate) fn load(
        weights: &Weights<'_>,
        spec: &Affine<TensorSpec>,
        kernels: Kernels,
        element: Element,
    ) -> Result<Self, ModelError> {
        let [outputs, inputs] = shape(spec);
        let (weight, bias) = (weights.tensor(&spec.weight)?, weights.tensor(&spec.bias)?);
        Ok(Self { weights: PackedWeights::pack(kernels, element, &weight, outputs, inputs), bias })
    }

    /// Three linear layers of one shape as one, each multiplied by a scale. The columns of each part start at a multiple
    /// of [`part_width`]; those in between are 0.
    pub(super) fn load_parts(
        weights: &Weights<'_>,
        parts: [(&Affine<TensorSpec>, f32); 3],
        kernels: Kernels,
        element: Element,
    ) -> Result<Self, ModelError> {
        let [outputs, inputs] = shape(parts[0].0);
        let width = part_width(outputs, kernels);
        let (mut all_weights, mut all_biases) = (Vec::new(), Vec::new());
        for (index, (spec, scale)) in parts.iter().enumerate() {
            let (weight, bias) = (weights.tensor(&spec.weight)?, weights.tensor(&spec.bias)?);
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

/// `[outputs, inputs]`
fn shape(spec: &Affine<TensorSpec>) -> [usize; 2] {
    [0, 1].map(|axis| spec.weight.shape.get(axis).copied().unwrap_or(1))
}

/// The parameters of a LayerNorm.
#[derive(Debug)]
pub(super) struct Norm {
    gamma: Vec<f32>,
    beta: Vec<f32>,
    eps: f32,
}

impl Norm {
    pub(super) fn load(weights: &Weights<'_>, spec: &Affine<TensorSpec>, eps: f32) -> Result<Self, ModelError> {
        Ok(Self { gamma: weights.tensor(&spec.weight)?, beta: weights.tensor(&spec.bias)?, eps })
    }

    pub(super) fn view(&self) -> LayerNorm<'_> {
        LayerNorm { gamma: &self.gamma, beta: &self.beta, eps: self.eps }
    }
}
