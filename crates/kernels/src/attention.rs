//! Attention: `softmax(Q Kᵀ) V`, document by document and head by head.
//!
//! The scale 1/√(head size) is not applied here: it belongs into the weights and the bias of the query, once, at load.
//! Both products are [`Product`]s over keys and values that are packed for each head, which costs one pass over them.

#[cfg(test)]
mod bench;
mod gradient;
mod pack;

use std::sync::{Mutex, PoisonError};

use self::pack::{PackKeys, PackValues, Part, copy_queries};
use crate::aligned::Aligned;
use crate::cpu::Kernels;
use crate::dot::{Multiplication, Multiplier};
use crate::dropout::Dropout;
use crate::gemm::{Product, padded_words, pair_words};
use crate::matrix::{Element, Matrix, Target};
use crate::rows::Softmax;
use crate::simd::Simd;

/// The query rows that are worked on at a time, so that their scores stay in the second cache at 512 keys.
const QUERIES: usize = 96;

/// The queries of [`Attention`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queries {
    /// One for each token.
    OfTokens,
    /// So many for each document.
    OfDocuments(usize),
}

/// What attends to what. All matrices are of the same element, f32 or bf16; head `h` has the columns `h * size` to
/// `(h + 1) * size` after the first column of its part.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// The queries, from the first column on; the scale is already in them. The rows of a document follow one another.
    pub query: &'a Matrix,
    /// What the rows of `query` are.
    pub queries: Queries,
    /// Keys and values, one row for each token.
    pub key_value: &'a Matrix,
    /// The first column of the keys in `key_value`.
    pub key: usize,
    /// The first column of the values in `key_value`.
    pub value: usize,
    /// The first row of each document, and the end of the last one: `[documents + 1]`.
    pub starts: &'a [usize],
    /// The number of heads.
    pub heads: usize,
    /// The values of a head.
    pub size: usize,
    /// What is left out of the probabilities, in training; only over f32.
    pub dropout: Option<Dropout>,
}

impl Attention<'_> {
    /// Leaves out what dropout leaves out of the probabilities of a query and head.
    fn drop(&self, query: usize, head: usize, probabilities: &mut [f32]) {
        if let Some(dropout) = self.dropout {
            dropout.apply((query * self.heads + head) as u64, probabilities);
        }
    }
}

/// The working memory of [`Kernels::attention`]. It grows to what the longest document needs and is then kept.
#[derive(Default)]
pub struct AttentionScratch {
    /// One for each thread at work.
    heads: Mutex<Vec<HeadScratch>>,
}

/// The working memory of one head at a time.
#[derive(Default)]
struct HeadScratch {
    /// `[QUERIES, size]`
    query: Matrix,
    /// The keys, packed: the weights of `Q Kᵀ`.
    keys: Aligned,
    /// The values, packed: the weights of the product with the probabilities.
    values: Aligned,
    /// `[QUERIES, keys]` of f32
    scores: Matrix,
    /// `[QUERIES, keys]`
    probabilities: Matrix,
    /// Of the gradient.
    gradient: gradient::HeadGradientScratch,
}

impl Kernels {
    /// `softmax(Q Kᵀ) V` of each document and head: `out` is `[queries, heads * size]` of the element of the queries,
    /// overwritten.
    ///
    /// # Panics
    ///
    /// When the shapes do not fit one another, or a document is empty.
    pub fn attention(self, out: &mut Matrix, attention: Attention<'_>, scratch: &AttentionScratch) {
        let Attention { query, queries, key_value, key, value, starts, heads, size, dropout } = attention;
        let (width, element) = (heads.saturating_mul(size), query.element());
        let tokens = starts.last().copied().unwrap_or(0);
        let documents = starts.len().saturating_sub(1);
        assert!(width > 0 && query.columns() >= width, "{heads} heads of {size} in {query:?}");
        assert!(
            element == key_value.element() && key.max(value).saturating_add(width) <= key_value.columns(),
            "keys at {key} and values at {value} of {width} in {key_value:?} for {query:?}"
        );
        assert!(key_value.rows() == tokens, "{key_value:?} for {tokens} tokens");
        let rows = match queries {
            Queries::OfTokens => tokens,
            Queries::OfDocuments(each) => documents.saturating_mul(each),
        };
        assert!(query.rows() == rows, "{query:?} for {documents} documents, {tokens} tokens, {queries:?}");
        assert!(
            out.rows() == query.rows() && out.columns() == width && out.element() == element,
            "{out:?} for {query:?} and {heads} heads of {size}"
        );
        assert!(starts.windows(2).all(|ends| ends[0] < ends[1]), "an empty document in {starts:?}");
        assert!(matches!(element, Element::F32 | Element::Bf16), "attention over {element:?}");
        assert!(dropout.is_none() || element == Element::F32, "dropout over {element:?}");
        let out = out.target();
        self.split(documents * heads, 1, |range| {
            let pool = || scratch.heads.lock().unwrap_or_else(PoisonError::into_inner);
            let mut scratch = pool().pop().unwrap_or_default();
            let pairs = range.map(|pair| (pair / heads, pair % heads));
            self.multiply(element, Heads { kernels: self, out, attention, pairs, scratch: &mut scratch });
            pool().push(scratch);
        });
    }
}

