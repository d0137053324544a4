//! `albertine evaluate`: metrics of a model on a labeled table.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use albertine::hub::Hub;
use albertine::labels::LabeledColumns;
use albertine::{CancellationToken, Classifier, Classify, Columns, Counts, Transform, WindowSettings};
use albertine_engine::{Format, Source, Target, WholeFile};
use albertine_train::{LabeledEvaluation, Loss, ReportFolder, Run};

use crate::args::{Errors, EvaluateArgs};
use crate::exit::{Misuse, Outcome};
use crate::interrupt::discard_output_on_interrupt;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::report::{self, count, grouped};
use crate::{labels, settings, timing};

/// Measures the model on the table that `args` name, and prints the numbers.
pub(crate) fn evaluate(args: &EvaluateArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    let options = settings::tables(&args.input, Errors::Fail);
    if options.format == Some(Format::Txt) {
        return Err(Misuse::new(
            "plain text has no label column",
            "give a labeled table, as in `--input test.csv`; for standard input, also give `--input-format`",
        )
        .into());
    }
    let model = settings::model(&args.model, hub)?;
    discard_output_on_interrupt(*printer)?;
    let mut source = settings::open(options, printer)?;
    let mut args = args.clone();
    args.input.text_columns = settings::text_columns(source.schema(), &args.input.text_columns);
    args.label_column = albertine_engine::column_name(source.schema(), &args.label_column);
    let args = &args;
    source.read_bytes_as_text(&args.input.text_columns);
    source.read_bytes_as_text(std::slice::from_ref(&args.label_column));
    let input = source.names().collect::<Vec<_>>().join(", ");
    labels::require(source.schema(), &args.label_column)?;
    let class_names = source.class_names(&args.label_column)?;

    let found = hub.resolve(&model.name)?;
    let classifier = Arc::new(Classifier::load(&found, model.settings.clone())?);
    let columns = Columns { text: args.input.text_columns.clone(), logits: true, ..Columns::default() };
    let classify = Classify::new(Arc::clone(&classifier), columns)?;
    classify.output_schema(source.schema())?;
    let names = labels::names(classifier.labels(), args.labels.as_deref(), class_names.as_deref())?;
    let mut evaluation = LabeledEvaluation::new(names, Loss::of(classifier.activation().problem_type())?)?;
    let columns = LabeledColumns::new(&classify, source.schema(), &args.label_column)?;
    let folder = args.report.as_deref().map(|folder| report_folder(folder, &source)).transpose()?;

    let progress = Progress::new(printer.may_draw_progress(), source.rows_total(), source.bytes_total());
    let result = albertine_engine::for_each_window(
        source,
        &classify,
        WindowSettings::default(),
        &CancellationToken::default(),
        |window, now| {
            progress.update(now.rows, now.bytes_read);
            columns.rows(&window, |label, logits, text| anyhow::Ok(evaluation.add(label, logits, text)?))?;
            anyhow::Ok(ControlFlow::Continue(()))
        },
    );
    progress.finish();
    let summary = result?;
    if summary.rows == 0 {
        return Err(Misuse::new(format!("{input} has no rows"), "give a table with rows").into());
    }

    report::rows(printer, summary.rows, summary.elapsed, None);
    let counts: Counts = summary.counts.iter().sum();
    report::truncated(printer, &classifier, &counts);
    tell(&evaluation, &classifier, printer);
    let run = Run { runtime: summary.elapsed, truncated: counts.truncated, ..Run::default() };
    let metrics = evaluation.metrics(run)?;
    let facts = facts(&found.to_string(), &classifier, input, args);
    let report = evaluation.report(&facts, &metrics);
    printer.note(format_args!(
        "{} of {} correct ({:.2} %)",
        grouped(metrics.right()),
        count(metrics.samples, "text"),
        metrics.accuracy * 100.0
    ));
    report::faster(printer, &classifier, summary.elapsed).map_err(albertine::Error::from)?;
    timing::tell(printer, &classifier, &counts, summary.elapsed, &[("read", summary.reading)], &[])
        .map_err(albertine::Error::from)?;

    // The numbers first: they are there even where the report cannot be written.
    let json = if printer.stdout_is_terminal() { report.json()? } else { serde_json::to_string(&report)? + "\n" };
    WholeFile::create(&Target::Stdout)?.finish(json.as_bytes())?;
    if let (Some(folder), Some(path)) = (folder, &args.report) {
        folder.finish(&report)?;
        printer.note(format_args!("report written to {}", path.join(ReportFolder::PAGE).display()));
    }
    Ok(Outcome::Done)
}

/// How many names a note tells.
const NAMED: usize = 12;

/// Says how labels were understood and which rows do not count.
fn tell(evaluation: &LabeledEvaluation, classifier: &Classifier, printer: &Printer) {
    let (labels, names) = (classifier.labels(), evaluation.label_names());
    if let Some(message) = names.unmatched().filter(|_| names.names() == labels) {
        printer.warn(message);
    }
    if evaluation.has_class_indices() {
        let read_as = if names.matches_table() { "by the table's own names for them" } else { "as class indices" };
        let pairs = listed(names.numbers().map(|(number, name)| format!("{number} is {name}")));
        printer.note(format_args!("numeric labels were read {read_as}: {pairs}"));
    } else if names.names() != labels {
        let pairs = listed(names.names().iter().zip(labels).map(|(name, label)| format!("{name} is {label}")));
        printer.note(format_args!("labels were mapped to the model's: {pairs}"));
    }
    match evaluation.skipped() {
        0 => {}
        1 => printer.warn("1 row has no text or no label and was skipped"),
        many => printer.warn(format_args!("{} rows have no text or no label and were skipped", grouped(many))),
    }
}

/// The first of some facts on one line.
fn listed(facts: impl Iterator<Item = String>) -> String {
    let mut facts: Vec<String> = facts.take(NAMED + 1).collect();
    if facts.len() > NAMED {
        facts[NAMED] = "...".to_owned();
    }
    facts.join(", ")
}

/// What the numbers are of, in the order in which a report tells it.
fn facts(name: &str, classifier: &Classifier, input: String, args: &EvaluateArgs) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("model", name.to_owned()),
        ("input", input),
        ("text columns", args.input.text_columns.join(", ")),
        ("label column", args.label_column.clone()),
    ];
    facts.extend(classifier.facts());
    facts
}

/// The folder of a report, none of whose files may be one of the input.
fn report_folder(path: &Path, source: &Source) -> anyhow::Result<ReportFolder> {
    let folder = ReportFolder::create(path)?;
    for name in [ReportFolder::METRICS, ReportFolder::PAGE] {
        Target::File(path.join(name)).check(source)?;
    }
    Ok(folder)
}
