//! Ids to normalised embeddings.

use super::layer_norm::{LayerNorm, layer_norm_row};
use crate::cpu::Kernels;
use crate::matrix::Matrix;
use crate::simd::{Operation, Simd};

impl Kernels {
    /// Embeds one document: row `first + i` of `out` is the layer normalisation of `words[ids[i]] + positions[i]`.
    ///
    /// - `out`: `[at least first + ids, width]` of f32
    /// - `words`: `[vocabulary, width]`
    /// - `positions`: `[positions, width]`; what else is added to every token at a position is already in it
    ///
    /// # Panics
    ///
    /// When a shape does not fit the width of `norm`, an id is not in the vocabulary or there are more ids than
    /// positions: the caller checks ids and lengths that come from outside.
    pub fn embed(
        self,
        out: &mut Matrix,
        first: usize,
        ids: &[u32],
        words: &[f32],
        positions: &[f32],
        norm: &LayerNorm<'_>,
    ) {
        let width = norm.width();
        assert!(out.columns() == width && first + ids.len() <= out.rows(), "{out:?} for rows of {width} at {first}");
        assert!(positions.len() >= ids.len() * width, "{} ids for {} positions", ids.len(), positions.len() / width);
        self.run(Embed { out, first, ids, words, positions, norm });
    }
}

struct Embed<'a> {
    out: &'a mut Matrix,
    first: usize,
    ids: &'a [u32],
    words: &'a [f32],
    positions: &'a [f32],
    norm: &'a LayerNorm<'a>,
}

impl Operation for Embed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let width = self.norm.gamma.len();
        for (row, (position, &id)) in self.positions.chunks_exact(width).zip(self.ids).enumerate() {
            let word = &self.words[id as usize * width..][..width];
            let parts = word.chunks(S::LANES).zip(position.chunks(S::LANES));
            let sum = self.out.row_mut(self.first + row);
            for (chunk, (word, position)) in sum.chunks_mut(S::LANES).zip(parts) {
                s.store(chunk, s.add(s.load(word), s.load(position)));
            }
            layer_norm_row(s, sum, self.norm);
        }
    }
}
