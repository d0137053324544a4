//! 128-bit integers, which polars writes to Parquet and Arrow does not have, as texts of their digits.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, FixedSizeBinaryArray, RecordBatch, StringArray};
use arrow_ipc::root_as_message;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use parquet::file::metadata::ParquetMetaData;

/// The key under which writers put the schema that a table had in Arrow.
const SCHEMA: &str = "ARROW:schema";

/// The columns of 128-bit integers of a file, and its columns with texts in their place.
pub(super) struct Int128Columns {
    /// Places, and whether the integers are signed.
    columns: Vec<(usize, bool)>,
    schema: SchemaRef,
}

impl Int128Columns {
    /// Those of a file that is read with `schema`, in which they are bytes; nothing if there are none.
    pub(super) fn find(metadata: &ParquetMetaData, schema: &SchemaRef) -> Option<Self> {
        let written = metadata.file_metadata().key_value_metadata()?.iter().find(|pair| pair.key == SCHEMA)?;
        let message = BASE64_STANDARD.decode(written.value.as_ref()?).ok()?;
        // A marker and the length come first (https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format).
        let message = message.strip_prefix(&[0xff; 4]).and_then(|rest| rest.get(4..)).unwrap_or(&message);
        let message = root_as_message(message).ok()?;
        let mut columns = Vec::new();
        for field in message.header_as_schema()?.fields()? {
            let Some(integer) = field.type_as_int().filter(|integer| integer.bitWidth() == 128) else { continue };
            let Ok(index) = schema.index_of(field.name()?) else { continue };
            if *schema.field(index).data_type() == DataType::FixedSizeBinary(16) {
                columns.push((index, integer.is_signed()));
            }
        }
        if columns.is_empty() {
            return None;
        }
        let mut fields: Vec<FieldRef> = schema.fields().to_vec();
        for (index, _) in &columns {
            fields[*index] = Arc::new(Field::clone(&fields[*index]).with_data_type(DataType::Utf8));
        }
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        Some(Self { columns, schema })
    }

    /// The columns with texts.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What a person should know.
    pub(super) fn notes(&self) -> Vec<String> {
        let note = |(index, _): &(usize, bool)| {
            format!("column `{}` read as text (128-bit integers)", self.schema.field(*index).name())
        };
        self.columns.iter().map(note).collect()
    }

    /// A batch of the file with texts.
    pub(super) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let mut columns = batch.columns().to_vec();
        for (index, signed) in &self.columns {
            columns[*index] = digits(columns[*index].as_fixed_size_binary(), *signed);
        }
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }
}

fn digits(integers: &FixedSizeBinaryArray, signed: bool) -> ArrayRef {
    let digits = integers.iter().map(|bytes| {
        let bytes: [u8; 16] = bytes?.try_into().ok()?;
        Some(if signed { i128::from_le_bytes(bytes).to_string() } else { u128::from_le_bytes(bytes).to_string() })
    });
    Arc::new(digits.collect::<StringArray>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn integers_keep_their_digits() {
        let values = [Some(1_i128 << 70), Some(-5), None, Some(i128::MIN)];
        let bytes = values.iter().map(|value| value.map(i128::to_le_bytes));
        let array = FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 16).unwrap();
        let texts = digits(&array, true);
        let expected = values.map(|value| value.map(|value| value.to_string()));
        assert_eq!(texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>(), expected);
        assert_eq!(digits(&array, false).as_string::<i32>().value(1), (u128::MAX - 4).to_string());
    }
}
