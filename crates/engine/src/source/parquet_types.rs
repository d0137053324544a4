//! The types in which the columns of a Parquet file are read, where those that Arrow takes them for would not do.
//!
//! - INT96 timestamps, which Spark and Impala write, are read in microseconds: in the nanoseconds that Arrow takes them
//!   for, 64 bits end in the year 2262 and later ones would come out as others.
//! - A time zone that is not known is read as UTC, in which all of them are stored: nothing can show its times.

use std::str::FromStr;
use std::sync::Arc;

use arrow_array::timezone::Tz;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::Type;
use parquet::schema::types::SchemaDescriptor;

/// The footer under a schema with the types above, and what was changed, for a person to read.
pub(super) fn readable(footer: ArrowReaderMetadata) -> parquet::errors::Result<(ArrowReaderMetadata, Vec<String>)> {
    let mut leaves = Leaves { stored: footer.parquet_schema(), next: 0, changed: false, unknown_zones: Vec::new() };
    let fields = leaves.fields(footer.schema().fields());
    let notes = leaves.unknown_zones.into_iter().map(|zone| format!("time zone `{zone}` is unknown, read as UTC"));
    let notes = notes.collect();
    if !leaves.changed {
        return Ok((footer, notes));
    }
    let schema = Schema::new_with_metadata(fields, footer.schema().metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    Ok((ArrowReaderMetadata::try_new(Arc::clone(footer.metadata()), options)?, notes))
}

/// The columns of a Parquet file, which are the leaves of the Arrow schema, in the same order.
struct Leaves<'a> {
    stored: &'a SchemaDescriptor,
    next: usize,
    /// Whether a type is another than Arrow's.
    changed: bool,
    unknown_zones: Vec<String>,
}

impl Leaves<'_> {
    fn fields(&mut self, fields: &Fields) -> Fields {
        fields.iter().map(|field| self.field(field)).collect()
    }

    fn field(&mut self, field: &FieldRef) -> FieldRef {
        let data_type = match field.data_type() {
            DataType::Struct(children) => DataType::Struct(self.fields(children)),
            DataType::List(child) => DataType::List(self.field(child)),
            DataType::LargeList(child) => DataType::LargeList(self.field(child)),
            DataType::FixedSizeList(child, size) => DataType::FixedSizeList(self.field(child), *size),
            DataType::ListView(child) => DataType::ListView(self.field(child)),
            DataType::LargeListView(child) => DataType::LargeListView(self.field(child)),
            DataType::Map(entries, sorted) => DataType::Map(self.field(entries), *sorted),
            leaf => self.leaf(leaf),
        };
        Arc::new(Field::clone(field).with_data_type(data_type))
    }

    fn leaf(&mut self, data_type: &DataType) -> DataType {
        let column = self.stored.columns().get(self.next);
        self.next += 1;
        match data_type {
            DataType::Timestamp(TimeUnit::Nanosecond, None)
                if column.is_some_and(|column| column.physical_type() == Type::INT96) =>
            {
                self.changed = true;
                DataType::Timestamp(TimeUnit::Microsecond, None)
            }
            DataType::Timestamp(unit, Some(zone)) if Tz::from_str(zone).is_err() => {
                self.changed = true;
                if !self.unknown_zones.iter().any(|known| **known == **zone) {
                    self.unknown_zones.push(zone.to_string());
                }
                DataType::Timestamp(*unit, Some("UTC".into()))
            }
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use parquet::data_type::Int96Type;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// The types of a file without rows, as they are read.
    fn types(message: &str) -> Vec<String> {
        let schema = Arc::new(parse_message_type(message).unwrap());
        let mut file = Vec::new();
        SerializedFileWriter::new(&mut file, schema, Arc::default()).unwrap().close().unwrap();
        let footer = ArrowReaderMetadata::load(&bytes::Bytes::from(file), ArrowReaderOptions::new()).unwrap();
        let fields = readable(footer).unwrap().0.schema().fields().clone();
        fields.iter().map(|field| field.data_type().to_string()).collect()
    }

    #[test]
    fn timestamps_are_found_wherever_they_are_nested() {
        let found = types(
            "message table {
                required int64 id;
                optional group times (LIST) { repeated group list { optional int96 element; } }
                optional group news { required binary title (UTF8); required int96 at;
                    required int64 plain (TIMESTAMP(NANOS,false)); }
                optional group by_name (MAP) { repeated group key_value { required binary key (UTF8);
                    optional int96 value; } }
                required int96 last;
            }",
        );
        assert_eq!(found[0], "Int64");
        assert!(found[1].contains("Timestamp(µs)"), "{}", found[1]);
        assert!(found[2].contains("\"at\": non-null Timestamp(µs)"), "{}", found[2]);
        assert!(found[2].contains("\"plain\": non-null Timestamp(ns)"), "{}", found[2]);
        assert!(found[3].contains("Timestamp(µs)"), "{}", found[3]);
        assert_eq!(found[4], "Timestamp(µs)");
    }

    /// One timestamp, 9999-12-31, midnight, is read as that.
    #[test]
    fn a_timestamp_keeps_its_year() {
        let schema = Arc::new(parse_message_type("message table { required int96 ts; }").unwrap());
        let mut file = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut file, schema, Arc::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let mut day = parquet::data_type::Int96::new();
        day.set_data(0, 0, 5_373_484);
        column.typed::<Int96Type>().write_batch(&[day], None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();

        let bytes = bytes::Bytes::from(file);
        let footer = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new()).unwrap();
        let (footer, _) = readable(footer).unwrap();
        let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, footer);
        let batch = builder.build().unwrap().next().unwrap().unwrap();
        let shown = arrow_cast::display::array_value_to_string(batch.column(0), 0).unwrap();
        assert_eq!(shown, "9999-12-31T00:00:00");
    }
}
