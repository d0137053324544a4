//! A transformer encoder over ragged batches ([Devlin et al. 2018](https://arxiv.org/abs/1810.04805)).
//!
//! It computes what transformers' `AlbertModel` or `BertModel` computes in evaluation mode, without its padding:
//! embeddings, projected to the hidden size where the family does that ([`embeddings`]), then layers, which may share
//! their weights ([`layer`]). What is constant is folded at load: 1/√(head size) into the query's weights and bias, the
//! embedding of token type 0 into the positions.
//!
//! A head that reads the first token of a document alone ([`Reads`]) spares most of the last layer, which is then computed
//! for that row ([`first_tokens`]); and tokens that many documents share enter the first layer once ([`SharedTokens`]).

mod embeddings;
mod first_tokens;
mod layer;
mod linear;
mod profile;
mod scratch;
mod shared_tokens;
mod typed_positions;

use albertine_kernels::{Elements, Kernels, Matrix};

use self::embeddings::Embeddings;
use self::first_tokens::FirstTokens;
use self::layer::Layer;
pub(crate) use self::linear::Linear;
pub use self::profile::{Phase, Profile};
pub use self::scratch::Scratch;
pub use self::shared_tokens::SharedTokens;
use crate::{Architecture, ModelConfig, ModelError, RaggedBatch, Weights};

/// The tokens whose last hidden states are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reads {
    /// The first of each document, for what is said of the whole.
    FirstToken,
    /// All of them, for what is said of each.
    AllTokens,
}

/// The embeddings and layers of a model, ready for one CPU level. It is read-only: threads share one, each with a
/// [`Scratch`] of its own.
#[derive(Debug)]
pub struct Encoder {
    kernels: Kernels,
    embeddings: Embeddings,
    /// The layers that have weights of their own.
    layers: Vec<Layer>,
    /// The layers in the order in which they are applied, as indices of `layers`.
    order: Vec<usize>,
    first_tokens: FirstTokens,
}

impl Encoder {
    /// Takes the encoder's tensors out of `weights` and packs them for `kernels` and values of those elements.
    ///
    /// # Errors
    ///
    /// What [`Weights::get`] says of a tensor that is missing or has another shape.
    pub fn new(
        config: &ModelConfig,
        weights: &Weights<'_>,
        kernels: Kernels,
        elements: Elements,
    ) -> Result<Self, ModelError> {
        let (architecture, parts) = (config.architecture(), config.tensors());
        let layer = |parts| Layer::load(architecture, parts, weights, kernels, elements);
        let layers = parts.layers.iter().map(layer).collect::<Result<_, _>>()?;
        let embeddings = Embeddings::load(architecture, &parts, weights, kernels, elements)?;
        let order = architecture.layer_order();
        let last = &parts.layers[order.last().copied().unwrap_or(0)];
        let first_tokens = FirstTokens::load(architecture, last, weights, kernels)?;
        Ok(Self { kernels, embeddings, layers, order, first_tokens })
    }

    /// The kernels that the weights are packed for.
    #[must_use]
    pub fn kernels(&self) -> Kernels {
        self.kernels
    }

    /// What the tokens of documents bring into the first layer, if they are few for so many documents. Documents are
    /// given by their batch and their index in it.
    pub(crate) fn share<'b>(
        &self,
        documents: impl Iterator<Item = (&'b RaggedBatch, usize)>,
        threads: usize,
        scratch: &mut Scratch,
        profile: &Profile,
        architecture: &Architecture,
    ) -> Option<SharedTokens> {
        // a first layer that is the last one too may not need them all
        let [first, _, ..] = self.order[..] else { return None };
        let (mut shared, tokens) = SharedTokens::find(documents)?;
        let kernels = self.kernels.with_threads(threads);
        // what is wrong is told when its document is computed
        self.embeddings.check(&tokens).ok()?;
        scratch.check_memory(tokens.tokens(), architecture).ok()?;
        self.embeddings.forward(kernels, &tokens, scratch, profile);
        self.layers[first].project(kernels, scratch, profile);
        std::mem::swap(&mut shared.hidden, &mut scratch.hidden.value);
        std::mem::swap(&mut shared.qkv, &mut scratch.qkv);
        scratch.lent();
        Some(shared)
    }

    /// The last hidden states that are read, in the order of the batch and of f32: of each document's first token,
    /// `[documents, hidden_size]`, or of all tokens, `[tokens, hidden_size]`. They lie in `scratch` until the next call.
    /// `threads` threads of the pool that it is called on share the work.
    ///
    /// A document's result is the same bit for bit whatever else is in the batch, and whether its tokens are `shared` or
    /// not. Nothing is allocated once `scratch`
    /// has seen a batch as large.
    ///
    /// # Errors
    ///
    /// [`ModelError::EmptyDocument`], [`ModelError::DocumentTooLong`], [`ModelError::UnknownPiece`] and
    /// [`ModelError::UnknownTokenType`], all before anything is computed.
    pub fn forward<'s>(
        &self,
        batch: &RaggedBatch,
        shared: Option<&SharedTokens>,
        reads: Reads,
        threads: usize,
        scratch: &'s mut Scratch,
        profile: &Profile,
    ) -> Result<&'s Matrix, ModelError> {
        let kernels = self.kernels.with_threads(threads);
        self.embeddings.check(batch)?;
        let mut projected = shared.is_some_and(|shared| shared.fill(batch, scratch));
        if !projected {
            self.embeddings.forward(kernels, batch, scratch, profile);
        }
        for (index, &layer) in self.order.iter().enumerate() {
            let (layer, last) = (&self.layers[layer], index + 1 == self.order.len());
            if last && reads == Reads::FirstToken {
                self.first_tokens.attend(kernels, layer, batch, scratch, profile);
            } else {
                if !std::mem::take(&mut projected) {
                    layer.project(kernels, scratch, profile);
                }
                layer.attend(kernels, batch, scratch, profile);
            }
            layer.finish(kernels, scratch, profile);
        }
        Ok(&scratch.hidden.value)
    }
}
