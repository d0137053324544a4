//! How people name a column.

use arrow_schema::Schema;

/// The name of the column that `given` names, or numbers from 1 where there is none of that name; `given` itself where
/// there is neither, for an error that says so.
///
/// ```
/// use albertine_engine::column_name;
/// use arrow_schema::{DataType, Field, Schema};
///
/// let schema = Schema::new(vec![Field::new("id", DataType::Utf8, true), Field::new("1", DataType::Utf8, true)]);
/// assert_eq!(["id", "1", "2", "3"].map(|given| column_name(&schema, given)), ["id", "1", "1", "3"]);
/// ```
#[must_use]
pub fn column_name(schema: &Schema, given: &str) -> String {
    if schema.field_with_name(given).is_ok() {
        return given.to_owned();
    }
    let number = given.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    number.and_then(|index| schema.fields().get(index)).map_or_else(|| given.to_owned(), |field| field.name().clone())
}
