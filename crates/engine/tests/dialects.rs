//! Delimited text, JSON and folders as programs write them: each read as what it means, or an error that says where.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::Write;
use std::time::Duration;

use albertine_engine::{EngineError, Format, OnError, Quote, Source, SourceOptions, TextOptions};
use arrow_array::RecordBatch;
use arrow_schema::DataType;
use common::{Folder, cells, copy, fault, gzip, names, options, read, read_all, read_bytes};

/// Names, rows and notes of a file of this text.
fn table(name: &str, text: impl AsRef<[u8]>) -> (String, Vec<String>, Vec<String>) {
    table_with(name, text, TextOptions::default())
}

fn table_with(name: &str, text: impl AsRef<[u8]>, given: TextOptions) -> (String, Vec<String>, Vec<String>) {
    let folder = Folder::new();
    let input = folder.write(name, text);
    let source = Source::open(SourceOptions { text: given, ..options(&[&input]) }).unwrap();
    let notes = source.notes().iter().map(|note| note.replace(&format!("{input}: "), "")).collect();
    let batch = read_all(source).unwrap();
    (names(&batch).join("|"), cells(&batch).into_iter().map(|row| row.join("|")).collect(), notes)
}

fn expect(names: &str, rows: &[&str], notes: &[&str]) -> (String, Vec<String>, Vec<String>) {
    let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    (names.to_owned(), all(rows), all(notes))
}

#[test]
fn delimiters_are_found_and_said() {
    let rows = ["1|Oil, gas rose", "2|Striker scored"];
    let with = |delimiter: char| format!("id{delimiter}text\n1{delimiter}Oil, gas rose\n2{delimiter}Striker scored\n");
    assert_eq!(table("a.csv", with(';')), expect("id|text", &rows, &["delimiter `;`"]));
    assert_eq!(table("a.csv", with('\t')), expect("id|text", &rows, &["delimiter tab"]));
    assert_eq!(table("a.tsv", with(';')), expect("id|text", &rows, &["delimiter `;`"]));
    assert_eq!(table("a.tsv", with('\t')), expect("id|text", &rows, &[]));
    let piped = "id|text\n1|a; b\n";
    assert_eq!(table("a.csv", piped), expect("id|text", &["1|a; b"], &["delimiter `|`"]));
    let given = TextOptions { delimiter: Some(1), ..TextOptions::default() };
    assert_eq!(table_with("a.csv", "id\u{1}text\n1\u{1}x,y\n", given), expect("id|text", &["1|x,y"], &[]));
    assert_eq!(table("a.csv", "sep=;\nid;text\n1;x\n"), expect("id|text", &["1|x"], &["delimiter `;`"]));
}

#[test]
fn quotes_escaped_with_backslashes_are_read_as_spark_writes_them() {
    let found = table("a.csv", "text,id\n\"The word \\\"stock\\\", as used, rose\",1\nplain text,2\n");
    let rows = ["The word \"stock\", as used, rose|1", "plain text|2"];
    assert_eq!(found, expect("text|id", &rows, &["escape `\\`"]));
    let at_end = table("a.csv", "text,id\n\"5\\\"\",1\nC:\\dir\\,2\n");
    assert_eq!(at_end, expect("text|id", &["5\"|1", "C:\\dir\\|2"], &["escape `\\`"]));
    let plain = table("a.csv", "text,id\n\"C:\\dir\\\",1\n\"a \"\"b\"\"\",2\n");
    assert_eq!(plain, expect("text|id", &["C:\\dir\\|1", "a \"b\"|2"], &[]));
    let late = format!("text,id\n{}\"a \\\"b\\\" c\",1\n", "x,0\n".repeat(100_000));
    assert_eq!(fault(late, Format::Csv), "standard input, line 100002: text follows a closing quote");
}

