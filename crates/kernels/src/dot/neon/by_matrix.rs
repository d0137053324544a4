//! Tiles whose rows and columns are multiplied two by two, two words of each at a time.
//!
//! Where a panel is read so, its words lie in pairs ([`pair_words`](crate::gemm::pair_words)): two words of a column
//! beside each other, and those of two columns are a vector.

use std::arch::aarch64::*;

use super::instructions::{bf16_by_matrix, bytes_by_matrix};
use super::{BLOCK, PANEL, ROWS, STEP, spin};
use crate::dot::{Beside, LINE, Multiplier, Tile};
use crate::simd::{Neon, Operation, Simd};

/// Words of four bytes, for [`ByMatrix`].
pub(in crate::dot) const BYTES: u8 = 0;
/// Words of two bfloat16.
pub(in crate::dot) const BF16S: u8 = 1;

/// Products of matrices of one kind of words.
#[derive(Clone, Copy)]
pub(in crate::dot) struct ByMatrix<const KIND: u8>(Neon);

impl<const KIND: u8> ByMatrix<KIND> {
    /// # Safety
    ///
    /// The running CPU has I8MM for [`BYTES`], or BF16 for [`BF16S`].
    pub(in crate::dot) unsafe fn assume(simd: Neon) -> Self {
        Self(simd)
    }

    /// `sums + rows * columns`, each two by two.
    #[inline(always)]
    fn multiply_add(self, rows: uint32x4_t, columns: uint32x4_t, sums: uint32x4_t) -> uint32x4_t {
        // SAFETY: a `ByMatrix` exists only where the CPU has the instructions of its kind.
        unsafe {
            if KIND == BYTES { bytes_by_matrix(sums, rows, columns) } else { bf16_by_matrix(sums, rows, columns) }
        }
    }
}

impl<const KIND: u8> Multiplier for ByMatrix<KIND> {
    type Simd = Neon;
    const ROWS: usize = ROWS;
    const INTEGER: bool = KIND == BYTES;
    const STEP: usize = STEP;
    const PADDED: bool = true;
    const BLOCK: usize = BLOCK;
    const AHEAD: usize = 2;

    #[inline(always)]
    fn simd(self) -> Neon {
        self.0
    }

    /// The tallest first: there is at most one odd height, whose last row is multiplied twice.
    fn heights(rows: usize) -> impl Iterator<Item = usize> {
        (0..rows).step_by(ROWS).map(move |row| ROWS.min(rows - row))
    }

    #[inline(always)]
    unsafe fn multiply(self, tile: Tile, _: impl Beside) {
        debug_assert!(tile.words.is_multiple_of(STEP));
        const { assert!(ROWS == 8) };
        match tile.height.div_ceil(2) {
            1 => self.simd().call(Fixed::<KIND, 1>(self, tile)),
            2 => self.simd().call(Fixed::<KIND, 2>(self, tile)),
            3 => self.simd().call(Fixed::<KIND, 3>(self, tile)),
            4 => self.simd().call(Fixed::<KIND, 4>(self, tile)),
            _ => {}
        }
    }

    fn spin(self, rounds: usize) -> usize {
        spin(self, rounds)
    }
}

/// The vectors of the sums of two rows: two columns in each.
const PAIRS: usize = PANEL / 2;

/// A tile whose number of pairs of rows is known to the compiler. Only [`ByMatrix`] makes one.
struct Fixed<const KIND: u8, const M: usize>(ByMatrix<KIND>, Tile);

impl<const KIND: u8, const M: usize> Operation for Fixed<KIND, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self(multiplier, tile) = self;
        // SAFETY: the caller of `multiply` promises that all pointers are valid for their shapes: `height` rows of
        // words at their stride, `words` rows of the panel, `height` rows of sums; no row is past the last. The
        // intrinsics ask for NEON, which the CPU of a `ByMatrix` has.
        unsafe {
            let last = tile.height - 1;
            let mut sums = [[vdupq_n_u32(0); PAIRS]; M];
            if tile.resumes {
                for (pair, sums) in sums.iter_mut().enumerate() {
                    let [upper, lower] = [2 * pair, last.min(2 * pair + 1)].map(|row| tile.sums.add(row * PANEL));
                    for (columns, sums) in sums.chunks_exact_mut(2).enumerate() {
                        let [upper, lower] = [upper, lower].map(|from| vld1q_u32(from.add(4 * columns)));
                        sums.copy_from_slice(&crossed(upper, lower));
                    }
                }
            }
            let mut rows: [[*const u32; 2]; M] = std::array::from_fn(|pair| {
                [2 * pair, last.min(2 * pair + 1)].map(|row| tile.rows.add(row * tile.stride))
            });
            let (mut panel, mut soon) = (tile.panel, tile.soon);
            for _ in 0..tile.words / STEP {
                let words = rows.map(|[upper, lower]| crossed(vld1q_u32(upper), vld1q_u32(lower)));
                for half in 0..2 {
                    let weights: [uint32x4_t; PAIRS] =
                        std::array::from_fn(|pair| vld1q_u32(panel.add(half * 2 * PANEL + 4 * pair)));
                    for (words, sums) in words.iter().zip(&mut sums) {
                        for (weights, sums) in weights.iter().zip(sums) {
                            *sums = multiplier.multiply_add(words[half], *weights, *sums);
                        }
                    }
                }
                multiplier.simd().prefetch(soon);
                multiplier.simd().prefetch(soon.wrapping_add(LINE));
                soon = soon.wrapping_add(2 * LINE);
                panel = panel.add(STEP * PANEL);
                rows = rows.map(|pair| pair.map(|row| row.add(STEP)));
            }
            for (pair, sums) in sums.iter().enumerate() {
                for (columns, sums) in sums.chunks_exact(2).enumerate() {
                    let rows = crossed(sums[0], sums[1]);
                    // Of an odd height the last row comes again, and is the same.
                    for (row, sums) in [2 * pair, last.min(2 * pair + 1)].into_iter().zip(rows) {
                        vst1q_u32(tile.sums.add(row * PANEL + 4 * columns), sums);
                    }
                }
            }
        }
    }
}

/// The first halves of two vectors, and the second halves.
///
/// # Safety
///
/// The running CPU has NEON.
#[inline(always)]
unsafe fn crossed(a: uint32x4_t, b: uint32x4_t) -> [uint32x4_t; 2] {
    // SAFETY: the caller promises NEON.
    unsafe {
        let [a, b] = [a, b].map(|words| vreinterpretq_u64_u32(words));
        [vreinterpretq_u32_u64(vzip1q_u64(a, b)), vreinterpretq_u32_u64(vzip2q_u64(a, b))]
    }
}
