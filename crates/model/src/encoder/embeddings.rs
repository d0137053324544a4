//! From piece ids to the hidden states that enter the first layer.

use albertine_kernels::{Element, Elements, Kernels};

use super::linear::{Linear, Norm};
use super::{Scratch, Stage, StageTimes};
use crate::{AlbertConfig, ModelError, RaggedBatch, Weights};

/// `projection(LayerNorm(word + position + token type 0))`
#[derive(Debug)]
pub(super) struct Embeddings {
    /// `[vocabulary, embedding]`
    words: Vec<f32>,
    /// `[positions, embedding]`, with the embedding of token type 0 added to each row: there is no second part of a
    /// document, so that every token has it.
    positions: Vec<f32>,
    norm: Norm,
    /// `embedding_hidden_mapping_in`: `[hidden, embedding]`
    projection: Linear,
    /// The projection is too small a part of the work to be quantized.
    elements: Elements,
    vocabulary: usize,
    limit: usize,
    width: usize,
    hidden: usize,
}

impl Embeddings {
    pub(super) fn load(
        config: &AlbertConfig,
        weights: &Weights<'_>,
        kernels: Kernels,
        elements: Elements,
    ) -> Result<Self, ModelError> {
        let AlbertConfig { vocab_size, max_position_embeddings, type_vocab_size, hidden_size, .. } = *config;
        let width = config.embedding_size;
        let words = weights.get("embeddings.word_embeddings.weight", &[vocab_size, width])?;
        let mut positions = weights.get("embeddings.position_embeddings.weight", &[max_position_embeddings, width])?;
        let types = weights.get("embeddings.token_type_embeddings.weight", &[type_vocab_size, width])?;
        for position in positions.chunks_exact_mut(width) {
            position.iter_mut().zip(&types).for_each(|(value, first_type)| *value += first_type);
        }
        Ok(Self {
            words,
            positions,
            norm: Norm::load(weights, "embeddings.LayerNorm", width, config.layer_norm_eps)?,
            projection: Linear::load(
                weights,
                "encoder.embedding_hidden_mapping_in",
                [hidden_size, width],
                kernels,
                elements.unquantized(),
            )?,
            elements,
            vocabulary: vocab_size,
            limit: max_position_embeddings,
            width,
            hidden: hidden_size,
        })
    }

    /// Whether the model can read every document of the batch.
    pub(super) fn check(&self, batch: &RaggedBatch) -> Result<(), ModelError> {
        for (document, (ids, &start)) in batch.iter().zip(batch.starts()).enumerate() {
            let Some(last) = batch.places()[start..start + ids.len()].last() else {
                return Err(ModelError::EmptyDocument { document });
            };
            let pieces = *last as usize + 1;
            if pieces > self.limit {
                return Err(ModelError::DocumentTooLong { document, pieces, limit: self.limit });
            }
            if let Some(&id) = ids.iter().find(|&&id| id as usize >= self.vocabulary) {
                return Err(ModelError::UnknownPiece { document, id, vocabulary: self.vocabulary });
            }
        }
        Ok(())
    }

    /// Fills `scratch.hidden`, `[tokens, hidden]`, for a batch that [`Embeddings::check`] let through.
    pub(super) fn forward(&self, kernels: Kernels, batch: &RaggedBatch, scratch: &mut Scratch, times: &StageTimes) {
        let mut stopwatch = times.stopwatch(kernels.threads());
        let Scratch { embedded, hidden, .. } = scratch;
        embedded.reshape(Element::F32, self.elements.unquantized(), batch.tokens(), self.width);
        let (words, positions) = (&self.words, &self.positions);
        kernels.embed(&mut embedded.value, batch.ids(), batch.places(), words, positions, &self.norm.view());
        embedded.written(kernels);
        hidden.reshape(Element::F32, self.elements.operand, batch.tokens(), self.hidden);
        self.projection.forward(kernels, &mut hidden.value, embedded.operand());
        hidden.written(kernels);
        stopwatch.lap(Stage::Embed);
    }
}