#[test]
fn tab_separated_text_without_quoting_keeps_its_quotes() {
    let found = table("a.tsv", "text\tid\n\"Acme\" fell\t1\n\"Open\t2\nsaid \"no\"\t3\n");
    assert_eq!(found, expect("text|id", &["\"Acme\" fell|1", "\"Open|2", "said \"no\"|3"], &["no quotes"]));
    let given = TextOptions { quote: Some(Quote::None), ..TextOptions::default() };
    assert_eq!(table_with("a.csv", "a,b\n\"x\",y\n", given), expect("a|b", &["\"x\"|y"], &[]));
    let single = table("a.csv", "a,b\n'x, y',1\n'it''s',2\n");
    assert_eq!(single, expect("a|b", &["x, y|1", "it's|2"], &["quote `'`"]));
}

#[test]
fn a_file_without_a_header_has_numbered_columns() {
    let note = "no header (columns named `column1`, `column2` and so on)";
    let text = "\"3\",\"Oil prices rose\",\"OPEC cut.\"\n\"2\",\"Striker\",\"The final.\"\n";
    let rows = ["3|Oil prices rose|OPEC cut.", "2|Striker|The final."];
    assert_eq!(table("a.csv", text), expect("column1|column2|column3", &rows, &[note]));
    let header = |header: bool| TextOptions { header: Some(header), ..TextOptions::default() };
    assert_eq!(
        table_with("a.csv", "Oil,x\nGold,y\n", header(false)),
        expect("column1|column2", &["Oil|x", "Gold|y"], &[])
    );
    assert_eq!(table_with("a.csv", "1,2\n3,4\n", header(true)), expect("1|2", &["3|4"], &[]));
    assert_eq!(
        table("a.csv", ",text,label\n0,Oil,a\n1,Gold,b\n"),
        expect("column1|text|label", &["0|Oil|a", "1|Gold|b"], &["column 1 named `column1`"])
    );
    assert_eq!(
        table("a.csv", "a,a,\nx,y,z\n"),
        expect("a|a_1|column3", &["x|y|z"], &["column 2 named `a_1`, column 3 named `column3`"])
    );
}

#[test]
fn an_empty_line_of_a_table_of_one_column_is_a_row() {
    assert_eq!(table("a.csv", "text\nOil\n\nGold\n"), expect("text", &["Oil", "", "Gold"], &[]));
    assert_eq!(table("a.tsv", "text\r\n\r\nOil\r\n"), expect("text", &["", "Oil"], &[]));
    assert_eq!(table("a.csv", "a,b\n\n1,2\n\n"), expect("a|b", &["1|2"], &[]));
    assert_eq!(table("a.csv", "\n\ntext\nOil"), expect("text", &["Oil"], &[]));
}

#[test]
fn words_for_a_missing_value_are_null_only_without_quotes() {
    let given = TextOptions { nulls: vec!["NA".into(), "\\N".into(), String::new()], ..TextOptions::default() };
    let found = table_with("a.csv", "a,b\nNA,\"NA\"\n\\N,NAN\n,\"\"\n", given);
    assert_eq!(found, expect("a|b", &["∅|NA", "∅|NAN", "∅|"], &[]));
    assert_eq!(table("a.csv", "a,b\nNA,NULL\n"), expect("a|b", &["NA|NULL"], &[]));
}

#[test]
fn comments_are_skipped_where_they_are_meant() {
    let found = table("a.csv", "# exported today\n# by a program\nid,text\n1,#oil\n");
    assert_eq!(found, expect("id|text", &["1|#oil"], &["2 comment lines skipped"]));
    let given = TextOptions { comment: Some(b'%'), ..TextOptions::default() };
    assert_eq!(table_with("a.csv", "id,text\n%1,x\n2,y\n", given), expect("id|text", &["2|y"], &[]));
    assert_eq!(table("a.csv", "#id,text\n1,x\n"), expect("#id|text", &["1|x"], &[]));
}

