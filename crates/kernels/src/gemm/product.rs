//! The loops over tiles: which part of a product is worked on when, so that it stays in the caches.
//!
//! From the outside: blocks of columns, blocks of rows, blocks of inputs, panels, tiles.

use std::ops::Range;

use super::Epilogue;
use super::tile::{self, Tile};
use crate::math::Activate;
use crate::simd::{Operation, Simd};
use crate::view::Rows;

// Chosen by `bench_matmul` among its neighbours, on a CPU with caches of 48 KiB and 2 MiB.

/// The inputs of a block: this part of a panel (48 KiB at the widest) is read again for each tile of a block of rows.
const INPUTS: usize = 384;

/// The most rows of a block: their inputs (360 KiB) stay in the second cache while the panels pass by.
const ROWS: usize = 240;

/// The columns of a block, a multiple of every panel's width: with wider ones the partial sums of a block of rows would
/// not stay in the second cache, and spread over more pages than the CPU keeps addresses of.
const COLUMNS: usize = 256;

/// `out = epilogue(a Wᵀ)` for packed weights; without an epilogue the plain product.
pub(crate) struct Product<'a> {
    /// `[rows, out_stride]`, of which the first `outputs` columns are written; the last row may end there.
    pub(crate) out: &'a mut [f32],
    pub(crate) out_stride: usize,
    /// `[rows, inputs]`
    pub(crate) a: Rows<'a>,
    /// `[panels, inputs, S::PANEL]`
    pub(crate) panels: &'a [f32],
    pub(crate) outputs: usize,
    /// Its lengths fit; a residual is `[rows, outputs]` and `outputs` is then also the stride of `out`.
    pub(crate) epilogue: Option<Epilogue<'a>>,
}

impl Operation for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let (rows, inputs, outputs) = (self.a.count(), self.a.width(), self.outputs);
        if rows == 0 || outputs == 0 {
            return;
        }
        // These lengths are what makes the tiles' raw accesses sound.
        assert!(inputs > 0 && self.out_stride >= outputs);
        assert!(self.out.len() >= (rows - 1) * self.out_stride + outputs);
        const { assert!(COLUMNS.is_multiple_of(S::PANEL)) };
        assert!(self.panels.len() >= super::packed_len(outputs, inputs, S::PANEL));
        if let Some(epilogue) = self.epilogue {
            assert!(epilogue.bias().len() == outputs);
            if let Epilogue::BiasResidual { residual, .. } = epilogue {
                assert!(self.out_stride == outputs && residual.len() == rows * outputs);
            }
        }

        let blocks = rows.div_ceil(ROWS);
        let block_rows = rows.div_ceil(blocks).next_multiple_of(S::TILE_ROWS);
        for column in (0..outputs).step_by(COLUMNS) {
            let columns = column..outputs.min(column + COLUMNS);
            for row in (0..rows).step_by(block_rows) {
                let rows = row..rows.min(row + block_rows);
                for input in (0..inputs).step_by(INPUTS) {
                    let inputs = input..inputs.min(input + INPUTS);
                    self.block(simd, rows.clone(), inputs, columns.clone());
                }
            }
        }
    }
}

impl Product<'_> {
    /// Adds the products of a block of inputs to a block of the result, and ends it if they are the last.
    #[inline(always)]
    fn block<S: Simd>(&mut self, simd: S, rows: Range<usize>, inputs: Range<usize>, columns: Range<usize>) {
        let last = inputs.end == self.a.width();
        for column in columns.step_by(S::PANEL) {
            let columns = S::PANEL.min(self.outputs - column);
            let mut row = rows.start;
            for height in heights(rows.len(), S::TILE_ROWS) {
                let at = row * self.out_stride + column;
                // SAFETY: `run` asserted the lengths that make the row and column lie within `out`, the row and the
                // inputs within `a`, the panel and its inputs within `panels`.
                let mut tile = unsafe {
                    Tile {
                        a: self.a.as_ptr().add(row * self.a.stride() + inputs.start),
                        a_stride: self.a.stride(),
                        panel: self.panels.as_ptr().add(column * self.a.width() + inputs.start * S::PANEL),
                        inputs: inputs.len(),
                        out: self.out.as_mut_ptr().add(at),
                        out_stride: self.out_stride,
                        columns,
                        resumes: inputs.start > 0,
                        bias: None,
                        residual: None,
                    }
                };
                if last && let Some(epilogue) = self.epilogue {
                    tile = tile.ending(epilogue, at, column);
                }
                // SAFETY: as above; the epilogue's slices have the lengths that `run` asserted. `out` is borrowed
                // exclusively.
                unsafe { tile::compute(simd, height, tile) };
                if last && let Some(Epilogue::BiasActivation(_, activation)) = self.epilogue {
                    let rows = &mut self.out[at..at + (height - 1) * self.out_stride + columns];
                    simd.call(Activate { rows, columns, stride: self.out_stride, activation });
                }
                row += height;
            }
        }
    }
}

/// `rows` cut into as few tiles as there can be, of nearly equal height: two of 7 and 6 keep more multiply-adds in
/// flight than one of 12 and one of 1.
#[inline(always)]
fn heights(rows: usize, tallest: usize) -> impl Iterator<Item = usize> {
    let tiles = rows.div_ceil(tallest);
    let (height, taller) = (rows / tiles, rows % tiles);
    (0..tiles).map(move |tile| height + usize::from(tile < taller))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_cover_the_rows() {
        for rows in 1..100 {
            let heights: Vec<usize> = heights(rows, 12).collect();
            assert_eq!(heights.iter().sum::<usize>(), rows);
            assert_eq!(heights.len(), rows.div_ceil(12));
            assert!(heights.iter().all(|height| (1..=12).contains(height)));
        }
    }
}
