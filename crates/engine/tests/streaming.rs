//! Runs keep every row in order, in memory that depends on the windows alone, and stop cleanly.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use albertine::{CancellationToken, OutputSchema, Transform, Transformed, WindowSettings};
use albertine_engine::{EngineError, Format, OnError, Sink, Source, SourceOptions, Target, run};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, SchemaRef};
use common::{Folder, Keep, cells, open, read};

/// Adds the number of characters of the first column, and calls back for each window.
struct Count<F>(F);

impl<F: Fn(usize) + Send + Sync> Transform for Count<F> {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, albertine::Error> {
        let added = Field::new("length", DataType::Int64, true);
        Ok(OutputSchema::unchanged(input).adding([Arc::new(added)]))
    }

    fn run(&self, batch: &RecordBatch, _: &CancellationToken) -> Result<Transformed, albertine::Error> {
        self.0(batch.num_rows());
        let texts = batch.column(0).as_any().downcast_ref::<StringArray>().unwrap();
        let lengths: ArrayRef =
            Arc::new(texts.iter().map(|text| text.map(|text| text.len() as i64)).collect::<Int64Array>());
        Ok((self.output_schema(&batch.schema())?.assemble(batch, [lengths])?, Vec::new()))
    }
}

#[test]
fn every_row_gets_its_own_result_in_order() {
    let folder = Folder::new();
    let text: String = (0..20_000).map(|row| format!("{}\n", "x".repeat(row % 37))).collect();
    let input = folder.write("a.txt", text);
    let transform = Count(|_| {});
    for window_rows in [1000, 4096, 5000, 1 << 20] {
        let source = open(&input).unwrap();
        let schema = transform.output_schema(source.schema()).unwrap().into_schema();
        let sink = Sink::create(Target::File(folder.at("b.parquet")), Format::Parquet, schema).unwrap();
        let mut told = Vec::new();
        let settings = WindowSettings { rows: window_rows, time: None, ..Default::default() };
        let summary =
            run(source, &transform, sink, settings, &CancellationToken::default(), &mut |now| told.push(now.rows))
                .unwrap();
        assert_eq!(summary.rows, 20_000);
        assert_eq!(told.last(), Some(&20_000));
        assert_eq!(told.len(), 20_000_usize.div_ceil(window_rows));
        let rows = cells(&read(&folder.input("b.parquet")).unwrap());
        assert!(
            rows.iter()
                .enumerate()
                .all(|(row, cells)| cells[0].len() == row % 37 && cells[1] == (row % 37).to_string())
        );
    }
}

/// An endless supply of rows, up to a number of bytes, that counts what was taken.
struct Supply {
    left: usize,
    taken: Arc<AtomicU64>,
}

impl Read for Supply {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.left);
        for (index, byte) in buffer[..count].iter_mut().enumerate() {
            *byte = if (self.left - index) % 100 == 1 { b'\n' } else { b'x' };
        }
        self.left -= count;
        self.taken.fetch_add(count as u64, Ordering::SeqCst);
        Ok(count)
    }
}

/// A slow reader of the output that counts its rows.
struct Drain(Arc<AtomicU64>);