#[test]
fn text_is_read_in_its_encoding() {
    let text = "id,text\n1,Öl für Käse\n";
    let utf16 = |big: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let rows = ["1|Öl für Käse"];
    assert_eq!(table("a.csv", [&[0xff, 0xfe], utf16(false).as_slice()].concat()), expect("id|text", &rows, &[]));
    assert_eq!(table("a.csv", [&[0xfe, 0xff], utf16(true).as_slice()].concat()), expect("id|text", &rows, &[]));
    assert_eq!(table("a.csv", utf16(false)), expect("id|text", &rows, &["encoding UTF-16LE"]));
    let chinese: Vec<u8> = "text\n一月，油价上涨了。\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(table("a.csv", chinese), expect("text", &["一月，油价上涨了。"], &["encoding UTF-16BE"]));
    let latin: Vec<u8> = text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect();
    assert_eq!(table("a.csv", &latin), expect("id|text", &rows, &["encoding windows-1252"]));
    assert_eq!(table("a.csv.gz", gzip(&latin)), expect("id|text", &rows, &["encoding windows-1252"]));
    let given = TextOptions { encoding: Some("latin1".parse().unwrap()), ..TextOptions::default() };
    assert_eq!(table_with("a.csv", &latin, given), expect("id|text", &rows, &[]));
    assert_eq!(
        fault(b"id,text\n1,\xff\xff\x01\n".to_vec(), Format::Csv),
        "standard input, line 2: column \"text\" is not valid UTF-8"
    );
    let odd = [&[0xff, 0xfe], &utf16(false)[..19]].concat();
    assert_eq!(fault(odd, Format::Csv), "cannot decode standard input: it has bytes that are not UTF-16LE");
}

#[test]
fn what_is_no_text_is_said() {
    for (bytes, what) in [
        (b"PK\x03\x04\x14\0".as_slice(), "it is a zip archive or an Excel workbook"),
        (b"%PDF-1.7\n", "it is a PDF file"),
        (b"\x89PNG\r\n\x1a\n", "it is a PNG image"),
        (b"<!DOCTYPE html>\n<html>", "it is a web page"),
    ] {
        let message = fault(bytes.to_vec(), Format::Csv);
        assert!(message.contains(what), "{message}");
    }
}

#[test]
fn parts_of_one_table_by_several_writers() {
    let folder = Folder::new();
    folder.write("in/a.jsonl", "{\"text\":\"Oil\",\"n\":1}\n");
    copy(&folder.input("in/a.jsonl"), &folder.at("in/b.parquet")).unwrap();
    let large = arrow_array::LargeStringArray::from(vec!["Gold"]);
    let small = arrow_array::Int8Array::from(vec![2]);
    let batch =
        RecordBatch::try_from_iter([("text", std::sync::Arc::new(large) as _), ("n", std::sync::Arc::new(small) as _)])
            .unwrap();
    let target = albertine_engine::Target::File(folder.at("in/c.parquet"));
    let mut sink = albertine_engine::Sink::create(target, Format::Parquet, batch.schema()).unwrap();
    sink.write(&batch).unwrap();
    sink.finish().unwrap();
    let rows = cells(&read(&folder.input("in")).unwrap());
    assert_eq!(rows, [["Oil", "1"], ["Oil", "1"], ["Gold", "2"]]);
}

#[test]
fn a_table_written_column_by_column_is_told_as_such() {
    let text = "{\"text\":{\"0\":\"Oil\",\"1\":\"Gold\"},\"n\":{\"0\":1,\"1\":2}}";
    assert!(fault(text, Format::Jsonl).contains("orient=\"records\""));
    assert_eq!(table("a.json", "{\"text\":\"Oil\",\"n\":{\"0\":1}}").1, ["Oil|{0: 1}"]);
}

#[test]
fn a_carriage_return_alone_ends_no_line_where_others_do() {
    assert_eq!(table("a.csv", "text,n\na\rb,1\n"), expect("text|n", &["a\rb|1"], &[]));
    assert_eq!(table("a.csv", "text,n\ra,1\rb,2\r"), expect("text|n", &["a|1", "b|2"], &[]));
    assert_eq!(table("a.csv", "text,n\r\r\na,1\r\r\n"), expect("text|n", &["a|1"], &[]));
}

