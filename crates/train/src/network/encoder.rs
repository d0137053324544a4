//! Embeddings and layers, forward and back.

use albertine_kernels::{CpuError, Kernels, Matrix};
use albertine_model::{ModelConfig, RaggedBatch};

use super::Arithmetic;
use super::drops::{Drops, LayerDrops};
use super::embeddings::{Embedded, Embeddings};
use super::layer::{Layer, Saved};
use crate::Tensors;

/// An encoder whose weights are packed for one step of training.
#[derive(Debug)]
pub(super) struct Encoder {
    pub(super) arithmetic: Arithmetic,
    embeddings: Embeddings,
    layers: Vec<Layer>,
    /// The layers in the order in which they are applied, as indices of `layers`.
    order: Vec<usize>,
    has_output_dropout: bool,
}

/// What the gradient needs of a forward pass.
#[derive(Debug)]
pub(super) struct Kept {
    embedded: Embedded,
    layers: Vec<Saved>,
}

impl Encoder {
    pub(super) fn new(config: &ModelConfig, weights: &Tensors, kernels: Kernels) -> Result<Self, CpuError> {
        let arithmetic = Arithmetic::new(kernels)?;
        let (architecture, indices) = (config.architecture(), config.tensors().indices());
        let layer = |indices| Layer::new(architecture, weights, indices, arithmetic);
        Ok(Self {
            arithmetic,
            embeddings: Embeddings::new(architecture, weights, &indices, arithmetic),
            layers: indices.layers.iter().map(layer).collect(),
            order: architecture.layer_order(),
            has_output_dropout: architecture.has_output_dropout(),
        })
    }

    fn drops(&self, drops: Option<Drops>, before: usize) -> LayerDrops {
        drops.map_or_else(LayerDrops::default, |drops| drops.layer(before, self.has_output_dropout))
    }

    /// The hidden states of the tokens at `places`, `[places, hidden]`: the last layer is computed for them alone.
    pub(super) fn forward(&self, batch: &RaggedBatch, places: &[usize], drops: Option<Drops>) -> (Matrix, Kept) {
        let drop = drops.and_then(Drops::embeddings);
        let (mut hidden, embedded) = self.embeddings.forward(self.arithmetic, batch, drop);
        let mut layers = Vec::with_capacity(self.order.len());
        for (before, &layer) in self.order.iter().enumerate() {
            let drops = self.drops(drops, before);
            let places = (before + 1 == self.order.len()).then_some(places);
            let (next, saved) = self.layers[layer].forward(self.arithmetic, batch, places, hidden, drops);
            layers.push(saved);
            hidden = next;
        }
        (hidden, Kept { embedded, layers })
    }

    /// Adds the gradients of all weights, from that of what [`Encoder::forward`] returned.
    pub(super) fn backward(
        &self,
        batch: &RaggedBatch,
        kept: Kept,
        drops: Option<Drops>,
        mut back: Matrix,
        gradients: &mut Tensors,
    ) {
        let Kept { embedded, mut layers } = kept;
        for (before, &layer) in self.order.iter().enumerate().rev() {
            let Some(saved) = layers.pop() else { break };
            let drops = self.drops(drops, before);
            back = self.layers[layer].backward(self.arithmetic, batch, saved, back, drops, gradients);
        }
        self.embeddings.backward(self.arithmetic, batch, &embedded, drops.and_then(Drops::embeddings), back, gradients);
    }
}
