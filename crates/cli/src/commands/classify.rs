//! `albertine classify`: a label and a score for every text.

mod resumable;
mod tables;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Instant;

use albertine::hub::Hub;
use albertine::{CancellationToken, Classifier, Classify, Columns, Counts, Transform};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::Schema;

use crate::args::ClassifyArgs;
use crate::exit::Outcome;
use crate::interrupt::discard_output_on_interrupt;
use crate::printer::Printer;
use crate::settings::{self, Input, Model, Output};
use crate::writer::Writer;
use crate::{report, timing};

/// The column of texts that are given as arguments.
const TEXT_COLUMN: &str = "text";

/// Classifies the texts or the tables that `args` name.
pub(crate) fn classify(mut args: ClassifyArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Outcome> {
    let terminal = printer.stdout_is_terminal();
    let texts = std::mem::take(&mut args.texts);
    let input = settings::input(texts, &args.input, args.failed_rows.policy(), io::stdin().is_terminal())?;
    let columns = settings::columns(&args.input.text_columns, &args.columns);
    match input {
        Input::Texts(texts) => {
            let output = settings::output(&args.output, terminal)?;
            classify_texts(texts, columns, &settings::model(&args.model, hub)?, output, hub, printer)
        }
        Input::Tables(options) if args.resume.is_resumable() => {
            resumable::classify(&args, options, columns, hub, printer)
        }
        Input::Tables(options) => tables::classify(&args, options, columns, hub, printer),
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
