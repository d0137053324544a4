//! The slow truth: the same model in f64, one document at a time, written from transformers' `modeling_albert.py` line
//! by line and nothing folded; and random models to try it on.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

use crate::layout::tensors;
use crate::{Activation, AlbertConfig};

/// A model with random weights.
pub(super) struct RandomModel {
    pub(super) config: AlbertConfig,
    tensors: HashMap<String, Vec<f32>>,
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
        let config = AlbertConfig::from_slice(json.as_bytes(), Path::new("config.json")).unwrap();
        let mut next = numbers(seed);
        let tensors = tensors(&config)
            .into_iter()
            .map(|tensor| {
                let scale = if tensor.shape.len() == 2 && !tensor.name.contains("_embeddings") {
                    2.0 / (tensor.shape[1] as f32).sqrt()
                } else {
                    1.0
                };
                let values = (0..tensor.shape.iter().product()).map(|_| next() * scale).collect();
                (tensor.name, values)
            })
            .collect();
        Self { config, tensors }
    }

    /// The weights as a safetensors file.
    pub(super) fn safetensors(&self) -> Vec<u8> {
        let data: Vec<_> = tensors(&self.config)
            .into_iter()
            .map(|tensor| {
                let bytes: Vec<u8> = self.tensors[&tensor.name].iter().flat_map(|value| value.to_le_bytes()).collect();
                (tensor, bytes)
            })
            .collect();
        let views = data
            .iter()
            .map(|(tensor, bytes)| (&tensor.name, TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).unwrap()));
        serialize(views, None).unwrap()
    }

    fn get(&self, name: &str) -> &[f32] {
        &self.tensors[name]
    }

    /// `x Wᵀ + b` for each row.
    fn linear(&self, name: &str, x: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (weight, bias) = (self.get(&format!("{name}.weight")), self.get(&format!("{name}.bias")));
        let output = |x: &[f64], (weight, &bias): (&[f32], &f32)| {
            x.iter().zip(weight).map(|(x, &w)| x * f64::from(w)).sum::<f64>() + f64::from(bias)
        };
        x.iter().map(|x| weight.chunks(x.len()).zip(bias).map(|row| output(x, row)).collect()).collect()
    }

    fn layer_norm(&self, name: &str, x: &mut [Vec<f64>]) {
        let (gamma, beta) = (self.get(&format!("{name}.weight")), self.get(&format!("{name}.bias")));
        for row in x {
            let width = row.len() as f64;
            let mean = row.iter().sum::<f64>() / width;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width;
            let scale = (variance + f64::from(self.config.layer_norm_eps)).sqrt();
            for ((x, &gamma), &beta) in row.iter_mut().zip(gamma).zip(beta) {
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
        let mask: Vec<f64> = ids.iter().map(|&id| if hidden(id) { f64::NEG_INFINITY } else { 0.0 }).collect();
        let width = self.config.embedding_size;
        let words = self.get("embeddings.word_embeddings.weight");
        let positions = self.get("embeddings.position_embeddings.weight");
        let types = self.get("embeddings.token_type_embeddings.weight");
        let mut x: Vec<Vec<f64>> = ids
            .iter()
            .enumerate()
            .map(|(position, &id)| {
                let value = |i| words[id as usize * width + i] + types[i] + positions[position * width + i];
                (0..width).map(|i| f64::from(value(i))).collect()
            })
            .collect();
        self.layer_norm("embeddings.LayerNorm", &mut x);
        let mut x = self.linear("encoder.embedding_hidden_mapping_in", &x);
        let (layers, groups) = (self.config.num_hidden_layers, self.config.num_hidden_groups);
        for layer in 0..layers {
            let group = (layer as f64 / (layers as f64 / groups as f64)) as usize;
            for inner in 0..self.config.inner_group_num {
                x = self.layer(&format!("encoder.albert_layer_groups.{group}.albert_layers.{inner}"), x, &mask);
            }
        }
        let mut pooled = self.linear("pooler", &x[..1]);
        pooled[0].iter_mut().for_each(|x| *x = x.tanh());
        self.linear("classifier", &pooled).remove(0)
    }

    fn layer(&self, name: &str, x: Vec<Vec<f64>>, mask: &[f64]) -> Vec<Vec<f64>> {
        let heads = self.config.num_attention_heads;
        let size = self.config.hidden_size / heads;
        let [query, key, value] =
            ["query", "key", "value"].map(|part| self.linear(&format!("{name}.attention.{part}"), &x));
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
        let mut attended = sum(self.linear(&format!("{name}.attention.dense"), &context), &x);
        self.layer_norm(&format!("{name}.attention.LayerNorm"), &mut attended);
        let mut wide = self.linear(&format!("{name}.ffn"), &attended);
        wide.iter_mut().flatten().for_each(|x| *x = activation(*x, self.config.hidden_act));
        let mut out = sum(self.linear(&format!("{name}.ffn_output"), &wide), &attended);
        self.layer_norm(&format!("{name}.full_layer_layer_norm"), &mut out);
        out
    }
}

fn sum(mut a: Vec<Vec<f64>>, b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    a.iter_mut().flatten().zip(b.iter().flatten()).for_each(|(a, b)| *a += b);
    a
}

fn activation(x: f64, activation: Activation) -> f64 {
    match activation {
        // 1 + erf(x / √2) by the Maclaurin series; its arguments here are small.
        Activation::Gelu => {
            let z = x * std::f64::consts::FRAC_1_SQRT_2;
            let mut term = z;
            let mut erf = term;
            for n in 1..300 {
                term *= -z * z / f64::from(n);
                erf += term / f64::from(2 * n + 1);
            }
            0.5 * x * (1.0 + erf * std::f64::consts::FRAC_2_SQRT_PI)
        }
        Activation::GeluNew | Activation::GeluPytorchTanh => {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
        }
        Activation::Relu => x.max(0.0),
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
    }
}
