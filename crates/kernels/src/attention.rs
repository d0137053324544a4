//! Attention of one document: `softmax(Q Kᵀ) V`, head by head.
//!
//! The scale 1/√(head size) is not applied here: it belongs into the weights and the bias of the query, once, at load.
//! Both products are [`Product`]s over keys and values that are packed for each head, which costs one pass over them.

use crate::aligned::Aligned;
use crate::cpu::Kernels;
use crate::gemm::{Product, pack_columns, pack_rows, packed_len};
use crate::rows::softmax_row;
use crate::simd::{Operation, Simd};
use crate::view::Rows;

/// The query rows that are worked on at a time, so that their scores stay in the second cache at 512 keys.
const QUERIES: usize = 96;

/// The working memory of [`Kernels::attention`]. It grows to what the longest document needs and is then kept.
#[derive(Default)]
pub struct AttentionScratch {
    /// The keys of a head, packed: the weights of `Q Kᵀ`.
    keys: Aligned,
    /// The values of a head, packed: the weights of the product with the probabilities.
    values: Aligned,
    /// `[QUERIES, keys]`: scores, then probabilities.
    scores: Aligned,
}

impl Kernels {
    /// `softmax(Q Kᵀ) V` of one document, for each of `heads` heads; head `h` has the columns `h * size` to
    /// `(h + 1) * size` of all matrices.
    ///
    /// - `out`: `[queries, heads * size]`, overwritten
    /// - `query`: `[queries, heads * size]`; queries may be fewer than keys. The scale is already in them
    /// - `key`, `value`: `[keys, heads * size]`
    ///
    /// # Panics
    ///
    /// When the shapes do not fit one another, or there are queries but no keys.
    pub fn attention(
        self,
        out: &mut [f32],
        query: Rows<'_>,
        key: Rows<'_>,
        value: Rows<'_>,
        heads: usize,
        scratch: &mut AttentionScratch,
    ) {
        let width = query.width();
        assert!(heads > 0 && width > 0 && width.is_multiple_of(heads), "{width} columns for {heads} heads");
        assert!(
            key.width() == width && value.width() == width && key.count() == value.count(),
            "queries of {width}, keys [{}, {}], values [{}, {}]",
            key.count(),
            key.width(),
            value.count(),
            value.width()
        );
        assert!(out.len() == query.count() * width, "{} values for [{}, {width}]", out.len(), query.count());
        assert!(query.count() == 0 || key.count() > 0, "{} queries and no keys", query.count());
        self.run(Attention { out, query, key, value, heads, scratch });
    }
}

struct Attention<'a> {
    out: &'a mut [f32],
    query: Rows<'a>,
    key: Rows<'a>,
    value: Rows<'a>,
    heads: usize,
    scratch: &'a mut AttentionScratch,
}

impl Operation for Attention<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { out, query, key, value, heads, scratch } = self;
        let (width, keys) = (query.width(), key.count());
        let size = width / heads;
        let packed_keys = scratch.keys.grown_to(packed_len(keys, size, S::PANEL));
        let packed_values = scratch.values.grown_to(packed_len(size, keys, S::PANEL));
        let scores = scratch.scores.grown_to(QUERIES.min(query.count()) * keys);

        for head in (0..width).step_by(size) {
            pack_rows(packed_keys, key.columns(head, size), S::PANEL);
            pack_columns(packed_values, value.columns(head, size), S::PANEL);
            for first in (0..query.count()).step_by(QUERIES) {
                let count = QUERIES.min(query.count() - first);
                let scores = &mut scores[..count * keys];
                simd.call(Product {
                    out: scores,
                    out_stride: keys,
                    a: query.slice(first, count).columns(head, size),
                    panels: packed_keys,
                    outputs: keys,
                    epilogue: None,
                });
                for row in scores.chunks_exact_mut(keys) {
                    softmax_row(simd, row);
                }
                simd.call(Product {
                    out: &mut out[first * width + head..],
                    out_stride: width,
                    a: Rows::new(scores, count, keys, keys),
                    panels: packed_values,
                    outputs: size,
                    epilogue: None,
                });
            }
        }
    }
}
