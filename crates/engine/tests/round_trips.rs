//! From format to format and back: every row, column, type and value, in order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use albertine_engine::{EngineError, Format, OnError, Sink, Source, Target};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float32Array, Float64Array, Int64Array, LargeStringArray,
    ListArray, RecordBatch, StringArray, StringViewArray, StructArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema};
use common::{Folder, cells, copy, gzip, names, open, options, read, read_all, read_bytes};

const NEWS: &str = "id,title,text\n\
    007,\"Oil, again\",\"He said \"\"no\"\"\nand left\"\n\
    008,,  spaces stay  \n\
    1e5,日本語,\u{0}nul\n";

fn write(folder: &Folder, name: &str, batch: &RecordBatch) -> String {
    let target = Target::File(folder.at(name));
    let (format, _) = Format::of_name(name).unwrap();
    let mut sink = Sink::create(target, format, batch.schema()).unwrap();
    sink.write(batch).unwrap();
    sink.finish().unwrap();
    folder.input(name)
}

#[test]
fn text_survives_a_tour_of_all_formats() {
    let folder = Folder::new();
    let start = folder.write("a.csv", NEWS);
    let mut before = start.clone();
    for name in [
        "b.parquet",
        "c.jsonl",
        "d.tsv",
        "e.csv.gz",
        "f.jsonl.zst",
        "g.tsv.gz",
        "h.parquet",
        "i.jsonl.gz",
        "j.csv.zst",
        "z.csv",
    ] {
        assert_eq!(copy(&before, &folder.at(name)).unwrap().rows, 3);
        before = folder.input(name);
        assert_eq!(read(&before).unwrap().columns(), read(&start).unwrap().columns(), "{name}");
        assert_eq!(names(&read(&before).unwrap()), ["id", "title", "text"], "{name}");
    }
    assert_eq!(folder.text("z.csv"), NEWS, "byte for byte");
}

#[test]
fn json_lines_keep_types_nesting_nulls_and_the_order_of_keys() {
    let folder = Folder::new();
    let text = concat!(
        r#"{"z":1,"text":"a","tags":["x",null],"by":{"name":"n","age":3},"score":0.1,"ok":true,"none":null}"#,
        "\n",
        r#"{"z":-9007199254740993,"text":null,"tags":[],"by":null,"score":1e300,"ok":false,"none":null}"#,
        "\n",
    );
    let start = folder.write("a.jsonl", text);
    let first = read(&start).unwrap();
    assert_eq!(names(&first), ["z", "text", "tags", "by", "score", "ok", "none"]);
    let mut before = start;
    for name in ["b.parquet", "c.jsonl", "d.parquet", "e.jsonl"] {
        copy(&before, &folder.at(name)).unwrap();
        before = folder.input(name);
        assert_eq!(read(&before).unwrap().columns(), first.columns(), "{name}");
    }
    assert_eq!(first.column(0).as_primitive::<Int64Type>().value(1), -9_007_199_254_740_993);
    assert_eq!(first.column(4).as_primitive::<Float64Type>().value(1), 1e300);
    assert_eq!(folder.text("e.jsonl").lines().next(), text.lines().next(), "the same line again");
}

#[test]
fn json_lines_become_csv_with_nested_values_as_json() {
    let folder = Folder::new();
    let start = folder.write("a.jsonl", "{\"a\":[1,2],\"b\":{\"c\":\"x\",\"d\":null},\"e\":0.5}\n{\"e\":null}\n");
    copy(&start, &folder.at("b.csv")).unwrap();
    assert_eq!(folder.text("b.csv"), "a,b,e\n\"[1,2]\",\"{\"\"c\"\":\"\"x\"\",\"\"d\"\":null}\",0.5\n,,\n");
}

/// One column of each type that text files have no word for.
fn typed() -> RecordBatch {
    let dictionary: DictionaryArray<Int32Type> = [Some("x"), None, Some("x")].into_iter().collect();
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
    let inner = Arc::new(StringArray::from(vec![Some("q"), None, Some("")])) as ArrayRef;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("int", Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)]))),
        ("float", Arc::new(Float32Array::from(vec![0.1, -0.0, 3.4e38]))),
        ("double", Arc::new(Float64Array::from(vec![0.1, 1.0, 5e-324]))),
        ("bool", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("large", Arc::new(LargeStringArray::from(vec![Some("é"), None, Some("")]))),
        ("view", Arc::new(StringViewArray::from(vec![Some("short"), None, Some("longer than twelve bytes")]))),
        ("dictionary", Arc::new(dictionary)),
        ("date", Arc::new(Date32Array::from(vec![0, 19_000, -1]))),
        ("time", Arc::new(TimestampMicrosecondArray::from(vec![0, 1, 1_700_000_000_000_001]).with_timezone("UTC"))),
        ("list", Arc::new(list)),
        ("struct", Arc::new(StructArray::from(vec![(Arc::new(Field::new("s", DataType::Utf8, true)), inner)]))),
    ];
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
            .unwrap();
    let metadata = [("maker".to_owned(), "a test".to_owned())].into();
    let schema = Schema::new_with_metadata(batch.schema().fields().clone(), metadata);
    batch.with_schema(Arc::new(schema)).unwrap()
}

