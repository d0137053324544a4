//! The words of a panel in pairs, as instructions read them that multiply two rows by two columns.

use crate::cpu::Kernels;
use crate::matrix::Element;
use crate::simd::{Operation, Simd};

/// Where the level multiplies rows of that element two by two, brings the words of packed panels from `[words, width]`
/// into the order `[words / 2, width, 2]`: what such an instruction reads of a column lies together. `panels` are whole,
/// of an even number of words each; what follows them up to the end of a cache line may be anything.
pub(crate) fn pair_words(kernels: Kernels, element: Element, panels: &mut [u32]) {
    if kernels.has_paired_words(element) {
        kernels.run(PairWords(panels));
    }
}

struct PairWords<'a>(&'a mut [u32]);

impl Operation for PairWords<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let mut words = [0; 2 * crate::dot::MOST_COLUMNS];
        for pair in self.0.chunks_exact_mut(2 * S::PANEL) {
            words[..2 * S::PANEL].copy_from_slice(pair);
            let (first, second) = words.split_at(S::PANEL);
            for (pair, (first, second)) in pair.chunks_exact_mut(2).zip(first.iter().zip(second)) {
                pair.copy_from_slice(&[*first, *second]);
            }
        }
    }
}
