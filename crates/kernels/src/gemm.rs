//! Matrix products with packed weights: `out = epilogue(a Wᵀ)`.
//!
//! The weights are packed once, at load, into panels ([`pack`]). A product walks over tiles of the result
//! ([`product`]): a tile's sums are added up along a panel (`dot`) and then finished ([`finish`]): scaled if they are
//! whole numbers, the epilogue applied, and stored as what comes next wants them. With AMX, that is done while the next tile
//! is multiplied.
//!
//! The sum behind one element is always one chain of additions in the order of the inputs. Neither the height of a
//! tile nor the blocks over the inputs change it, because a partial sum that is stored and loaded again is the same.

mod epilogue;
mod finish;
mod pack;
mod pairs;
mod product;

#[cfg(test)]
mod bench;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use epilogue::Epilogue;
pub(crate) use pack::padded_words;
pub use pack::{MOST_QUANTIZED_INPUTS, PackedWeights};
pub(crate) use pairs::pair_words;
pub(crate) use product::Product;

use crate::cpu::Kernels;
use crate::matrix::Matrix;

impl Kernels {
    /// `out = epilogue(a Wᵀ)`: a linear layer over rows.
    ///
    /// - `out`: `[rows, outputs]` of f32 or bf16, overwritten
    /// - `a`: `[rows, inputs]` of the element that the weights were packed for
    /// - `weights`: `W`, `[outputs, inputs]`, packed for this level
    ///
    /// # Panics
    ///
    /// When the weights were packed for another CPU level or element, or when a shape does not fit the others. All are
    /// errors in the calling code.
    pub fn matmul(self, out: &mut Matrix, a: &Matrix, weights: &PackedWeights, epilogue: Epilogue<'_>) {
        assert!(out.columns() == weights.outputs(), "{out:?} for {} outputs", weights.outputs());
        self.matmul_columns(out, a, weights, 0..weights.outputs(), epilogue);
    }

    /// The same for some of the outputs, which go to the same columns of `out`; the others are left as they are.
    ///
    /// # Panics
    ///
    /// As [`Kernels::matmul`], and when `columns` do not start at a multiple of [`Kernels::panel_width`].
    pub fn matmul_columns(
        self,
        out: &mut Matrix,
        a: &Matrix,
        weights: &PackedWeights,
        columns: Range<usize>,
        epilogue: Epilogue<'_>,
    ) {
        assert!(
            weights.level() == self.level(),
            "weights packed for {} used with the kernels of {}",
            weights.level(),
            self.level()
        );
        assert!(
            a.columns() == weights.inputs() && a.element() == weights.element(),
            "{a:?} for weights of {} inputs of {:?}",
            weights.inputs(),
            weights.element()
        );
        assert!(out.rows() == a.rows() && columns.end <= weights.outputs(), "{out:?} for {a:?}, columns {columns:?}");
        assert!(columns.start.is_multiple_of(self.panel_width()), "columns {columns:?} start within a panel");
        epilogue.check(a.rows(), weights.outputs());
        let product = Product {
            out: out.target(),
            row: 0,
            column: 0,
            a,
            first: [0, 0],
            rows: a.rows(),
            panels: weights.panels(),
            words: weights.words(),
            columns: 0..0,
            epilogue: Some(epilogue),
            scales: weights.scales(),
            sums: weights.sums(),
        };
        self.split(columns.len(), self.panel_width(), |part| {
            let columns = columns.start + part.start..columns.start + part.end;
            self.multiply(a.element(), Product { columns, ..product.clone() });
        });
    }
}
