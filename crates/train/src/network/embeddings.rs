//! Embeddings and their projection to the hidden size, forward and back.

use albertine_kernels::{Element, Matrix};
use albertine_model::{AlbertConfig, RaggedBatch};

use super::Arithmetic;
use super::linear::Linear;
use super::norm::{Norm, Normed};
use crate::Tensors;
use crate::parameters::Places;

/// `projection(LayerNorm(word + position + token type 0))`
#[derive(Debug)]
pub(super) struct Embeddings {
    places: [usize; 3],
    words: Vec<f32>,
    positions: Vec<f32>,
    /// Of token type 0.
    token_type: Vec<f32>,
    norm: Norm,
    projection: Linear,
    width: usize,
}

/// What the gradient needs of a forward pass.
#[derive(Debug)]
pub(super) struct Embedded {
    rows: Matrix,
    normed: Normed,
}

impl Embeddings {
    pub(super) fn new(config: &AlbertConfig, weights: &Tensors, places: &Places, arithmetic: Arithmetic) -> Self {
        let AlbertConfig { embedding_size: width, hidden_size: hidden, layer_norm_eps: eps, .. } = *config;
        Self {
            places: [places.words, places.positions, places.types],
            words: weights.at(places.words).to_vec(),
            positions: weights.at(places.positions).to_vec(),
            token_type: weights.at(places.types)[..width].to_vec(),
            norm: Norm::new(weights, places.embedding_norm, eps),
            projection: Linear::new(weights, places.projection, [hidden, width], arithmetic),
            width,
        }
    }

    /// `[tokens, hidden]`
    pub(super) fn forward(&self, arithmetic: Arithmetic, batch: &RaggedBatch) -> (Matrix, Embedded) {
        let mut rows = Matrix::default();
        rows.reshape(Element::F32, batch.tokens(), self.width);
        for (token, (&id, &place)) in batch.ids().iter().zip(batch.places()).enumerate() {
            let word = &self.words[id as usize * self.width..][..self.width];
            let position = &self.positions[place as usize * self.width..][..self.width];
            let parts = word.iter().zip(position).zip(&self.token_type);
            for (to, ((word, position), token_type)) in rows.row_mut(token).iter_mut().zip(parts) {
                *to = word + position + token_type;
            }
        }
        let (rows, normed) = self.norm.forward(rows);
        (self.projection.forward(arithmetic, &rows, None), Embedded { rows, normed })
    }

    /// Adds the gradients of all embeddings, from that of what came out.
    pub(super) fn backward(
        &self,
        arithmetic: Arithmetic,
        batch: &RaggedBatch,
        saved: &Embedded,
        slope: Matrix,
        gradient: &mut Tensors,
    ) {
        let mut slope = self.projection.backward(arithmetic, &saved.rows, &slope, None, gradient);
        self.norm.backward(&saved.normed, &mut slope, gradient);
        let [words, positions, types] = self.places;
        for (token, (&id, &place)) in batch.ids().iter().zip(batch.places()).enumerate() {
            for (tensor, row) in [(words, id as usize), (positions, place as usize), (types, 0)] {
                let to = &mut gradient.at_mut(tensor)[row * self.width..][..self.width];
                to.iter_mut().zip(slope.row(token)).for_each(|(sum, value)| *sum += value);
            }
        }
    }
}