/// A writer whose buffer ends within a row, as most buffers do, and who then pauses.
#[test]
fn a_pause_within_a_row_is_not_its_end() {
    for (format, first, second) in [
        (Format::Jsonl, "{\"text\":\"Oil\"}\n{\"text\":\"Go", "ld\"}\n"),
        (Format::Jsonl, "[\n{\"text\":\n", "\"Oil\"},{\"text\":\"Gold\"}]"),
        (Format::Csv, "text;n\nOil;1\n\"Go", "ld\";2\n"),
        (Format::Txt, "Oil\nGo", "ld\n"),
    ] {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let feeding = std::thread::spawn(move || {
            writer.write_all(first.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(2500));
            writer.write_all(second.as_bytes()).unwrap();
        });
        let batch = read_all(Source::from_reader(Box::new(reader), format, OnError::Fail).unwrap()).unwrap();
        feeding.join().unwrap();
        let texts: Vec<String> = cells(&batch).into_iter().map(|row| row[0].clone()).collect();
        assert!(texts.ends_with(&["Gold".to_owned()]) && texts.contains(&"Oil".to_owned()), "{format}: {texts:?}");
    }
}

#[test]
fn a_first_object_larger_than_what_is_looked_at_is_read() {
    for text in
        [format!("{{\"text\":\"{}\"}}\n", "x".repeat(20 << 20)), format!("[{{\"text\":\"{}\"}}]", "x".repeat(9 << 20))]
    {
        let (batch, _) = read_bytes(text, Format::Jsonl, OnError::Fail).unwrap();
        assert_eq!((batch.num_rows(), names(&batch)), (1, vec!["text".to_owned()]));
    }
}