/// The documents and heads of one thread.
struct Heads<'a, P> {
    kernels: Kernels,
    out: Target,
    attention: Attention<'a>,
    pairs: P,
    scratch: &'a mut HeadScratch,
}

impl<P: Iterator<Item = (usize, usize)>> Multiplication for Heads<'_, P> {
    fn run<M: Multiplier>(self, multiplier: M) {
        let Self { kernels, out, attention, pairs, scratch } = self;
        multiplier.prepared(|| {
            for (document, head) in pairs {
                one_head(multiplier, kernels, out, attention, document, head, scratch);
            }
        });
    }
}

/// Fills the columns of a head in the rows of a document.
fn one_head<M: Multiplier>(
    multiplier: M,
    kernels: Kernels,
    out: Target,
    attention: Attention<'_>,
    document: usize,
    head: usize,
    scratch: &mut HeadScratch,
) {
    let Attention { query, queries, key_value, key, value, starts, size, .. } = attention;
    let HeadScratch { query: copied, keys, values, scores, probabilities, .. } = scratch;
    let tokens = starts[document]..starts[document + 1];
    let rows = match queries {
        Queries::OfTokens => tokens.clone(),
        Queries::OfDocuments(each) => document * each..(document + 1) * each,
    };
    let element = query.element();
    let column = head * size;

    let key_words = padded_words(kernels, element, size);
    let value_words = padded_words(kernels, element, tokens.len());
    let keys = keys.grown_to(tokens.len().next_multiple_of(M::PANEL) * key_words);
    let values = values.grown_to(size.next_multiple_of(M::PANEL) * value_words);
    let part = |panels, column, words| Part { panels, matrix: key_value, rows: tokens.clone(), column, size, words };
    multiplier.simd().call(PackKeys(part(&mut *keys, key + column, key_words)));
    multiplier.simd().call(PackValues(part(&mut *values, value + column, value_words)));
    pair_words(kernels, element, keys);
    pair_words(kernels, element, values);

    // Queries that are whole words, and as many as a key has, are read where they are.
    let per_word = element.per_word();
    let in_place = column.is_multiple_of(per_word) && key_words * per_word == size;
    for first in rows.clone().step_by(QUERIES) {
        let count = QUERIES.min(rows.end - first);
        let (a, place) = if in_place {
            (query, [first, column / per_word])
        } else {
            copied.reshape(element, count, size);
            copy_queries(copied, query, first, column);
            (&*copied, [0, 0])
        };
        scores.reshape(Element::F32, count, tokens.len());
        let product = Product {
            out: scores.target(),
            row: 0,
            column: 0,
            a,
            first: place,
            rows: count,
            panels: keys,
            words: key_words,
            columns: 0..tokens.len(),
            epilogue: None,
            scales: &[],
            sums: &[],
        };
        product.blocks(multiplier);
        probabilities.reshape(element, count, tokens.len());
        multiplier.simd().call(Softmax { scores, to: probabilities.target() });
        if attention.dropout.is_some() {
            (0..count).for_each(|row| attention.drop(first + row, head, probabilities.row_mut(row)));
        }
        let product = Product {
            out,
            row: first,
            column,
            a: probabilities,
            first: [0, 0],
            rows: count,
            panels: values,
            words: value_words,
            columns: 0..size,
            epilogue: None,
            scales: &[],
            sums: &[],
        };
        product.blocks(multiplier);
    }
}
