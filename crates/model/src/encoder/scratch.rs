//! The working memory of a forward pass.

use albertine_kernels::{AttentionScratch, Element, Kernels, Matrix};

use super::first_tokens::FirstTokensScratch;
use super::linear::Norm;
use super::typed_positions::TypedPositions;
use crate::architecture::Architecture;
use crate::{ModelError, memory};

/// The working memory of a forward pass. It grows to what the largest batch so far needed and is never given back:
/// for a model of ALBERT-base's size about 31 KB a token, in f32 with AMX 53 KB.
///
/// Use one for each thread, again and again.
#[derive(Default)]
pub struct Scratch {
    /// `[tokens, embedding]`
    pub(super) embedded: Rows,
    pub(super) typed: TypedPositions,
    /// The row of each token among those that are shared
    pub(super) shared_rows: Vec<usize>,
    /// `[tokens, hidden]`, after the last layer `[documents, hidden]`
    pub(crate) hidden: Rows,
    /// `[tokens, 3 * hidden]`: queries, keys and values
    pub(super) qkv: Matrix,
    /// `[queries, hidden]`, as all below: the queries are the tokens, in the last layer the documents
    pub(super) context: Rows,
    /// The output of the attention part of a layer
    pub(super) attended: Rows,
    /// `[queries, intermediate]`
    pub(super) wide: Rows,
    pub(super) attention: AttentionScratch,
    pub(super) first_tokens: FirstTokensScratch,
    /// `[documents, hidden]`
    pub(crate) pooled: Matrix,
    /// `[documents, labels]`
    pub(crate) logits: Matrix,
    /// The most tokens that there was room for
    tokens: usize,
}

impl Scratch {
    /// Memory that holds nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Some of the memory was given away: the next batch asks for it again.
    pub(super) fn lent(&mut self) {
        self.tokens = 0;
    }

    /// Refuses a batch of more tokens than any so far, if there is no memory for it.
    pub(crate) fn check_memory(&mut self, tokens: usize, architecture: &Architecture) -> Result<(), ModelError> {
        if tokens > self.tokens {
            // values of 32 bits, and beside them as many as operands of products
            let columns =
                architecture.embedding_size() + 6 * architecture.hidden_size() + architecture.intermediate_size();
            memory::check(tokens.saturating_mul(2 * size_of::<f32>() * columns))?;
            self.tokens = tokens;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// Rows as a step wrote them and as the product behind it reads them: the same unless their elements differ.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) value: Matrix,
    operand: Matrix,
}

impl Rows {
    pub(super) fn reshape(&mut self, value: Element, operand: Element, rows: usize, columns: usize) {
        self.value.reshape(value, rows, columns);
        let rows = if operand == value { 0 } else { rows };
        self.operand.reshape(operand, rows, columns);
    }

    fn differ(&self) -> bool {
        self.value.element() != self.operand.element()
    }

    /// What a product reads, once [`Rows::written`] or [`Rows::normalise`] has made it.
    pub(super) fn operand(&self) -> &Matrix {
        if self.differ() { &self.operand } else { &self.value }
    }

    /// The values are complete.
    pub(super) fn written(&mut self, kernels: Kernels) {
        if self.differ() {
            kernels.convert(&self.value, &mut self.operand);
        }
    }

    /// The values are complete, and are normalised.
    pub(super) fn normalise(&mut self, kernels: Kernels, norm: &Norm) {
        let operand = if self.differ() { Some(&mut self.operand) } else { None };
        kernels.layer_norm(&mut self.value, &norm.view(), operand);
    }

    /// Makes them the rows `rows` of others, in that order.
    pub(super) fn copy_rows(&mut self, from: &Self, rows: &[usize]) {
        self.value.copy_rows(&from.value, rows);
        if from.differ() {
            self.operand.copy_rows(&from.operand, rows);
        } else {
            self.operand.reshape(from.operand.element(), 0, from.operand.columns());
        }
    }
}
