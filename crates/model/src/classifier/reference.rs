//! The slow truth: the same model in f64, one document at a time, written from transformers' `modeling_albert.py` line
//! by line and nothing folded; and random models to try it on.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

use crate::{Affine, Architecture, HiddenActivation, LayerParts, ModelConfig, Parts};

/// A model with random weights.
pub(super) struct RandomModel {
    config: ModelConfig,
    parts: Parts<Vec<f32>>,
}

/// Numbers in -1 to 1 that are the same in every run (SplitMix64).
fn numbers(mut state: u64) -> impl FnMut() -> f32 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}

impl RandomModel {
    /// The model of a `config.json` with weights that keep values near 1 from layer to layer.
    pub(super) fn new(json: &str, seed: u64) -> Self {
        let config = ModelConfig::from_slice(json.as_bytes(), Path::new("config.json")).unwrap();
        let mut next = numbers(seed);
        let parts = config.tensors().map(|tensor| {
            let scale = if tensor.shape.len() == 2 && !tensor.name.contains("_embeddings") {
                2.0 / (tensor.shape[1] as f32).sqrt()
            } else {
                1.0
            };
            (0..tensor.elements()).map(|_| next() * scale).collect()
        });
        Self { config, parts }
    }

    pub(super) fn architecture(&self) -> &Architecture {
        self.config.architecture()
    }

    /// The weights as a safetensors file.
    pub(super) fn safetensors(&self) -> Vec<u8> {
        let bytes = self.parts.map(|values| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>());
        let tensors = self.config.tensors();
        let views = tensors.iter().zip(bytes.iter()).map(|(tensor, bytes)| {
            (&tensor.stored_name, TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).unwrap())
        });
        serialize(views, None).unwrap()
    }

    fn layer_norm(&self, part: &Affine<Vec<f32>>, x: &mut [Vec<f64>]) {
        for row in x {
            let width = row.len() as f64;
            let mean = row.iter().sum::<f64>() / width;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width;
            let scale = (variance + f64::from(self.architecture().layer_norm_eps())).sqrt();
            for ((x, &gamma), &beta) in row.iter_mut().zip(&part.weight).zip(&part.bias) {
                *x = (*x - mean) / scale * f64::from(gamma) + f64::from(beta);
            }
        }
    }

    /// The logits of a document.
    pub(super) fn logits(&self, ids: &[u32]) -> Vec<f64> {
        self.masked_logits(ids, |_| false)
    }

    /// The logits of a document with an attention mask of 0 for the pieces that are `hidden`.
    pub(super) fn masked_logits(&self, ids: &[u32], hidden: impl Fn(u32) -> bool) -> Vec<f64> {
        self.all_logits(ids, &vec![0; ids.len()], hidden)
    }

    /// The logits of a document whose tokens have types.
    pub(super) fn typed_logits(&self, ids: &[u32], token_types: &[u32]) -> Vec<f64> {
        self.all_logits(ids, token_types, |_| false)
    }

    fn all_logits(&self, ids: &[u32], token_types: &[u32], hidden: impl Fn(u32) -> bool) -> Vec<f64> {
        let mask: Vec<f64> = ids.iter().map(|&id| if hidden(id) { f64::NEG_INFINITY } else { 0.0 }).collect();
        let (architecture, parts) = (self.architecture(), &self.parts);
        let width = architecture.embedding_size();
        let embedding = |(position, (&id, &token_type)): (usize, (&u32, &u32))| -> Vec<f64> {
            let value = |i| {
                parts.word_embeddings[id as usize * width + i]
                    + parts.token_type_embeddings[token_type as usize * width + i]
                    + parts.position_embeddings[position * width + i]
            };
            (0..width).map(|i| f64::from(value(i))).collect()
        };
        let mut x: Vec<Vec<f64>> = ids.iter().zip(token_types).enumerate().map(embedding).collect();
        self.layer_norm(&parts.embedding_norm, &mut x);
        if let Some(projection) = &parts.projection {
            x = linear(projection, &x);
        }
        let (layers, groups) = (architecture.hidden_layers(), architecture.hidden_groups());
        for layer in 0..layers {
            let group = (layer as f64 / (layers as f64 / groups as f64)) as usize;
            for inner in 0..architecture.inner_groups() {
                x = self.layer(&parts.layers[group * architecture.inner_groups() + inner], x, &mask);
            }
        }
        let mut pooled = linear(&parts.pooler, &x[..1]);
        pooled[0].iter_mut().for_each(|x| *x = x.tanh());
        linear(&parts.classifier, &pooled).remove(0)
    }

    fn layer(&self, parts: &LayerParts<Affine<Vec<f32>>>, x: Vec<Vec<f64>>, mask: &[f64]) -> Vec<Vec<f64>> {
        let heads = self.architecture().attention_heads();
        let size = self.architecture().hidden_size() / heads;
        let [query, key, value] = [&parts.query, &parts.key, &parts.value].map(|part| linear(part, &x));
        let mut context = vec![vec![0.0; heads * size]; x.len()];
        for (context, query) in context.iter_mut().zip(&query) {
            for head in 0..heads {
                let columns = head * size..(head + 1) * size;
                let score = |(key, mask): (&Vec<f64>, &f64)| {
                    let dot: f64 = query[columns.clone()].iter().zip(&key[columns.clone()]).map(|(q, k)| q * k).sum();
                    (dot / (size as f64).sqrt() + mask).exp()
                };
                let scores: Vec<f64> = key.iter().zip(mask).map(score).collect();
                let sum: f64 = scores.iter().sum();
                for (score, value) in scores.iter().zip(&value) {
                    for column in columns.clone() {
                        context[column] += score / sum * value[column];
                    }
                }
            }
        }
        let mut attended = sum(linear(&parts.attention_output, &context), &x);
        self.layer_norm(&parts.attention_norm, &mut attended);
        let mut wide = linear(&parts.intermediate, &attended);
        wide.iter_mut().flatten().for_each(|x| *x = activation(*x, self.architecture().activation()));
        let mut out = sum(linear(&parts.output, &wide), &attended);
        self.layer_norm(&parts.output_norm, &mut out);
        out
    }
}