/// A writer that never pauses for long still sees its first rows.
#[test]
fn a_trickling_pipe_gives_rows_as_they_come() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let feeding = std::thread::spawn(move || {
        for row in 0..40 {
            if writer.write_all(format!("row {row}\n").as_bytes()).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let started = std::time::Instant::now();
    let source = Source::from_reader(Box::new(reader), Format::Txt, OnError::Fail).unwrap();
    let first = source.map(Result::unwrap).find(|batch| batch.num_rows() > 0).unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert!(first.num_rows() < 30, "{} rows", first.num_rows());
    feeding.join().unwrap();
}

#[test]
fn json_arrays_and_spread_objects_are_rows() {
    let rows = ["Oil|1", "Gold|∅"];
    for text in [
        "[{\"text\":\"Oil\",\"n\":1},{\"text\":\"Gold\"}]",
        "[\n  {\n    \"text\": \"Oil\",\n    \"n\": 1\n  },\n  {\n    \"text\": \"Gold\"\n  }\n]\n",
        "{\n  \"text\": \"Oil\",\n  \"n\": 1\n}\n{\n  \"text\": \"Gold\"\n}\n",
        "\n[ {\"text\":\"Oil\",\"n\":1}\n,\n{\"text\":\"Gold\",\"n\":null} ]",
    ] {
        assert_eq!(table("a.json", text), expect("text|n", &rows, &[]), "{text}");
        let (batch, _) = read_bytes(text, Format::Jsonl, OnError::Fail).unwrap();
        assert_eq!(cells(&batch).concat().join("|"), "Oil|1|Gold|∅");
    }
    assert_eq!(fault("[]", Format::Jsonl), "standard input is empty");
    assert_eq!(fault("[1, 2]", Format::Jsonl), "standard input, line 1: it is not a JSON object");
    assert_eq!(fault("[{\"a\":1}", Format::Jsonl), "standard input, line 1: the file ends within its array");
    let (batch, failed) = read_bytes("[{\"a\":1},\n{\"a\":},\n{\"a\":3}]", Format::Jsonl, OnError::Null).unwrap();
    assert_eq!((cells(&batch).concat(), failed), (vec!["1".into(), "∅".into(), "3".into()], 1));
}

#[test]
fn json_as_python_writes_it_is_read() {
    let text =
        "{\"text\":\"Oil\",\"price\":NaN}\n{\"text\":\"Gold\",\"price\":1.5}\n{\"text\":\"x\",\"price\":-Infinity}\n";
    assert_eq!(
        table("a.jsonl", text),
        expect("text|price", &["Oil|∅", "Gold|1.5", "x|∅"], &["NaN and infinities read as null"])
    );
    let text = "{\"text\":\"a \\ud83d b \\ud83d\\ude00\"}\n";
    assert_eq!(table("a.jsonl", text), expect("text", &["a \u{fffd} b 😀"], &["lone surrogates replaced with U+FFFD"]));
    let text = "{\"id\":123456789012345678901234567890}\n{\"id\":7}\n";
    let note = "column `id` read as text (its values have different types)";
    assert_eq!(table("a.jsonl", text), expect("id", &["123456789012345678901234567890", "7"], &[note]));
    assert_eq!(
        table("a.jsonl", "{\"id\":123456789012345678901234567890}\n"),
        expect("id", &["123456789012345678901234567890"], &[])
    );
}

#[test]
fn json_columns_of_different_types_are_text() {
    let text = "{\"a\":\"x\",\"b\":{\"c\":1}}\n{\"a\":[1, \"y\"],\"b\":2}\n{\"a\":{\"z\":null},\"b\":null}\n{\"a\":7.50,\"b\":\"t\"}\n";
    let notes = [
        "column `a` read as text (its values have different types), column `b` read as text (its values have different types)",
    ];
    let rows = ["x|{\"c\":1}", "[1, \"y\"]|2", "{\"z\":null}|∅", "7.50|t"];
    assert_eq!(table("a.jsonl", text), expect("a|b", &rows, &notes));
    let inner = "{\"a\":{\"b\":1}}\n{\"a\":{\"b\":[2]}}\n";
    assert_eq!(table("a.jsonl", inner).1, ["{\"b\":1}", "{\"b\":[2]}"]);
    let parts = "{\"a\":{\"b\":1},\"c\":[1,\"x\"]}\n{\"a\":{\"b\":\"s\"},\"c\":[]}\n";
    let note = "parts of column `a` read as text (they have different types), \
                parts of column `c` read as text (they have different types)";
    assert_eq!(table("a.jsonl", parts).2, [note]);
    let list = "{\"a\":[1,[2]]}\n";
    assert_eq!(table("a.jsonl", list).1, ["[1,[2]]"]);
}

#[test]
fn objects_without_keys_are_written_to_parquet() {
    let folder = Folder::new();
    let text = "{\"a\":{},\"b\":{\"c\":{}},\"d\":[{}],\"e\":1}\n{\"a\":null,\"b\":{\"c\":null},\"d\":[],\"e\":2}\n";
    let input = folder.write("a.jsonl", text);
    copy(&input, &folder.at("b.parquet")).unwrap();
    let batch = read(&folder.input("b.parquet")).unwrap();
    assert_eq!(batch.schema().field(0).data_type(), &DataType::Utf8);
    assert_eq!(cells(&batch), [["{}", "{c: {}}", "[{}]", "1"], ["∅", "{c: ∅}", "[]", "2"]]);
    copy(&input, &folder.at("c.jsonl")).unwrap();
    assert_eq!(folder.text("c.jsonl"), text, "lines keep them as they are");
}

#[test]
fn what_spark_and_hive_hide_is_passed_over() {
    let folder = Folder::new();
    for name in ["out/_SUCCESS", "out/.part-0.csv.crc", "out/_temporary/0/part-1.csv", "out/y=1/_committed.csv"] {
        folder.write(name, "text\nUNCOMMITTED\n");
    }
    folder.write("out/y=1/part-0.csv", "text\nOil\n");
    folder.write("out/y=2/part-0.csv", "");
    folder.write("out/y=__HIVE_DEFAULT_PARTITION__/part-0.csv", "text\nGold\n");
    folder.write("out/y=10/part-0.csv", "text\nTin\n");
    for input in ["out", "out/**/*.csv", "out/*/*.csv", "out/y=*/part-?.csv"] {
        let batch = read(&folder.input(input)).unwrap();
        assert_eq!(names(&batch), ["text", "y"], "{input}");
        assert_eq!(batch.schema().field(1).data_type(), &DataType::Int64);
        assert_eq!(cells(&batch), [["Oil", "1"], ["Tin", "10"], ["Gold", "∅"]], "{input}");
    }
    assert_eq!(cells(&read(&folder.input("out/_temporary/*/*.csv")).unwrap()), [["UNCOMMITTED"]], "if it is asked for");
    let only = folder.write("empty/a.csv", "");
    assert!(matches!(common::open(&only), Err(EngineError::EmptyFile { .. })));
    assert!(matches!(common::open(&folder.input("empty")), Err(EngineError::EmptyFile { .. })));
}

#[test]
fn tables_that_cannot_be_read_are_not_passed_over() {
    for name in ["b.csv.bz2", "b.parquet.xz", "b.xlsx", "b.feather", "c/b.orc", "b.csv.zip"] {
        let folder = Folder::new();
        folder.write("in/a.csv", "text\nOil\n");
        folder.write("in/README.md", "notes");
        let odd = folder.write(&format!("in/{name}"), "x");
        let message = common::open(&folder.input("in")).unwrap_err().to_string();
        assert!(message.starts_with(&format!("{odd} is not a table that can be read")), "{message}");
    }
    let folder = Folder::new();
    folder.write("in/a.csv", "text\nOil\n");
    folder.write("in/b.xlsx", "x");
    let asked = SourceOptions { format: Some(Format::Csv), ..options(&[&folder.input("in")]) };
    assert_eq!(read_all(Source::open(asked).unwrap()).unwrap().num_rows(), 1, "another format was asked for");
}

#[test]
fn partitions_have_types() {
    let folder = Folder::new();
    for (name, text) in [("d=2024-01-31/k=a%2Fb", "Oil"), ("d=2023-12-01/k=007", "Gold")] {
        folder.write(&format!("in/{name}/x.jsonl"), format!("{{\"text\":\"{text}\"}}\n"));
    }
    let batch = read(&folder.input("in")).unwrap();
    assert_eq!(names(&batch), ["text", "d", "k"]);
    assert_eq!(batch.schema().field(1).data_type(), &DataType::Date32);
    assert_eq!(cells(&batch), [["Gold", "2023-12-01", "007"], ["Oil", "2024-01-31", "a/b"]]);
    folder.write("own/y=5/a.csv", "y,text\n1,Oil\n");
    assert_eq!(cells(&read(&folder.input("own")).unwrap()), [["1", "Oil"]], "a column of the file has precedence");
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_are_no_obstacle() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    folder.write("in/a.csv", "text\nOil\n");
    let odd = folder.at("in").join(std::ffi::OsStr::from_bytes(b"caf\xe9.csv"));
    std::fs::write(&odd, "text\nGold\n").unwrap();
    assert_eq!(cells(&read(&folder.input("in/a*.csv")).unwrap()), [["Oil"]]);
    assert_eq!(cells(&read(&folder.input("in/caf?.csv")).unwrap()), [["Gold"]]);
    let named = SourceOptions { inputs: vec![odd.into_os_string()], ..SourceOptions::default() };
    assert_eq!(cells(&read_all(Source::open(named).unwrap()).unwrap()), [["Gold"]]);
    assert_eq!(cells(&read(&folder.input("in")).unwrap()), [["Oil"], ["Gold"]]);
    assert_eq!(cells(&read(&folder.input("**/*.csv")).unwrap()), [["Oil"], ["Gold"]]);
}

#[test]
fn compressed_files_have_padding_and_skippable_frames() {
    let text = b"text\nOil\n";
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0], b"meta".as_slice()].concat();
    let frame = zstd::encode_all(&text[..], 1).unwrap();
    let rest = zstd::encode_all(&b"Gold\n"[..], 1).unwrap();
    let pzstd = [skippable.clone(), frame, skippable, rest].concat();
    let folder = Folder::new();
    assert_eq!(cells(&read(&folder.write("a.csv.zst", &pzstd)).unwrap()), [["Oil"], ["Gold"]]);
    assert_eq!(cells(&read(&folder.write("named.csv", &pzstd)).unwrap()), [["Oil"], ["Gold"]]);
    let padded = [gzip(text), vec![0; 1000]].concat();
    assert_eq!(cells(&read(&folder.write("a.csv.gz", padded)).unwrap()), [["Oil"]]);
    let bare = SourceOptions { format: Some(Format::Csv), ..options(&[&folder.write("bare", &pzstd)]) };
    assert_eq!(read_all(Source::open(bare).unwrap()).unwrap().num_rows(), 2);
}

