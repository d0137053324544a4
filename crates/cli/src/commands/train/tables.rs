//! The labeled tables of a training, tokenized for the base model.

use std::ffi::OsString;

use albertine_engine::{Format, Source, SourceOptions};
use albertine_train::{BaseModel, LabeledTexts, TrainError};
use anyhow::Context;
use arrow_array::RecordBatch;

use crate::args::{Errors, TrainArgs};
use crate::exit::Misuse;
use crate::labels;
use crate::printer::Printer;
use crate::report::grouped;
use crate::settings;

/// The tables, open and with the columns that training needs.
pub(super) struct Tables {
    pub(super) training: Source,
    pub(super) validation: Option<Source>,
    pub(super) test: Option<Source>,
}

/// Opens all tables, so that what is wrong with them is told before anything is read.
pub(super) fn open(args: &TrainArgs, printer: &Printer) -> anyhow::Result<Tables> {
    let named = |inputs: &[OsString]| -> anyhow::Result<Option<Source>> {
        if inputs.is_empty() {
            return Ok(None);
        }
        table(settings::tables_at(inputs, &args.input, Errors::Fail), args, printer).map(Some)
    };
    Ok(Tables {
        training: table(settings::tables(&args.input, Errors::Fail), args, printer)?,
        validation: named(&args.validation)?,
        test: named(&args.test)?,
    })
}

fn table(options: SourceOptions, args: &TrainArgs, printer: &Printer) -> anyhow::Result<Source> {
    if options.format == Some(Format::Txt) {
        return Err(Misuse::new(
            "plain text has no label column",
            "give a labeled table, as in `--input train.csv`; for standard input, also give `--input-format`",
        )
        .into());
    }
    let mut source = settings::open(options, printer)?;
    let label = albertine_engine::column_name(source.schema(), &args.label_column);
    let texts = settings::text_columns(source.schema(), &args.input.text_columns);
    source.read_bytes_as_text(&texts);
    source.read_bytes_as_text(std::slice::from_ref(&label));
    labels::require(source.schema(), &label)?;
    albertine::texts::require(source.schema(), &texts)?;
    Ok(source)
}

/// Reads a whole table, and says which rows were skipped and which texts truncated.
pub(super) fn read(
    base: &BaseModel,
    source: Source,
    args: &TrainArgs,
    printer: &Printer,
) -> anyhow::Result<LabeledTexts> {
    let label_column = albertine_engine::column_name(source.schema(), &args.label_column);
    let text_columns = settings::text_columns(source.schema(), &args.input.text_columns);
    let mut table = LabeledTexts::new(source.names().collect::<Vec<_>>().join(", "))
        .with_class_names(source.class_names(&label_column)?);
    for batch in source {
        let batch: RecordBatch = batch?;
        let labels = albertine::labels::read(&batch[label_column.as_str()])?;
        let texts = albertine::texts::read(&batch, &text_columns)?;
        for (text, label) in texts.iter().zip(&labels) {
            table.push(base, text, label)?;
        }
    }
    let names = table.name();
    match table.skipped() {
        0 => {}
        1 => printer.warn(format_args!("1 row of {names} has no text or no label and was skipped")),
        many => {
            printer.warn(format_args!("{} rows of {names} have no text or no label and were skipped", grouped(many)))
        }
    }
    if table.truncated() > 0 {
        let (limit, truncated) = (base.limit(), grouped(table.truncated()));
        printer.warn(format_args!(
            "{truncated} of the texts of {names} were longer than {limit} pieces and were truncated"
        ));
    }
    if table.is_empty() {
        return Err(TrainError::NoRows).context(names.to_owned());
    }
    Ok(table)
}
