//! Matrix products with packed weights: `out = epilogue(a Wᵀ)`.
//!
//! The weights are packed once, at load, into panels ([`pack`]). A product walks over tiles of the result ([`tile`]):
//! a tile keeps its sums in registers while it runs down a panel, and ends with the epilogue. The loops around it keep
//! the panel and the rows in the caches ([`product`]).
//!
//! The sum behind one element is always one chain of multiply-adds in the order of the inputs. Neither the height of a
//! tile nor the blocks over the inputs change it, because a partial sum that is stored and loaded again is the same f32.

mod epilogue;
mod pack;
mod product;
mod tile;

#[cfg(test)]
mod bench;
#[cfg(test)]
mod tests;

pub use epilogue::Epilogue;
pub use pack::PackedWeights;
pub(crate) use pack::{pack_columns, pack_rows, packed_len};
pub(crate) use product::Product;

use crate::cpu::Kernels;
use crate::view::Rows;

impl Kernels {
    /// `out = epilogue(a Wᵀ)`: a linear layer over rows.
    ///
    /// - `out`: `[rows, outputs]`, overwritten
    /// - `a`: `[rows, inputs]`
    /// - `weights`: `W`, `[outputs, inputs]`, packed for this level
    ///
    /// # Panics
    ///
    /// When the weights were packed for another CPU level, or when a length does not fit the others. Both are errors
    /// in the calling code.
    pub fn matmul(self, out: &mut [f32], a: &[f32], weights: &PackedWeights, epilogue: Epilogue<'_>) {
        let (outputs, inputs) = (weights.outputs(), weights.inputs());
        assert!(
            weights.level() == self.level(),
            "weights packed for {} used with the kernels of {}",
            weights.level(),
            self.level()
        );
        assert!(a.len().is_multiple_of(inputs), "{} values are no rows of {inputs}", a.len());
        let rows = a.len() / inputs;
        assert!(out.len() == rows * outputs, "{} values for [{rows}, {outputs}]", out.len());
        epilogue.check(rows, outputs);
        self.run(Product {
            out,
            out_stride: outputs,
            a: Rows::new(a, rows, inputs, inputs),
            panels: weights.panels(),
            outputs,
            epilogue: Some(epilogue),
        });
    }
}
