//! From the sums of a tile to values of the result.

use super::Epilogue;
use crate::dot::{Beside, Multiplier, Tile};
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

/// How the parts of a tile are finished.
pub(super) trait Drive {
    fn drive(self, finish: impl Beside);
}

/// At once.
pub(super) struct AtOnce;

impl Drive for AtOnce {
    #[inline(always)]
    fn drive(self, mut finish: impl Beside) {
        finish.part(0, 1);
    }
}

/// While the next tile is multiplied. Whoever makes one promises what [`Multiplier::multiply`] asks for.
pub(super) struct WhileMultiplying<M>(pub(super) M, pub(super) Tile);

impl<M: Multiplier> Drive for WhileMultiplying<M> {
    #[inline(always)]
    fn drive(self, finish: impl Beside) {
        let Self(multiplier, tile) = self;
        // SAFETY: promised by whoever made it.
        unsafe { multiplier.multiply(tile, finish) };
    }
}

/// A tile to finish. Whoever makes one promises that the pointers of both parts are valid for the tile's shape, and
/// that nothing else accesses those values of the result meanwhile.
pub(super) struct FinishTile<'a, D, const INTEGER: bool> {
    pub(super) finish: &'a Finish<'a>,
    pub(super) tile: Sums,
    pub(super) drive: D,
}

impl<D: Drive, const INTEGER: bool> Operation for FinishTile<'_, D, INTEGER> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let exact = self.finish.out.element() != Element::Bf16;
        let activation = match self.finish.epilogue {
            Some(Epilogue::BiasActivation(_, activation)) => activation,
            _ => return self.each(s, Identity),
        };
        match (activation, exact) {
            (Activation::GeluErf, true) => self.each(s, GeluErf),
            (Activation::GeluErf, false) => self.each(s, GeluErfRough),
            (Activation::GeluTanh, true) => self.each(s, GeluTanh),
            (Activation::GeluTanh, false) => self.each(s, GeluTanhRough),
            (Activation::Relu, _) => self.each(s, Relu),
            (Activation::Tanh, _) => self.each(s, Tanh),
            // One loop for all of them: each costs as much code again at every level.
            (rare, _) => self.each(s, Rare(rare)),
        }
    }
}

/// What follows the bias. It is no closure because all of it must be inlined into code for the vectors of a level.
trait Function: Copy {
    /// How many steps of a multiplication go by from one part that is finished to the next. What takes long is finished in
    /// small parts, so that the tiles always have work; each part costs something itself.
    const STEPS: usize = 1;

    fn of<S: Simd>(self, s: S, x: S::V) -> S::V;
}

macro_rules! functions {
    ($($name:ident = $function:path,)+) => {
        $(
            #[derive(Clone, Copy)]
            struct $name;

            impl Function for $name {
                #[inline(always)]
                fn of<S: Simd>(self, s: S, x: S::V) -> S::V {
                    $function(s, x)
                }
            }
        )+
    };
}

functions! {
    GeluErf = math::gelu_erf,
    GeluErfRough = math::gelu_erf_rough,
    GeluTanh = math::gelu_tanh,
    GeluTanhRough = math::gelu_tanh_rough,
    Relu = math::relu,
    Tanh = math::tanh,
}

#[derive(Clone, Copy)]
struct Identity;

impl Function for Identity {
    const STEPS: usize = 6;

    #[inline(always)]
    fn of<S: Simd>(self, _: S, x: S::V) -> S::V {
        x
    }
}

#[derive(Clone, Copy)]
struct Rare(Activation);

impl Function for Rare {
    #[inline(always)]
    fn of<S: Simd>(self, s: S, x: S::V) -> S::V {
        math::activate(s, x, self.0)
    }
}

impl<D: Drive, const INTEGER: bool> FinishTile<'_, D, INTEGER> {
    /// Finishes each value, with `activation` after the bias.
    #[inline(always)]
    fn each<S: Simd>(self, s: S, activation: impl Function) {
        let Self { finish, tile, drive } = self;
        drive.drive(FinishRows::<_, _, INTEGER> { s, finish, tile, activation });
    }
}

/// The rows of a tile to finish, with an activation after the bias.
struct FinishRows<'a, S, A, const INTEGER: bool> {
    s: S,
    finish: &'a Finish<'a>,
    tile: Sums,
    activation: A,
}

impl<S: Simd, A: Function, const INTEGER: bool> Beside for FinishRows<'_, S, A, INTEGER> {
    #[inline(always)]
    fn part(&mut self, part: usize, parts: usize) {
        let Self { s, finish, tile, activation } = *self;
        if !part.is_multiple_of(A::STEPS) {
            return;
        }
        let (part, parts) = (part / A::STEPS, parts.div_ceil(A::STEPS));
        let rows = tile.height * part / parts..tile.height * (part + 1) / parts;
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
            for row in rows.clone() {
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
                let mut x = activation.of(s, x);
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
