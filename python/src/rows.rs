//! Rows of columns.

use albertine::Error;
use arrow_select::take::take as take_rows;
use pyo3::prelude::*;
use pyo3_arrow::PyArray;

use crate::error::Failure;

/// The rows at `positions` of a column, whose type may be one that pyarrow chooses no rows of.
#[pyfunction]
pub(crate) fn take(column: PyArray, positions: PyArray) -> PyResult<PyArray> {
    let (column, field) = column.into_inner();
    let taken = take_rows(&column, positions.array(), None).map_err(|error| Failure::from(Error::from(error)))?;
    Ok(PyArray::new(taken, field))
}
