//! Runs that go on where they stopped, whatever they read and write.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::PathBuf;
use std::sync::Arc;

use albertine::{CancellationToken, WindowSettings};
use albertine_engine::{
    EngineError, FailedRows, Format, OnError, ResumableOutput, ResumableRun, ResumeOptions, Source, SourceOptions,
    Summary,
};
use arrow_array::builder::{ListBuilder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int8Type;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringViewArray, StructArray, TimestampMillisecondArray};
use parquet::arrow::ArrowWriter;

use common::{Folder, Keep};

/// A run over `input` that is stopped after so many windows of 100 rows, if it is.
fn step(
    input: &str,
    output: &ResumableOutput,
    stop: Option<usize>,
    change: impl FnOnce(&mut ResumeOptions),
) -> Result<Summary, EngineError> {
    let options = SourceOptions { inputs: vec![input.into()], on_error: OnError::Null, ..Default::default() };
    let mut source = Source::open(options)?;
    let (ResumableOutput::File(path) | ResumableOutput::Folder(path)) = output;
    let format = Format::of_name(&path.to_string_lossy()).map_or(Format::Csv, |(format, _)| format);
    let mut options = ResumeOptions::new(output.clone(), format);
    options.error_column = Some(source.add_error_column());
    options.failed_rows = FailedRows::Keep;
    change(&mut options);
    let token = CancellationToken::default();
    let mut windows = 0;
    let settings = WindowSettings { rows: 100, time: None, ..WindowSettings::default() };
    ResumableRun::open(source, &Keep, options)?.run(&Keep, settings, &token, &mut |_| {
        windows += 1;
        if Some(windows) == stop {
            token.cancel();
        }
    })
}

/// The bytes of a file that was stopped after so many windows, again and again.
fn stopped(input: &str, path: PathBuf, stop: Option<usize>) -> Vec<u8> {
    let output = ResumableOutput::File(path.clone());
    let mut runs = 0;
    while let Err(error) = step(input, &output, stop, |_| {}) {
        assert!(matches!(error, EngineError::Transform(albertine::Error::Cancelled)), "{error}");
        assert!(!path.exists());
        runs += 1;
        assert!(runs < 50);
    }
    assert_eq!(runs > 1, stop.is_some());
    std::fs::read(path).unwrap()
}

fn csv(rows: usize) -> String {
    let row = |row: usize| if row % 97 == 5 { format!("{row}\n") } else { format!("{row},text {}\n", row * row) };
    std::iter::once("a,b\n".to_owned()).chain((0..rows).map(row)).collect()
}

#[test]
fn a_run_that_was_stopped_anywhere_gives_the_same_bytes() {
    let folder = Folder::new();
    folder.write("in/a.csv", csv(1234));
    folder.write("in/b.csv", csv(0));
    folder.write("in/c.csv", csv(300));
    for name in ["a.csv", "a.tsv.gz", "a.jsonl", "a.csv.zst", "a.parquet"] {
        let input = folder.input("in");
        let unbroken = stopped(&input, folder.at(name), None);
        for windows in [1, 3, 7] {
            let again = folder.at(&format!("{windows}-{name}"));
            assert!(stopped(&input, again, Some(windows)) == unbroken, "{name} in steps of {windows}");
        }
    }
    assert_eq!(folder.names().iter().filter(|name| name.starts_with('.')).count(), 0);
}

