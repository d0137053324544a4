//! Types of Parquet files that Arrow or its libraries do not take as they are meant.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StructArray, TimestampMicrosecondArray};
use arrow_schema::DataType;
use common::{Folder, cells, copy, names, open, read};
use parquet::arrow::ArrowWriter;

/// A zone that no table of zones has must not stop a run, whoever reads the column.
#[test]
fn a_time_zone_that_is_not_known_is_read_as_utc() {
    for zone in ["Mars/Olympus", "Etc/Nowhere", "+25:99"] {
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0, 1_500_000]).with_timezone(zone));
        let known: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0, 1]).with_timezone("Europe/Berlin"));
        let nested = Arc::new(arrow_schema::Field::new("at", times.data_type().clone(), true));
        let nested: ArrayRef = Arc::new(StructArray::from(vec![(nested, Arc::clone(&times))]));
        let columns = [("ts", times), ("known", known), ("nested", nested)];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        let folder = Folder::new();
        let input = folder.write("a.parquet", writer.into_inner().unwrap());
        let note = format!("{input}: time zone `{zone}` is unknown, read as UTC");
        assert_eq!(open(&input).unwrap().notes(), [note]);
        let utc = |data_type: &DataType| matches!(data_type, DataType::Timestamp(_, Some(zone)) if **zone == *"UTC");
        let found = read(&input).unwrap();
        assert!(utc(found.schema().field(0).data_type()));
        assert_eq!(found.schema().field(1).data_type(), batch.schema().field(1).data_type(), "a known one stays");
        assert_eq!(cells(&found)[1][0], "1970-01-01T00:00:01.500Z");
        for output in ["b.jsonl", "b.csv", "b.parquet"] {
            copy(&input, &folder.at(output)).unwrap();
        }
        assert!(folder.text("b.jsonl").contains("\"nested\":{\"at\":\"1970-01-01T00:00:01.500Z\"}"));
    }
}

/// 128-bit integers, which polars writes and whose Arrow type makes the library panic, keep their digits.
#[test]
fn integers_of_128_bits_are_texts_of_their_digits() {
    use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
    use parquet::file::metadata::KeyValue;
    use parquet::file::properties::WriterProperties;

    // `ARROW:schema` as polars writes it for `DataFrame({"text": ["a"], "o": Series([1], dtype=Int128)})`.
    let schema = "/////6UAAAAEAAAA8v///xQAAAAEAAEAAAAKAAsACAAKAAQA+P///wwAAAAIAAgAAAAEAAIAAAA8AAAABAAAALj///8oAAAAEAAA\
        AAgAAAABAgAAAAAAAPT///+AAAAAAQAAAAgACQAEAAgAAQAAAG8AAADs////LAAAACAAAAAYAAAAARQAABAAEgAEABAAEQAIAAAA\
        DAAAAAAA/P///wQABAAEAAAAdGV4dAA=";
    let text = arrow_array::StringArray::from(vec!["Oil"]);
    let stored = arrow_array::FixedSizeBinaryArray::try_from_iter(std::iter::once([1_u8; 16])).unwrap();
    let columns =
        [("text", std::sync::Arc::new(text) as arrow_array::ArrayRef), ("o", std::sync::Arc::new(stored) as _)];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap();
    let metadata = vec![KeyValue::new("ARROW:schema".to_owned(), schema.to_owned())];
    let properties = WriterProperties::builder().set_key_value_metadata(Some(metadata)).build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    let folder = Folder::new();
    let batch = read(&folder.write("a.parquet", writer.into_inner().unwrap())).unwrap();
    assert_eq!(names(&batch), ["text", "o"]);
    assert_eq!(cells(&batch), [["Oil", &i128::from_le_bytes([1; 16]).to_string()]]);
}
