//! The rows of labelled tables, as the model reads them.

use std::collections::BTreeSet;

use albertine_engine::{Format, Source, SourceOptions};
use albertine_train::{Base, Examples, LabelNames, TrainError};
use anyhow::Context;
use arrow::array::{Array, RecordBatch};

use super::plain;
use crate::args::{Errors, TrainArgs};
use crate::exit::Misuse;
use crate::labels;
use crate::printer::Printer;
use crate::report::grouped;
use crate::settings;

/// The tables of a training, open and with the columns that it needs.
pub(super) struct Tables {
    pub(super) train: Source,
    pub(super) validation: Option<Source>,
    pub(super) test: Option<Source>,
}

/// Opens all tables, so that what is wrong with them is told before anything is read.
pub(super) fn open(args: &TrainArgs) -> anyhow::Result<Tables> {
    let named = |inputs: &[String]| -> anyhow::Result<Option<Source>> {
        if inputs.is_empty() {
            return Ok(None);
        }
        table(settings::tables_at(inputs, args.input.input_format, Errors::Fail), args).map(Some)
    };
    Ok(Tables {
        train: table(settings::tables(&args.input, Errors::Fail), args)?,
        validation: named(&args.validation)?,
        test: named(&args.test)?,
    })
}

fn table(options: SourceOptions, args: &TrainArgs) -> anyhow::Result<Source> {
    if options.format == Some(Format::Txt) {
        return Err(Misuse::new(
            "plain text has no label column",
            "give a labeled table, as in `--input train.csv`; for standard input, also give `--input-format`",
        )
        .into());
    }
    let source = Source::open(options)?;
    labels::require(source.schema(), &args.label_column)?;
    albertine::texts::require(source.schema(), &args.input.text_columns)?;
    Ok(source)
}

/// Texts in pieces, and what the table calls their classes.
#[derive(Default)]
pub(super) struct Rows {
    ids: Vec<Vec<u32>>,
    labels: Vec<String>,
}

impl Rows {
    /// Reads a whole table; rows without a text or a label are left out and counted.
    pub(super) fn read(
        &mut self,
        base: &Base,
        source: Source,
        args: &TrainArgs,
        printer: &Printer,
    ) -> anyhow::Result<()> {
        let (mut left_out, mut cut) = (0, 0);
        let names = source.names().collect::<Vec<_>>().join(", ");
        for batch in source {
            let batch: RecordBatch = batch?;
            let labels = labels::read(&batch[args.label_column.as_str()])?;
            let texts = albertine::texts::read(&batch, &args.input.text_columns)?;
            for (row, text) in texts.iter().enumerate() {
                let label = if labels.is_null(row) { "" } else { labels.value(row) };
                let (Some(text), false) = (text.filter(|text| !text.trim().is_empty()), label.trim().is_empty()) else {
                    left_out += 1;
                    continue;
                };
                let mut ids = Vec::new();
                cut += u64::from(base.encode(text, &mut ids)?);
                self.ids.push(ids);
                self.labels.push(label.to_owned());
            }
        }
        match left_out {
            0 => {}
            1 => printer.warn(format_args!("1 row of {names} has no text or no label and was skipped")),
            many => printer
                .warn(format_args!("{} rows of {names} have no text or no label and were skipped", grouped(many))),
        }
        if cut > 0 {
            let (limit, cut) = (base.limit(), grouped(cut));
            printer
                .warn(format_args!("{cut} of the texts of {names} were longer than {limit} pieces and were truncated"));
        }
        if self.ids.is_empty() {
            return Err(TrainError::NoRows).context(names);
        }
        Ok(())
    }

    /// What the table calls its classes.
    pub(super) fn labels(&self) -> BTreeSet<String> {
        self.labels.iter().cloned().collect()
    }

    /// The rows by the numbers of their classes.
    pub(super) fn examples(self, names: &LabelNames) -> Result<Examples, TrainError> {
        let mut examples = Examples::new();
        for (ids, label) in self.ids.iter().zip(&self.labels) {
            examples.push(ids, names.class(label)?);
        }
        Ok(examples)
    }
}

/// The rows of a table whose classes are known.
pub(super) fn examples(
    base: &Base,
    source: Source,
    names: &LabelNames,
    args: &TrainArgs,
    printer: &Printer,
) -> anyhow::Result<Examples> {
    let table = source.names().collect::<Vec<_>>().join(", ");
    let mut rows = Rows::default();
    rows.read(base, source, args, printer)?;
    rows.examples(names).map_err(|error| match error {
        TrainError::UnknownLabel { label, .. } => {
            let hint = "validation and test rows need labels that occur in the training set";
            Misuse::new(
                format!("{table} has the label `{}`, which does not occur in the training set", plain(&label)),
                hint,
            )
            .into()
        }
        other => anyhow::Error::from(other),
    })
}
