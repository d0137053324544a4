//! AdamW ([Loshchilov and Hutter 2017](https://arxiv.org/abs/1711.05101)), as PyTorch's.

use rayon::prelude::*;

use crate::Tensors;
use crate::parameters::CHUNK;

/// The decay rates of the first and second moment (beta1, beta2).
const BETAS: [f64; 2] = [0.9, 0.999];

/// Keeps a step finite where the gradient has always been 0 (epsilon).
const EPS: f32 = 1e-8;

/// The optimizer: the moments of the gradients so far.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdamW {
    mean: Tensors,
    square: Tensors,
    /// Whether weight decay applies to each tensor: not to biases and LayerNorm weights.
    decays: Vec<bool>,
    decay: f64,
    steps: u64,
}

impl AdamW {
    /// For weights of these shapes, before the first step.
    pub(crate) fn new(weights: &Tensors, decay: f64) -> Self {
        let mean = weights.zeros_like();
        Self::restored([mean.clone(), mean], decay, 0)
    }

    /// After so many steps, with the means of the gradients and of their squares.
    pub(crate) fn restored([mean, square]: [Tensors; 2], decay: f64, steps: u64) -> Self {
        // Matrices and tables decay; biases and the parameters of LayerNorms have one axis.
        let decays = mean.iter().map(|(spec, _)| spec.shape.len() > 1).collect();
        Self { mean, square, decays, decay, steps }
    }

    /// The means of the gradients and of their squares.
    pub(crate) fn moments(&self) -> [&Tensors; 2] {
        [&self.mean, &self.square]
    }

    /// Updates the weights by one step; `frozen` tensors do not change.
    pub(crate) fn step(&mut self, weights: &mut Tensors, gradient: &Tensors, rate: f64, frozen: &[bool]) {
        self.steps += 1;
        let [first, second] = BETAS.map(|beta| 1.0 - beta.powf(self.steps as f64));
        let size = (rate / first) as f32;
        let root = (1.0 / second.sqrt()) as f32;
        let [beta1, beta2] = BETAS.map(|beta| beta as f32);
        let moments = self.mean.all_mut().iter_mut().zip(self.square.all_mut());
        let tensors = weights.all_mut().iter_mut().zip(gradient.iter().map(|(_, values)| values)).zip(moments);
        for (index, ((weights, gradient), (mean, square))) in tensors.enumerate() {
            if frozen[index] {
                continue;
            }
            let keep = if self.decays[index] { (1.0 - rate * self.decay) as f32 } else { 1.0 };
            let chunks = weights.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK));
            let moments = mean.par_chunks_mut(CHUNK).zip(square.par_chunks_mut(CHUNK));
            chunks.zip(moments).for_each(|((weights, gradient), (mean, square))| {
                for (((weight, &gradient), mean), square) in weights.iter_mut().zip(gradient).zip(mean).zip(square) {
                    *mean += (1.0 - beta1) * (gradient - *mean);
                    *square = beta2 * *square + (1.0 - beta2) * gradient * gradient;
                    *weight = *weight * keep - size * *mean / (square.sqrt() * root + EPS);
                }
            });
        }
    }
}

/// Clips a gradient to a norm of `most`; returns its norm before.
pub(crate) fn clip(gradient: &mut Tensors, most: f64) -> f64 {
    // The sums of chunks come in order, whatever the threads.
    let squares: Vec<f64> = gradient
        .iter()
        .flat_map(|(_, values)| {
            let sum = |chunk: &[f32]| chunk.chunks(1024).map(|x| f64::from(x.iter().map(|x| x * x).sum::<f32>())).sum();
            values.par_chunks(CHUNK).map(sum).collect::<Vec<f64>>()
        })
        .collect();
    let length = squares.iter().sum::<f64>().sqrt();
    if length > most {
        let factor = (most / (length + 1e-6)) as f32;
        for values in gradient.all_mut() {
            values.par_chunks_mut(CHUNK).for_each(|chunk| chunk.iter_mut().for_each(|value| *value *= factor));
        }
    }
    length
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use albertine_model::ModelConfig;

    use super::*;

    fn config() -> ModelConfig {
        let json = br#"{"model_type": "albert", "hidden_size": 4, "num_attention_heads": 1, "num_hidden_layers": 1,
            "intermediate_size": 4, "vocab_size": 3, "embedding_size": 2, "max_position_embeddings": 2}"#;
        ModelConfig::from_slice(json, Path::new("config.json")).unwrap()
    }

    /// `torch.optim.AdamW([torch.tensor([1.0])], lr=0.1, weight_decay=w)` with gradients of 0.5 and then of -0.25.
    #[test]
    fn steps_are_those_of_pytorch() {
        let config = config();
        let mut adam = AdamW::new(&Tensors::zeros(&config), 0.01);
        let (mut weights, mut gradient) = (Tensors::zeros(&config), Tensors::zeros(&config));
        let places: Vec<String> = weights.iter().map(|(spec, _)| spec.name.clone()).collect();
        let place = |name: &str| places.iter().position(|place| place == name).unwrap();
        let (decayed, not, frozen) = (place("pooler.weight"), place("pooler.bias"), place("classifier.bias"));
        let mut keep = vec![false; places.len()];
        keep[frozen] = true;
        weights.all_mut().iter_mut().for_each(|values| values.fill(1.0));
        for (value, expected) in [(0.5, [0.899, 0.9]), (-0.25, [0.871_467_35, 0.873_366_2])] {
            gradient.all_mut().iter_mut().for_each(|values| values.fill(value));
            adam.step(&mut weights, &gradient, 0.1, &keep);
            for (place, expected) in [(decayed, expected[0]), (not, expected[1])] {
                assert!((weights.at(place)[0] - expected).abs() < 1e-6, "{} for {expected}", weights.at(place)[0]);
            }
            assert_eq!(weights.at(frozen)[0], 1.0);
        }
    }

    #[test]
    fn a_long_gradient_is_shortened_and_a_short_one_is_not() {
        let config = config();
        let mut gradient = Tensors::zeros(&config);
        gradient.at_mut(0)[0] = 3.0;
        gradient.at_mut(5)[1] = 4.0;
        assert_eq!(clip(&mut gradient, 10.0), 5.0);
        assert_eq!(gradient.at(0)[0], 3.0);
        assert_eq!(clip(&mut gradient, 1.0), 5.0);
        assert!((gradient.at(0)[0] - 0.6).abs() < 1e-6 && (gradient.at(5)[1] - 0.8).abs() < 1e-6);
    }
}
