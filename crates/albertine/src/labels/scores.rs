//! Scores of labels in a table: what a teacher says of each row.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, ArrayRef, Float32Array, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, FieldRef, Schema};
use serde_json::{Map, Value};

use crate::Error;

/// The column that [`Classify`](crate::Classify) writes scores into.
const SCORES: &str = "scores";

/// The scores of each row of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// The labels, in the order of the scores.
    pub labels: Vec<String>,
    /// For each row its scores; nothing where one is missing.
    pub rows: Vec<Option<Vec<f32>>>,
}

/// Reads the scores of labels: of the column `scores` that `classify --all-scores` writes, as a struct or as the text of a
/// JSON object; else of all columns of numbers, in CSV too, each named by its label.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Float32Array, RecordBatch, StringArray};
///
/// let no = Arc::new(Float32Array::from(vec![Some(0.25), None])) as _;
/// let yes = Arc::new(Float32Array::from(vec![0.75, 1.0])) as _;
/// let table = RecordBatch::try_from_iter_with_nullable([("no", no, true), ("yes", yes, true)])?;
/// let scores = albertine::labels::scores(&table)?;
/// assert_eq!((scores.labels, scores.rows), (vec!["no".to_owned(), "yes".to_owned()], vec![Some(vec![0.25, 0.75]), None]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NoScores`] when the table has none.
pub fn scores(batch: &RecordBatch) -> Result<Scores, Error> {
    let schema = batch.schema();
    let none = || Error::NoScores { columns: schema.fields().iter().map(|field| field.name().clone()).collect() };
    if let Some(column) = batch.column_by_name(SCORES) {
        return match column.data_type() {
            DataType::Struct(fields) => {
                let labels = fields.iter().map(|field| field.name().clone()).collect();
                let columns = column.as_struct().columns().to_vec();
                numbers(labels, &columns, Some(column))
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => objects(column)?.ok_or_else(none),
            _ => Err(none()),
        };
    }
    let (labels, columns) = number_columns(&schema, batch);
    if labels.is_empty() { Err(none()) } else { numbers(labels, &columns, None) }
}

fn number_columns(schema: &Schema, batch: &RecordBatch) -> (Vec<String>, Vec<ArrayRef>) {
    let numbers = |(field, column): (&FieldRef, &ArrayRef)| {
        let column = if column.data_type().is_numeric() { Some(ArrayRef::clone(column)) } else { parsed(column) };
        Some((field.name().clone(), column?))
    };
    schema.fields().iter().zip(batch.columns()).filter_map(numbers).unzip()
}

/// The numbers of a column of text, as CSV has them; nothing if it holds something else.
fn parsed(column: &ArrayRef) -> Option<ArrayRef> {
    if !matches!(column.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
        return None;
    }
    let texts = cast(column, &DataType::Utf8).ok()?;
    let number = |text: Option<&str>| match text.map(str::trim).filter(|text| !text.is_empty()) {
        None => Some(None),
        Some(text) => text.parse::<f32>().ok().map(Some),
    };
    let numbers: Option<Float32Array> = texts.as_string::<i32>().iter().map(number).collect();
    numbers.map(|numbers| Arc::new(numbers) as ArrayRef)
}

/// The scores of a column for each label; `rows` says which rows are there.
fn numbers(labels: Vec<String>, columns: &[ArrayRef], rows: Option<&ArrayRef>) -> Result<Scores, Error> {
    let columns: Vec<ArrayRef> =
        columns.iter().map(|column| cast(column, &DataType::Float32)).collect::<Result<_, _>>()?;
    let count = columns.first().map_or(0, |column| column.len());
    let row = |row: usize| {
        let is_there = rows.is_none_or(|rows| rows.is_valid(row)) && columns.iter().all(|column| column.is_valid(row));
        is_there.then(|| columns.iter().map(|column| column.as_primitive::<Float32Type>().value(row)).collect())
    };
    Ok(Scores { labels, rows: (0..count).map(row).collect() })
}

/// The scores of a column of JSON objects; nothing if one of them is no object of numbers under the same labels.
fn objects(column: &ArrayRef) -> Result<Option<Scores>, Error> {
    let column = cast(column, &DataType::Utf8)?;
    let (mut labels, mut rows) = (None, Vec::with_capacity(column.len()));
    for text in column.as_string::<i32>() {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            rows.push(None);
            continue;
        };
        let Ok(object) = serde_json::from_str::<Map<String, Value>>(text) else { return Ok(None) };
        let names: Vec<String> = object.keys().cloned().collect();
        let values: Option<Vec<f32>> = object.values().map(|value| value.as_f64().map(|value| value as f32)).collect();
        let (Some(values), true) = (values, *labels.get_or_insert_with(|| names.clone()) == names) else {
            return Ok(None);
        };
        rows.push(Some(values));
    }
    Ok(Some(Scores { labels: labels.unwrap_or_default(), rows }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow_array::{Int64Array, StringArray, StructArray};
    use arrow_schema::Field;

    use super::*;

    #[test]
    fn scores_are_those_that_classify_writes_in_any_format() {
        let values = |values: [f32; 2]| Arc::new(Float32Array::from(values.to_vec())) as ArrayRef;
        let field = |name: &str| Arc::new(Field::new(name, DataType::Float32, true));
        let records = StructArray::from(vec![(field("yes"), values([0.75, 1.0])), (field("no"), values([0.25, 0.0]))]);
        let texts = StringArray::from(vec![r#"{"yes":0.75,"no":0.25}"#, r#"{"yes":1.0,"no":0}"#]);
        let expected = |labels: [&str; 2], rows: [[f32; 2]; 2]| Scores {
            labels: labels.map(str::to_owned).to_vec(),
            rows: rows.map(|row| Some(row.to_vec())).to_vec(),
        };
        let of = |column: ArrayRef| scores(&RecordBatch::try_from_iter([("scores", column)]).unwrap()).unwrap();
        assert_eq!(of(Arc::new(records)), expected(["yes", "no"], [[0.75, 0.25], [1.0, 0.0]]));
        let found = of(Arc::new(texts));
        let at = |label: &str| found.labels.iter().position(|known| known == label).unwrap();
        assert_eq!(found.rows[0].as_ref().unwrap()[at("yes")], 0.75);
        assert_eq!(found.rows[1].as_ref().unwrap()[at("no")], 0.0);
    }

    #[test]
    fn columns_of_csv_are_numbers_where_every_cell_is_one() {
        let text = |cells: [&str; 2]| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef;
        let columns = [("text", text(["a", "b"])), ("no", text(["0.25", " 1e-3"])), ("yes", text(["0.75", ""]))];
        let found = scores(&RecordBatch::try_from_iter(columns).unwrap()).unwrap();
        assert_eq!((found.labels, found.rows), (vec!["no".into(), "yes".into()], vec![Some(vec![0.25, 0.75]), None]));
    }

    #[test]
    fn a_table_without_scores_is_told() {
        let text = Arc::new(StringArray::from(vec!["a"])) as ArrayRef;
        let of = |name: &str, column: ArrayRef| scores(&RecordBatch::try_from_iter([(name, column)]).unwrap());
        assert!(matches!(of("text", Arc::clone(&text)), Err(Error::NoScores { .. })));
        assert!(matches!(of("scores", text), Err(Error::NoScores { .. })));
        assert!(matches!(of("scores", Arc::new(Int64Array::from(vec![1]))), Err(Error::NoScores { .. })));
    }
}