#[test]
fn every_type_goes_through_a_part() {
    let rows = 700;
    let mut category = StringDictionaryBuilder::<Int8Type>::new();
    let mut list = ListBuilder::new(StringBuilder::new());
    for row in 0..rows {
        category.append_option((row % 3 != 0).then(|| format!("kind {}", row % 5)));
        list.append_option((row % 4 != 0).then(|| (0..row % 3).map(|item| Some(item.to_string())).collect::<Vec<_>>()));
    }
    let view = StringViewArray::from_iter((0..rows).map(|row| Some(format!("a text that is not short {row}"))));
    let times = TimestampMillisecondArray::from_iter((0..rows).map(|row| (row % 7 != 0).then_some(row as i64)));
    let flags: ArrayRef = Arc::new(BooleanArray::from_iter((0..rows).map(|row| Some(row % 2 == 0))));
    let pairs = StructArray::try_from(vec![("flag", flags)]).unwrap();
    let columns: [(&str, ArrayRef, bool); 5] = [
        ("category", Arc::new(category.finish()), true),
        ("list", Arc::new(list.finish()), true),
        ("view", Arc::new(view), true),
        ("time", Arc::new(times.with_timezone("Europe/Berlin")), true),
        ("pair", Arc::new(pairs), true),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let folder = Folder::new();
    let input = folder.write("in.parquet", writer.into_inner().unwrap());
    let unbroken = stopped(&input, folder.at("a.parquet"), None);
    assert!(stopped(&input, folder.at("b.parquet"), Some(2)) == unbroken);
    let read = common::read(&folder.input("b.parquet")).unwrap();
    assert_eq!(common::cells(&read.project(&[0, 1, 2, 3, 4]).unwrap()), common::cells(&batch));
    assert_eq!(read.schema().field(0).data_type(), batch.schema().field(0).data_type());
}

#[test]
fn inputs_that_come_while_a_run_lasts_are_part_of_its_table() {
    let folder = Folder::new();
    folder.write("in/b.csv", csv(500));
    let (input, output) = (folder.input("in"), ResumableOutput::File(folder.at("out.csv")));
    assert!(step(&input, &output, Some(2), |_| {}).is_err());
    folder.write("in/a.csv", csv(250));
    folder.write("in/c.csv", csv(10));
    let summary = step(&input, &output, None, |_| {}).unwrap();
    assert_eq!((summary.rows, summary.failed_rows), (760, 10));
    let unbroken = stopped(&input, folder.at("unbroken.csv"), None);
    assert!(std::fs::read(folder.at("out.csv")).unwrap() == unbroken);
}

#[test]
fn what_a_run_is_made_of_must_be_the_same() {
    let folder = Folder::new();
    let input = folder.write("in/a.csv", csv(500));
    folder.write("in/b.csv", csv(5));
    let (inputs, output) = (folder.input("in"), ResumableOutput::File(folder.at("out.csv")));
    let with = |setting: &'static str| {
        move |options: &mut ResumeOptions| options.settings = vec![("precision".to_owned(), setting.to_owned())]
    };
    let differences = |result: Result<Summary, EngineError>| match result {
        Err(EngineError::BegunDifferently { differences, .. }) => differences,
        other => panic!("{other:?}"),
    };
    assert!(step(&inputs, &output, Some(1), with("f32")).is_err());
    assert_eq!(differences(step(&inputs, &output, None, with("int8"))), "precision f32 instead of int8");
    let gone = format!("{} is no longer an input", folder.input("in/b.csv"));
    assert_eq!(differences(step(&input, &output, None, with("f32"))), gone);
    folder.write("in/c.csv", "a,b,c\n1,2,3\n");
    assert_eq!(differences(step(&inputs, &output, None, with("f32"))), "without column `c` of type Utf8");
    std::fs::remove_file(folder.at("in/c.csv")).unwrap();
    folder.write("in/a.csv", csv(501));
    assert_eq!(differences(step(&inputs, &output, None, with("f32"))), format!("{input} has changed"));
    let summary = step(&inputs, &output, None, |options| {
        with("int8")(options);
        options.restart = true;
    });
    assert_eq!(summary.unwrap().rows, 506);
}

#[test]
fn rows_that_failed_and_were_kept_are_not_done_where_they_stop_the_run() {
    let folder = Folder::new();
    let input = folder.write("a.csv", csv(300));
    let output = ResumableOutput::File(folder.at("out.csv"));
    assert!(step(&input, &output, Some(1), |_| {}).is_err());
    assert_eq!(folder.names(), [".out.csv.parts", "a.csv"]);
    let is_part = |name: &str| name.ends_with(".part");
    let parts = || std::fs::read_dir(folder.at(".out.csv.parts")).unwrap().flatten();
    assert_eq!(parts().filter(|entry| is_part(&entry.file_name().to_string_lossy())).count(), 1);
    let source = Source::open(common::options(&[&input])).unwrap();
    let mut options = ResumeOptions::new(output, Format::Csv);
    let mut source = source;
    options.error_column = Some(source.add_error_column());
    let run = ResumableRun::open(source, &Keep, options).unwrap();
    assert_eq!(run.rows_done(), 0);
    let error = run.run(&Keep, WindowSettings::default(), &CancellationToken::default(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, EngineError::RaggedRow { line: 7, .. }), "{error}");
}

