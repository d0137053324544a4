//! `albertine evaluate`: metrics of a model on a labeled table.

use std::path::Path;
use std::sync::Arc;

use albertine::hub::Hub;
use albertine_engine::{Source, Target, WholeFile};
use albertine_train::{ReportFolder, Run};

use crate::args::EvaluateArgs;
use crate::exit::Outcome;
use crate::labeled::{LabeledTable, Measured};
use crate::printer::Printer;
use crate::report::{self, count, grouped};
use crate::timing;

/// Measures the model on the table that `args` name, and prints the numbers.
pub(crate) fn evaluate(args: &EvaluateArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    let table = LabeledTable::open(&args.labeled, &args.model, hub, printer)?;
    let folder = args.report.as_deref().map(|folder| report_folder(folder, table.source())).transpose()?;
    let (classifier, facts) = (Arc::clone(table.classifier()), table.facts().to_vec());
    let Measured { evaluation, counts, summary } = table.measure(printer, |_, _| Ok(()))?;

    let run = Run { runtime: summary.elapsed, truncated: counts.truncated, ..Run::default() };
    let metrics = evaluation.metrics(run)?;
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

/// The folder of a report, none of whose files may be one of the input.
fn report_folder(path: &Path, source: &Source) -> anyhow::Result<ReportFolder> {
    let folder = ReportFolder::create(path)?;
    for name in [ReportFolder::METRICS, ReportFolder::PAGE] {
        Target::File(path.join(name)).check(source)?;
    }
    Ok(folder)
}
