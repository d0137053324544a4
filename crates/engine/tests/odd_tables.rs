//! Tables that are damaged, unusual or not what their names say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use albertine_engine::{EngineError, Format, OnError, Sink, Source, SourceOptions, Target};
use arrow_schema::{DataType, Field, Schema};
use common::{Folder, cells, copy, fault, gzip, names, open, read, read_bytes};

fn lenient(bytes: impl Into<Vec<u8>>, format: Format) -> (Vec<Vec<String>>, u64, Vec<String>) {
    let source = Source::from_reader(Box::new(std::io::Cursor::new(bytes.into())), format, OnError::Null).unwrap();
    let rejects = source.rejects().clone();
    let batch = common::read_all(source).unwrap();
    (cells(&batch), rejects.rows(), rejects.first())
}

#[test]
fn empty_tables() {
    for format in [Format::Csv, Format::Tsv, Format::Jsonl, Format::Parquet] {
        assert_eq!(fault("", format), "standard input is empty", "{format}");
    }
    assert_eq!(fault("\n\r\n", Format::Csv), "standard input is empty");
    assert_eq!(fault(gzip(b""), Format::Csv), "standard input is empty");
    assert_eq!(read_bytes("", Format::Txt, OnError::Fail).unwrap().0.num_rows(), 0);
    assert_eq!(read_bytes("a,b\n", Format::Csv, OnError::Fail).unwrap().0.num_rows(), 0);
}

#[test]
fn columns_are_told_apart() {
    let columns = |header: &str| names(&read_bytes(header, Format::Csv, OnError::Fail).unwrap().0);
    assert_eq!(columns("a,,b\n"), ["a", "column2", "b"]);
    assert_eq!(columns("a,b,a\n"), ["a", "b", "a_1"]);
    assert_eq!(fault(b"a,\xff\n".to_vec(), Format::Csv), "standard input, line 1: column \"2\" is not valid UTF-8");
}

#[test]
fn marks_line_ends_and_nul_bytes() {
    let (batch, _) = read_bytes("\u{feff}a,b\r\n1,\"x\r\ny\"\r\n2,\u{0}\r\n", Format::Csv, OnError::Fail).unwrap();
    assert_eq!(names(&batch), ["a", "b"]);
    assert_eq!(cells(&batch), [["1", "x\r\ny"], ["2", "\u{0}"]]);
    let (batch, _) = read_bytes("\u{feff}{\"a\":1}\r\n", Format::Jsonl, OnError::Fail).unwrap();
    assert_eq!(cells(&batch), [["1"]]);
    let (batch, _) = read_bytes(b"\xff\xfea\x00\n\x00x\x00".to_vec(), Format::Csv, OnError::Fail).unwrap();
    assert_eq!((names(&batch), cells(&batch)), (vec!["a".to_owned()], vec![vec!["x".to_owned()]]));
}

#[test]
fn a_column_of_empty_cells_keeps_its_rows() {
    let folder = Folder::new();
    let input = folder.write("a.csv", "only\n\"\"\nx\n\"\"\n");
    copy(&input, &folder.at("b.csv")).unwrap();
    assert_eq!(folder.text("b.csv"), "only\n\"\"\nx\n\"\"\n");
}

#[test]
fn ragged_rows() {
    let text = "a,b\n1,2\n\n3\n4,5,6\n7,8\n";
    assert_eq!(fault(text, Format::Csv), "standard input, line 4: 1 field, but the header has 2");
    let (rows, failed, first) = lenient(text, Format::Csv);
    assert_eq!(rows, [["1", "2"], ["3", "∅"], ["4", "5"], ["7", "8"]]);
    assert_eq!(failed, 2);
    assert_eq!(first[1], "standard input, line 5: 3 fields, but the header has 2");
}

