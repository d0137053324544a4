//! From the values that something has written to the values that a product reads.

use crate::cpu::Kernels;
use crate::matrix::{Element, Matrix, RowScale, Target};
use crate::simd::{Operation, Simd};

impl Kernels {
    /// Converts each row of `from`, of f32 or bf16, to the element of `to`, a matrix of the same shape: rounded to
    /// bf16, or as the whole numbers from 0 (the least value of the row) to 255 (its largest).
    ///
    /// A row that holds NaN or an infinity becomes NaN when it is quantized.
    ///
    /// # Panics
    ///
    /// When the shapes are not the same, or there is no such conversion.
    pub fn convert(self, from: &Matrix, to: &mut Matrix) {
        assert!((from.rows(), from.columns()) == (to.rows(), to.columns()), "{from:?} to {to:?}");
        assert!(!from.element().is_quantized(), "{from:?} to {to:?}");
        let (rows, target) = (from.rows(), to.target());
        self.split(rows, 1, |range| self.run(Convert { from, to: target, range }));
    }
}

struct Convert<'a> {
    from: &'a Matrix,
    to: Target,
    range: std::ops::Range<usize>,
}

impl Operation for Convert<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for index in self.range {
            let row = match self.from.element() {
                Element::F32 => Row::F32(self.from.row(index)),
                _ => Row::Bf16(self.from.row_bf16(index)),
            };
            // SAFETY: `convert` checked that the shapes are the same, and gives each row to one range.
            unsafe { convert_row(simd, row, self.to, index) };
        }
    }
}

/// The values of a row.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    F32(&'a [f32]),
    Bf16(&'a [u16]),
}

impl Row<'_> {
    #[inline(always)]
    fn len(self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::Bf16(values) => values.len(),
        }
    }

    /// `count` values from `first` on; missing lanes are 0.
    #[inline(always)]
    fn load<S: Simd>(self, s: S, first: usize, count: usize) -> S::V {
        match self {
            Self::F32(values) => s.load(&values[first..first + count]),
            Self::Bf16(values) => {
                let values = &values[first..first + count];
                // SAFETY: the slice has `count` values.
                unsafe { s.load_bf16(values.as_ptr(), values.len()) }
            }
        }
    }
}

/// Writes a row in the element of `to`.
///
/// # Safety
///
/// The row lies within `to` and is as long, and nothing else accesses it meanwhile.
#[inline(always)]
pub(super) unsafe fn convert_row<S: Simd>(s: S, row: Row<'_>, to: Target, index: usize) {
    let parts = |step: usize| (0..row.len()).step_by(step).map(move |first| (first, step.min(row.len() - first)));
    match to.element() {
        Element::F32 => {
            for (first, count) in parts(S::LANES) {
                // SAFETY: the caller promises that the row is as long as `row`.
                unsafe { s.store_first(to.f32_at(index, first), count, row.load(s, first, count)) };
            }
        }
        Element::Bf16 => {
            for (first, count) in parts(S::LANES) {
                // SAFETY: as above.
                unsafe { s.store_bf16(to.u16_at(index, first), count, row.load(s, first, count)) };
            }
        }
        Element::Bf16x3 => {
            for (first, count) in parts(S::LANES) {
                // SAFETY: as above.
                unsafe { s.store_bf16x3(to.parts_at(index, first), count, row.load(s, first, count)) };
            }
        }
        Element::U8 | Element::U16 => {
            let (least, largest) = range(s, row);
            let scale = (largest - least) / 255.0;
            // A row of one value has no range, or one too small to divide by; its numbers are all 0.
            let (scale, factor) = if scale < f32::MIN_POSITIVE { (0.0, 0.0) } else { (scale, 1.0 / scale) };
            let scale = RowScale { scale: if scale.is_finite() { scale } else { f32::NAN }, offset: least };
            // SAFETY: as above.
            unsafe { *to.scale_of(index) = scale };
            let (least, factor) = (s.splat(least), s.splat(factor));
            for (first, count) in parts(S::LANES) {
                let number = s.mul(s.sub(row.load(s, first, count), least), factor);
                let number = s.min(s.splat(255.0), s.max(s.splat(0.0), number));
                // SAFETY: as above; the numbers lie between 0 and 255.
                unsafe {
                    if to.element() == Element::U8 {
                        s.store_u8(to.u8_at(index, first), count, number);
                    } else {
                        s.store_i16(to.u16_at(index, first), count, number);
                    }
                }
            }
        }
    }
}

/// The least and the largest value of a row; NaN for both if it holds NaN or an infinity.
#[inline(always)]
fn range<S: Simd>(s: S, row: Row<'_>) -> (f32, f32) {
    let whole = row.len() / S::LANES * S::LANES;
    // The magnitudes of the least value are found as the largest of the negated ones.
    let mut largest = [s.splat(f32::NEG_INFINITY); 2];
    // Comparisons pass over NaN. A product with 0 is 0, or else NaN.
    let mut zeros = s.splat(0.0);
    for first in (0..whole).step_by(S::LANES) {
        let x = row.load(s, first, S::LANES);
        largest = [s.max(x, largest[0]), s.max(s.sub(s.splat(0.0), x), largest[1])];
        zeros = s.mul_add(x, s.splat(0.0), zeros);
    }
    let [mut largest, mut least] = [s.largest(largest[0]), -s.largest(largest[1])];
    let mut zero = s.sum(zeros);
    for first in whole..row.len() {
        let x = s.first(row.load(s, first, 1));
        (largest, least) = (largest.max(x), least.min(x));
        zero += x * 0.0;
    }
    if zero.is_nan() { (f32::NAN, f32::NAN) } else { (least, largest) }
}