impl Write for Drain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        std::thread::sleep(Duration::from_millis(3));
        let rows = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.0.fetch_add(rows, Ordering::SeqCst);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_slow_stage_holds_the_others_back() {
    const WINDOW: u64 = 4096;
    let (taken, drained) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let supply = Supply { left: 60 * 100 * WINDOW as usize, taken: Arc::clone(&taken) };
    let source = Source::from_reader(Box::new(supply), Format::Txt, OnError::Fail).unwrap();
    let (done, most_read, most_kept) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let transform = Count(|rows| {
        std::thread::sleep(Duration::from_millis(2));
        let before = done.fetch_add(rows as u64, Ordering::SeqCst);
        most_read.fetch_max(taken.load(Ordering::SeqCst) / 100 - before, Ordering::SeqCst);
        most_kept.fetch_max(before - drained.load(Ordering::SeqCst).min(before), Ordering::SeqCst);
    });
    let schema = transform.output_schema(source.schema()).unwrap().into_schema();
    let sink = Sink::to_writer(Box::new(Drain(Arc::clone(&drained))), Format::Csv, schema).unwrap();
    let settings = WindowSettings { rows: WINDOW as usize, time: None, ..Default::default() };
    let rows = run(source, &transform, sink, settings, &CancellationToken::default(), &mut |_| {}).unwrap().rows;
    assert_eq!(rows, 60 * WINDOW);
    assert_eq!(drained.load(Ordering::SeqCst), rows + 1, "the header and all rows");
    // The window in work, one that waits, one that is being built, and the buffers of the reader.
    let buffers = (2 << 20) / 100;
    assert!(most_read.into_inner() <= 3 * WINDOW + buffers, "rows were read too far ahead");
    assert!(most_kept.into_inner() <= 3 * WINDOW, "rows pile up before the writer");
}

/// Fails at the window with the given number.
struct Fails(AtomicU64);

impl Transform for Fails {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, albertine::Error> {
        Ok(OutputSchema::unchanged(input))
    }

    fn run(&self, batch: &RecordBatch, _: &CancellationToken) -> Result<Transformed, albertine::Error> {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(arrow_schema::ArrowError::ComputeError("no more".into()).into());
        }
        Ok((batch.clone(), Vec::new()))
    }
}

#[test]
fn a_failing_run_leaves_nothing_behind() {
    let folder = Folder::new();
    let input = folder.write("in/a.csv", format!("a\n{}", "x\n".repeat(30_000)));
    folder.write("out/b.csv", "old");
    let sink =
        |schema: &SchemaRef| Sink::create(Target::File(folder.at("out/b.csv")), Format::Csv, schema.clone()).unwrap();
    let left = || (std::fs::read_dir(folder.at("out")).unwrap().count(), folder.text("out/b.csv"));

    let source = open(&input).unwrap();
    let sink_of_source = sink(source.schema());
    let result = run(
        source,
        &Fails(AtomicU64::new(2)),
        sink_of_source,
        WindowSettings::default(),
        &CancellationToken::default(),
        &mut |_| {},
    );
    assert!(matches!(result, Err(EngineError::Transform(_))));
    assert_eq!(left(), (1, "old".to_owned()));

    let ragged = folder.write("in/ragged.csv", format!("a\n{}x,y\n", "x\n".repeat(30_000)));
    let source = open(&ragged).unwrap();
    let sink_of_source = sink(source.schema());
    let result =
        run(source, &Keep, sink_of_source, WindowSettings::default(), &CancellationToken::default(), &mut |_| {});
    assert!(matches!(result, Err(EngineError::RaggedRow { line: 30_002, .. })));
    assert_eq!(left(), (1, "old".to_owned()));
}

/// Loses the last row.
struct Loses;

impl Transform for Loses {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, albertine::Error> {
        Ok(OutputSchema::unchanged(input))
    }

    fn run(&self, batch: &RecordBatch, _: &CancellationToken) -> Result<Transformed, albertine::Error> {
        Ok((batch.slice(0, batch.num_rows() - 1), Vec::new()))
    }
}

#[test]
fn a_transform_may_not_lose_rows() {
    let folder = Folder::new();
    let source = open(&folder.write("a.csv", "a\n1\n2\n")).unwrap();
    let sink = Sink::create(Target::File(folder.at("b.csv")), Format::Csv, source.schema().clone()).unwrap();
    let error =
        run(source, &Loses, sink, WindowSettings::default(), &CancellationToken::default(), &mut |_| {}).unwrap_err();
    assert_eq!(error.to_string(), "a transform returned 1 rows for 2");
    assert_eq!(folder.names(), ["a.csv"]);
}

/// Says that rows may become several.
struct Multiplies;

