//! `albertine evaluate`: how good a model is on a labelled table.

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use albertine::hub::Hub;
use albertine::{Activation, Classifier, Classify, Columns, Transform, WindowSettings};
use albertine_engine::{Format, Source};
use albertine_train::{Evaluation, LabelNames, Loss, Metrics, Mistake, Mistakes, Report, Run, epoch_of};
use anyhow::Context;
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::{can_cast_types, cast};
use arrow::datatypes::{DataType, Float32Type, Schema};

use crate::args::EvaluateArgs;
use crate::exit::{Misuse, Outcome};
use crate::interrupt::discard_output_on_interrupt;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::report::{self, count, grouped};
use crate::{settings, timing};

/// Mistakes that a report shows, and how much of their texts.
const MISTAKES: usize = 20;
const LETTERS: usize = 300;

/// Measures the model on the table that `args` name, and prints the numbers.
pub(crate) fn evaluate(args: &EvaluateArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    let options = settings::tables(&args.input, args.errors);
    if options.format == Some(Format::Txt) {
        return Err(Misuse::new(
            "lines of text have no labels",
            "name a labelled table, as in `--input test.csv`; for standard input give `--input-format` too",
        )
        .into());
    }
    let model = settings::model(&args.model, hub)?;
    discard_output_on_interrupt(*printer)?;
    let source = Source::open(options)?;
    let input = source.names().collect::<Vec<_>>().join(", ");
    let label_column = label_column(source.schema(), &args.label_column)?;

    let found = hub.resolve(&model.name)?;
    let epoch = found.path().map(epoch_of).transpose()?.flatten();
    let classifier = Arc::new(Classifier::load(&found, model.settings)?);
    timing::watch(&classifier);
    let columns = Columns { text: args.input.text_columns.clone(), logits: true, ..Columns::default() };
    let classify = Classify::new(Arc::clone(&classifier), columns)?;
    classify.output_schema(source.schema())?;
    let mut tally = Tally::new(&classify, &args.labels, label_column)?;
    if let Some(folder) = &args.report {
        Report::prepare(folder)?;
    }

    let progress = Progress::new(printer.may_draw_progress(), source.rows_total(), source.bytes_total());
    let result = albertine_engine::for_each_window(source, &classify, WindowSettings::default(), |window, now| {
        progress.update(now.rows, now.bytes_read);
        tally.add(&window)?;
        anyhow::Ok(ControlFlow::Continue(()))
    });
    progress.finish();
    let summary = result?;

    report::rows(printer, summary.rows, summary.elapsed, None);
    report::texts(printer, &classifier);
    report::failed_rows(printer, &summary);
    tally.tell(printer);
    let metrics = tally.evaluation.metrics(Run { runtime: summary.elapsed, epoch })?;
    if let Some(folder) = &args.report {
        let facts = [
            ("input", input),
            ("precision", classifier.model().precision().to_string()),
            ("cpu level", classifier.model().kernels().level().to_string()),
            ("threads", classifier.threads().to_string()),
        ];
        let name = found.to_string();
        let report = Report { model: &name, facts: &facts, metrics: &metrics, mistakes: tally.mistakes.surest() };
        printer.note(format_args!("the report is {}", report.write(folder)?.display()));
    }
    printer.note(format_args!(
        "{} of {} got their class ({:.2} %)",
        grouped(metrics.right()),
        count(metrics.samples, "text"),
        metrics.accuracy * 100.0
    ));
    timing::tell(printer, &classifier, summary.elapsed, &[("read", summary.reading)], &[])
        .map_err(albertine::Error::from)?;
    print(&metrics, printer)?;
    Ok(if summary.failed_rows > 0 { Outcome::FailedRows } else { Outcome::Done })
}

/// The numbers as JSON: over many lines for a person, on one in a pipe.
fn print(metrics: &Metrics, printer: &Printer) -> anyhow::Result<()> {
    let mut out = printer.data();
    if printer.stdout_is_terminal() {
        serde_json::to_writer_pretty(&mut out, metrics)?;
    } else {
        serde_json::to_writer(&mut out, metrics)?;
    }
    writeln!(out)?;
    Ok(out.flush()?)
}

