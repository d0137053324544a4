//! Files whose columns differ, as one table: columns are matched by name, and what a file lacks is null in its rows.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};

use super::changed;
use crate::EngineError;
use crate::location::InputFile;

/// The columns of all files together, in the order of their first appearance, and then those of their partitions.
///
/// # Errors
/// When columns of one name have different types.
pub(super) fn common_schema(files: &[(&InputFile, &SchemaRef)]) -> Result<SchemaRef, EngineError> {
    let Some(((first, schema), others)) = files.split_first() else { return Err(EngineError::NoInput) };
    let mut fields: Vec<FieldRef> = schema.fields().to_vec();
    let mut found_in: Vec<&InputFile> = vec![first; fields.len()];
    for (file, schema) in others {
        for field in schema.fields() {
            let Some(at) = fields.iter().position(|known| known.name() == field.name()) else {
                fields.push(Arc::new(field.as_ref().clone().with_nullable(true)));
                found_in.push(file);
                continue;
            };
            if fields[at].data_type() != field.data_type() {
                return Err(EngineError::ColumnsDiffer {
                    first: found_in[at].location.to_string(),
                    other: file.location.to_string(),
                    difference: format!(
                        "{:?} is {} in the first and {} in the second",
                        field.name(),
                        fields[at].data_type(),
                        field.data_type()
                    ),
                });
            }
            if field.is_nullable() && !fields[at].is_nullable() {
                fields[at] = Arc::new(fields[at].as_ref().clone().with_nullable(true));
            }
        }
        for field in fields.iter_mut().filter(|field| !field.is_nullable()) {
            if schema.field_with_name(field.name()).is_err() {
                *field = Arc::new(field.as_ref().clone().with_nullable(true));
            }
        }
    }
    for (name, _) in files.iter().flat_map(|(file, _)| &file.partitions) {
        if !fields.iter().any(|field| field.name() == name) {
            let values: Vec<&str> = files.iter().filter_map(|(file, _)| partition(file, name)).collect();
            fields.push(Arc::new(Field::new(name, partition_type(&values), true)));
        }
    }
    Ok(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}

/// The columns of `common` that are in other files only, for a person to read.
pub(super) fn lacking(file: &InputFile, own: &SchemaRef, common: &SchemaRef) -> Vec<String> {
    let lacks = |field: &&FieldRef| {
        own.field_with_name(field.name()).is_err() && !file.partitions.iter().any(|(name, _)| name == field.name())
    };
    common.fields().iter().filter(lacks).map(|field| format!("no column `{}` (null)", field.name())).collect()
}

/// The value of a file's partition.
fn partition<'a>(file: &'a InputFile, name: &str) -> Option<&'a str> {
    file.partitions.iter().find(|(key, _)| key == name)?.1.as_deref()
}

/// What all values of a partition are: whole numbers, dates or texts.
fn partition_type(values: &[&str]) -> DataType {
    let is_whole = |value: &&str| value.parse::<i64>().is_ok_and(|number| number.to_string() == **value);
    if !values.is_empty() && values.iter().all(is_whole) {
        DataType::Int64
    } else if !values.is_empty() && values.iter().all(|value| days(value).is_some()) {
        DataType::Date32
    } else {
        DataType::Utf8
    }
}

/// The days since 1970 of a date such as `2024-01-31`.
fn days(value: &str) -> Option<i32> {
    if value.len() != 10 {
        return None;
    }
    let text: ArrayRef = Arc::new(StringArray::from(vec![value]));
    let dates = cast(&text, &DataType::Date32).ok()?;
    let dates = dates.as_any().downcast_ref::<Date32Array>()?;
    dates.iter().next().flatten()
}

/// How the columns of one file become those of all.
pub(super) struct Alignment {
    path: String,
    schema: SchemaRef,
    columns: Vec<Column>,
}

enum Column {
    /// The file's own column of this place.
    Own(usize),
    /// The value of its partition.
    Number(i64),
    Date(i32),
    Text(String),
    Null,
}

impl Alignment {
    /// Of a file with the columns `own`.
    pub(super) fn new(file: &InputFile, own: &SchemaRef, schema: &SchemaRef) -> Self {
        let column = |field: &FieldRef| match (own.index_of(field.name()), partition(file, field.name())) {
            (Ok(index), _) => Column::Own(index),
            (Err(_), Some(value)) => match field.data_type() {
                DataType::Int64 => value.parse().map_or(Column::Null, Column::Number),
                DataType::Date32 => days(value).map_or(Column::Null, Column::Date),
                _ => Column::Text(value.to_owned()),
            },
            (Err(_), None) => Column::Null,
        };
        let columns = schema.fields().iter().map(column).collect();
        Self { path: file.location.to_string(), schema: Arc::clone(schema), columns }
    }

    /// A batch of the file as one of the table. A file that changed since it was looked at is found here.
    pub(super) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, EngineError> {
        let rows = batch.num_rows();
        let column = |(column, field): (&Column, &FieldRef)| match column {
            Column::Own(index) => batch.columns().get(*index).cloned(),
            Column::Number(number) => Some(Arc::new(Int64Array::from(vec![*number; rows])) as ArrayRef),
            Column::Date(days) => Some(Arc::new(Date32Array::from(vec![*days; rows])) as ArrayRef),
            Column::Text(text) => Some(Arc::new(StringArray::from(vec![text.as_str(); rows])) as ArrayRef),
            Column::Null => Some(new_null_array(field.data_type(), rows)),
        };
        let columns = self.columns.iter().zip(self.schema.fields()).map(column).collect::<Option<Vec<_>>>();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        columns
            .ok_or_else(|| arrow_schema::ArrowError::SchemaError("a column is missing".to_owned()))
            .and_then(|columns| RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options))
            .map_err(|error| changed(&self.path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_have_the_type_of_all_their_values() {
        assert_eq!(partition_type(&["2024", "-7"]), DataType::Int64);
        assert_eq!(partition_type(&["2024", "007"]), DataType::Utf8);
        assert_eq!(partition_type(&["2024-01-31", "1969-12-31"]), DataType::Date32);
        assert_eq!(partition_type(&["2024-01-31", "2024-13-01"]), DataType::Utf8);
        assert_eq!(partition_type(&[]), DataType::Utf8);
        assert_eq!((days("1970-01-02"), days("1969-12-31"), days("2024")), (Some(1), Some(-1), None));
    }
}
