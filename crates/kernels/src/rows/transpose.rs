//! Columns of a matrix as rows.

use std::ops::Range;

use crate::cpu::Kernels;
use crate::matrix::{Element, Matrix, Target};
use crate::simd::{Operation, Simd};

impl Kernels {
    /// Makes `to` the transpose of some columns of `from`, a matrix of f32: `[columns, rows]`.
    ///
    /// # Panics
    ///
    /// When `from` is not of f32, or has no such columns.
    pub fn transpose(self, from: &Matrix, columns: Range<usize>, to: &mut Matrix) {
        assert!(from.element() == Element::F32 && columns.end <= from.columns(), "columns {columns:?} of {from:?}");
        to.reshape(Element::F32, columns.len(), from.rows());
        let target = to.target();
        self.split(columns.len(), SQUARE, |range| {
            self.run(Transpose { from, first: columns.start, range, to: target })
        });
    }
}

/// Columns that stay together when threads share the work: a whole number of the squares that vectors transpose.
const SQUARE: usize = 16;

struct Transpose<'a> {
    from: &'a Matrix,
    /// The column that becomes the first row.
    first: usize,
    /// Rows of the result.
    range: Range<usize>,
    to: Target,
}

impl Operation for Transpose<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { from, first, range, to } = self;
        let rows = from.rows();
        let (squares, whole) = (rows / S::LANES * S::LANES, range.len() / S::LANES * S::LANES);
        for row in (0..squares).step_by(S::LANES) {
            for column in (range.start..range.start + whole).step_by(S::LANES) {
                let source = from.row(row)[first + column..].as_ptr().cast::<u32>();
                // SAFETY: the square lies within the rows and columns of `from`, and its transpose within those of `to`,
                // which `transpose` gave the shape for, and no other range has these rows.
                unsafe { s.transpose(source, from.stride(), to.f32_at(column, row).cast(), to.stride()) };
            }
        }
        for row in 0..rows {
            let values = &from.row(row)[first..];
            let left = if row < squares { range.start + whole..range.end } else { range.clone() };
            for column in left {
                // SAFETY: as above.
                unsafe { *to.f32_at(column, row) = values[column] };
            }
        }
    }
}
