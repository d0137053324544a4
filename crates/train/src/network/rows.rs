//! Some rows of a matrix, and back.

use albertine_kernels::Matrix;
use rayon::prelude::*;

use super::{Arithmetic, Lent};

/// The rows at `places`, `[places, columns]`.
pub(super) fn gathered<'m>(arithmetic: Arithmetic<'m>, rows: &Matrix, places: &[usize]) -> Lent<'m> {
    let mut out = arithmetic.matrix(places.len(), rows.columns());
    out.copy_rows(rows, places);
    out
}

/// So many rows of f32, those at `places` from `rows` and the others 0.
pub(super) fn scattered<'m>(arithmetic: Arithmetic<'m>, rows: &Matrix, places: &[usize], count: usize) -> Lent<'m> {
    let mut out = arithmetic.matrix(count, rows.columns());
    out.par_rows_mut().for_each(|row| row.fill(0.0));
    for (row, &place) in places.iter().enumerate() {
        out.row_mut(place).copy_from_slice(rows.row(row));
    }
    out
}