#[test]
fn tables_in_a_folder_are_named_after_their_inputs() {
    let folder = Folder::new();
    for name in ["in/a.csv", "in/x/a.csv", "in/x/b.tsv"] {
        folder.write(name, "a\tb\n1\t2\n");
    }
    std::fs::create_dir(folder.at("out")).unwrap();
    let output = ResumableOutput::Folder(folder.at("out"));
    let summary = step(&folder.input("in"), &output, None, |_| {}).unwrap();
    assert_eq!(summary.rows, 3);
    let mut names: Vec<_> = std::fs::read_dir(folder.at("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".parts")
        .collect();
    names.sort();
    assert_eq!((names.len(), names[1].as_str(), names[2].as_str()), (3, "a.csv", "b.csv"));
    assert!(names[0].starts_with("a-") && names[0].len() == "a-12345678.csv".len(), "{names:?}");
}

#[test]
fn a_run_tells_of_tables_that_one_before_it_completed_and_did_not_tell_of() {
    let folder = Folder::new();
    folder.write("in/a.csv", csv(300));
    folder.write("in/b.csv", csv(300));
    std::fs::create_dir(folder.at("out")).unwrap();
    let (input, output) = (folder.input("in"), ResumableOutput::Folder(folder.at("out")));
    assert!(step(&input, &output, Some(5), |_| {}).is_err());
    assert!(folder.at("out/a.csv").exists() && !folder.at("out/b.csv").exists());
    let summary = step(&input, &output, None, |_| {}).unwrap();
    assert_eq!((summary.rows, summary.failed_rows), (600, 8));
    let summary = step(&input, &output, None, |_| {}).unwrap();
    assert_eq!((summary.rows, summary.failed_rows), (0, 0));
}

#[test]
fn a_part_that_was_changed_is_computed_again_or_refused() {
    let folder = Folder::new();
    let input = folder.write("a.csv", csv(300));
    let parts = folder.at(".out.csv.parts");
    // where a run was stopped after its first hundred rows, with another name for its part and other words in it
    let changed = |name: &str, change: &dyn Fn(String) -> String| {
        let output = ResumableOutput::File(folder.at("out.csv"));
        assert!(step(&input, &output, Some(1), |_| {}).is_err());
        let path = parts.join("000000-000000000000-000000000100.part");
        let bytes = std::fs::read(&path).unwrap();
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let head = change(String::from_utf8(bytes[..end].to_vec()).unwrap());
        std::fs::remove_file(path).unwrap();
        std::fs::write(parts.join(name), [head.as_bytes(), &bytes[end..]].concat()).unwrap();
        let result = step(&input, &output, None, |_| {});
        let _ = std::fs::remove_dir_all(&parts);
        result.map(|summary| (summary.rows, std::fs::read_to_string(folder.at("out.csv")).unwrap().lines().count()))
    };
    let same = |head: String| head;
    for name in ["000000-000000000000-000000000300.part", "000000-000000000000-18446744073709551615.part"] {
        assert_eq!(changed(name, &same).unwrap(), (300, 301), "{name}");
    }
    for rows in [300, u64::MAX] {
        let lie = |head: String| head.replacen("\"rows\":100", &format!("\"rows\":{rows}"), 1);
        let error = changed(&format!("000000-000000000000-{rows:012}.part"), &lie).unwrap_err();
        assert!(error.to_string().contains("it does not have as many rows as it says"), "{error}");
    }
    let many = |head: String| head.replacen("\"blank\":0", &format!("\"blank\":{}", u64::MAX), 1);
    assert_eq!(changed("000000-000000000000-000000000100.part", &many).unwrap(), (300, 301));
}
