//! Embeddings and layers, forward and back.

use albertine_model::{ModelConfig, RaggedBatch};

use super::drops::{Drops, LayerDrops};
use super::embeddings::{Embedded, Embeddings};
use super::layer::{Layer, Saved};
use super::{Arithmetic, Lent};
use crate::Tensors;

/// An encoder whose weights are packed for one step of training.
#[derive(Debug)]
pub(super) struct Encoder<'w> {
    pub(super) arithmetic: Arithmetic<'w>,
    embeddings: Embeddings<'w>,
    layers: Vec<Layer>,
    /// The layers in the order in which they are applied, as indices of `layers`.
    order: Vec<usize>,
    has_output_dropout: bool,
}

/// What the gradient needs of a forward pass.
#[derive(Debug)]
pub(super) struct Kept<'m> {
    embedded: Embedded<'m>,
    layers: Vec<Saved<'m>>,
}

impl<'w> Encoder<'w> {
    pub(super) fn new(config: &ModelConfig, weights: &'w Tensors, arithmetic: Arithmetic<'w>) -> Self {
        let (architecture, indices) = (config.architecture(), config.tensors().indices());
        let layer = |indices| Layer::new(architecture, weights, indices, arithmetic);
        Self {
            arithmetic,
            embeddings: Embeddings::new(architecture, weights, &indices, arithmetic),
            layers: indices.layers.iter().map(layer).collect(),
            order: architecture.layer_order(),
            has_output_dropout: architecture.has_output_dropout(),
        }
    }

    fn drops(&self, drops: Option<Drops>, before: usize) -> LayerDrops {
        drops.map_or_else(LayerDrops::default, |drops| drops.layer(before, self.has_output_dropout))
    }

    /// The hidden states of the tokens at `places`, `[places, hidden]`: the last layer is computed for them alone.
    pub(super) fn forward(&self, batch: &RaggedBatch, places: &[usize], drops: Option<Drops>) -> (Lent<'w>, Kept<'w>) {
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
        kept: Kept<'w>,
        drops: Option<Drops>,
        mut back: Lent<'w>,
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
