//! From token ids to the hidden states that enter the first layer.

use albertine_kernels::{Element, Elements, Kernels};

use super::linear::{Linear, Norm};
use super::scratch::Rows;
use super::typed_positions::TypedPositions;
use super::{Phase, Profile, Scratch};
use crate::{Architecture, ModelError, Parts, RaggedBatch, TensorSpec, Weights};

/// `projection(LayerNorm(word + position + token type))`
#[derive(Debug)]
pub(super) struct Embeddings {
    /// `[vocabulary, embedding]`
    words: Vec<f32>,
    /// `[limit, embedding]`, with the embedding of token type 0 added to each row: what a document of one part has.
    first_type: Vec<f32>,
    /// `[limit, embedding]`
    positions: Vec<f32>,
    /// `[token types, embedding]`
    token_types: Vec<f32>,
    norm: Norm,
    /// `[hidden, embedding]`, if the family has it.
    projection: Option<Linear>,
    /// The projection is too small a part of the work to be quantized.
    elements: Elements,
    limit: usize,
    width: usize,
    hidden: usize,
}

impl Embeddings {
    pub(super) fn load(
        architecture: &Architecture,
        parts: &Parts<TensorSpec>,
        weights: &Weights<'_>,
        kernels: Kernels,
        elements: Elements,
    ) -> Result<Self, ModelError> {
        let (width, hidden) = (architecture.embedding_size(), architecture.hidden_size());
        let words = weights.tensor(&parts.word_embeddings)?;
        let mut positions = weights.tensor(&parts.position_embeddings)?;
        positions.drain(..architecture.position_offset() * width);
        let token_types = weights.tensor(&parts.token_type_embeddings)?;
        let mut first_type = positions.clone();
        for position in first_type.chunks_exact_mut(width) {
            position.iter_mut().zip(&token_types).for_each(|(value, token_type)| *value += token_type);
        }
        let norm = Norm::load(weights, &parts.embedding_norm, architecture.layer_norm_eps())?;
        let projection = match &parts.projection {
            Some(spec) => Some(Linear::load(weights, spec, kernels, elements.unquantized())?),
            None => None,
        };
        let limit = architecture.max_tokens();
        Ok(Self { words, first_type, positions, token_types, norm, projection, elements, limit, width, hidden })
    }

    /// Whether the model can read every document of the batch.
    pub(super) fn check(&self, batch: &RaggedBatch) -> Result<(), ModelError> {
        let vocabulary = self.words.len() / self.width;
        for (document, (ids, &start)) in batch.iter().zip(batch.starts()).enumerate() {
            let Some(last) = batch.positions()[start..start + ids.len()].last() else {
                return Err(ModelError::EmptyDocument { document });
            };
            let pieces = *last as usize + 1;
            if pieces > self.limit {
                return Err(ModelError::DocumentTooLong { document, pieces, limit: self.limit });
            }
            if let Some(&id) = ids.iter().find(|&&id| id as usize >= vocabulary) {
                return Err(ModelError::UnknownPiece { document, id, vocabulary });
            }
            let token_types = self.token_types.len() / self.width;
            let types = batch.token_types().map(|types| &types[start..start + ids.len()]).unwrap_or_default();
            if let Some(&token_type) = types.iter().find(|&&token_type| token_type as usize >= token_types) {
                return Err(ModelError::UnknownTokenType { document, token_type, token_types });
            }
        }
        Ok(())
    }

    /// Fills `scratch.hidden`, `[tokens, hidden]`, for a batch that [`Embeddings::check`] let through.
    pub(super) fn forward(&self, kernels: Kernels, batch: &RaggedBatch, scratch: &mut Scratch, profile: &Profile) {
        let mut stopwatch = profile.stopwatch(kernels.threads());
        let Scratch { embedded, hidden, typed, .. } = scratch;
        match &self.projection {
            Some(projection) => {
                embedded.reshape(Element::F32, self.elements.unquantized(), batch.tokens(), self.width);
                self.embed(kernels, batch, embedded, typed);
                hidden.reshape(Element::F32, self.elements.operand, batch.tokens(), self.hidden);
                projection.forward(kernels, &mut hidden.value, embedded.operand());
                hidden.written(kernels);
            }
            None => {
                hidden.reshape(Element::F32, self.elements.operand, batch.tokens(), self.hidden);
                self.embed(kernels, batch, hidden, typed);
            }
        }
        stopwatch.lap(Phase::Embed);
    }

    /// Sums of embeddings, normalised. `typed` is working memory.
    fn embed(&self, kernels: Kernels, batch: &RaggedBatch, out: &mut Rows, typed: &mut TypedPositions) {
        let (rows, table) = match batch.token_types() {
            None => (batch.positions(), &self.first_type),
            Some(token_types) => {
                typed.fill(self.width, batch.positions(), token_types, &self.positions, &self.token_types);
                (&*typed.rows, &typed.table)
            }
        };
        kernels.embed(&mut out.value, batch.ids(), rows, &self.words, table, &self.norm.view());
        out.written(kernels);
    }
}