/// A pipe whose writer pauses gives the rows that were written before.
#[test]
fn a_live_pipe_gives_rows_as_they_come() {
    for (format, first, second) in [
        (Format::Csv, "text,n\nOil,1\n", "Gold,2\n"),
        (Format::Txt, "Oil\n", "Gold\n"),
        (Format::Jsonl, "{\"text\":\"Oil\"}\n", "{\"text\":\"Gold\"}\n"),
    ] {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let (sender, came) = std::sync::mpsc::channel();
        let rows = std::thread::spawn(move || {
            let source = Source::from_reader(Box::new(reader), format, OnError::Fail).unwrap();
            for batch in source.map(Result::unwrap).filter(|batch: &RecordBatch| batch.num_rows() > 0) {
                sender.send(cells(&batch)[0][0].clone()).unwrap();
            }
        });
        writer.write_all(first.as_bytes()).unwrap();
        assert_eq!(came.recv_timeout(Duration::from_secs(20)).unwrap(), "Oil", "{format}");
        writer.write_all(second.as_bytes()).unwrap();
        assert_eq!(came.recv_timeout(Duration::from_secs(20)).unwrap(), "Gold", "{format}");
        drop(writer);
        rows.join().unwrap();
    }
}

/// Servers unpack files and keep their names, and names are wrong.
#[test]
fn what_is_compressed_is_told_by_its_bytes() {
    let frame = zstd::encode_all(&b"text\nOil\n"[..], 1).unwrap();
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("text\nOil\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(table("a.csv.gz", "text\nOil\n"), expect("text", &["Oil"], &["not compressed"]));
    assert_eq!(table("a.csv.zst", "text\nOil\n"), expect("text", &["Oil"], &["not compressed"]));
    assert_eq!(table("a.csv.gz", utf16), expect("text", &["Oil"], &["not compressed"]));
    assert_eq!(table("a.csv.gz", frame), expect("text", &["Oil"], &["compressed with zstd"]));
    assert_eq!(table("a.csv.zst", gzip(b"text\nOil\n")), expect("text", &["Oil"], &["compressed with gzip"]));
}

#[test]
fn several_objects_on_a_line_are_rows() {
    for text in [
        "{\"a\":\"x\"}{\"a\":\"}{\"}\n{\"a\":\"z\"}\n",
        "{\"a\":\"x\"} {\"a\":\"}{\"} {\"a\":\"z\"}",
        "{\"a\":\"x\"}\n{\"a\":\"}{\"}{\"a\":\"z\"}\n\n",
    ] {
        assert_eq!(table("a.jsonl", text), expect("a", &["x", "}{", "z"], &[]), "{text}");
    }
    let damaged = "{\"a\":1}\n{\"a\":2}{\"a\":}\n";
    assert!(fault(damaged, Format::Jsonl).starts_with("standard input, line 2: it is not valid JSON"));
}

#[test]
fn quotes_that_may_hide_rows_are_said() {
    let note = "quotes hide line ends, though every line would be a row: `--quote none` reads it so";
    let rows = ["1|Oil\n2\tfell", "3|Gold"];
    assert_eq!(table("a.tsv", "id\ttext\n1\t\"Oil\n2\tfell\"\n3\tGold\n"), expect("id|text", &rows, &[note]));
    let rows = ["1|Oil\n2", "3|Gold"];
    assert_eq!(table("a.tsv", "id\ttext\n1\t\"Oil\n2\"\n3\tGold\n"), expect("id|text", &rows, &[]));
    let text = "id\ttext\n1\t\"Oil\n2\tfell\"\n3\t\"Gold\"\n";
    let rows = ["1|Oil\n2\tfell", "3|Gold"];
    assert_eq!(table("a.tsv", text), expect("id|text", &rows, &[]), "another field is in quotes on its line");
}
