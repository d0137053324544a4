//! Some rows of a matrix, and back.

use albertine_kernels::{Element, Matrix};
use rayon::prelude::*;

/// The rows at `places`, `[places, columns]`.
pub(super) fn gathered(rows: &Matrix, places: &[usize]) -> Matrix {
    let mut out = Matrix::default();
    out.copy_rows(rows, places);
    out
}

/// So many rows of f32, those at `places` from `rows` and the others 0.
pub(super) fn scattered(rows: &Matrix, places: &[usize], count: usize) -> Matrix {
    let mut out = Matrix::default();
    out.reshape(Element::F32, count, rows.columns());
    out.par_rows_mut().for_each(|row| row.fill(0.0));
    for (row, &place) in places.iter().enumerate() {
        out.row_mut(place).copy_from_slice(rows.row(row));
    }
    out
}
