//! The head of masked language models, over the encoder: forward and back.

use albertine_kernels::{Activation, Matrix};
use albertine_model::{Affine, MaskedLanguageParts, ModelConfig, RaggedBatch};
use rayon::prelude::*;

use super::encoder::Encoder;
use super::linear::Linear;
use super::norm::Norm;
use super::{Arithmetic, Drops, Lent, LogitLoss};
use crate::Tensors;

/// transformers' `AlbertForMaskedLM` and `BertForMaskedLM`: `LayerNorm(activation(dense(hidden))) wordsᵀ + bias`, with the
/// word embeddings themselves.
#[derive(Debug)]
pub(crate) struct MaskedLanguageModel<'w> {
    encoder: Encoder<'w>,
    dense: Linear,
    norm: Norm,
    activation: Activation,
    words: Linear,
}

impl<'w> MaskedLanguageModel<'w> {
    pub(crate) fn new(config: &ModelConfig, weights: &'w Tensors, arithmetic: Arithmetic<'w>) -> Self {
        let encoder = Encoder::new(config, weights, arithmetic);
        let architecture = config.architecture();
        let (words, parts) = config.masked_language_indices();
        let MaskedLanguageParts { dense, norm, bias } = parts;
        Self {
            dense: Linear::new(weights, dense, encoder.arithmetic),
            norm: Norm::new(weights, norm, architecture.layer_norm_eps()),
            activation: architecture.activation().kernel(),
            words: Linear::new(weights, Affine { weight: words, bias }, encoder.arithmetic),
            encoder,
        }
    }

    /// The loss at the tokens of these places in the batch, and its gradient added to `gradients`.
    pub(crate) fn step(
        &self,
        batch: &RaggedBatch,
        places: &[usize],
        loss: &dyn LogitLoss,
        drops: Option<Drops>,
        gradients: &mut Tensors,
    ) -> f64 {
        let arithmetic = self.encoder.arithmetic;
        let (masked, kept) = self.encoder.forward(batch, places, drops);
        let before = self.dense.forward(arithmetic, &masked, None);
        let (rows, normed) = self.norm.forward(arithmetic, self.activated(&before));
        let logits = self.words.forward(arithmetic, &rows, None);
        let (loss, gradient) = loss.loss(&logits);
        let mut back = self.words.backward(arithmetic, &rows, &gradient, None, gradients);
        self.norm.backward(arithmetic.kernels, &normed, &mut back, gradients);
        back.par_rows_mut().enumerate().for_each(|(row, gradient)| {
            arithmetic.kernels.activation_gradient(gradient, before.row(row), self.activation);
        });
        let back = self.dense.backward(arithmetic, &masked, &back, None, gradients);
        self.encoder.backward(batch, kept, drops, back, gradients);
        loss
    }

    /// The logits at the tokens of these places, `[places, vocabulary]`.
    pub(crate) fn logits(&self, batch: &RaggedBatch, places: &[usize]) -> Lent<'w> {
        let arithmetic = self.encoder.arithmetic;
        let (masked, _) = self.encoder.forward(batch, places, None);
        let before = self.dense.forward(arithmetic, &masked, None);
        self.words.forward(arithmetic, &self.norm.forward(arithmetic, self.activated(&before)).0, None)
    }

    fn activated(&self, before: &Matrix) -> Lent<'w> {
        let mut active = self.encoder.arithmetic.copied(before);
        let kernels = self.encoder.arithmetic.kernels;
        active.par_rows_mut().for_each(|row| kernels.activate(row, self.activation));
        active
    }
}
