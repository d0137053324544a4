//! Rows of columns.

use albertine::Error;
use arrow::compute;
use pyo3::prelude::*;
use pyo3_arrow::PyArray;

use crate::error::Failure;

/// The rows `places` of a column, whose type may be one that pyarrow chooses no rows of.
#[pyfunction]
pub(crate) fn take(column: PyArray, places: PyArray) -> PyResult<PyArray> {
    let (column, field) = column.into_inner();
    let taken = compute::take(&column, places.array(), None).map_err(|error| Failure::from(Error::from(error)))?;
    Ok(PyArray::new(taken, field))
}
