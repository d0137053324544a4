//! Ids to normalised embeddings.

use super::layer_norm::{LayerNorm, layer_norm_row};
use crate::cpu::Kernels;
use crate::matrix::Matrix;
use crate::simd::{Operation, Simd};

impl Kernels {
    /// Embeds tokens: row `i` of `out` is the layer normalization of `words[ids[i]] + positions[position_ids[i]]`.
    ///
    /// - `out`: `[ids, width]` of f32
    /// - `words`: `[vocabulary, width]`
    /// - `positions`: `[positions, width]`; what else is added to every token at a position is already in it
    ///
    /// # Panics
    ///
    /// When a shape does not fit the width of `norm`, there are not as many position_ids as ids, an id is not in the
    /// vocabulary or a place beyond the positions: the caller checks what comes from outside.
    pub fn embed(
        self,
        out: &mut Matrix,
        ids: &[u32],
        position_ids: &[u32],
        words: &[f32],
        positions: &[f32],
        norm: &LayerNorm<'_>,
    ) {
        let width = norm.width();
        assert!(out.columns() == width && ids.len() == out.rows(), "{out:?} for {} rows of {width}", ids.len());
        assert_eq!(ids.len(), position_ids.len(), "ids and position_ids");
        self.run(Embed { out, ids, position_ids, words, positions, norm });
    }
}

struct Embed<'a> {
    out: &'a mut Matrix,
    ids: &'a [u32],
    position_ids: &'a [u32],
    words: &'a [f32],
    positions: &'a [f32],
    norm: &'a LayerNorm<'a>,
}

impl Operation for Embed<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let width = self.norm.gamma.len();
        for (row, (&id, &place)) in self.ids.iter().zip(self.position_ids).enumerate() {
            let word = &self.words[id as usize * width..][..width];
            let position = &self.positions[place as usize * width..][..width];
            let parts = word.chunks(S::LANES).zip(position.chunks(S::LANES));
            let sum = self.out.row_mut(row);
            for (chunk, (word, position)) in sum.chunks_mut(S::LANES).zip(parts) {
                s.store(chunk, s.add(s.load(word), s.load(position)));
            }
            layer_norm_row(s, sum, self.norm);
        }
    }
}