#[test]
fn parquet_keeps_types_and_metadata() {
    let folder = Folder::new();
    let batch = typed();
    let input = write(&folder, "a.parquet", &batch);
    copy(&input, &folder.at("b.parquet")).unwrap();
    let source = open(&folder.input("b.parquet")).unwrap();
    assert_eq!(source.schema(), &batch.schema());
    assert_eq!(source.rows_total(), Some(3));
    assert_eq!(read_all(source).unwrap(), batch);
}

#[test]
fn parquet_values_become_json_lines_and_csv() {
    let folder = Folder::new();
    let input = write(&folder, "a.parquet", &typed());
    copy(&input, &folder.at("b.jsonl")).unwrap();
    copy(&input, &folder.at("b.csv")).unwrap();
    let json: Vec<serde_json::Value> =
        folder.text("b.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json.len(), 3);
    assert!(json.iter().all(|row| row.as_object().unwrap().len() == 11), "null columns do not vanish");
    assert_eq!(json[0]["int"], serde_json::json!(i64::MIN));
    assert_eq!(json[0]["float"].to_string(), "0.1", "floats are written with the digits they need");
    assert_eq!(json[2]["double"], serde_json::json!(5e-324));
    assert_eq!(json[1]["list"], serde_json::Value::Null);
    assert_eq!(json[2]["view"], "longer than twelve bytes");
    assert_eq!(json[0]["time"], "1970-01-01T00:00:00Z");
    let csv = cells(&read(&folder.input("b.csv")).unwrap());
    assert_eq!(
        csv[1],
        ["", "-0.0", "1.0", "", "", "", "", "2022-01-08", "1970-01-01T00:00:00.000001Z", "", "{\"s\":null}"]
    );
}

#[test]
fn a_table_without_rows_keeps_its_columns() {
    let folder = Folder::new();
    let start = folder.write("a.csv", "x,y\n");
    copy(&start, &folder.at("b.parquet")).unwrap();
    copy(&folder.input("b.parquet"), &folder.at("c.csv")).unwrap();
    assert_eq!(folder.text("c.csv"), "x,y\n");
    copy(&start, &folder.at("d.jsonl")).unwrap();
    assert_eq!(folder.text("d.jsonl"), "");
    assert!(matches!(open(&folder.input("d.jsonl")), Err(EngineError::EmptyFile { .. })));
}

#[test]
fn files_follow_each_other_in_order() {
    let folder = Folder::new();
    folder.write("in/b.csv", "n\n2\n3\n");
    folder.write("in/a.csv.gz", gzip(b"n\n1\n"));
    folder.write("in/_SUCCESS", "");
    folder.write("in/deep/c.csv", "n\n4\n");
    let rows = |inputs: &[&str]| -> Vec<String> {
        cells(&read_all(Source::open(options(inputs)).unwrap()).unwrap()).into_iter().flatten().collect()
    };
    assert_eq!(rows(&[&folder.input("in")]), ["1", "2", "3", "4"]);
    assert_eq!(rows(&[&folder.input("in/*.csv*")]), ["1", "2", "3"]);
    assert_eq!(rows(&[&folder.input("in/**/[bc].csv"), &folder.input("in/a.csv.gz")]), ["2", "3", "4", "1"]);
    assert_eq!(rows(&[&format!("file://{}", folder.input("in/b.csv"))]), ["2", "3"]);
}

#[test]
fn columns_of_several_files_are_joined_by_name() {
    let folder = Folder::new();
    let a = folder.write("a.csv", "x,y\n1,2\n");
    let both = |name: &str, text: &str| {
        let source = Source::open(options(&[&a, &folder.write(name, text)])).unwrap();
        let notes = source.notes().len();
        let batch = read_all(source).unwrap();
        (names(&batch).concat(), cells(&batch).concat().concat(), notes)
    };
    let of = |names: &str, cells: &str, notes: usize| (names.to_owned(), cells.to_owned(), notes);
    assert_eq!(both("b.csv", "x,z\n3,4\n"), of("xyz", "12∅3∅4", 2));
    assert_eq!(both("c.csv", "x,y,z\n3,4,5\n"), of("xyz", "12∅345", 1));
    assert_eq!(both("d.csv", "y,x\n3,4\n"), of("xy", "1243", 0));
    assert_eq!(both("empty.csv", ""), of("xy", "12", 1));
    let e = folder.write("e.jsonl", "{\"x\":\"1\",\"y\":2}\n");
    let message = Source::open(options(&[&a, &e])).unwrap_err().to_string();
    let difference = "\"y\" is Utf8 in the first and Int64 in the second";
    assert_eq!(message, format!("{a} and {e} have different columns: {difference}"));
}

#[test]
fn the_columns_of_json_lines_are_those_of_all_files() {
    let folder = Folder::new();
    let (a, b) = (folder.write("a.jsonl", "{\"x\":1}\n\n"), folder.write("b.jsonl", "{\"y\":\"t\",\"x\":0.5}\n"));
    let batch = read_all(Source::open(options(&[&a, &b])).unwrap()).unwrap();
    assert_eq!(names(&batch), ["x", "y"]);
    assert_eq!(cells(&batch), [["1.0", "∅"], ["0.5", "t"]]);
}

#[test]
fn streams_are_read_as_files_are() {
    let folder = Folder::new();
    let a = folder.write("a.csv", NEWS);
    let expected = read(&a).unwrap();
    for bytes in [NEWS.as_bytes().to_vec(), gzip(NEWS.as_bytes()), zstd::encode_all(NEWS.as_bytes(), 1).unwrap()] {
        assert_eq!(read_bytes(bytes, Format::Csv, OnError::Fail).unwrap().0, expected);
    }
    for name in ["b.parquet", "b.jsonl.zst", "b.tsv"] {
        copy(&a, &folder.at(name)).unwrap();
        let format = Format::of_name(name).unwrap().0;
        let (batch, _) = read_bytes(std::fs::read(folder.at(name)).unwrap(), format, OnError::Fail).unwrap();
        assert_eq!(batch.columns(), expected.columns(), "{name}");
    }
    let (lines, _) = read_bytes("one\r\n\ntwo", Format::Txt, OnError::Fail).unwrap();
    assert_eq!(cells(&lines), [["one"], [""], ["two"]]);
}

#[test]
fn members_of_a_compressed_file_follow_each_other() {
    let two = [gzip(b"a\n1\n"), gzip(b"2\n")].concat();
    assert_eq!(cells(&read_bytes(two, Format::Csv, OnError::Fail).unwrap().0), [["1"], ["2"]]);
    let two = [zstd::encode_all(&b"a\n1\n"[..], 1).unwrap(), zstd::encode_all(&b"2\n"[..], 1).unwrap()].concat();
    assert_eq!(cells(&read_bytes(two, Format::Csv, OnError::Fail).unwrap().0), [["1"], ["2"]]);
}

#[test]
fn the_bytes_read_reach_the_total() {
    let folder = Folder::new();
    let a = folder.write("a.csv", format!("n\n{}", "12345\n".repeat(50_000)));
    copy(&a, &folder.at("b.parquet")).unwrap();
    copy(&a, &folder.at("c.jsonl.gz")).unwrap();
    for name in ["a.csv", "b.parquet", "c.jsonl.gz"] {
        let mut source = open(&folder.input(name)).unwrap();
        let total = std::fs::metadata(folder.at(name)).unwrap().len();
        assert_eq!(source.bytes_total(), Some(total), "{name}");
        let rows: usize = source.by_ref().map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!((rows, source.bytes_read()), (50_000, total), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn named_pipes_are_read_once() {
    let folder = Folder::new();
    let a = folder.write("a.csv", NEWS);
    for name in ["b.csv", "b.jsonl", "b.parquet", "b.tsv.gz"] {
        copy(&a, &folder.at(name)).unwrap();
        let pipe = folder.at(&format!("pipe-{name}"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let (bytes, into) = (std::fs::read(folder.at(name)).unwrap(), pipe.clone());
        let writer = std::thread::spawn(move || std::fs::write(into, bytes));
        let batch = read(&pipe.to_string_lossy()).unwrap();
        writer.join().unwrap().unwrap();
        assert_eq!(batch.columns(), read(&a).unwrap().columns(), "{name}");
    }
}
