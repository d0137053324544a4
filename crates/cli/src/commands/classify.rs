//! `albertine classify`: a label and a score for every text.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use albertine::hub::Hub;
use albertine::{CancellationToken, Classifier, Classify, Columns, Counts, Transform, WindowSettings};
use albertine_engine::{Sink, SourceOptions};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::Schema;

use crate::args::ClassifyArgs;
use crate::exit::Outcome;
use crate::interrupt::discard_output_on_interrupt;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::settings::{self, Data, Input, Model, Output};
use crate::writer::Writer;
use crate::{report, timing};

/// The column of texts that are given as arguments.
const TEXT_COLUMN: &str = "text";

/// Classifies the texts or the tables that `args` name.
pub(crate) fn classify(args: ClassifyArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    let terminal = printer.stdout_is_terminal();
    let input = settings::input(args.texts, &args.input, args.errors, io::stdin().is_terminal())?;
    let columns = settings::columns(&args.input.text_columns, &args.columns);
    match input {
        Input::Texts(texts) => {
            let output = settings::output(&args.output, terminal)?;
            classify_texts(texts, columns, &settings::model(&args.model, hub)?, output, hub, printer)
        }
        Input::Tables(options) => {
            let data = settings::data(&args.output, terminal)?;
            classify_tables(options, columns, &settings::model(&args.model, hub)?, data, hub, printer)
        }
    }
}

/// A few texts: one record batch, without the engine's streams and threads.
fn classify_texts(
    texts: Vec<String>,
    columns: Columns,
    model: &Model,
    output: Output,
    hub: &Hub,
    printer: &Printer,
) -> anyhow::Result<Outcome> {
    if output.file().is_some() {
        discard_output_on_interrupt(*printer)?;
    }
    let text: ArrayRef = Arc::new(StringArray::from(texts));
    let batch = RecordBatch::try_from_iter([(TEXT_COLUMN, text)])?;
    let classify = load(model, columns, hub)?;
    let mut writer = Writer::create(output, classify.output_schema(&batch.schema())?.into_schema(), printer)?;
    let started = Instant::now();
    let (labelled, counts) = classify.run(&batch, &CancellationToken::default())?;
    let elapsed = started.elapsed();
    writer.write(&labelled)?;
    writer.finish()?;
    let counts: Counts = counts.into_iter().sum();
    timing::tell(printer, classify.classifier(), &counts, elapsed, &[], &[]).map_err(albertine::Error::from)?;
    report::texts(printer, classify.classifier(), &counts);
    report::abstained(printer, &classify, &counts);
    Ok(Outcome::Done)
}

/// A stream of any length, window by window. Every error that can be found before a row is read is found then.
fn classify_tables(
    options: SourceOptions,
    columns: Columns,
    model: &Model,
    data: Data,
    hub: &Hub,
    printer: &Printer,
) -> anyhow::Result<Outcome> {
    discard_output_on_interrupt(*printer)?;
    let mut source = settings::open(options, printer)?;
    let columns = Columns { text: settings::text_columns(source.schema(), &columns.text), ..columns };
    source.read_bytes_as_text(&columns.text);
    data.target.check(&source)?;
    let classify = load(model, columns, hub)?;
    let schema = classify.output_schema(source.schema())?.into_schema();
    say_renamed(&classify, source.schema(), printer);
    let file = data.file().map(Path::to_owned);
    let sink = Sink::create(data.target, data.format, schema)?;

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
    let summary = result?;

    report::rows(printer, summary.rows, summary.elapsed, file.as_deref());
    let counts: Counts = summary.counts.iter().sum();
    report::texts(printer, classify.classifier(), &counts);
    report::abstained(printer, &classify, &counts);
    report::failed_rows(printer, &summary);
    report::faster(printer, classify.classifier(), summary.elapsed).map_err(albertine::Error::from)?;
    let (reading, writing) = ([("read", summary.reading)], [("write", summary.writing)]);
    timing::tell(printer, classify.classifier(), &counts, summary.elapsed, &reading, &writing)
        .map_err(albertine::Error::from)?;
    Ok(if summary.failed_rows > 0 { Outcome::FailedRows } else { Outcome::Done })
}

fn load(model: &Model, columns: Columns, hub: &Hub) -> Result<Classify, albertine::Error> {
    let classifier = Classifier::load(&hub.resolve(&model.name)?, model.settings.clone())?;
    Classify::new(Arc::new(classifier), columns)
}

/// Warns about added columns with another name than usual, because the table already has a column of that name.
fn say_renamed(classify: &Classify, schema: &Schema, printer: &Printer) {
    for (usual, used) in classify.renamed(schema) {
        printer.warn(format_args!("the input has a column `{usual}`, so the new column is called `{used}`"));
    }
}
