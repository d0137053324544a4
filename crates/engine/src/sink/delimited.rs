//! CSV and TSV cells from Arrow columns.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, StringArray, StringViewArray};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_json::EncoderOptions;
use arrow_json::writer::{NullableEncoder, make_encoder};
use arrow_schema::ArrowError;
use arrow_schema::{DataType, FieldRef, Schema};

/// Appends the header line.
pub(super) fn header(buffer: &mut Vec<u8>, delimiter: u8, schema: &Schema) -> Result<(), ArrowError> {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(buffer);
    writer.write_record(schema.fields().iter().map(|field| field.name())).map_err(from_csv)?;
    writer.flush().map_err(ArrowError::from)
}

/// Appends a line for every row: null is an empty cell, a list, struct or map is JSON text.
///
/// # Errors
/// When a column has a type without a text form.
pub(super) fn rows(buffer: &mut Vec<u8>, delimiter: u8, batch: &RecordBatch) -> Result<(), ArrowError> {
    let formats = FormatOptions::default();
    let options = EncoderOptions::default().with_explicit_nulls(true);
    let schema = batch.schema_ref();
    let mut columns = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, array)| Column::new(field, array, &formats, &options))
        .collect::<Result<Vec<_>, _>>()?;
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(buffer);
    let mut cell = Vec::new();
    for row in 0..batch.num_rows() {
        for (column, array) in columns.iter_mut().zip(batch.columns()) {
            if array.is_null(row) {
                writer.write_field([]).map_err(from_csv)?;
            } else {
                writer.write_field(column.cell(row, &mut cell)?).map_err(from_csv)?;
            }
        }
        writer.write_record(None::<&[u8]>).map_err(from_csv)?;
    }
    writer.flush().map_err(ArrowError::from)
}

/// A column by the way its cells are made.
enum Column<'a> {
    Text(&'a StringArray),
    View(&'a StringViewArray),
    Plain(ArrayFormatter<'a>),
    Json(NullableEncoder<'a>),
}

impl<'a> Column<'a> {
    fn new(
        field: &'a FieldRef,
        array: &'a dyn Array,
        formats: &FormatOptions<'a>,
        options: &'a EncoderOptions,
    ) -> Result<Self, ArrowError> {
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Utf8View => Self::View(array.as_string_view()),
            kind if kind.is_nested() => Self::Json(make_encoder(field, array, options)?),
            _ => Self::Plain(ArrayFormatter::try_new(array, formats)?),
        })
    }

    /// The cell of a row that is not null, in `buffer` if it has to be made.
    fn cell<'b>(&'b mut self, row: usize, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], ArrowError> {
        buffer.clear();
        match self {
            Self::Text(texts) => return Ok(texts.value(row).as_bytes()),
            Self::View(texts) => return Ok(texts.value(row).as_bytes()),
            Self::Plain(values) => {
                let mut text = String::new();
                values.value(row).write(&mut text)?;
                *buffer = text.into_bytes();
            }
            Self::Json(values) => values.encode(row, buffer),
        }
        Ok(buffer)
    }
}

fn from_csv(error: csv::Error) -> ArrowError {
    ArrowError::CsvError(error.to_string())
}
