//! Text columns of any Arrow kind, read as one.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::{Array, StringArray};
use arrow_schema::{DataType, Field, Schema};

use crate::Error;

/// The field of a column.
///
/// # Errors
/// [`Error::MissingColumn`], listing the columns there are; [`Error::SeveralColumns`].
pub(crate) fn find<'a>(schema: &'a Schema, column: &str) -> Result<&'a Field, Error> {
    let mut found = schema.fields().iter().filter(|field| field.name() == column);
    match (found.next(), found.next()) {
        (Some(field), None) => Ok(field),
        (Some(_), Some(_)) => Err(Error::SeveralColumns { column: column.to_owned() }),
        (None, _) => Err(Error::MissingColumn {
            column: column.to_owned(),
            columns: schema.fields().iter().map(|field| field.name().clone()).collect(),
        }),
    }
}

/// Checks that a column is there and holds text.
///
/// # Errors
/// [`Error::MissingColumn`], [`Error::SeveralColumns`], [`Error::NotText`].
pub(crate) fn require(schema: &Schema, column: &str) -> Result<(), Error> {
    let field = find(schema, column)?;
    if is_text(field.data_type()) {
        Ok(())
    } else {
        Err(Error::NotText { column: column.to_owned(), found: field.data_type().to_string() })
    }
}

/// Whether values of a type are text of any kind.
pub(crate) fn is_text(kind: &DataType) -> bool {
    match kind {
        // a column without any value is one of null texts
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// The texts of a column as plain strings, nulls kept; copied only when the column is of another kind.
///
/// # Errors
/// As [`require`].
pub(crate) fn read<'a>(batch: &'a RecordBatch, column: &str) -> Result<Cow<'a, StringArray>, Error> {
    require(batch.schema_ref(), column)?;
    let index = batch.schema_ref().index_of(column)?;
    strings(batch.column(index).as_ref())
}

/// An array of text of any kind as plain strings.
///
/// # Errors
/// [`Error::Arrow`] when the array cannot be cast.
pub(crate) fn strings(array: &dyn Array) -> Result<Cow<'_, StringArray>, Error> {
    match array.as_string_opt::<i32>() {
        Some(strings) => Ok(Cow::Borrowed(strings)),
        None => Ok(Cow::Owned(arrow_cast::cast(array, &DataType::Utf8)?.as_string::<i32>().clone())),
    }
}

/// Lists of plain strings.
pub(crate) fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::types::Int8Type;
    use arrow_array::{ArrayRef, DictionaryArray, Int64Array, LargeStringArray, NullArray, StringViewArray};

    #[test]
    fn every_kind_of_text_reads_the_same() {
        let rows = [Some("a"), None, Some("")];
        let kinds: [ArrayRef; 4] = [
            Arc::new(StringArray::from(rows.to_vec())),
            Arc::new(LargeStringArray::from(rows.to_vec())),
            Arc::new(StringViewArray::from(rows.to_vec())),
            Arc::new(rows.into_iter().collect::<DictionaryArray<Int8Type>>()),
        ];
        for array in kinds {
            let batch = RecordBatch::try_from_iter_with_nullable([("text", array, true)]).unwrap();
            let texts = read(&batch, "text").unwrap();
            assert_eq!(texts.iter().collect::<Vec<_>>(), rows);
        }
        let nulls = RecordBatch::try_from_iter_with_nullable([("text", Arc::new(NullArray::new(2)) as ArrayRef, true)])
            .unwrap();
        assert_eq!(read(&nulls, "text").unwrap().null_count(), 2);
    }

    #[test]
    fn a_missing_column_names_the_nearest() {
        let message = |column: &str| {
            let field = |name: &str| Field::new(name, DataType::Utf8, true);
            require(&Schema::new(vec![field("Text"), field("review_body")]), column).unwrap_err().to_string()
        };
        let columns = "the columns are `Text`, `review_body`";
        assert_eq!(message("text"), format!("there is no column `text` (did you mean `Text`?); {columns}"));
        assert_eq!(
            message("reviewbody"),
            format!("there is no column `reviewbody` (did you mean `review_body`?); {columns}")
        );
        assert_eq!(message("headline"), format!("there is no column `headline`; {columns}"));
    }

    #[test]
    fn a_missing_column_lists_the_others_and_numbers_are_not_text() {
        let batch = RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]).unwrap();
        assert_eq!(read(&batch, "text").unwrap_err().to_string(), "there is no column `text`; the columns are `n`");
        assert_eq!(read(&batch, "n").unwrap_err().to_string(), "column `n` holds Int64, not text");
    }

    #[test]
    fn of_columns_of_the_same_name_none_is_guessed() {
        let field = |name: &str| Field::new(name, DataType::Utf8, true);
        let schema = Schema::new(vec![field("text"), field("text"), field("n")]);
        assert_eq!(require(&schema, "text").unwrap_err().to_string(), "there is more than one column `text`");
        assert!(require(&schema, "n").is_ok());
    }
}
