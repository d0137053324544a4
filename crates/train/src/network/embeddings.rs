//! Embeddings and their projection to the hidden size, forward and back.

use albertine_kernels::Dropout;
use albertine_model::{Architecture, Parts, RaggedBatch};

use rayon::prelude::*;

use super::linear::Linear;
use super::norm::{Norm, Normed};
use super::{Arithmetic, Lent, drops};
use crate::Tensors;

/// `projection(dropout(LayerNorm(word + position + token type)))`
#[derive(Debug)]
pub(super) struct Embeddings<'w> {
    /// Words, positions and token types among the tensors.
    indices: [usize; 3],
    words: &'w [f32],
    positions: &'w [f32],
    token_types: &'w [f32],
    norm: Norm,
    projection: Option<Linear>,
    width: usize,
    position_offset: usize,
}

/// What the gradient needs of a forward pass.
#[derive(Debug)]
pub(super) struct Embedded<'m> {
    /// What went into the projection, if there is one.
    rows: Option<Lent<'m>>,
    normed: Normed<'m>,
}

impl<'w> Embeddings<'w> {
    pub(super) fn new(
        architecture: &Architecture,
        weights: &'w Tensors,
        indices: &Parts<usize>,
        arithmetic: Arithmetic<'_>,
    ) -> Self {
        let tables = [indices.word_embeddings, indices.position_embeddings, indices.token_type_embeddings];
        let [words, positions, token_types] = tables.map(|index| weights.at(index));
        Self {
            indices: tables,
            words,
            positions,
            token_types,
            norm: Norm::new(weights, indices.embedding_norm, architecture.layer_norm_eps()),
            projection: indices.projection.map(|indices| Linear::new(weights, indices, arithmetic)),
            width: architecture.embedding_size(),
            position_offset: architecture.position_offset(),
        }
    }

    /// For each token of a batch the rows of words, positions and token types that are its own.
    fn rows(&self, batch: &RaggedBatch) -> impl Iterator<Item = [usize; 3]> {
        (0..batch.tokens()).map(|token| {
            let token_type = batch.token_types().map_or(0, |token_types| token_types[token]);
            let position = batch.positions()[token] as usize + self.position_offset;
            [batch.ids()[token] as usize, position, token_type as usize]
        })
    }

    /// `[tokens, hidden]`
    pub(super) fn forward<'m>(
        &self,
        arithmetic: Arithmetic<'m>,
        batch: &RaggedBatch,
        drop: Option<Dropout>,
    ) -> (Lent<'m>, Embedded<'m>) {
        let mut rows = arithmetic.matrix(batch.tokens(), self.width);
        let places: Vec<[usize; 3]> = self.rows(batch).collect();
        rows.par_rows_mut().zip(places).for_each(|(row, [word, position, token_type])| {
            let word = &self.words[word * self.width..][..self.width];
            let position = &self.positions[position * self.width..][..self.width];
            let token_type = &self.token_types[token_type * self.width..][..self.width];
            let parts = word.iter().zip(position).zip(token_type);
            for (to, ((word, position), token_type)) in row.iter_mut().zip(parts) {
                *to = word + position + token_type;
            }
        });
        let (mut rows, normed) = self.norm.forward(arithmetic, rows);
        drops::apply(drop, &mut rows);
        match &self.projection {
            Some(projection) => (projection.forward(arithmetic, &rows, None), Embedded { rows: Some(rows), normed }),
            None => (rows, Embedded { rows: None, normed }),
        }
    }

    /// Adds the gradients of all embeddings, from that of what came out.
    pub(super) fn backward<'m>(
        &self,
        arithmetic: Arithmetic<'m>,
        batch: &RaggedBatch,
        saved: &Embedded<'m>,
        drop: Option<Dropout>,
        gradient: Lent<'m>,
        gradients: &mut Tensors,
    ) {
        let mut gradient = match (&self.projection, &saved.rows) {
            (Some(projection), Some(rows)) => projection.backward(arithmetic, rows, &gradient, None, gradients),
            _ => gradient,
        };
        drops::apply(drop, &mut gradient);
        self.norm.backward(arithmetic.kernels, &saved.normed, &mut gradient, gradients);
        for (token, rows) in self.rows(batch).enumerate() {
            for (tensor, row) in self.indices.into_iter().zip(rows) {
                let to = &mut gradients.at_mut(tensor)[row * self.width..][..self.width];
                to.iter_mut().zip(gradient.row(token)).for_each(|(sum, value)| *sum += value);
            }
        }
    }
}
