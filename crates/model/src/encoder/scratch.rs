//! The working memory of a forward pass.

use albertine_kernels::AttentionScratch;

/// The working memory of a forward pass. It grows to what the largest batch so far needed and is never given back:
/// for a model of ALBERT-base's size about 31 KB a token.
///
/// Use one for each thread, again and again.
#[derive(Default)]
pub struct Scratch {
    /// `[tokens, hidden]`, after the last layer `[documents, hidden]`
    pub(super) hidden: Buffer,
    /// `[queries, hidden]`, as all below: the queries are the tokens, in the last layer the documents
    pub(super) query: Buffer,
    /// `[tokens, 2 * hidden]`
    pub(super) key_value: Buffer,
    pub(super) context: Buffer,
    /// The output of the attention part of a layer
    pub(super) attended: Buffer,
    /// `[queries, intermediate]`; at first the embeddings, `[tokens, embedding]`
    pub(super) wide: Buffer,
    pub(super) attention: AttentionScratch,
    /// `[documents, hidden]`
    pooled: Buffer,
}

impl Scratch {
    /// Memory that holds nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the head reads and what it works in: the first `len` values of the last hidden states, and as many more.
    pub(crate) fn head(&mut self, len: usize) -> (&[f32], &mut [f32]) {
        (self.hidden.sized(len), self.pooled.sized(len))
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// Values that are overwritten before they are read.
#[derive(Default)]
pub(super) struct Buffer(Vec<f32>);

impl Buffer {
    /// The first `len` values; the buffer grows to them and never shrinks.
    pub(super) fn sized(&mut self, len: usize) -> &mut [f32] {
        if self.0.len() < len {
            self.0.resize(len, 0.0);
        }
        &mut self.0[..len]
    }
}
