//! The loops over tiles: which part of a product is worked on when, so that it stays in the caches.
//!
//! From the outside: blocks of rows, panels, blocks of words, tiles. A block of a panel (32 KiB at the widest) is read
//! again from the first cache for each tile of the rows, which pass by from the second. The weights come from further
//! away, once for each block of rows.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::Epilogue;
use super::finish::{AtOnce, Drive, Finish, FinishTile, Sums, WhileMultiplying};
use crate::dot::{MOST_COLUMNS, MOST_ROWS, Multiplication, Multiplier, Tile};
use crate::matrix::{LINE, Matrix, Target};
use crate::simd::Simd;

/// The most rows of a block.
const ROWS: usize = 256;

/// The most words of the rows of a block (1 MiB): they pass by once for each panel, and must stay in the second cache.
const BLOCK: usize = 1 << 18;

/// Columns of `epilogue(a Wᵀ)`, or of the plain product.
#[derive(Clone)]
pub(crate) struct Product<'a> {
    /// Where the first value of the product goes.
    pub(crate) out: Target,
    pub(crate) row: usize,
    pub(crate) column: usize,
    /// The rows that are multiplied: so many of a matrix, from a row and a word of each on.
    pub(crate) a: &'a Matrix,
    pub(crate) first: [usize; 2],
    pub(crate) rows: usize,
    /// `[panels, words, panel width]`
    pub(crate) panels: &'a [u32],
    pub(crate) words: usize,
    /// The columns to compute; the first is the first of a panel.
    pub(crate) columns: Range<usize>,
    pub(crate) epilogue: Option<Epilogue<'a>>,
    /// `[outputs]`, for rows that are quantized
    pub(crate) scales: &'a [f32],
    /// `[outputs]`, for rows that are quantized
    pub(crate) sums: &'a [f32],
}

/// The accumulators of a block of rows and a panel.
#[repr(C, align(64))]
struct Accumulators([MaybeUninit<u32>; ROWS * MOST_COLUMNS]);

impl Multiplication for Product<'_> {
    fn run<M: Multiplier>(self, multiplier: M) {
        multiplier.prepared(|| self.blocks(multiplier));
    }
}

