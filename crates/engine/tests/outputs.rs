//! Outputs appear whole or not at all, and what cannot be written is said before any work.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use albertine_engine::{EngineError, Format, Sink, Source, Target};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use common::{Folder, copy, open, options};

fn batch() -> RecordBatch {
    let column: ArrayRef = Arc::new(StringArray::from(vec!["1", "2"]));
    RecordBatch::try_from_iter([("a", column)]).unwrap()
}

fn create(path: PathBuf, format: Format) -> Result<Sink, EngineError> {
    Sink::create(Target::File(path), format, batch().schema())
}

#[test]
fn a_file_has_its_name_when_it_is_complete() {
    for (name, format) in [
        ("a.csv", Format::Csv),
        ("a.jsonl.gz", Format::Jsonl),
        ("a.tsv.zst", Format::Tsv),
        ("a.parquet", Format::Parquet),
    ] {
        let folder = Folder::new();
        folder.write(name, "old");
        let mut sink = create(folder.at(name), format).unwrap();
        sink.write(&batch()).unwrap();
        assert_eq!(folder.text(name), "old");
        assert_eq!(folder.names().len(), 2, "the new file is beside the old one");
        sink.finish().unwrap();
        assert_eq!(folder.names(), [name]);
        assert_eq!(common::read(&folder.input(name)).unwrap().column(0).as_ref(), batch().column(0).as_ref());
    }
}

#[test]
fn a_sink_that_is_dropped_leaves_the_old_file_alone() {
    for format in [Format::Csv, Format::Parquet] {
        let folder = Folder::new();
        folder.write("out", "old");
        let mut sink = create(folder.at("out"), format).unwrap();
        sink.write(&batch()).unwrap();
        drop(sink);
        assert_eq!((folder.names(), folder.text("out")), (vec!["out".to_owned()], "old".to_owned()));
    }
}

#[cfg(unix)]
#[test]
fn permissions_and_links_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new();
    let mode = |name: &str| std::fs::metadata(folder.at(name)).unwrap().permissions().mode() & 0o777;
    folder.write("plain", "");
    create(folder.at("new.csv"), Format::Csv).unwrap().finish().unwrap();
    assert_eq!(mode("new.csv"), mode("plain"), "as any new file");

    folder.write("old.csv", "old");
    std::fs::set_permissions(folder.at("old.csv"), std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink(folder.at("old.csv"), folder.at("link.csv")).unwrap();
    create(folder.at("link.csv"), Format::Csv).unwrap().finish().unwrap();
    assert!(folder.at("link.csv").is_symlink());
    assert_eq!((folder.text("old.csv").as_str(), mode("old.csv")), ("a\n", 0o640));
}

#[test]
fn what_cannot_be_an_output() {
    let folder = Folder::new();
    let message = |target: Target, format| {
        let error = Sink::create(target, format, batch().schema()).unwrap_err();
        error.to_string().replace(&folder.input(""), "")
    };
    let file = |name: &str| Target::File(folder.at(name));
    assert_eq!(message(file("no/a.csv"), Format::Csv), "the folder of the output no/a.csv does not exist");
    std::fs::create_dir(folder.at("dir")).unwrap();
    assert_eq!(message(file("dir"), Format::Csv), "the output dir is a folder");
    let formats = "cannot be written; the output formats are csv, tsv and jsonl, also .gz and .zst, and parquet";
    assert_eq!(message(file("a.txt"), Format::Txt), format!("txt {formats}"));
    assert_eq!(message(file("a.parquet.gz"), Format::Parquet), format!("parquet within gzip {formats}"));
    assert_eq!(folder.names(), ["dir"], "nothing is left behind");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files() {
    let error = create("/proc/albertine.csv".into(), Format::Csv).unwrap_err();
    assert!(matches!(&error, EngineError::Write { path, .. } if path == "/proc/albertine.csv"), "{error}");
}

#[test]
fn an_output_is_no_input() {
    let folder = Folder::new();
    let a = folder.write("a.csv", "a\n1\n");
    folder.write("b.csv", "a\n2\n");
    let source = Source::open(options(&[&folder.input("*.csv")])).unwrap();
    let check = |name: &str| Target::File(folder.at(name)).check(&source);
    assert!(matches!(check("b.csv"), Err(EngineError::OutputIsInput { .. })));
    assert!(matches!(check("../"), Err(EngineError::OutputIsFolder { .. })));
    assert!(matches!(check("no/c.csv"), Err(EngineError::NoOutputFolder { .. })));
    check("c.csv").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.at("a.csv"), folder.at("soft")).unwrap();
        std::fs::hard_link(folder.at("a.csv"), folder.at("hard")).unwrap();
        assert!(matches!(check("soft"), Err(EngineError::OutputIsInput { .. })));
        assert!(matches!(check("hard"), Err(EngineError::OutputIsInput { .. })));
    }
    let error = copy(&a, &folder.at("a.csv")).unwrap_err();
    assert_eq!(error.to_string(), format!("the output {a} is also an input"));
    assert_eq!(folder.text("a.csv"), "a\n1\n");
}

#[cfg(target_os = "linux")]
#[test]
fn devices_are_written_in_place_and_a_full_disk_is_said() {
    let folder = Folder::new();
    let input = folder.write("a.csv", format!("a\n{}", "some words\n".repeat(100_000)));
    for format in [Format::Csv, Format::Jsonl, Format::Parquet] {
        let to = |device: &str| {
            let source = open(&input).unwrap();
            let sink = Sink::create(Target::File(device.into()), format, source.schema().clone())?;
            albertine_engine::run(source, &common::Keep, sink, Default::default(), &Default::default(), &mut |_| {})
        };
        assert_eq!(to("/dev/null").unwrap().rows, 100_000);
        let error = to("/dev/full").unwrap_err();
        assert_eq!(error.to_string(), "cannot write /dev/full: the disk is full", "{format}");
    }
}

/// A reader that stops after some bytes.
struct Pipe(usize);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_told_apart() {
    let folder = Folder::new();
    let input = folder.write("a.csv", format!("a\n{}", "some words\n".repeat(100_000)));
    for format in [Format::Csv, Format::Jsonl, Format::Parquet] {
        let source = open(&input).unwrap();
        let sink = Sink::to_writer(Box::new(Pipe(10)), format, source.schema().clone()).unwrap();
        let result =
            albertine_engine::run(source, &common::Keep, sink, Default::default(), &Default::default(), &mut |_| {});
        assert!(matches!(result, Err(EngineError::ClosedPipe)), "{format}");
    }
}

#[test]
fn parquet_is_written_in_bounded_row_groups() {
    let folder = Folder::new();
    // 96 MiB of words that no dictionary makes small.
    let mut state = 1_u64;
    let mut word = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:016x}", state)
    };
    let texts: Vec<String> = (0..1024).map(|_| (0..384).map(|_| word()).collect()).collect();
    let batch = RecordBatch::try_new(batch().schema(), vec![Arc::new(StringArray::from(texts))]).unwrap();
    let mut sink = create(folder.at("a.parquet"), Format::Parquet).unwrap();
    for _ in 0..16 {
        sink.write(&batch).unwrap();
    }
    sink.finish().unwrap();
    let file = std::fs::File::open(folder.at("a.parquet")).unwrap();
    let metadata = parquet::file::metadata::ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
    assert!(metadata.num_row_groups() >= 2, "{} row groups", metadata.num_row_groups());
    assert_eq!(metadata.file_metadata().num_rows(), 16 * 1024);
    assert!(metadata.row_groups().iter().all(|group| group.compressed_size() < 40 << 20));
}
