//! Tiles whose weights are multiplied with one word of a row at a time.

use super::{BLOCK, PANEL, ROWS, STEP, spin};
use crate::dot::{Beside, LINE, Multiplier, Tile, even_heights};
use crate::simd::{Neon, Operation, Simd};

/// How the words of a panel are multiplied with a lane of a vector of a row's words.
pub(in crate::dot) trait LaneDot: Copy {
    /// Four words of a row.
    type Row: Copy;
    /// A word of each column of a panel.
    type Weights: Copy;
    /// A sum of each column of a panel.
    type Sums: Copy;
    const INTEGER: bool;
    /// As [`Multiplier::ROW_OFFSET`].
    const ROW_OFFSET: i32 = 0;

    fn simd(self) -> Neon;

    fn zero(self) -> Self::Sums;

    /// # Safety
    ///
    /// `from` is valid for reads of four words.
    unsafe fn load_row(self, from: *const u32) -> Self::Row;

    /// A word in the first lane, or in all.
    ///
    /// # Safety
    ///
    /// `from` is valid for reads of a word.
    unsafe fn load_word(self, from: *const u32) -> Self::Row;

    /// # Safety
    ///
    /// `from` is valid for reads of [`Simd::PANEL`] words.
    unsafe fn load_weights(self, from: *const u32) -> Self::Weights;

    /// `sums + row[LANE] * weights`
    fn multiply_add<const LANE: i32>(self, row: Self::Row, weights: Self::Weights, sums: Self::Sums) -> Self::Sums;

    /// # Safety
    ///
    /// `from` is valid for reads of [`Simd::PANEL`] sums.
    unsafe fn load_sums(self, from: *const u32) -> Self::Sums;

    /// # Safety
    ///
    /// `to` is valid for writes of [`Simd::PANEL`] sums.
    unsafe fn store_sums(self, to: *mut u32, sums: Self::Sums);
}

/// Tiles that are multiplied lane by lane.
#[derive(Clone, Copy)]
pub(in crate::dot) struct ByLane<D>(pub(in crate::dot) D);

impl<D: LaneDot> Multiplier for ByLane<D> {
    type Simd = Neon;
    const ROWS: usize = ROWS;
    const INTEGER: bool = D::INTEGER;
    const ROW_OFFSET: i32 = D::ROW_OFFSET;
    const STEP: usize = STEP;
    const PADDED: bool = false;
    const BLOCK: usize = BLOCK;
    const AHEAD: usize = 2;

    #[inline(always)]
    fn simd(self) -> Neon {
        self.0.simd()
    }

    fn heights(rows: usize) -> impl Iterator<Item = usize> {
        even_heights(rows, ROWS)
    }

    #[inline(always)]
    unsafe fn multiply(self, tile: Tile, _: impl Beside) {
        macro_rules! choose {
            ($($rows:literal)*) => {
                match tile.height {
                    $($rows => self.simd().call(Fixed::<D, $rows>(self.0, tile)),)*
                    _ => {}
                }
            };
        }
        const { assert!(ROWS == 8) };
        choose!(1 2 3 4 5 6 7 8);
    }

    fn spin(self, rounds: usize) -> usize {
        spin(self, rounds)
    }
}

/// A tile whose height is known to the compiler, which keeps its sums in registers. Only [`ByLane`] makes one.
struct Fixed<D, const M: usize>(D, Tile);

impl<D: LaneDot, const M: usize> Operation for Fixed<D, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self(d, tile) = self;
        let mut sums = [d.zero(); M];
        // SAFETY: the caller of `multiply` promises that all pointers are valid for their shapes: `M` rows of words at
        // their stride, `words` rows of the panel, `M` rows of sums.
        unsafe {
            if tile.resumes {
                for (row, sums) in sums.iter_mut().enumerate() {
                    *sums = d.load_sums(tile.sums.add(row * PANEL));
                }
            }
            let mut rows: [*const u32; M] = std::array::from_fn(|row| tile.rows.add(row * tile.stride));
            let (mut panel, mut soon) = (tile.panel, tile.soon);
            for _ in 0..tile.words / STEP {
                let words = rows.map(|row| d.load_row(row));
                add_word::<D, M, 0>(d, &words, panel, &mut sums);
                add_word::<D, M, 1>(d, &words, panel.add(PANEL), &mut sums);
                add_word::<D, M, 2>(d, &words, panel.add(2 * PANEL), &mut sums);
                add_word::<D, M, 3>(d, &words, panel.add(3 * PANEL), &mut sums);
                d.simd().prefetch(soon);
                d.simd().prefetch(soon.wrapping_add(LINE));
                soon = soon.wrapping_add(2 * LINE);
                panel = panel.add(STEP * PANEL);
                rows = rows.map(|row| row.add(STEP));
            }
            for _ in 0..tile.words % STEP {
                let words = rows.map(|row| d.load_word(row));
                add_word::<D, M, 0>(d, &words, panel, &mut sums);
                panel = panel.add(PANEL);
                rows = rows.map(|row| row.add(1));
            }
            for (row, sums) in sums.iter().enumerate() {
                d.store_sums(tile.sums.add(row * PANEL), *sums);
            }
        }
    }
}

/// Adds the products of one word of each row with that of the panel.
///
/// # Safety
///
/// `panel` is valid for reads of [`PANEL`] words.
#[inline(always)]
unsafe fn add_word<D: LaneDot, const M: usize, const LANE: i32>(
    d: D,
    rows: &[D::Row; M],
    panel: *const u32,
    sums: &mut [D::Sums; M],
) {
    // SAFETY: the caller promises the words.
    let weights = unsafe { d.load_weights(panel) };
    for (row, sums) in rows.iter().zip(sums) {
        *sums = d.multiply_add::<LANE>(*row, weights, *sums);
    }
}
