//! The labels of a table: a column of text, numbers or booleans.

mod class_names;
mod labeled_columns;
mod probabilities;
mod scores;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, StringArray};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, FieldRef, Schema};

pub use self::class_names::class_names;
pub use self::labeled_columns::LabeledColumns;
pub use self::probabilities::Probabilities;
pub use self::scores::{Scores, scores};
use crate::Error;

/// Checks that the column is there, once, and that its values are labels: text, numbers or booleans.
///
/// # Errors
/// [`Error::MissingColumn`], [`Error::SeveralColumns`], [`Error::NotLabels`].
pub fn require(schema: &Schema, column: &str) -> Result<(), Error> {
    let mut found = schema.fields().iter().filter(|field| field.name() == column);
    match (found.next(), found.next()) {
        (Some(field), None) if is_label(field.data_type()) => Ok(()),
        (Some(field), None) => {
            Err(Error::NotLabels { column: column.to_owned(), found: field.data_type().to_string() })
        }
        (Some(_), Some(_)) => Err(Error::SeveralColumns { column: column.to_owned() }),
        (None, _) => Err(Error::MissingColumn {
            column: column.to_owned(),
            columns: schema.fields().iter().map(|field| field.name().clone()).collect(),
        }),
    }
}

/// Checks that the column is there, once, and that its values are labels, or lists of labels.
///
/// # Errors
/// As [`require`].
pub fn require_several(schema: &Schema, column: &str) -> Result<(), Error> {
    let is_list = |field: &FieldRef| field.name() == column && list_of(field.data_type()).is_some_and(is_label);
    if schema.fields().iter().filter(|field| field.name() == column).count() == 1 && schema.fields().iter().any(is_list)
    {
        return Ok(());
    }
    require(schema, column)
}

/// The labels of a column as [`read`] gives them; a list of labels is the text of a JSON list.
///
/// # Errors
/// [`Error::Arrow`] for a column that [`require_several`] refuses.
pub fn read_several(column: &ArrayRef) -> Result<StringArray, Error> {
    let Some(kind) = list_of(column.data_type()) else { return read(column) };
    let lists = cast(column, &DataType::List(Arc::new(Field::new("item", kind.clone(), true))))?;
    let rows = lists.as_list::<i32>().iter().map(|list| {
        let Some(list) = list else { return Ok(None) };
        let labels = read(&list)?;
        let labels: Vec<&str> = labels.iter().flatten().collect();
        Ok(Some(serde_json::json!(labels).to_string()))
    });
    Ok(rows.collect::<Result<Vec<_>, Error>>()?.into_iter().collect())
}

/// What a list is of.
fn list_of(kind: &DataType) -> Option<&DataType> {
    match kind {
        DataType::List(field) | DataType::LargeList(field) => Some(field.data_type()),
        _ => None,
    }
}

fn is_label(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Boolean | DataType::Null => true,
        DataType::Dictionary(_, values) => is_label(values),
        kind => kind.is_numeric(),
    }
}

/// The labels of a column as text, trimmed; whole numbers without a fraction, whatever the type of the column. What is
/// not a number in a column of numbers is missing.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::Float64Array;
///
/// let labels = albertine::labels::read(&(Arc::new(Float64Array::from(vec![Some(1.0), None])) as _))?;
/// assert_eq!(labels.iter().collect::<Vec<_>>(), [Some("1"), None]);
/// # Ok::<(), albertine::Error>(())
/// ```
///
/// # Errors
/// [`Error::Arrow`] for a column that [`require`] refuses.
pub fn read(column: &ArrayRef) -> Result<StringArray, Error> {
    let kind = match column.data_type() {
        DataType::Dictionary(_, values) => values,
        kind => kind,
    };
    if kind.is_floating() || matches!(kind, DataType::Decimal128(..) | DataType::Decimal256(..)) {
        let numbers = cast(column, &DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>().iter();
        let labels = numbers.map(|number| number.filter(|number| !number.is_nan()).map(|number| number.to_string()));
        return Ok(labels.collect());
    }
    let labels = cast(column, &DataType::Utf8)?;
    Ok(labels.as_string::<i32>().iter().map(|label| label.map(str::trim)).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow_array::builder::{ListBuilder, StringBuilder};
    use arrow_array::types::Int8Type;
    use arrow_array::{BooleanArray, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int8Array};

    #[test]
    fn whole_numbers_are_the_same_labels_in_columns_of_any_type() {
        let decimals = Decimal128Array::from(vec![Some(100), None]).with_precision_and_scale(5, 2).unwrap();
        let categories = Int8Array::from(vec![Some(0), None]);
        let floats = DictionaryArray::<Int8Type>::new(categories.clone(), Arc::new(Float64Array::from(vec![1.0])));
        let integers = DictionaryArray::<Int8Type>::new(categories, Arc::new(Int8Array::from(vec![1])));
        let columns: [ArrayRef; 6] = [
            Arc::new(Int8Array::from(vec![Some(1), None])),
            Arc::new(Float32Array::from(vec![Some(1.0), None])),
            Arc::new(Float64Array::from(vec![1.0, f64::NAN])),
            Arc::new(decimals),
            Arc::new(floats),
            Arc::new(integers),
        ];
        for column in columns {
            assert!(is_label(column.data_type()));
            assert_eq!(read(&column).unwrap().iter().collect::<Vec<_>>(), [Some("1"), None], "{}", column.data_type());
        }
        let booleans: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
        assert_eq!(read(&booleans).unwrap().value(0), "true");
        assert!(!is_label(&DataType::Binary) && !is_label(&DataType::Date32));
    }

    #[test]
    fn a_list_of_labels_is_a_json_list() {
        let mut builder = ListBuilder::new(StringBuilder::new());
        builder.append_value([Some("a"), Some("b, c")]);
        builder.append_value([None::<&str>; 0]);
        builder.append_null();
        let column: ArrayRef = Arc::new(builder.finish());
        let schema = Schema::new(vec![Field::new("label", column.data_type().clone(), true)]);
        assert!(require_several(&schema, "label").is_ok() && require(&schema, "label").is_err());
        let labels = read_several(&column).unwrap();
        assert_eq!(labels.iter().collect::<Vec<_>>(), [Some(r#"["a","b, c"]"#), Some("[]"), None]);
    }

    #[test]
    fn a_column_of_labels_is_there_once_and_of_the_right_type() {
        let field = |name: &str, kind: DataType| Field::new(name, kind, true);
        let schema = Schema::new(vec![
            field("label", DataType::Utf8),
            field("day", DataType::Date32),
            field("twice", DataType::Utf8),
            field("twice", DataType::Utf8),
        ]);
        assert!(require(&schema, "label").is_ok());
        assert!(matches!(require(&schema, "day"), Err(Error::NotLabels { .. })));
        assert!(matches!(require(&schema, "twice"), Err(Error::SeveralColumns { .. })));
        assert!(matches!(require(&schema, "topic"), Err(Error::MissingColumn { .. })));
    }
}
