//! The ALBERT encoder over ragged batches ([Lan et al. 2019](https://arxiv.org/abs/1909.11942)).
//!
//! It computes what transformers' `AlbertModel` computes in evaluation mode, without its padding: embeddings and their
//! projection to the hidden size ([`embeddings`]), then layers that share the weights of their group ([`layer`]). What
//! is constant is folded at load: 1/√(head size) into the query's weights and bias, the embedding of token type 0 into
//! the positions.
//!
//! A classifier reads the first row of a document alone, so the last layer computes keys and values for all tokens and
//! everything else for that row: exact, and for a model of twelve layers 7 % less work.

mod embeddings;
mod layer;
mod linear;
mod scratch;
mod stages;

use albertine_kernels::{Elements, Kernels, Matrix};

use self::embeddings::Embeddings;
use self::layer::{Layer, Reach};
pub(crate) use self::linear::Linear;
pub use self::scratch::Scratch;
pub use self::stages::{Stage, StageTimes};
use crate::{AlbertConfig, ModelError, RaggedBatch, Weights};

/// The embeddings and layers of an ALBERT, ready for one CPU level. It is read-only: threads share one, each with a
/// [`Scratch`] of its own.
#[derive(Debug)]
pub struct Encoder {
    kernels: Kernels,
    embeddings: Embeddings,
    /// The layers that have weights of their own: `[groups * inner_group_num]`.
    layers: Vec<Layer>,
    /// The layers in the order in which they are applied, as places in `layers`.
    order: Vec<usize>,
}

impl Encoder {
    /// Takes the encoder's tensors out of `weights` and packs them for `kernels` and values of those elements.
    ///
    /// # Errors
    ///
    /// What [`Weights::get`] says of a tensor that is missing or has another shape.
    pub fn new(
        config: &AlbertConfig,
        weights: &Weights<'_>,
        kernels: Kernels,
        elements: Elements,
    ) -> Result<Self, ModelError> {
        let mut layers = Vec::with_capacity(config.num_hidden_groups * config.inner_group_num);
        for group in 0..config.num_hidden_groups {
            for inner in 0..config.inner_group_num {
                layers.push(Layer::load(config, weights, kernels, elements, [group, inner])?);
            }
        }
        let embeddings = Embeddings::load(config, weights, kernels, elements)?;
        Ok(Self { kernels, embeddings, layers, order: config.layer_order() })
    }

    /// The kernels that the weights are packed for.
    #[must_use]
    pub fn kernels(&self) -> Kernels {
        self.kernels
    }

    /// The last hidden state of each document's first piece, `[documents, hidden_size]` of f32, in the order of the
    /// batch. It lies in `scratch` until the next call. `threads` threads of the pool that it is called on share the
    /// work.
    ///
    /// A document's result is the same bit for bit whatever else is in the batch. Nothing is allocated once `scratch`
    /// has seen a batch as large.
    ///
    /// # Errors
    ///
    /// [`ModelError::EmptyDocument`], [`ModelError::DocumentTooLong`] and [`ModelError::UnknownPiece`], all before
    /// anything is computed.
    pub fn forward<'s>(
        &self,
        batch: &RaggedBatch,
        threads: usize,
        scratch: &'s mut Scratch,
        times: &StageTimes,
    ) -> Result<&'s Matrix, ModelError> {
        let kernels = self.kernels.with_threads(threads);
        self.embeddings.check(batch)?;
        self.embeddings.forward(kernels, batch, scratch, times);
        if let Some((&last, before)) = self.order.split_last() {
            for &layer in before {
                self.layers[layer].forward(kernels, batch, Reach::AllTokens, scratch, times);
            }
            self.layers[last].forward(kernels, batch, Reach::FirstTokens, scratch, times);
        }
        Ok(&scratch.hidden.value)
    }
}
