//! Rows between Java and Rust: columns in the layout of Arrow's buffers, one behind the other.
//!
//! A column is, by its type, with `n` values:
//!
//! | type | bytes |
//! | --- | --- |
//! | any | 1 and a bitmap of the values that are there, or 0 if all are; then |
//! | text | `n + 1` offsets of 32 bits, the bytes of all texts |
//! | number | its bytes, little-endian |
//! | list | `n + 1` offsets of 32 bits, the column of all elements |
//! | map | `n + 1` offsets of 32 bits, the columns of all keys and all values |
//! | struct | the columns of its parts |
//!
//! What comes from Java is checked as data from anywhere: sizes, offsets, UTF-8, nulls.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, make_array};
use arrow_buffer::{Buffer, OffsetBuffer};
use arrow_data::{ArrayData, ArrayDataBuilder};
use arrow_schema::{DataType, SchemaRef};

use crate::failure::Failure;
use crate::message::{Reader, Writer};

const INVALID: Failure = Failure::Malformed("the values of a column");

/// A batch: the number of its rows and its columns.
pub(crate) fn read(message: &mut Reader<'_>, schema: &SchemaRef) -> Result<RecordBatch, Failure> {
    let rows = message.count()?;
    let columns = schema.fields().iter().map(|field| Ok(make_array(column(message, field.data_type(), rows)?)));
    let columns = columns.collect::<Result<Vec<_>, Failure>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(|_| INVALID)
}

fn column(message: &mut Reader<'_>, kind: &DataType, count: usize) -> Result<ArrayData, Failure> {
    let validity = match message.byte()? {
        0 => None,
        _ => Some(Buffer::from(message.bytes(count.div_ceil(8))?)),
    };
    let data = ArrayDataBuilder::new(kind.clone()).len(count);
    let data = match kind {
        DataType::Null => data,
        DataType::Utf8 => {
            let (offsets, end) = offsets(message, count)?;
            data.add_buffer(offsets).add_buffer(Buffer::from(message.bytes(end)?))
        }
        DataType::List(element) => {
            let (offsets, end) = offsets(message, count)?;
            data.add_buffer(offsets).add_child_data(column(message, element.data_type(), end)?)
        }
        DataType::Map(entries, _) => {
            let (offsets, end) = offsets(message, count)?;
            let parts = parts(message, entries.data_type(), end)?;
            let entries = ArrayDataBuilder::new(entries.data_type().clone()).len(end).child_data(parts);
            data.add_buffer(offsets).add_child_data(entries.build().map_err(|_| INVALID)?)
        }
        DataType::Struct(_) => data.child_data(parts(message, kind, count)?),
        other => {
            let width = other.primitive_width().ok_or(INVALID)?;
            data.add_buffer(Buffer::from(message.bytes(count.checked_mul(width).ok_or(INVALID)?)?))
        }
    };
    data.null_bit_buffer(validity.filter(|_| *kind != DataType::Null)).build().map_err(|_| INVALID)
}

fn parts(message: &mut Reader<'_>, kind: &DataType, count: usize) -> Result<Vec<ArrayData>, Failure> {
    let DataType::Struct(fields) = kind else { return Err(INVALID) };
    fields.iter().map(|field| column(message, field.data_type(), count)).collect()
}

/// The offsets of `count` values, and the last of them.
fn offsets(message: &mut Reader<'_>, count: usize) -> Result<(Buffer, usize), Failure> {
    let bytes = message.bytes(count.checked_add(1).and_then(|count| count.checked_mul(4)).ok_or(INVALID)?)?;
    let last = bytes.last_chunk().map_or(0, |last| i32::from_le_bytes(*last));
    Ok((Buffer::from(bytes), usize::try_from(last).map_err(|_| INVALID)?))
}

/// About how many bytes [`write`] takes for a column.
pub(crate) fn size(array: &ArrayRef) -> usize {
    array.to_data().get_slice_memory_size().unwrap_or_default()
}

/// Writes a column; of the types that stages write.
///
/// # Errors
/// For any other type.
pub(crate) fn write(message: &mut Writer, array: &ArrayRef) -> Result<(), Failure> {
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => message.byte(0),
        Some(nulls) => {
            message.byte(1);
            message.bytes(nulls.inner().sliced().as_slice());
        }
    }
    match array.data_type() {
        DataType::Utf8 => {
            let texts = array.as_string::<i32>();
            let (first, last) = write_offsets(message, texts.offsets());
            message.bytes(&texts.value_data()[first..last]);
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let (first, last) = write_offsets(message, list.offsets());
            write(message, &list.values().slice(first, last - first))?;
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let (first, last) = write_offsets(message, map.offsets());
            for part in [map.keys(), map.values()] {
                write(message, &part.slice(first, last - first))?;
            }
        }
        DataType::Struct(_) => array.as_struct().columns().iter().try_for_each(|part| write(message, part))?,
        DataType::Int32 => array.as_primitive::<Int32Type>().values().iter().for_each(|&value| message.int(value)),
        DataType::Float32 => {
            array.as_primitive::<Float32Type>().values().iter().for_each(|&value| message.float(value))
        }
        _ => return Err(Failure::Malformed("a column of a type that no stage writes")),
    }
    Ok(())
}

/// Writes offsets as those of values that begin at 0; where the values begin and end.
fn write_offsets(message: &mut Writer, offsets: &OffsetBuffer<i32>) -> (usize, usize) {
    let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
    offsets.iter().for_each(|offset| message.int(offset - first));
    (first as usize, last as usize)
}
