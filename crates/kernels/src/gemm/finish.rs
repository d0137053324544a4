//! From the sums of a tile to values of the result.

use super::Epilogue;
use crate::math::{self, Activation};
use crate::matrix::{Element, RowScale, Target};
use crate::simd::{Operation, Simd};

/// What becomes of the sums of a product.
#[derive(Clone, Copy)]
pub(super) struct Finish<'a> {
    /// Where values go: column `c` of the product to column `column + c`, the same for rows.
    pub(super) out: Target,
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) epilogue: Option<Epilogue<'a>>,
    /// How whole numbers become real: for each row of the product, and for each column up to the end of its panel.
    pub(super) rows: &'a [RowScale],
    pub(super) scales: &'a [f32],
    pub(super) sums: &'a [f32],
}

/// The sums of one tile, at a place of the product.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    /// `[height, S::PANEL]` of f32, or of i32 if `INTEGER`
    pub(super) from: *const u32,
    pub(super) row: usize,
    pub(super) height: usize,
    pub(super) column: usize,
    /// At most `S::PANEL`.
    pub(super) columns: usize,
}

/// A tile to finish. Whoever makes one promises that the pointers of both parts are valid for the tile's shape, and
/// that nothing else accesses those values of the result meanwhile.
pub(super) struct FinishTile<'a, const INTEGER: bool> {
    pub(super) finish: Finish<'a>,
    pub(super) tile: Sums,
}

impl<const INTEGER: bool> Operation for FinishTile<'_, INTEGER> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let exact = self.finish.out.element() != Element::Bf16;
        let activation = match self.finish.epilogue {
            Some(Epilogue::BiasActivation(_, activation)) => activation,
            _ => return self.each(s, |x| x),
        };
        match (activation, exact) {
            (Activation::GeluErf, true) => self.each(s, |x| math::gelu_erf(s, x)),
            (Activation::GeluErf, false) => self.each(s, |x| math::gelu_erf_rough(s, x)),
            (Activation::GeluTanh, true) => self.each(s, |x| math::gelu_tanh(s, x)),
            (Activation::GeluTanh, false) => self.each(s, |x| math::gelu_tanh_rough(s, x)),
            (Activation::Relu, _) => self.each(s, |x| math::relu(s, x)),
            (Activation::Silu, _) => self.each(s, |x| math::silu(s, x)),
            (Activation::Tanh, _) => self.each(s, |x| math::tanh(s, x)),
            // One loop for all of them: each costs as much code again at every level.
            (rare, _) => self.each(s, |x| math::activate(s, x, rare)),
        }
    }
}

impl<const INTEGER: bool> FinishTile<'_, INTEGER> {
    /// Finishes each value, with `activation` after the bias.
    #[inline(always)]
    fn each<S: Simd>(&self, s: S, activation: impl Fn(S::V) -> S::V) {
        let Self { finish, tile } = self;
        for half in 0..2 {
            let column = tile.column + half * S::LANES;
            let count = tile.columns.saturating_sub(half * S::LANES).min(S::LANES);
            if count == 0 {
                return;
            }
            let zero = s.splat(0.0);
            let bias = finish.epilogue.map_or(zero, |epilogue| s.load(&epilogue.bias()[column..column + count]));
            let (scales, sums) =
                if INTEGER { (s.load(&finish.scales[column..]), s.load(&finish.sums[column..])) } else { (zero, zero) };
            for row in 0..tile.height {
                let at = tile.row + row;
                // SAFETY: whoever made the tile promises sums of this shape.
                let from = unsafe { tile.from.add(row * S::PANEL + half * S::LANES) };
                let x = if INTEGER {
                    // Σ (number * scale + offset) weight * its scale
                    let RowScale { scale, offset } = finish.rows[at];
                    // SAFETY: as above.
                    let sum = s.mul(unsafe { s.load_i32(from) }, s.splat(scale));
                    s.mul_add(s.mul_add(s.splat(offset), sums, sum), scales, bias)
                } else {
                    // SAFETY: as above.
                    s.add(unsafe { s.load_from(from.cast()) }, bias)
                };
                let mut x = activation(x);
                if let Some(Epilogue::BiasResidual { residual, .. }) = finish.epilogue {
                    x = s.add(x, s.load(&residual.row(at)[column..column + count]));
                }
                let (row, column) = (finish.row + at, finish.column + column);
                // SAFETY: whoever made the tile promises that these values of the result are its own.
                unsafe {
                    match finish.out.element() {
                        Element::F32 if count == S::LANES => s.store_to(finish.out.f32_at(row, column), x),
                        Element::F32 => s.store_first(finish.out.f32_at(row, column), count, x),
                        Element::Bf16x3 => s.store_bf16x3(finish.out.parts_at(row, column), count, x),
                        _ => s.store_bf16(finish.out.u16_at(row, column), count, x),
                    }
                }
            }
        }
    }
}
