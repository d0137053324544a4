//! The labeled tables of a training, tokenized for the base model.

use std::ffi::OsString;

use albertine::text::{UnigramTrainer, UnigramVocabulary};
use albertine_engine::{Format, Source, SourceOptions};
use albertine_train::{BaseModel, LabeledTexts, PlainTexts, TrainError};
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
    if args.pretrain {
        let mut source = settings::open(options, printer)?;
        let texts = settings::text_columns(source.schema(), &args.input.text_columns);
        source.read_bytes_as_text(&texts);
        albertine::texts::require(source.schema(), &texts)?;
        return Ok(source);
    }
    if options.format == Some(Format::Txt) {
        return Err(Misuse::new(
            "plain text has no label column",
            "give a labeled table, as in `--input train.csv`; for standard input, also give `--input-format`",
        )
        .into());
    }
    let mut source = settings::open(options, printer)?;
    let label = albertine_engine::column_name(source.schema(), &args.label_column);
    let mut texts = settings::text_columns(source.schema(), &args.input.text_columns);
    texts.extend(args.text_pair_column.iter().map(|column| albertine_engine::column_name(source.schema(), column)));
    source.read_bytes_as_text(&texts);
    source.read_bytes_as_text(std::slice::from_ref(&label));
    labels::require_for(args.problem_type, source.schema(), &label)?;
    albertine::texts::require(source.schema(), &texts)?;
    Ok(source)
}

/// Reads a whole table of plain texts, and says which rows were skipped.
pub(super) fn read_plain(
    base: &BaseModel,
    source: Source,
    args: &TrainArgs,
    printer: &Printer,
) -> anyhow::Result<PlainTexts> {
    let text_columns = settings::text_columns(source.schema(), &args.input.text_columns);
    let mut table = PlainTexts::new(source.names().collect::<Vec<_>>().join(", "));
    for batch in source {
        for text in &albertine::texts::read(&batch?, &text_columns)? {
            table.push(base, text)?;
        }
    }
    match table.skipped() {
        0 => {}
        1 => printer.warn(format_args!("1 row of {} has no text and was skipped", table.name())),
        many => printer.warn(format_args!("{} rows of {} have no text and were skipped", grouped(many), table.name())),
    }
    Ok(table)
}

/// Trains a vocabulary of so many pieces on the texts of a table.
pub(super) fn vocabulary(source: Source, args: &TrainArgs, size: usize) -> anyhow::Result<UnigramVocabulary> {
    let mut text_columns = settings::text_columns(source.schema(), &args.input.text_columns);
    text_columns
        .extend(args.text_pair_column.iter().map(|column| albertine_engine::column_name(source.schema(), column)));
    let mut trainer = UnigramTrainer::new();
    for batch in source {
        albertine::texts::read(&batch?, &text_columns)?.iter().flatten().for_each(|text| trainer.add(text));
    }
    Ok(trainer.train(size).map_err(TrainError::from)?)
}

/// Reads a whole table, and says which rows were skipped and which texts truncated. For a training with `teachers`, of
/// which some are models or none is.
pub(super) fn read(
    base: &BaseModel,
    source: Source,
    teachers: Option<bool>,
    args: &TrainArgs,
    printer: &Printer,
) -> anyhow::Result<LabeledTexts> {
    let label_column = albertine_engine::column_name(source.schema(), &args.label_column);
    let text_columns = settings::text_columns(source.schema(), &args.input.text_columns);
    let pair_column = args.text_pair_column.iter().map(|column| albertine_engine::column_name(source.schema(), column));
    let pair_column: Vec<String> = pair_column.collect();
    let mut table = LabeledTexts::new(source.names().collect::<Vec<_>>().join(", "))
        .with_class_names(source.class_names(&label_column)?)
        .with_problem(args.problem_type, &args.label_separator);
    if let Some(has_models) = teachers {
        table = table.with_teachers(has_models);
    }
    for batch in source {
        let batch: RecordBatch = batch?;
        let labels = albertine::labels::read_several(&batch[label_column.as_str()])?;
        let texts = albertine::texts::read(&batch, &text_columns)?;
        if pair_column.is_empty() {
            for (text, label) in texts.iter().zip(&labels) {
                table.push(base, text, label)?;
            }
        } else {
            let seconds = albertine::texts::read(&batch, &pair_column)?;
            for (pair, label) in texts.iter().zip(&seconds).zip(&labels) {
                table.push_pair(base, pair, label)?;
            }
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
