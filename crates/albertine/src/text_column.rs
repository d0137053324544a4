//! Text columns of any Arrow kind, read as one.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::{Array, StringArray};
use arrow_cast::CastOptions;
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

/// Checks that a column is there and holds text, or bytes that may be text.
///
/// # Errors
/// [`Error::MissingColumn`], [`Error::SeveralColumns`], [`Error::NotText`].
pub(crate) fn require(schema: &Schema, column: &str) -> Result<(), Error> {
    let field = find(schema, column)?;
    // Older writers of Parquet have texts as bytes, each of which is checked.
    if is_text(field.data_type()) || is_bytes(field.data_type()) {
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

fn is_bytes(kind: &DataType) -> bool {
    matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

/// The texts of a column as plain strings, nulls kept; copied only when the column is of another kind.
///
/// # Errors
/// As [`require`]; [`Error::InvalidUtf8`].
pub(crate) fn read<'a>(batch: &'a RecordBatch, column: &str) -> Result<Cow<'a, StringArray>, Error> {
    require(batch.schema_ref(), column)?;
    let index = batch.schema_ref().index_of(column)?;
    let array = batch.column(index);
    strings(array.as_ref()).map_err(|error| match error {
        Error::Arrow(_) => match first_not_utf8(array.as_ref()) {
            Some(row) => Error::InvalidUtf8 { column: column.to_owned(), row },
            None => error,
        },
        error => error,
    })
}

/// The first value of a column of bytes that is not UTF-8.
fn first_not_utf8(array: &dyn Array) -> Option<usize> {
    let bytes = arrow_cast::cast(array, &DataType::LargeBinary).ok()?;
    bytes.as_binary::<i64>().iter().position(|value| value.is_some_and(|value| std::str::from_utf8(value).is_err()))
}

/// An array of text of any kind as plain strings.
///
/// # Errors
/// [`Error::Arrow`] when the array cannot be cast, or bytes are not UTF-8.
pub(crate) fn strings(array: &dyn Array) -> Result<Cow<'_, StringArray>, Error> {
    match array.as_string_opt::<i32>() {
        Some(strings) => Ok(Cow::Borrowed(strings)),
        None => {
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            let strings = arrow_cast::cast_with_options(array, &DataType::Utf8, &strict)?;
            Ok(Cow::Owned(strings.as_string::<i32>().clone()))
        }
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
    use arrow_array::{
        ArrayRef, BinaryArray, DictionaryArray, Int64Array, LargeBinaryArray, LargeStringArray, NullArray,
        StringViewArray,
    };

    #[test]
    fn every_kind_of_text_reads_the_same() {
        let rows = [Some("a"), None, Some("")];
        let bytes = rows.map(|row| row.map(str::as_bytes)).to_vec();
        let kinds: [ArrayRef; 6] = [
            Arc::new(StringArray::from(rows.to_vec())),
            Arc::new(LargeStringArray::from(rows.to_vec())),
            Arc::new(StringViewArray::from(rows.to_vec())),
            Arc::new(rows.into_iter().collect::<DictionaryArray<Int8Type>>()),
            Arc::new(BinaryArray::from(bytes.clone())),
            Arc::new(LargeBinaryArray::from(bytes)),
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
    fn bytes_that_are_not_utf8_are_an_error() {
        let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"a"[..]), None, Some(b"caf\xe9")]));
        let batch = RecordBatch::try_from_iter_with_nullable([("text", bytes, true)]).unwrap();
        assert_eq!(read(&batch, "text").unwrap_err().to_string(), "row 2: column `text` is not valid UTF-8");
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