/// `x Wᵀ + b` for each row.
fn linear(part: &Affine<Vec<f32>>, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let output = |x: &[f64], (weight, &bias): (&[f32], &f32)| {
        x.iter().zip(weight).map(|(x, &w)| x * f64::from(w)).sum::<f64>() + f64::from(bias)
    };
    x.iter().map(|x| part.weight.chunks(x.len()).zip(&part.bias).map(|row| output(x, row)).collect()).collect()
}

fn sum(mut a: Vec<Vec<f64>>, b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    a.iter_mut().flatten().zip(b.iter().flatten()).for_each(|(a, b)| *a += b);
    a
}

#[allow(clippy::approx_constant)] // transformers' six digits of 1 / √2
fn activation(x: f64, activation: HiddenActivation) -> f64 {
    // The error function by its Maclaurin series; its arguments here are small.
    let erf = |z: f64| {
        let mut term = z;
        let mut erf = term;
        for n in 1..300 {
            term *= -z * z / f64::from(n);
            erf += term / f64::from(2 * n + 1);
        }
        erf * std::f64::consts::FRAC_2_SQRT_PI
    };
    let gelu = || 0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2));
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match activation {
        HiddenActivation::Gelu => gelu(),
        HiddenActivation::Gelu10 => gelu().min(10.0),
        HiddenActivation::GeluNew | HiddenActivation::GeluPytorchTanh => {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
        }
        HiddenActivation::Laplace => 0.5 * (1.0 + erf((x - 0.707_107) / (0.282_095 * std::f64::consts::SQRT_2))),
        HiddenActivation::LeakyRelu => x.max(0.01 * x),
        HiddenActivation::Linear => x,
        HiddenActivation::Mish => x * x.exp().ln_1p().tanh(),
        HiddenActivation::QuickGelu => x * sigmoid(1.702 * x),
        HiddenActivation::Relu => x.max(0.0),
        HiddenActivation::Relu2 => x.max(0.0).powi(2),
        HiddenActivation::Relu6 => x.clamp(0.0, 6.0),
        HiddenActivation::Sigmoid => sigmoid(x),
        HiddenActivation::Silu => x * sigmoid(x),
        HiddenActivation::Tanh => x.tanh(),
    }
}
