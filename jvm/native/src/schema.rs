//! Spark's schemas, in the JSON of `StructType.json`, as Arrow's, and back.

use std::sync::Arc;

use albertine::annotation::AnnotatorType;
use albertine::column::{ANNOTATOR_TYPE, annotation_field};
use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use serde_json::{Value, json};

use crate::failure::Failure;

const INVALID: Failure = Failure::Malformed("a schema");

/// The columns of a table.
pub(crate) fn read(json: &str) -> Result<Schema, Failure> {
    let schema: Value = serde_json::from_str(json).map_err(|_| INVALID)?;
    let fields = schema["fields"].as_array().ok_or(INVALID)?;
    Ok(Schema::new(fields.iter().map(column).collect::<Result<Vec<_>, _>>()?))
}

/// A column, which has annotations if its metadata names their type and its values look like them.
fn column(json: &Value) -> Result<Field, Failure> {
    let field = field(json)?;
    let kind = json["metadata"][ANNOTATOR_TYPE].as_str();
    let kind = kind.and_then(|name| AnnotatorType::ALL.into_iter().find(|kind| kind.name() == name));
    Ok(match kind {
        Some(kind) if holds_annotations(field.data_type(), kind) => annotation_field(field.name(), kind),
        _ => field,
    })
}

/// Whether the parts of a column's values are those of annotations, wherever nulls are allowed.
fn holds_annotations(kind: &DataType, annotator: AnnotatorType) -> bool {
    let expected = annotation_field("", annotator);
    let parts = |kind: &DataType| match kind {
        DataType::List(element) => match element.data_type() {
            DataType::Struct(fields) => {
                fields.iter().map(|field| (field.name().clone(), shape(field.data_type()))).collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    parts(kind) == parts(expected.data_type())
}

fn field(json: &Value) -> Result<Field, Failure> {
    let name = json["name"].as_str().ok_or(INVALID)?;
    Ok(Field::new(name, data_type(&json["type"])?, json["nullable"].as_bool().unwrap_or(true)))
}

fn data_type(json: &Value) -> Result<DataType, Failure> {
    if let Some(name) = json.as_str() {
        return Ok(plain_type(name));
    }
    Ok(match json["type"].as_str() {
        Some("array") => {
            let nullable = json["containsNull"].as_bool().unwrap_or(true);
            DataType::List(Arc::new(Field::new("element", data_type(&json["elementType"])?, nullable)))
        }
        Some("map") => {
            let nullable = json["valueContainsNull"].as_bool().unwrap_or(true);
            let entries = Fields::from(vec![
                Field::new("key", data_type(&json["keyType"])?, false),
                Field::new("value", data_type(&json["valueType"])?, nullable),
            ]);
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
        }
        Some("struct") => {
            let fields = json["fields"].as_array().ok_or(INVALID)?;
            DataType::Struct(fields.iter().map(field).collect::<Result<Fields, _>>()?)
        }
        _ => UNREADABLE,
    })
}

/// A type that no stage reads and that messages do not name: Spark's half names it before it is read.
const UNREADABLE: DataType = DataType::FixedSizeBinary(0);

fn plain_type(name: &str) -> DataType {
    // of a length or a collation
    let name = name.split(['(', ' ']).next().unwrap_or(name);
    match name {
        "void" => DataType::Null,
        "boolean" => DataType::Boolean,
        "byte" => DataType::Int8,
        "short" => DataType::Int16,
        "integer" => DataType::Int32,
        "long" => DataType::Int64,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "string" | "char" | "varchar" => DataType::Utf8,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "decimal" => DataType::Decimal128(38, 18),
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "timestamp_ntz" => DataType::Timestamp(TimeUnit::Microsecond, None),
        _ => UNREADABLE,
    }
}

/// A type in Spark's JSON; of those that stages write.
pub(crate) fn type_json(kind: &DataType) -> Value {
    match kind {
        DataType::Utf8 => "string".into(),
        DataType::Int32 => "integer".into(),
        DataType::Float32 => "float".into(),
        DataType::List(element) => json!({
            "type": "array", "elementType": type_json(element.data_type()), "containsNull": element.is_nullable(),
        }),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => json!({
                "type": "map", "keyType": type_json(fields[0].data_type()),
                "valueType": type_json(fields[1].data_type()), "valueContainsNull": fields[1].is_nullable(),
            }),
            _ => Value::Null,
        },
        DataType::Struct(fields) => json!({"type": "struct", "fields": fields.iter().map(|field| json!({
            "name": field.name(), "type": type_json(field.data_type()), "nullable": field.is_nullable(), "metadata": {},
        })).collect::<Vec<_>>()}),
        other => other.to_string().into(),
    }
}

/// A type without a word on nulls.
fn shape(kind: &DataType) -> String {
    match kind {
        DataType::List(element) => format!("list<{}>", shape(element.data_type())),
        DataType::Map(entries, _) => format!("map<{}>", shape(entries.data_type())),
        DataType::Struct(fields) => {
            let parts: Vec<_> = fields.iter().map(|field| shape(field.data_type())).collect();
            format!("struct<{}>", parts.join(", "))
        }
        other => other.to_string(),
    }
}
