//! Files whose columns differ, as one table: columns are matched by name, and what a file lacks is null in its rows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Date32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};

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
            if let Some(wider) = wider(fields[at].data_type(), field.data_type()) {
                fields[at] = Arc::new(fields[at].as_ref().clone().with_data_type(wider));
            } else {
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

/// The type that holds the values of both, as writers of one table's parts choose them: texts, whole numbers of any
/// width, times of any unit, and columns without a value. Nothing if there is none.
fn wider(one: &DataType, two: &DataType) -> Option<DataType> {
    let is_text = |data_type: &DataType| match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => {
            matches!(**values, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        }
        _ => false,
    };
    match (one, two) {
        (one, two) if one == two => Some(one.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        (one, two) if is_text(one) && is_text(two) => Some(DataType::LargeUtf8),
        (one, two) if one.is_signed_integer() && two.is_signed_integer() => Some(DataType::Int64),
        (one, two) if one.is_unsigned_integer() && two.is_unsigned_integer() => Some(DataType::UInt64),
        (DataType::Float32 | DataType::Float64, DataType::Float32 | DataType::Float64) => Some(DataType::Float64),
        // Nanoseconds hold no year beyond 2262, and what is less loses digits.
        (DataType::Timestamp(unit, zone), DataType::Timestamp(other_unit, other))
            if zone == other && ![unit, other_unit].contains(&&TimeUnit::Nanosecond) =>
        {
            Some(DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))
        }
        _ => None,
    }
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
    /// The rows so far.
    rows: u64,
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
        Self { path: file.location.to_string(), schema: Arc::clone(schema), columns, rows: 0 }
    }

    /// A batch of the file as one of the table. A file that changed since it was looked at is found here.
    pub(super) fn apply(&mut self, batch: &RecordBatch) -> Result<RecordBatch, EngineError> {
        let rows = batch.num_rows();
        let first = self.rows;
        self.rows += rows as u64;
        self.check_texts(batch, first)?;
        let column = |(column, field): (&Column, &FieldRef)| match column {
            Column::Own(index) => match batch.columns().get(*index) {
                Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
                Some(column) => cast(column, field.data_type()),
                None => Err(ArrowError::SchemaError("a column is missing".to_owned())),
            },
            Column::Number(number) => Ok(Arc::new(Int64Array::from(vec![*number; rows])) as ArrayRef),
            Column::Date(days) => Ok(Arc::new(Date32Array::from(vec![*days; rows])) as ArrayRef),
            Column::Text(text) => Ok(Arc::new(StringArray::from(vec![text.as_str(); rows])) as ArrayRef),
            Column::Null => Ok(new_null_array(field.data_type(), rows)),
        };
        let columns = self.columns.iter().zip(self.schema.fields()).map(column).collect::<Result<Vec<_>, _>>();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        columns
            .and_then(|columns| RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options))
            .map_err(|error| changed(&self.path, &error))
    }
}

impl Alignment {
    /// Checks that bytes that become texts are UTF-8; `first` is the number of rows before the batch.
    fn check_texts(&self, batch: &RecordBatch, first: u64) -> Result<(), EngineError> {
        for (column, field) in self.columns.iter().zip(self.schema.fields()) {
            let Column::Own(index) = column else { continue };
            let Some(bytes) = batch.columns().get(*index).filter(|_| *field.data_type() == DataType::Utf8) else {
                continue;
            };
            if !matches!(bytes.data_type(), DataType::Binary | DataType::LargeBinary | DataType::BinaryView) {
                continue;
            }
            let bytes = cast(bytes, &DataType::LargeBinary).map_err(|error| changed(&self.path, &error))?;
            let is_wrong = |value: Option<&[u8]>| value.is_some_and(|value| std::str::from_utf8(value).is_err());
            if let Some(row) = bytes.as_binary::<i64>().iter().position(is_wrong) {
                let (path, column) = (self.path.clone(), field.name().clone());
                return Err(EngineError::BytesNotUtf8 { path, row: first + row as u64 + 1, column });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_table_may_have_types_of_one_kind() {
        let category = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        assert_eq!(wider(&DataType::Utf8, &category), Some(DataType::LargeUtf8));
        assert_eq!(wider(&DataType::Null, &DataType::Int32), Some(DataType::Int32));
        assert_eq!(wider(&DataType::Int32, &DataType::Int64), Some(DataType::Int64));
        assert_eq!(wider(&DataType::Utf8, &DataType::Int64), None);
    }

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
