//! The types of the columns of CSV files, for queries.
//!
//! The files are looked at here, and not by DataFusion, because the reader that it looks with takes a backslash before a
//! quotation mark for an escape. CSV has no such escape, and news texts have many such backslashes.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::csv::reader::Format as CsvReader;
use arrow::datatypes::{DataType, Field, Schema};

use super::tables::INFER_ROWS;
use crate::EngineError;
use crate::error::clause;
use crate::location::InputFile;
use crate::source::Text;

/// The columns of `files`, which must have the same names in the same order; a column that is of another type in another
/// file has the type that holds both.
///
/// # Errors
/// When a file cannot be read as CSV, or the names of its columns differ from those of the first.
pub(super) fn infer(files: &[InputFile], delimiter: u8) -> Result<Schema, EngineError> {
    let mut found: Option<(String, Schema)> = None;
    for file in files {
        let path = file.location.to_string();
        let schema = of_file(file, &path, delimiter)?;
        found = Some(match found {
            None => (path, schema),
            Some((first, merged)) => {
                let names =
                    |schema: &Schema| schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
                if names(&merged) != names(&schema) {
                    let difference = format!("{} and {}", names(&merged).join(", "), names(&schema).join(", "));
                    return Err(EngineError::ColumnsDiffer { first, other: path, difference });
                }
                (first, merge(&merged, &schema))
            }
        });
    }
    Ok(found.map_or_else(Schema::empty, |(_, schema)| schema))
}

fn of_file(file: &InputFile, path: &str, delimiter: u8) -> Result<Schema, EngineError> {
    let text = Text::open(file, &Arc::new(AtomicU64::new(0)))?;
    let reader = CsvReader::default().with_header(true).with_delimiter(delimiter);
    let (schema, _) = reader.infer_schema(text, Some(INFER_ROWS)).map_err(|error| EngineError::Sql {
        reason: format!("{path} cannot be read: {}", clause(&error.to_string())),
    })?;
    Ok(schema)
}

fn merge(one: &Schema, other: &Schema) -> Schema {
    let pairs = one.fields().iter().zip(other.fields());
    Schema::new(pairs.map(|(a, b)| Field::new(a.name(), wider(a.data_type(), b.data_type()), true)).collect::<Vec<_>>())
}

/// The type that holds the cells of both; text holds everything.
fn wider(one: &DataType, other: &DataType) -> DataType {
    match (one, other) {
        (a, b) if a == b => a.clone(),
        (DataType::Null, known) | (known, DataType::Null) => known.clone(),
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64) => DataType::Float64,
        _ => DataType::Utf8,
    }
}
