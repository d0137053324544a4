//! Tables: a stream of any length, window by window.

use std::path::{Path, PathBuf};

use albertine::hub::Hub;
use albertine::{CancellationToken, Classify, Columns, Counts, Transform, WindowSettings};
use albertine_engine::{RejectedRows, Sink, Source, SourceOptions, Summary, Target};

use super::{load, say_renamed};
use crate::args::{ClassifyArgs, Errors};
use crate::exit::{Misuse, Outcome};
use crate::interrupt::discard_output_on_interrupt;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::{report, settings, timing};

/// Classifies tables. Every error that can be found before a row is read is found then.
pub(super) fn classify(
    args: &ClassifyArgs,
    options: SourceOptions,
    columns: Columns,
    hub: &Hub,
    printer: &Printer,
) -> anyhow::Result<Outcome> {
    let data = settings::data(&args.output, printer.stdout_is_terminal())?;
    let model = settings::model(&args.model, hub)?;
    discard_output_on_interrupt(*printer)?;
    let mut source = settings::open(options, printer)?;
    let columns = Columns { text: settings::text_columns(source.schema(), &columns.text), ..columns };
    source.read_bytes_as_text(&columns.text);
    data.target.check(&source)?;
    let input_schema = source.schema().clone();
    let error_column = (args.failed_rows.policy() == Errors::Null).then(|| add_error_column(&mut source, printer));
    let rejected = rejected(args, &source, error_column)?;
    let classify = load(&model, columns, hub)?;
    // The column of errors is none of the input's.
    classify.output_schema(&input_schema)?;
    let schema = classify.output_schema(source.schema())?.into_schema();
    say_renamed(&classify, source.schema(), printer);
    let file = data.file().map(Path::to_owned);
    let sink = match rejected {
        Some(rejected) => Sink::create_with_rejects(data.target, data.format, &schema, rejected)?,
        None => Sink::create(data.target, data.format, schema)?,
    };

    // A bar would break the lines of data where both go to one terminal.
    let shown = printer.may_draw_progress() && (file.is_some() || !printer.stdout_is_terminal());
    let progress = Progress::new(shown, source.rows_total(), source.bytes_total());
    let result = albertine_engine::run(
        source,
        &classify,
        sink,
        WindowSettings::default(),
        &CancellationToken::default(),
        &mut |now| {
            progress.update(now.rows, now.bytes_read);
        },
    );
    progress.finish();
    tell(&result?, 0, file.as_deref(), &classify, args.failed_rows.rejects.as_deref(), printer)
}

/// Adds the column of errors, and warns if it has another name than usual.
pub(super) fn add_error_column(source: &mut Source, printer: &Printer) -> String {
    let name = source.add_error_column();
    if name != "error" {
        printer.warn(format_args!("the input has a column `error`, so the new column is called `{name}`"));
    }
    name
}

/// Where rows go that are put aside, if they are.
pub(super) fn rejected(
    args: &ClassifyArgs,
    source: &Source,
    error_column: Option<String>,
) -> anyhow::Result<Option<RejectedRows>> {
    let (Some(path), Some(error_column)) = (&args.failed_rows.rejects, error_column) else { return Ok(None) };
    if !settings::is_stdout(&args.output) && place(path).starts_with(place(&args.output.output)) {
        let message = format!("the output and the rejected rows are both to be written to {}", path.display());
        return Err(Misuse::new(message, "name another file with `--rejects`").into());
    }
    let target = Target::File(path.clone());
    target.check(source)?;
    Ok(Some(RejectedRows { error_column, target, format: settings::format_of(path)? }))
}

/// Where a path leads, whatever links and dots it is written with, and whether or not there is something already.
fn place(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = || Some(folder.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_owned())
}

/// Says what was done. The first `before` of the rows were done by an earlier run.
pub(super) fn tell(
    summary: &Summary,
    before: u64,
    file: Option<&Path>,
    classify: &Classify,
    rejects: Option<&Path>,
    printer: &Printer,
) -> anyhow::Result<Outcome> {
    report::rows(printer, summary.rows, before, summary.elapsed, file);
    let counts: Counts = summary.counts.iter().sum();
    report::texts(printer, classify.classifier(), &counts);
    report::abstained(printer, classify, &counts);
    report::failed_rows(printer, summary, rejects);
    report::faster(printer, classify.classifier(), summary.elapsed).map_err(albertine::Error::from)?;
    let (reading, writing) = ([("read", summary.reading)], [("write", summary.writing)]);
    timing::tell(printer, classify.classifier(), &counts, summary.elapsed, &reading, &writing)
        .map_err(albertine::Error::from)?;
    Ok(if summary.failed_rows > 0 { Outcome::FailedRows } else { Outcome::Done })
}