#[test]
fn invalid_utf8() {
    let csv = b"a,b\n1,x\n\"\n2\",\xff\n3,y\n".to_vec();
    assert_eq!(fault(csv.clone(), Format::Csv), "standard input, line 3: column \"b\" is not valid UTF-8");
    let (rows, failed, _) = lenient(csv, Format::Csv);
    assert_eq!(
        (rows, failed),
        (vec![vec!["1".into(), "x".into()], vec!["\n2".into(), "∅".into()], vec!["3".into(), "y".into()]], 1)
    );
    let txt = b"a\n\xc3\n".to_vec();
    assert_eq!(fault(txt.clone(), Format::Txt), "standard input, line 2: column \"text\" is not valid UTF-8");
    assert_eq!(lenient(txt, Format::Txt).0, [["a"], ["∅"]]);
    let json = b"{\"a\":\"x\"}\n{\"a\":\"\xff\"}\n".to_vec();
    assert_eq!(fault(json.clone(), Format::Jsonl), "standard input, line 2: it is not valid UTF-8");
    assert_eq!(lenient(json, Format::Jsonl).0, [["x"], ["∅"]]);
}

#[test]
fn a_quote_that_is_never_closed_does_not_swallow_rows_in_silence() {
    let text = "a,b\n1,\"x\n2,y\n3,z\n";
    assert_eq!(fault(text, Format::Csv), "standard input, line 2: unclosed quote in this row");
    let (rows, failed, _) = lenient(text, Format::Csv);
    let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
    assert_eq!((rows, failed), (vec![row(["1", "∅"]), row(["2", "y"]), row(["3", "z"])], 1));
}

#[test]
fn lines_that_are_no_objects() {
    let bad = [
        ("[1]", "it is not a JSON object"),
        ("7", "it is not a JSON object"),
        ("{\"a\":1", "it is not valid JSON: EOF while parsing an object at column 6"),
        ("{\"a\":1}7", "it is not valid JSON: trailing characters at column 8"),
        ("{\"a\":1,}", "it is not valid JSON: trailing comma at column 8"),
        ("{\"a\":1,\"a\":2}", "the key \"a\" twice in one object"),
    ];
    for (line, reason) in bad {
        let text = format!("{{\"a\":1}}\n\n{line}\n{{\"a\":4}}\n");
        assert_eq!(fault(text.clone(), Format::Jsonl), format!("standard input, line 3: {reason}"));
        let (rows, failed, _) = lenient(text, Format::Jsonl);
        assert_eq!(
            (rows, failed),
            (vec![vec!["1".to_owned()], vec!["∅".to_owned()], vec!["4".to_owned()]], 1),
            "{line}"
        );
    }
    let split = "{\"a\":1}{\"a\":\n2}\n";
    assert!(fault(split, Format::Jsonl).starts_with("standard input, line 1: it is not valid JSON"));
}

#[test]
fn a_key_beyond_the_look_ahead_is_never_dropped() {
    let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(1 << 20));
    let text = |last: &str| format!("{}{last}\n", line.repeat(12));
    assert_eq!(
        fault(text("{\"b\":1}"), Format::Jsonl),
        "standard input, line 13: the key \"b\" is not in the lines that the columns were found from"
    );
    assert!(fault(text("{\"a\":[1]}"), Format::Jsonl).starts_with("standard input, line 13: "));
    assert_eq!(fault(text("7"), Format::Jsonl), "standard input, line 13: it is not a JSON object");
    assert_eq!(read_bytes(text("{\"a\":\"y\"}"), Format::Jsonl, OnError::Fail).unwrap().0.num_rows(), 13);
    let (rows, failed, faults) = lenient(text("{\"b\":1,\"a\":\"y\"}"), Format::Jsonl);
    assert_eq!((rows[12][0].as_str(), failed), ("y", 1), "what has a column is kept");
    assert!(faults[0].contains("the key \"b\" is not in the lines"), "{faults:?}");
    let folder = Folder::new();
    let input = folder.write("a.jsonl", text("{\"b\":1}"));
    assert_eq!(names(&read(&input).unwrap()), ["a", "b"], "a file is looked at to its end");
}

#[test]
fn numbers_and_words_in_one_column_stay_as_they_are_written() {
    let text = "{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":2.50}\n{\"a\":true}\n{\"a\":18446744073709551616}\n";
    let (batch, _) = read_bytes(text, Format::Jsonl, OnError::Fail).unwrap();
    assert_eq!(cells(&batch), [["1"], ["x"], ["2.50"], ["true"], ["18446744073709551616"]]);
}

