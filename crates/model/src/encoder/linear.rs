//! The two parametrised functions that everything is made of: linear layers and LayerNorms.

use albertine_kernels::{Activation, Epilogue, Kernels, LayerNorm, PackedWeights};

use crate::{ModelError, Weights};

/// `y = x Wᵀ + b`, with packed weights.
#[derive(Debug)]
pub(crate) struct Linear {
    weights: PackedWeights,
    bias: Vec<f32>,
}

impl Linear {
    /// The linear layer of that name: `{name}.weight`, `[outputs, inputs]`, and `{name}.bias`, `[outputs]`.
    pub(crate) fn load(
        weights: &Weights<'_>,
        name: &str,
        outputs: usize,
        inputs: usize,
        kernels: Kernels,
    ) -> Result<Self, ModelError> {
        let (weight, bias) = tensors(weights, name, outputs, inputs)?;
        Ok(Self { weights: PackedWeights::pack(kernels, &weight, outputs, inputs), bias })
    }

    /// The linear layer of that name, with its result multiplied by `scale`.
    pub(super) fn load_scaled(
        weights: &Weights<'_>,
        name: &str,
        outputs: usize,
        inputs: usize,
        scale: f32,
        kernels: Kernels,
    ) -> Result<Self, ModelError> {
        let (mut weight, mut bias) = tensors(weights, name, outputs, inputs)?;
        weight.iter_mut().chain(&mut bias).for_each(|value| *value *= scale);
        Ok(Self { weights: PackedWeights::pack(kernels, &weight, outputs, inputs), bias })
    }

    /// Two linear layers with the same inputs as one, whose result has the columns of both.
    pub(super) fn load_pair(
        weights: &Weights<'_>,
        names: [&str; 2],
        outputs: usize,
        inputs: usize,
        kernels: Kernels,
    ) -> Result<Self, ModelError> {
        let (mut weight, mut bias) = tensors(weights, names[0], outputs, inputs)?;
        let (second_weight, second_bias) = tensors(weights, names[1], outputs, inputs)?;
        weight.extend(second_weight);
        bias.extend(second_bias);
        Ok(Self { weights: PackedWeights::pack(kernels, &weight, 2 * outputs, inputs), bias })
    }

    /// `out = x Wᵀ + b`: `out` is `[rows, outputs]`, `x` is `[rows, inputs]`.
    pub(crate) fn forward(&self, kernels: Kernels, out: &mut [f32], x: &[f32]) {
        kernels.matmul(out, x, &self.weights, Epilogue::Bias(&self.bias));
    }

    /// `out = activation(x Wᵀ + b)`
    pub(crate) fn forward_activated(&self, kernels: Kernels, out: &mut [f32], x: &[f32], activation: Activation) {
        kernels.matmul(out, x, &self.weights, Epilogue::BiasActivation(&self.bias, activation));
    }

    /// `out = x Wᵀ + b + residual`: `residual` is `[rows, outputs]`.
    pub(super) fn forward_added(&self, kernels: Kernels, out: &mut [f32], x: &[f32], residual: &[f32]) {
        kernels.matmul(out, x, &self.weights, Epilogue::BiasResidual { bias: &self.bias, residual });
    }
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