/// The place of the column of true labels, whose values can be written as text.
fn label_column(schema: &Schema, name: &str) -> Result<usize, Misuse> {
    let hint = "name the column of the true labels with `--label-column`";
    let Some((place, field)) = schema.column_with_name(name) else {
        let names: Vec<String> = schema.fields().iter().map(|field| format!("`{}`", field.name())).collect();
        return Err(Misuse::new(format!("there is no column `{name}`; the columns are {}", names.join(", ")), hint));
    };
    if field.data_type().is_nested() || !can_cast_types(field.data_type(), &DataType::Utf8) {
        return Err(Misuse::new(format!("column `{name}` holds {}, not labels", field.data_type()), hint));
    }
    Ok(place)
}

/// What is counted while the rows go by.
struct Tally<'a> {
    classify: &'a Classify,
    names: LabelNames,
    label_column: usize,
    evaluation: Evaluation,
    mistakes: Mistakes,
    rows: u64,
    left_out: u64,
    numbers: bool,
}

impl<'a> Tally<'a> {
    fn new(classify: &'a Classify, given: &[String], label_column: usize) -> anyhow::Result<Self> {
        let classifier = classify.classifier();
        let loss = match classifier.activation() {
            Activation::Softmax => Loss::CrossEntropy,
            Activation::Sigmoid => Loss::BinaryCrossEntropy,
            _ => {
                return Err(Misuse::new(
                    "the model gives numbers (a regression), not classes",
                    "name a classifier with `--model`",
                )
                .into());
            }
        };
        let names = match given {
            [] => LabelNames::of_model(classifier.labels())?,
            given => LabelNames::given(classifier.labels(), given)?,
        };
        Ok(Self {
            classify,
            evaluation: Evaluation::new(names.names().to_vec(), loss)?,
            names,
            label_column,
            mistakes: Mistakes::new(MISTAKES),
            rows: 0,
            left_out: 0,
            numbers: false,
        })
    }

    /// Counts the rows of a window that went through the classifier: its last column is the logits.
    fn add(&mut self, window: &RecordBatch) -> anyhow::Result<()> {
        let labels = cast(window.column(self.label_column), &DataType::Utf8)?;
        let labels = labels.as_string::<i32>();
        let logits = window.column(window.num_columns() - 1).as_list::<i32>();
        let mut texts: Option<StringArray> = None;
        for row in 0..window.num_rows() {
            let number = self.rows;
            self.rows += 1;
            let label = if labels.is_null(row) { "" } else { labels.value(row) };
            if label.trim().is_empty() || logits.is_null(row) {
                self.left_out += 1;
                continue;
            }
            let counted = self.names.class(label).and_then(|expected| {
                let logits = logits.value(row);
                Ok((expected, self.evaluation.add(expected, logits.as_primitive::<Float32Type>().values())?))
            });
            let (expected, verdict) = counted.with_context(|| format!("row {number}"))?;
            self.numbers |= self.names.is_number(label);
            if verdict.predicted == expected {
                continue;
            }
            let texts = match &mut texts {
                Some(texts) => texts,
                none => none.insert(self.classify.texts(window)?),
            };
            self.mistakes.offer(verdict.confidence, || Mistake {
                row: number,
                text: beginning(texts.value(row)),
                expected,
                predicted: verdict.predicted,
                confidence: verdict.confidence,
            });
        }
        Ok(())
    }

    /// Says how labels were understood and which rows do not count.
    fn tell(&self, printer: &Printer) {
        if self.numbers {
            let names: Vec<String> =
                self.names.names().iter().enumerate().map(|(class, name)| format!("{class} is {name}")).collect();
            printer
                .note(format_args!("labels that are numbers were read as those of the classes: {}", names.join(", ")));
        }
        match self.left_out {
            0 => {}
            1 => printer.warn("1 row has no text or no label and was left out"),
            many => printer.warn(format_args!("{} rows have no text or no label and were left out", grouped(many))),
        }
    }
}

/// The beginning of a text, with a mark where it goes on.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
