//! Any small table survives being written and read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use albertine_engine::{Format, OnError, Sink, Target};
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Float64Array, Int64Array, ListArray, RecordBatch, StringArray};
use common::{Folder, read, read_bytes};
use proptest::collection::vec;
use proptest::num::f64::NORMAL;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Texts with the characters that formats care about.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        vec(prop_oneof![select("\",\n\r\t\0\\ ".chars().collect::<Vec<_>>()), any::<char>()], 0..12)
            .prop_map(|letters| letters.into_iter().collect()),
    ]
}

/// Bytes, above all those that parsers look for.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![3 => select(b"\",\n\r{}:[]1a".to_vec()), 1 => any::<u8>()]
}

/// Columns of texts of one length.
fn texts() -> impl Strategy<Value = Vec<Vec<String>>> {
    (1_usize..4, 0_usize..6).prop_flat_map(|(columns, rows)| vec(vec(text(), rows), columns))
}

fn table(columns: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().enumerate().map(|(n, column)| (format!("c{n}"), column, true)),
    )
    .unwrap()
}

fn write(folder: &Folder, name: &str, batch: &RecordBatch) -> String {
    let target = Target::File(folder.at(name));
    let (format, _) = Format::of_name(name).unwrap();
    let mut sink = Sink::create(target, format, batch.schema()).unwrap();
    sink.write(batch).unwrap();
    sink.finish().unwrap();
    folder.input(name)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_survive_delimited_files(
        columns in texts(),
        name in select(vec!["t.csv", "t.tsv", "t.csv.gz", "t.tsv.zst"]),
    ) {
        let batch = table(columns.into_iter().map(|texts| Arc::new(StringArray::from(texts)) as ArrayRef).collect());
        let folder = Folder::new();
        let back = read(&write(&folder, name, &batch)).unwrap();
        prop_assert_eq!(&back, &batch);
        let again = Folder::new();
        write(&again, name, &back);
        prop_assert_eq!(std::fs::read(again.at(name)).unwrap(), std::fs::read(folder.at(name)).unwrap());
    }

    #[test]
    fn values_survive_json_lines_and_parquet(
        rows in vec((option::of(text()), any::<i64>(), NORMAL, option::of(vec(option::of(any::<i64>()), 0..3))), 1..6),
    ) {
        // A first row without nulls, so that JSON Lines tell the types.
        let rows: Vec<_> = [(Some("t".to_owned()), 0, 0.5, Some(vec![Some(1)]))].into_iter().chain(rows).collect();
        let texts: StringArray = rows.iter().map(|row| row.0.as_deref()).collect();
        let integers: Int64Array = rows.iter().map(|row| Some(row.1)).collect();
        let floats: Float64Array = rows.iter().map(|row| Some(row.2)).collect();
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(rows.iter().map(|row| row.3.clone()));
        let batch = table(vec![Arc::new(texts), Arc::new(integers), Arc::new(floats), Arc::new(lists)]);
        let folder = Folder::new();
        for name in ["t.jsonl", "t.jsonl.gz", "t.parquet"] {
            let back = read(&write(&folder, name, &batch)).unwrap();
            prop_assert_eq!(back.columns(), batch.columns(), "{}", name);
        }
    }

    #[test]
    fn any_bytes_are_rows_or_an_error(bytes in vec(byte(), 0..60)) {
        for format in [Format::Csv, Format::Tsv, Format::Jsonl, Format::Txt, Format::Parquet] {
            let strict = read_bytes(bytes.clone(), format, OnError::Fail);
            let lenient = read_bytes(bytes.clone(), format, OnError::Null);
            if let Ok(strict) = strict {
                prop_assert_eq!(lenient.unwrap(), strict, "what can be read is read alike");
            } else if let Ok((_, failed)) = lenient {
                prop_assert!(failed > 0, "a fault is counted");
            }
        }
    }

    #[test]
    fn no_line_of_text_is_lost(lines in vec("[^\n\r]{0,5}", 0..10), crlf in any::<bool>()) {
        let end = if crlf { "\r\n" } else { "\n" };
        let text: String = lines.iter().map(|line| format!("{line}{end}")).collect();
        prop_assume!(!text.starts_with('\u{feff}') && !text.starts_with("PAR1"));
        let (batch, _) = read_bytes(text, Format::Txt, OnError::Fail).unwrap();
        let back: Vec<String> = common::cells(&batch).into_iter().flatten().collect();
        prop_assert_eq!(back, lines);
    }
}