impl Product<'_> {
    /// The same within [`Multiplier::prepared`].
    pub(crate) fn blocks<M: Multiplier>(&self, multiplier: M) {
        let Self { first: [row, word], rows, .. } = *self;
        if rows == 0 || self.columns.is_empty() {
            return;
        }
        // These lengths are what makes the raw accesses sound.
        const { assert!(M::ROWS <= MOST_ROWS && MOST_ROWS <= ROWS) };
        assert!(self.columns.start.is_multiple_of(M::PANEL) && M::PANEL <= MOST_COLUMNS);
        assert!(self.panels.len() >= self.columns.end.next_multiple_of(M::PANEL) * self.words);
        assert!(self.words > 0 && (!M::PADDED || self.words.is_multiple_of(M::STEP)));
        assert!(row + rows <= self.a.rows() && word + self.words <= self.a.stride());
        // The scales are those of the first rows.
        assert!(M::INTEGER == self.a.element().is_quantized() && (!M::INTEGER || row == 0));
        assert!(!M::INTEGER || (self.scales.len().min(self.sums.len()) >= self.columns.end.next_multiple_of(M::PANEL)));
        assert!(self.out.rows() >= self.row + rows && self.out.columns() >= self.column + self.columns.end);
        assert!(!self.out.element().is_quantized());
        if let Some(epilogue) = self.epilogue {
            epilogue.check(rows, epilogue.bias().len());
            assert!(epilogue.bias().len() >= self.columns.end);
        }

        let most = (BLOCK / self.words).min(ROWS).max(2 * M::ROWS) / M::ROWS * M::ROWS;
        let blocks = rows.div_ceil(most);
        let block = rows.div_ceil(blocks).next_multiple_of(M::ROWS);
        for first in (0..rows).step_by(block) {
            self.block(multiplier, first..rows.min(first + block));
        }
    }

    /// The product of a block of rows.
    fn block<M: Multiplier>(&self, multiplier: M, rows: Range<usize>) {
        let mut accumulators = Accumulators([MaybeUninit::uninit(); ROWS * MOST_COLUMNS]);
        let accumulators = accumulators.0.as_mut_ptr().cast::<u32>();
        let finish = Finish {
            out: self.out,
            row: self.row,
            column: self.column,
            epilogue: self.epilogue,
            rows: self.a.scales(),
            scales: self.scales,
            sums: self.sums,
        };
        let parts = self.words.div_ceil(M::BLOCK);
        let part = self.words.div_ceil(parts).next_multiple_of(M::STEP);
        // Sums stay in the accumulators between two blocks of words; with one block each tile uses the same, nearest
        // memory.
        let step = if parts == 1 { 0 } else { M::ROWS * M::PANEL };
        // The tile whose sums are finished while the next ones are added up.
        let mut waiting: Option<Sums> = None;
        for column in self.columns.clone().step_by(M::PANEL) {
            let panel = self.panels[column * self.words..].as_ptr();
            let columns = M::PANEL.min(self.columns.end - column);
            for word in (0..self.words).step_by(part) {
                let words = part.min(self.words - word);
                let last = word + words == self.words;
                // The block that follows in memory is the next one, of this panel or another. Tiles share it out.
                let next = panel.wrapping_add((word + words) * M::PANEL);
                let (next_words, ahead) = (words * M::PANEL, words / M::STEP * M::AHEAD * LINE);
                let mut row = rows.start;
                for (index, height) in M::heights(rows.len()).enumerate() {
                    let sums = accumulators.wrapping_add(index * step);
                    if M::ROW_OFFSET != 0 && word == 0 {
                        // SAFETY: as below.
                        unsafe { self.start_from_weights::<M>(sums, height, column) };
                    }
                    // SAFETY: `blocks` asserted the lengths: the rows and words lie within `a` (and a matrix has spare
                    // rows for the tallest tile), the panel's words within `panels`. There is a place in the
                    // accumulators for each tile of a block, and the first block of words fills it before a later one
                    // reads it. Sums that wait in the same place are finished before new ones are stored there.
                    unsafe {
                        let tile = Tile {
                            rows: self.a.as_ptr().add((self.first[0] + row) * self.a.stride() + self.first[1] + word),
                            stride: self.a.stride(),
                            height,
                            panel: panel.add(word * M::PANEL),
                            words,
                            sums,
                            resumes: word > 0 || M::ROW_OFFSET != 0,
                            soon: next.wrapping_add(if index * ahead < next_words { index * ahead } else { 0 }),
                        };
                        match waiting.take() {
                            Some(waiting) if M::overlaps(height) => {
                                finish_tile(multiplier, &finish, waiting, WhileMultiplying(multiplier, tile));
                            }
                            waiting => {
                                if let Some(waiting) = waiting {
                                    finish_tile(multiplier, &finish, waiting, AtOnce);
                                }
                                multiplier.multiply(tile, ());
                            }
                        }
                    }
                    if last {
                        let tile = Sums { from: sums, row, height, column, columns };
                        if M::WAITS {
                            waiting = Some(tile);
                        } else {
                            finish_tile(multiplier, &finish, tile, AtOnce);
                        }
                    }
                    row += height;
                }
            }
        }
        if let Some(waiting) = waiting {
            finish_tile(multiplier, &finish, waiting, AtOnce);
        }
    }

    /// What the sums of a tile are before the first word where something is subtracted from each number of a row. The
    /// sums of a column's weights are whole numbers below 2^24, which f32 holds exactly.
    ///
    /// # Safety
    ///
    /// `sums` is valid for writes of `height` rows of a panel.
    unsafe fn start_from_weights<M: Multiplier>(&self, sums: *mut u32, height: usize, column: usize) {
        for row in 0..height {
            for (index, weights) in self.sums[column..column + M::PANEL].iter().enumerate() {
                // SAFETY: the caller promises the place.
                unsafe { *sums.add(row * M::PANEL + index) = (*weights as i32 * M::ROW_OFFSET).cast_unsigned() };
            }
        }
    }
}

/// Finishes sums of a product: rows and columns of the result that are its own.
#[inline(always)]
fn finish_tile<M: Multiplier>(multiplier: M, finish: &Finish<'_>, tile: Sums, drive: impl Drive) {
    if M::INTEGER {
        multiplier.simd().call(FinishTile::<_, true> { finish, tile, drive });
    } else {
        multiplier.simd().call(FinishTile::<_, false> { finish, tile, drive });
    }
}
