//! The texts of a table: one column, or several joined.

use arrow_array::RecordBatch;
use arrow_array::{Array, StringArray};
use arrow_schema::Schema;

use crate::{Error, text_column};

/// Checks that all columns are there and hold text.
///
/// # Errors
/// [`Error::MissingColumn`], [`Error::SeveralColumns`], [`Error::NotText`].
pub fn require(schema: &Schema, columns: &[String]) -> Result<(), Error> {
    columns.iter().try_for_each(|column| text_column::require(schema, column))
}

/// The text of each row: several columns are joined with one space, null and empty parts left out.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{RecordBatch, StringArray};
///
/// let titles = Arc::new(StringArray::from(vec![Some("Oil rises"), None])) as _;
/// let bodies = Arc::new(StringArray::from(vec![Some("on Monday"), Some("A goal")])) as _;
/// let table = RecordBatch::try_from_iter_with_nullable([("title", titles, true), ("body", bodies, true)])?;
/// let texts = albertine::texts::read(&table, &["title".to_owned(), "body".to_owned()])?;
/// assert_eq!(texts.iter().collect::<Vec<_>>(), [Some("Oil rises on Monday"), Some("A goal")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`require`].
pub fn read(batch: &RecordBatch, columns: &[String]) -> Result<StringArray, Error> {
    let parts: Vec<_> = columns.iter().map(|column| text_column::read(batch, column)).collect::<Result<_, _>>()?;
    if let [one] = parts.as_slice() {
        return Ok(one.as_ref().clone());
    }
    let joined = (0..batch.num_rows()).map(|row| {
        let parts =
            parts.iter().filter(|part| part.is_valid(row)).map(|part| part.value(row)).filter(|part| !part.is_empty());
        let text = parts.collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    });
    Ok(joined.collect())
}