impl Transform for Multiplies {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, albertine::Error> {
        Ok(OutputSchema::unchanged(input).multiplying_rows())
    }

    fn run(&self, _: &RecordBatch, _: &CancellationToken) -> Result<Transformed, albertine::Error> {
        panic!("no row is to be touched")
    }
}

#[test]
fn a_transform_that_multiplies_rows_is_refused_before_one_is_read() {
    let folder = Folder::new();
    let source = open(&folder.write("a.csv", "a\n1\n2\n")).unwrap();
    let sink = Sink::create(Target::File(folder.at("b.csv")), Format::Csv, source.schema().clone()).unwrap();
    let error = run(source, &Multiplies, sink, WindowSettings::default(), &CancellationToken::default(), &mut |_| {})
        .unwrap_err();
    assert!(error.to_string().contains("explodeSentences"), "{error}");
    assert_eq!(folder.names(), ["a.csv"]);
}

#[test]
fn rows_that_failed_are_counted_and_kept() {
    let folder = Folder::new();
    let mut text = String::from("a,b\n");
    for row in 0..20 {
        text.push_str(if row % 2 == 0 { "x\n" } else { "x,y\n" });
    }
    let input = folder.write("a.csv", text);
    let source = Source::open(SourceOptions {
        inputs: vec![input.clone().into()],
        on_error: OnError::Null,
        ..Default::default()
    })
    .unwrap();
    let summary = common::copy_with(source, &folder.at("b.csv"), WindowSettings::default()).unwrap();
    assert_eq!((summary.rows, summary.failed_rows, summary.failures.len()), (20, 10, 5));
    assert_eq!(summary.failures[0], format!("{input}, line 2: 1 field, but the header has 2"));
    assert_eq!(folder.text("b.csv"), format!("a,b\n{}", "x,\nx,y\n".repeat(10)));
}

/// Of a pipe, what came before a fault is not lost.
#[test]
fn rows_of_a_pipe_before_a_fault_come_before_its_error() {
    for (format, text, message) in [
        (Format::Csv, &b"a,b\n1,x\n2,y\n3\n4,z\n"[..], "line 4: 1 field"),
        (Format::Csv, b"a,b\n1,x\n2,y\n3,\"open\n", "line 4: unclosed quote"),
        (Format::Txt, b"x\ny\n\xff\xff\x01\nz\n", "line 3: column \"text\" is not valid UTF-8"),
        (Format::Jsonl, b"{\"a\":1}\n{\"a\":2}\n[3]\n{\"a\":4}\n", "line 3: it is not a JSON object"),
    ] {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let text = text.to_vec();
        // The columns are found before the fault is there.
        let lines = text.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let writing = std::thread::spawn(move || {
            use std::io::Write;
            writer.write_all(&text[..lines]).unwrap();
            std::thread::sleep(Duration::from_millis(1300));
            writer.write_all(&text[lines..]).unwrap();
        });
        let source = Source::from_reader(Box::new(reader), format, OnError::Fail).unwrap();
        let schema = source.schema().clone();
        let mut windows = albertine::Windowed::new(source, &schema, common::Keep, WindowSettings::default()).unwrap();
        let mut rows = 0;
        let error = loop {
            match windows.next().unwrap() {
                Ok(window) => rows += window.num_rows(),
                Err(error) => break error.to_string(),
            }
        };
        writing.join().unwrap();
        assert_eq!(rows, 2, "{format}");
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_source_that_is_dropped_stops_reading() {
    let taken = Arc::new(AtomicU64::new(0));
    let supply = Supply { left: usize::MAX, taken: Arc::clone(&taken) };
    let mut source = Source::from_reader(Box::new(supply), Format::Txt, OnError::Fail).unwrap();
    assert_eq!(source.next().unwrap().unwrap().num_rows(), 4096);
    drop(source);
    // The reading thread sees it when it hands over its next batch, and drops the supply.
    for _ in 0..500 {
        if Arc::strong_count(&taken) == 1 {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the thread goes on reading");
}
