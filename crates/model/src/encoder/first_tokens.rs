//! The last layer where a head reads first tokens alone: attention without the keys and values of all tokens.
//!
//! With the hidden states x of a document, a head's query q, its keys K x + k and its values V x + v, the score of a
//! token is q·(K x + k) = (Kᵀ q)·x + q·k. The last term is the same for all tokens, so that the softmax does not see it.
//! And since probabilities p add up to 1, Σ p (V x + v) = V (Σ p x) + v. For one query a head, two small products thus
//! take the place of two over all tokens, and attention is over the hidden states themselves.

use albertine_kernels::{Attention, AttentionScratch, Element, Epilogue, Kernels, Matrix, PackedWeights, Queries};

use super::layer::Layer;
use super::linear::part_width;
use super::scratch::Rows;
use super::{Phase, Profile, Scratch};
use crate::{Affine, Architecture, LayerParts, ModelError, RaggedBatch, TensorSpec, Weights};

/// What the last layer needs for that.
#[derive(Debug)]
pub(super) struct FirstTokens {
    /// Kᵀ of each head, one below the other: `[heads * width, size]`
    keys: PackedWeights,
    /// `[heads * width]`
    no_bias: Vec<f32>,
    heads: usize,
    /// The values of a head.
    size: usize,
    /// From one head's outputs to the next.
    width: usize,
}

/// Working memory.
#[derive(Default)]
pub(super) struct FirstTokensScratch {
    /// The hidden states of first tokens, `[documents, hidden]`
    first: Rows,
    /// `[documents, 3 * hidden]`, of which the queries are used
    query: Matrix,
    /// The query of a head, `[documents, size]`
    head: Matrix,
    /// Kᵀ q of each head, `[documents, heads * width]`
    keyed: Matrix,
    /// The same, `[documents * heads, hidden]`
    queries: Matrix,
    /// Σ p x, `[documents * heads, hidden]`
    mixed: Rows,
    /// `[documents * heads, 3 * hidden]`, of which the values are used
    values: Matrix,
    attention: AttentionScratch,
}

impl FirstTokens {
    pub(super) fn load(
        architecture: &Architecture,
        parts: &LayerParts<Affine<TensorSpec>>,
        weights: &Weights<'_>,
        kernels: Kernels,
    ) -> Result<Self, ModelError> {
        let (hidden, heads) = (architecture.hidden_size(), architecture.attention_heads());
        let (size, width) = (hidden / heads, part_width(hidden, kernels));
        let key = weights.tensor(&parts.key.weight)?;
        let mut transposed = vec![0.0; heads * width * size];
        for (row, inputs) in key.chunks_exact(hidden).enumerate() {
            let (head, column) = (row / size, row % size);
            let outputs = transposed[head * width * size..].chunks_exact_mut(size);
            outputs.zip(inputs).for_each(|(output, &weight)| output[column] = weight);
        }
        let keys = PackedWeights::pack(kernels, Element::F32, &transposed, heads * width, size);
        Ok(Self { keys, no_bias: vec![0.0; heads * width], heads, size, width })
    }

    /// Attention of `layer` for the first token of each document: from `scratch.hidden`, `[tokens, hidden]`, to
    /// `scratch.context`, `[documents, hidden]`. `scratch.hidden` keeps the rows of first tokens.
    pub(super) fn attend(
        &self,
        kernels: Kernels,
        layer: &Layer,
        batch: &RaggedBatch,
        scratch: &mut Scratch,
        profile: &Profile,
    ) {
        let mut stopwatch = profile.stopwatch(kernels.threads());
        let Scratch { hidden, context, first_tokens, .. } = scratch;
        let FirstTokensScratch { first, query, head: one, keyed, queries, mixed, values, attention } = first_tokens;
        let (documents, heads, size, width) = (batch.documents(), self.heads, self.size, self.width);
        let (hidden_size, operand) = (heads * size, layer.elements.operand);
        let part = part_width(hidden_size, kernels);

        first.copy_rows(hidden, &batch.starts()[..documents]);
        query.reshape(Element::F32, documents, 3 * part);
        layer.qkv.forward_columns(kernels, query, first.operand(), 0..part);
        keyed.reshape(Element::F32, documents, heads * width);
        for head in 0..heads {
            one.reshape(Element::F32, documents, size);
            (0..documents).for_each(|row| one.row_mut(row).copy_from_slice(&query.row(row)[head * size..][..size]));
            let columns = head * width..head * width + hidden_size;
            kernels.matmul_columns(keyed, one, &self.keys, columns, Epilogue::Bias(&self.no_bias));
        }
        queries.reshape(Element::F32, documents * heads, hidden_size);
        for row in 0..documents * heads {
            let keyed = &keyed.row(row / heads)[row % heads * width..][..hidden_size];
            queries.row_mut(row).copy_from_slice(keyed);
        }
        stopwatch.lap(Phase::Qkv);

        mixed.reshape(Element::F32, operand, documents * heads, hidden_size);
        let parts = Attention {
            query: queries,
            queries: Queries::OfDocuments(heads),
            key_value: &hidden.value,
            key: 0,
            value: 0,
            starts: batch.starts(),
            heads: 1,
            size: hidden_size,
            dropout: None,
        };
        kernels.attention(&mut mixed.value, parts, attention);
        mixed.written(kernels);
        stopwatch.lap(Phase::Attention);

        values.reshape(Element::F32, documents * heads, 3 * part);
        layer.qkv.forward_columns(kernels, values, mixed.operand(), 2 * part..3 * part);
        context.reshape(Element::F32, operand, documents, hidden_size);
        for row in 0..documents * heads {
            let head = row % heads * size;
            let value = &values.row(row)[2 * part + head..][..size];
            context.value.row_mut(row / heads)[head..][..size].copy_from_slice(value);
        }
        context.written(kernels);
        std::mem::swap(hidden, first);
        stopwatch.lap(Phase::Qkv);
    }
}
