//! What tokens bring into the first layer, computed once for tokens that many documents share.
//!
//! Before the first attention a token knows nothing of its document: its embedding, query, key and value depend on its
//! id, its position and its type alone. Variants of one text, such as those with words hidden that an explanation is made
//! of, or texts that were filled into one form, are mostly the same tokens at the same positions.

use std::collections::HashMap;

use albertine_kernels::Matrix;

use super::Scratch;
use crate::RaggedBatch;

/// Tokens after which it is clear whether documents share them.
const SAMPLE: usize = 1024;

/// The most different tokens that are shared: for a model of ALBERT-base's size, 50 MB.
const MOST: usize = 4096;

/// Documents have to have a token in common with this many others, on average, to be worth the copies.
const TIMES: usize = 2;

/// Id, position and type.
type Token = (u32, u32, u32);

/// The different tokens of some documents, and their hidden states, queries, keys and values: see
/// [`SequenceClassifier::share`](crate::SequenceClassifier::share).
#[derive(Debug)]
pub struct SharedTokens {
    /// The row of each token.
    rows: HashMap<Token, usize>,
    /// `[rows, hidden_size]`
    pub(super) hidden: Matrix,
    /// `[rows, 3 * hidden_size]`
    pub(super) qkv: Matrix,
}

impl SharedTokens {
    /// The different tokens of documents, each as a document of its own, where there are few of them; nothing is
    /// computed yet.
    pub(super) fn find<'b>(documents: impl Iterator<Item = (&'b RaggedBatch, usize)>) -> Option<(Self, RaggedBatch)> {
        let mut rows = HashMap::new();
        let mut distinct = RaggedBatch::new();
        let mut seen = 0;
        for (batch, index) in documents {
            for token in batch.tokens_of(index) {
                let row = rows.len();
                rows.entry(token).or_insert_with(|| {
                    distinct.push_token(token);
                    row
                });
            }
            seen += batch.document(index).len();
            if rows.len() > MOST || seen >= SAMPLE && TIMES * rows.len() > seen {
                return None;
            }
        }
        let few = seen >= SAMPLE && TIMES * rows.len() <= seen;
        few.then(|| (Self { rows, hidden: Matrix::default(), qkv: Matrix::default() }, distinct))
    }

    /// Fills `scratch` with what the tokens of a batch bring into the first layer; whether they are all known.
    pub(super) fn fill(&self, batch: &RaggedBatch, scratch: &mut Scratch) -> bool {
        let Scratch { hidden, qkv, shared_rows, .. } = scratch;
        shared_rows.clear();
        let tokens = (0..batch.documents()).flat_map(|index| batch.tokens_of(index));
        shared_rows.extend(tokens.map_while(|token| self.rows.get(&token).copied()));
        if shared_rows.len() != batch.tokens() {
            return false;
        }
        hidden.value.copy_rows(&self.hidden, shared_rows);
        qkv.copy_rows(&self.qkv, shared_rows);
        true
    }
}
