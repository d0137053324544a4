//! A model on a labeled table: what `evaluate` and `calibrate` have in common.

use std::ops::ControlFlow;
use std::sync::Arc;

use albertine::hub::{Hub, ModelSource};
use albertine::labels::LabeledColumns;
use albertine::{CancellationToken, Classifier, Classify, Columns, Counts, Transform, WindowSettings};
use albertine_engine::{Format, Source, Summary};
use albertine_train::{LabeledEvaluation, Loss};

use crate::args::{Errors, LabeledArgs, ModelArgs};
use crate::exit::Misuse;
use crate::interrupt::discard_output_on_interrupt;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::report::{self, grouped};
use crate::{labels, settings};

/// A table, open, and a model, loaded.
pub(crate) struct LabeledTable {
    source: Source,
    found: ModelSource,
    classifier: Arc<Classifier>,
    classify: Classify,
    columns: LabeledColumns,
    evaluation: LabeledEvaluation,
    facts: Vec<(&'static str, String)>,
}

/// What a model said of a table.
pub(crate) struct Measured {
    pub(crate) evaluation: LabeledEvaluation,
    pub(crate) counts: Counts,
    pub(crate) summary: Summary,
}

impl LabeledTable {
    /// Opens the table and loads the model, so that what is wrong with them is told before a row is read.
    pub(crate) fn open(args: &LabeledArgs, model: &ModelArgs, hub: &Hub, printer: &Printer) -> anyhow::Result<Self> {
        let options = settings::tables(&args.input, Errors::Fail);
        if options.format == Some(Format::Txt) {
            return Err(Misuse::new(
                "plain text has no label column",
                "give a labeled table, as in `--input test.csv`; for standard input, also give `--input-format`",
            )
            .into());
        }
        let model = settings::model(model, hub)?;
        discard_output_on_interrupt(*printer)?;
        let mut source = settings::open(options, printer)?;
        let text = settings::text_columns(source.schema(), &args.input.text_columns);
        let label = albertine_engine::column_name(source.schema(), &args.label_column);
        source.read_bytes_as_text(&text);
        source.read_bytes_as_text(std::slice::from_ref(&label));
        labels::require(source.schema(), &label)?;
        let class_names = source.class_names(&label)?;

        let found = hub.resolve(&model.name)?;
        let classifier = Arc::new(Classifier::load(&found, model.settings)?);
        let columns = Columns { text: text.clone(), logits: true, ..Columns::default() };
        let classify = Classify::new(Arc::clone(&classifier), columns)?;
        classify.output_schema(source.schema())?;
        let names = labels::names(classifier.labels(), args.labels.as_deref(), class_names.as_deref())?;
        let evaluation = LabeledEvaluation::new(names, Loss::of(classifier.activation().problem_type())?)?;
        let columns = LabeledColumns::new(&classify, source.schema(), &label)?;
        let mut facts = vec![
            ("model", found.to_string()),
            ("input", source.names().collect::<Vec<_>>().join(", ")),
            ("text columns", text.join(", ")),
            ("label column", label),
        ];
        facts.extend(classifier.facts());
        Ok(Self { source, found, classifier, classify, columns, evaluation, facts })
    }

    /// The table.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Where the model is.
    pub(crate) fn found(&self) -> &ModelSource {
        &self.found
    }

    /// The model.
    pub(crate) fn classifier(&self) -> &Arc<Classifier> {
        &self.classifier
    }

    /// What is measured on what, in the order in which a report tells it.
    pub(crate) fn facts(&self) -> &[(&'static str, String)] {
        &self.facts
    }

    /// Runs the model over the table. `visit` gets the true class and the logits of each row that counts.
    pub(crate) fn measure(
        self,
        printer: &Printer,
        mut visit: impl FnMut(usize, &[f32]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Measured> {
        let Self { source, classifier, classify, columns, mut evaluation, .. } = self;
        let input = source.names().collect::<Vec<_>>().join(", ");
        let progress = Progress::new(printer.may_draw_progress(), source.rows_total(), source.bytes_total());
        let result = albertine_engine::for_each_window(
            source,
            &classify,
            WindowSettings::default(),
            &CancellationToken::default(),
            |window, now| {
                progress.update(now.rows, now.bytes_read);
                columns.rows(&window, |label, logits, text| {
                    let class = evaluation.add(label, logits, text)?;
                    class.zip(logits).map_or(Ok(()), |(class, logits)| visit(class, logits))
                })?;
                anyhow::Ok(ControlFlow::Continue(()))
            },
        );
        progress.finish();
        let summary = result?;
        if summary.rows == 0 {
            return Err(Misuse::new(format!("{input} has no rows"), "give a table with rows").into());
        }
        report::rows(printer, summary.rows, 0, summary.elapsed, None);
        let counts: Counts = summary.counts.iter().sum();
        report::truncated(printer, &classifier, &counts);
        tell(&evaluation, &classifier, printer);
        Ok(Measured { evaluation, counts, summary })
    }
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