#[test]
fn keys_that_are_data_do_not_make_columns() {
    let line = |n: usize| format!("{{\"text\":\"t\", \"c\" : {{\"user{n}\": [1.50, \"é\\n\"]}} }}\n");
    let text: String = (0..20_000).map(line).chain(["{\"text\":\"u\",\"c\":null}\n".to_owned()]).collect();
    let folder = Folder::new();
    let input = folder.write("a.jsonl", &text);
    let batch = read(&input).unwrap();
    let found = cells(&batch);
    assert_eq!(found.len(), 20_001);
    assert_eq!(found[12_345], ["t", "{\"user12345\": [1.50, \"é\\n\"]}"]);
    assert_eq!(found[20_000], ["u", "∅"]);
    copy(&input, &folder.at("b.parquet")).unwrap();
    assert_eq!(cells(&read(&folder.input("b.parquet")).unwrap()), found);
    let (lenient_rows, failed, _) = lenient(format!("{text}7\n"), Format::Jsonl);
    assert_eq!((lenient_rows.len(), failed, &lenient_rows[5]), (20_002, 1, &found[5]));
    let few: String = (0..900).map(line).collect();
    let (batch, _) = read_bytes(few, Format::Jsonl, OnError::Fail).unwrap();
    assert!(batch.column(1).data_type().is_nested(), "objects of few keys stay objects");
}

#[test]
fn tables_have_a_width() {
    let header = |width: usize| (0..width).map(|n| format!("c{n}")).collect::<Vec<_>>();
    for (format, delimiter) in [(Format::Csv, ","), (Format::Tsv, "\t")] {
        let fits = header(10_000).join(delimiter);
        let (batch, _) = read_bytes(format!("{fits}\n{fits}\n"), format, OnError::Fail).unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (1, 10_000));
        let wide = header(10_001).join(delimiter);
        assert_eq!(fault(wide.clone(), format), "standard input has more than 10000 columns");
        assert_eq!(fault(format!("a\n{wide}\n"), format), "standard input has more than 10000 columns");
    }
    let object = |width: usize| {
        format!("{{{}}}\n", header(width).iter().map(|key| format!("\"{key}\":1")).collect::<Vec<_>>().join(","))
    };
    assert_eq!(read_bytes(object(10_000), Format::Jsonl, OnError::Fail).unwrap().0.num_columns(), 10_000);
    assert_eq!(fault(object(10_001), Format::Jsonl), "standard input has more than 10000 columns");
    let many: String = (0..20).map(|n| format!("{{\"k{n}\":{}}}\n", object(900).trim_end())).collect();
    assert_eq!(fault(many, Format::Jsonl), "standard input has more than 10000 columns", "inner keys count too");

    let fields: Vec<_> = header(10_001).into_iter().map(|name| Field::new(name, DataType::Int8, true)).collect();
    let folder = Folder::new();
    let target = Target::File(folder.at("wide.parquet"));
    Sink::create(target, Format::Parquet, Arc::new(Schema::new(fields))).unwrap().finish().unwrap();
    let input = folder.input("wide.parquet");
    assert_eq!(open(&input).unwrap_err().to_string(), format!("{input} has more than 10000 columns"));
}

#[test]
fn numbers_beyond_what_a_float_holds_keep_their_digits() {
    let text = "{\"a\":0.1}\n{\"a\":12345678901234567}\n";
    let (batch, _) = read_bytes(text, Format::Jsonl, OnError::Fail).unwrap();
    assert_eq!(cells(&batch), [["0.1"], ["12345678901234567"]]);
}

#[test]
fn ten_megabytes_in_a_cell() {
    let folder = Folder::new();
    let huge = "word ".repeat(2 << 20);
    let input = folder.write("a.csv", format!("id,text\n1,{huge}\n2,b\n"));
    for name in ["b.parquet", "b.jsonl", "b.tsv.gz"] {
        copy(&input, &folder.at(name)).unwrap();
        let batch = read(&folder.input(name)).unwrap();
        assert_eq!(cells(&batch), [["1", &huge], ["2", "b"]], "{name}");
    }
}

