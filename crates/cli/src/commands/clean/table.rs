//! The table that is looked through, and the test set.

use albertine::labels::Probabilities;
use albertine_engine::{Format, Source, SourceOptions};
use albertine_train::clean::{ConfidentLearning, LabeledRows, OutOfFold};
use albertine_train::{LabelNames, TrainError};

use crate::args::{CleanArgs, Errors};
use crate::exit::Misuse;
use crate::printer::Printer;
use crate::{labels, settings};

/// What to do about columns of probabilities that do not fit.
const COLUMNS: &str = "name a column for each label with `--probabilities`, as in `--probabilities no,yes`";

/// A labeled table, open.
pub(super) struct Table {
    source: Source,
    texts: Vec<String>,
    label: String,
    /// The table's own names for its numbers.
    class_names: Option<LabelNames>,
    probabilities: Option<Probabilities>,
}

/// Its rows, and what their probabilities say of them where it has some.
pub(super) struct Read {
    pub(super) input: String,
    pub(super) rows: LabeledRows,
    pub(super) judged: Option<OutOfFold>,
}

impl Table {
    /// Opens the table, so that what is wrong with it is told before a row is read.
    pub(super) fn open(args: &CleanArgs, printer: &Printer) -> anyhow::Result<Self> {
        let options = settings::tables(&args.input, Errors::Fail);
        if options.format == Some(Format::Txt) {
            return Err(Misuse::new(
                "plain text has no label column",
                "give a labeled table, as in `--input train.csv`; for standard input, also give `--input-format`",
            )
            .into());
        }
        let (mut source, texts) = opened(options, args, printer)?;
        let label = albertine_engine::column_name(source.schema(), &args.label_column);
        source.read_bytes_as_text(std::slice::from_ref(&label));
        labels::require(source.schema(), &label)?;
        let class_names = source.class_names(&label)?;
        let class_names = class_names.map(|names| LabelNames::of_model(&names)?.with_table(&names)).transpose()?;
        let given = args.probabilities.as_deref().map(|given| labels::line("--probabilities", given)).transpose()?;
        let probabilities = given.map(|columns| Probabilities::new(source.schema(), &columns)).transpose();
        let probabilities = probabilities.map_err(|error| Misuse::new(error.to_string(), COLUMNS))?;
        Ok(Self { source, texts, label, class_names, probabilities })
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Reads all rows.
    pub(super) fn read(self) -> anyhow::Result<Read> {
        let Self { source, texts, label, class_names, probabilities } = self;
        let input = source.names().collect::<Vec<_>>().join(", ");
        let names = probabilities.as_ref().map(|columns| LabelNames::of_model(columns.classes())).transpose()?;
        let mut rows = LabeledRows::default();
        let (mut given, mut all) = (Vec::new(), Vec::new());
        let mut row = 0;
        for batch in source {
            let batch = batch?;
            let batch_labels = albertine::labels::read(&batch[label.as_str()])?;
            let batch_texts = albertine::texts::read(&batch, &texts)?;
            let numbers = probabilities.as_ref().map(|columns| columns.read(&batch)).transpose()?;
            let classes = names.as_ref().map_or(0, |names| names.names().len());
            for (place, (text, label)) in batch_texts.iter().zip(&batch_labels).enumerate() {
                row += 1;
                let of_row = |error| TrainError::Row { row, source: Box::new(error) };
                let label = named(label, class_names.as_ref()).map_err(of_row)?;
                if !rows.push(text, label) {
                    continue;
                }
                if let (Some(names), Some(numbers), Some(label)) = (&names, &numbers, label) {
                    let class = names.class(label);
                    given.push(class.map_err(|_| Misuse::new(format!("row {row}: `{label}` has no column"), COLUMNS))?);
                    let numbers = &numbers[place * classes..][..classes];
                    if let Some(&value) = numbers.iter().find(|number| !(0.0..=1.0).contains(*number)) {
                        return Err(TrainError::Probability { row, value }.into());
                    }
                    all.extend_from_slice(numbers);
                }
            }
        }
        if rows.is_empty() {
            return Err(anyhow::Error::from(TrainError::NoRows).context(input));
        }
        let judged = names.map(|names| {
            let labels = names.names().to_vec();
            Ok::<_, TrainError>(OutOfFold { learning: ConfidentLearning::new(labels.len(), given, all)?, labels })
        });
        Ok(Read { input, rows, judged: judged.transpose()? })
    }
}

/// A label by the name that the table has for it; none where it stands for no label.
fn named<'a>(label: Option<&'a str>, names: Option<&'a LabelNames>) -> Result<Option<&'a str>, TrainError> {
    let (Some(label), Some(names)) = (label.filter(|label| !label.is_empty()), names) else { return Ok(label) };
    if names.is_missing(label) {
        return Ok(None);
    }
    Ok(Some(&names.names()[names.class(label)?]))
}

/// The test set, open, if there is one, and its columns of texts.
pub(super) fn open_test(args: &CleanArgs, printer: &Printer) -> anyhow::Result<Option<(Source, Vec<String>)>> {
    if args.test.is_empty() {
        return Ok(None);
    }
    opened(settings::tables_at(&args.test, &args.input, Errors::Fail), args, printer).map(Some)
}

/// A table, open, and its columns of texts.
fn opened(options: SourceOptions, args: &CleanArgs, printer: &Printer) -> anyhow::Result<(Source, Vec<String>)> {
    let mut source = settings::open(options, printer)?;
    let texts = settings::text_columns(source.schema(), &args.input.text_columns);
    source.read_bytes_as_text(&texts);
    albertine::texts::require(source.schema(), &texts)?;
    Ok((source, texts))
}

/// The texts of the test set with their rows, from 1.
pub(super) fn texts((source, columns): (Source, Vec<String>)) -> anyhow::Result<Vec<(u64, String)>> {
    let (mut texts, mut row) = (Vec::new(), 0);
    for batch in source {
        for text in &albertine::texts::read(&batch?, &columns)? {
            row += 1;
            texts.extend(text.map(|text| (row, text.to_owned())));
        }
    }
    Ok(texts)
}
