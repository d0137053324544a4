//! Structs without fields, for which Parquet has no form, as the JSON text `{}`.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, LargeListArray, ListArray, RecordBatch, RecordBatchOptions, StringArray, StructArray,
};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef};

/// The schema with texts in their place; nothing if there are none.
pub(super) fn schema_without(schema: &Schema) -> Option<SchemaRef> {
    if !schema.fields().iter().any(|field| has_one(field.data_type())) {
        return None;
    }
    let fields = schema.fields().iter().map(field_without).collect::<Vec<_>>();
    Some(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
}

/// The batch with the columns of [`schema_without`].
pub(super) fn batch_without(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(array_without).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

/// Whether a type is such a struct or holds one.
fn has_one(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(fields) => fields.is_empty() || fields.iter().any(|field| has_one(field.data_type())),
        DataType::List(item) | DataType::LargeList(item) => has_one(item.data_type()),
        _ => false,
    }
}

fn field_without(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Struct(fields) if fields.is_empty() => DataType::Utf8,
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field_without).collect()),
        DataType::List(item) => DataType::List(field_without(item)),
        DataType::LargeList(item) => DataType::LargeList(field_without(item)),
        other => other.clone(),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}

fn array_without(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if !has_one(array.data_type()) {
        return Ok(Arc::clone(array));
    }
    Ok(match array.data_type() {
        DataType::Struct(fields) if fields.is_empty() => {
            Arc::new((0..array.len()).map(|row| array.is_valid(row).then_some("{}")).collect::<StringArray>())
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().map(array_without).collect::<Result<Vec<_>, _>>()?;
            let fields = fields.iter().map(field_without).collect();
            Arc::new(StructArray::try_new(fields, columns, array.nulls().cloned())?)
        }
        DataType::List(item) => {
            let list = array.as_list::<i32>();
            let values = array_without(list.values())?;
            Arc::new(ListArray::try_new(field_without(item), list.offsets().clone(), values, list.nulls().cloned())?)
        }
        DataType::LargeList(item) => {
            let list = array.as_list::<i64>();
            let values = array_without(list.values())?;
            Arc::new(LargeListArray::try_new(
                field_without(item),
                list.offsets().clone(),
                values,
                list.nulls().cloned(),
            )?)
        }
        _ => Arc::clone(array),
    })
}