#[test]
fn batches_are_bounded_in_bytes() {
    let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(1 << 20));
    let source =
        Source::from_reader(Box::new(std::io::Cursor::new(line.repeat(50))), Format::Jsonl, OnError::Fail).unwrap();
    let rows: Vec<usize> = source.map(|batch| batch.unwrap().num_rows()).collect();
    assert_eq!(rows.iter().sum::<usize>(), 50);
    assert!(rows.iter().all(|rows| *rows <= 17), "{rows:?}");
    let folder = Folder::new();
    let input = folder.write("a.jsonl", line.repeat(50));
    copy(&input, &folder.at("b.parquet")).unwrap();
    let rows: Vec<usize> = open(&folder.input("b.parquet")).unwrap().map(|batch| batch.unwrap().num_rows()).collect();
    assert_eq!(rows.iter().sum::<usize>(), 50);
}

#[test]
fn compressed_data_cut_short() {
    let text: String = (0..20_000).map(|n| format!("{n},{}\n", n * 7919 % 104_729)).collect();
    let text = format!("a,b\n{text}");
    let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
    for (name, bytes) in [("a.csv.gz", gzip(text.as_bytes())), ("a.csv.zst", zstd)] {
        let folder = Folder::new();
        let input = folder.write(name, &bytes[..bytes.len() / 2]);
        let error = open(&input).and_then(common::read_all).unwrap_err();
        assert!(matches!(&error, EngineError::Compressed { path, .. } if *path == input), "{name}: {error}");
        let mut damaged = bytes.clone();
        damaged[bytes.len() / 3..bytes.len() / 3 + 64].fill(0x5a);
        let input = folder.write(name, damaged);
        assert!(open(&input).and_then(common::read_all).is_err(), "{name}");
    }
}

#[test]
fn content_that_is_not_what_its_name_says() {
    let folder = Folder::new();
    let csv = folder.write("a.csv", "a\n1\n");
    copy(&csv, &folder.at("b.parquet")).unwrap();
    let parquet = std::fs::read(folder.at("b.parquet")).unwrap();
    let message = |name: &str, bytes: &[u8]| {
        let input = folder.write(name, bytes);
        read(&input).unwrap_err().to_string().replace(&input, name)
    };
    assert_eq!(message("c.csv", &parquet), "c.csv is not csv: it is a parquet file");
    assert_eq!(message("c.csv.gz", b"a\0\x01"), "c.csv.gz is not gzip: its name tells gzip, its content does not");
    assert!(message("c.parquet", b"a,b\n1,2\n3,4\n").starts_with("cannot read c.parquet as parquet: "));
    assert!(message("d.parquet", &parquet[..parquet.len() - 5]).starts_with("cannot read d.parquet as parquet: "));
    assert!(message("e.parquet", &parquet[..10]).starts_with("cannot read e.parquet as parquet: "));
    assert_eq!(message("f.parquet", b""), "f.parquet is empty");
    assert_eq!(
        message("g.xls", b"a"),
        "the format of g.xls cannot be told from its name; the formats are csv, tsv, jsonl, parquet and txt"
    );
    let given =
        SourceOptions { inputs: vec![folder.input("g.xls").into()], format: Some(Format::Csv), ..Default::default() };
    assert_eq!(Source::open(given).unwrap().schema().field(0).name(), "a");
}

#[test]
fn a_damaged_parquet_page_is_an_error_of_its_file() {
    let folder = Folder::new();
    let text: String = (0..50_000).map(|n| format!("row {} of many\n", n * 7919 % 104_729)).collect();
    let input = folder.write("a.txt", text);
    copy(&input, &folder.at("b.parquet")).unwrap();
    let mut bytes = std::fs::read(folder.at("b.parquet")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 2000].fill(0xee);
    let damaged = folder.write("c.parquet", bytes);
    let error = read(&damaged).unwrap_err();
    assert!(matches!(&error, EngineError::Parquet { path, .. } if *path == damaged), "{error}");
}

#[test]
fn what_is_not_there() {
    assert_eq!(open("no/such/file.csv").unwrap_err().to_string(), "no/such/file.csv does not exist");
    let folder = Folder::new();
    let error = open(&folder.input("*.csv")).unwrap_err();
    assert_eq!(error.to_string(), format!("no file to read matches {}", folder.input("*.csv")));
    std::fs::create_dir(folder.at("empty")).unwrap();
    assert!(matches!(open(&folder.input("empty")), Err(EngineError::NoMatch { .. })));
}
