//! A tile of a product: a few rows by one panel, with its sums in registers.

use super::Epilogue;
use crate::simd::{Operation, Simd};

/// The tallest tile of any level.
const TALLEST: usize = 12;

/// Where a tile reads and writes. All pointers are to its first element.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// `[height, inputs]`, rows `a_stride` apart
    pub(super) a: *const f32,
    pub(super) a_stride: usize,
    /// `[inputs, S::PANEL]`
    pub(super) panel: *const f32,
    pub(super) inputs: usize,
    /// `[height, columns]`, rows `out_stride` apart
    pub(super) out: *mut f32,
    pub(super) out_stride: usize,
    /// At most `S::PANEL`.
    pub(super) columns: usize,
    /// The sums go on from what stands in `out`; otherwise from 0.
    pub(super) resumes: bool,
    /// `[columns]`, added at the end
    pub(super) bias: Option<*const f32>,
    /// `[height, columns]`, rows `out_stride` apart, added at the end
    pub(super) residual: Option<*const f32>,
}

impl Tile {
    /// The tile with the sums of an epilogue at its end, for the element at `at` of the result, in `column`.
    pub(super) fn ending(self, epilogue: Epilogue<'_>, at: usize, column: usize) -> Self {
        let residual = match epilogue {
            Epilogue::BiasResidual { residual, .. } => Some(residual[at..].as_ptr()),
            Epilogue::Bias(_) | Epilogue::BiasActivation(..) => None,
        };
        Self { bias: Some(epilogue.bias()[column..].as_ptr()), residual, ..self }
    }
}

/// Computes a tile of `height` rows, from 1 to `S::TILE_ROWS`.
///
/// # Safety
///
/// The pointers of `tile` are valid for the shapes that stand beside them, and nothing else accesses `out` meanwhile.
#[inline(always)]
pub(super) unsafe fn compute<S: Simd>(simd: S, height: usize, tile: Tile) {
    const { assert!(S::TILE_ROWS <= TALLEST) };
    debug_assert!((1..=S::TILE_ROWS).contains(&height) && tile.columns <= S::PANEL);
    /// Chooses the code for a height. Heights above the level's tallest are never compiled.
    macro_rules! choose {
        ($($rows:literal)*) => {
            match height {
                $($rows if $rows <= S::TILE_ROWS => simd.call(Fixed::<$rows>(tile)),)*
                _ => {}
            }
        };
    }
    choose!(1 2 3 4 5 6 7 8 9 10 11 12);
}

/// A tile whose height is known to the compiler, which keeps its sums in registers. Only [`compute`] makes one.
struct Fixed<const M: usize>(Tile);

impl<const M: usize> Operation for Fixed<M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self(tile) = self;
        let mut sums = [[s.splat(0.0); 2]; M];
        // SAFETY: the caller of `compute` promises that all pointers are valid for their shapes: `M` rows of `a` and
        // `out` at their strides, `inputs` rows of `S::PANEL` values of `panel`, `columns` values of the others.
        unsafe {
            if tile.resumes {
                for (row, sums) in sums.iter_mut().enumerate() {
                    *sums = load(s, tile.out.add(row * tile.out_stride), tile.columns);
                }
            }
            multiply(s, &tile, &mut sums);
            if let Some(bias) = tile.bias {
                let bias = load(s, bias, tile.columns);
                for sums in &mut sums {
                    *sums = [s.add(sums[0], bias[0]), s.add(sums[1], bias[1])];
                }
            }
            if let Some(residual) = tile.residual {
                for (row, sums) in sums.iter_mut().enumerate() {
                    let residual = load(s, residual.add(row * tile.out_stride), tile.columns);
                    *sums = [s.add(sums[0], residual[0]), s.add(sums[1], residual[1])];
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                store(s, tile.out.add(row * tile.out_stride), tile.columns, *sums);
            }
        }
    }
}

/// Adds the products of the tile's rows and its panel to the sums, one input after the other.
///
/// # Safety
///
/// As for [`compute`], with `M` rows.
#[inline(always)]
unsafe fn multiply<S: Simd, const M: usize>(s: S, tile: &Tile, sums: &mut [[S::V; 2]; M]) {
    let mut acc = *sums;
    for input in 0..tile.inputs {
        // SAFETY: `input` is below `inputs` and `row` below `M`, for which the pointers are valid.
        unsafe {
            let panel = tile.panel.add(input * S::PANEL);
            let left = s.load_from(panel);
            let right = s.load_from(panel.add(S::LANES));
            for (row, acc) in acc.iter_mut().enumerate() {
                let a = s.splat(*tile.a.add(row * tile.a_stride + input));
                acc[0] = s.mul_add(a, left, acc[0]);
                acc[1] = s.mul_add(a, right, acc[1]);
            }
        }
    }
    *sums = acc;
}

/// `columns` values in two vectors; missing lanes are 0.
///
/// # Safety
///
/// `from` is valid for reads of `columns` values, and `columns` is at most `S::PANEL`.
#[inline(always)]
unsafe fn load<S: Simd>(s: S, from: *const f32, columns: usize) -> [S::V; 2] {
    // SAFETY: the two parts add up to `columns`.
    unsafe {
        if columns == S::PANEL {
            [s.load_from(from), s.load_from(from.add(S::LANES))]
        } else if columns > S::LANES {
            [s.load_from(from), s.load_first(from.add(S::LANES), columns - S::LANES)]
        } else {
            [s.load_first(from, columns), s.splat(0.0)]
        }
    }
}

/// Stores the first `columns` values of two vectors.
///
/// # Safety
///
/// `to` is valid for writes of `columns` values, and `columns` is at most `S::PANEL`.
#[inline(always)]
unsafe fn store<S: Simd>(s: S, to: *mut f32, columns: usize, v: [S::V; 2]) {
    // SAFETY: the two parts add up to `columns`.
    unsafe {
        if columns == S::PANEL {
            s.store_to(to, v[0]);
            s.store_to(to.add(S::LANES), v[1]);
        } else if columns > S::LANES {
            s.store_to(to, v[0]);
            s.store_first(to.add(S::LANES), columns - S::LANES, v[1]);
        } else {
            s.store_first(to, columns, v[0]);
        }
    }
}
