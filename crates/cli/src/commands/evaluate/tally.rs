//! What is counted while the rows go by.

use albertine::{Activation, Classify};
use albertine_train::{Evaluation, LabelNames, Loss, Mistake, Mistakes};
use anyhow::Context;
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Float32Type, Schema};

use crate::args::EvaluateArgs;
use crate::exit::Misuse;
use crate::labels;
use crate::printer::Printer;
use crate::report::grouped;

/// Mistakes that a report shows, and how much of their texts.
const MISTAKES: usize = 20;
const LETTERS: usize = 300;

/// How many names a note tells.
const NAMED: usize = 12;

/// The column of logits as [`Classify`] calls it where the table has none.
const LOGITS: &str = "logits";

pub(super) struct Tally<'a> {
    classify: &'a Classify,
    names: LabelNames,
    text_columns: Vec<String>,
    label_column: String,
    logits_column: String,
    evaluation: Evaluation,
    mistakes: Mistakes,
    rows: u64,
    left_out: u64,
    numbers: bool,
}

impl<'a> Tally<'a> {
    /// Of rows of `input` that went through `classify`.
    pub(super) fn new(
        classify: &'a Classify,
        names: LabelNames,
        args: &EvaluateArgs,
        input: &Schema,
    ) -> anyhow::Result<Self> {
        let loss = match classify.classifier().activation() {
            Activation::Softmax => Loss::CrossEntropy,
            Activation::Sigmoid => Loss::BinaryCrossEntropy,
            _ => {
                return Err(Misuse::new(
                    "the model is a regression: it predicts a number, not a class",
                    "choose a classifier with `--model`",
                )
                .into());
            }
        };
        let renamed = classify.renamed(input).into_iter().find(|(usual, _)| usual == LOGITS);
        Ok(Self {
            classify,
            evaluation: Evaluation::new(names.names().to_vec(), loss)?,
            names,
            text_columns: args.input.text_columns.clone(),
            label_column: args.label_column.clone(),
            logits_column: renamed.map_or_else(|| LOGITS.to_owned(), |(_, used)| used),
            mistakes: Mistakes::new(MISTAKES),
            rows: 0,
            left_out: 0,
            numbers: false,
        })
    }

    /// Counts the rows of a window.
    pub(super) fn add(&mut self, window: &RecordBatch) -> anyhow::Result<()> {
        let labels = labels::read(&window[self.label_column.as_str()])?;
        let logits = window[self.logits_column.as_str()].as_list::<i32>();
        let mut texts: Option<StringArray> = None;
        for row in 0..window.num_rows() {
            self.rows += 1;
            let label = if labels.is_null(row) { "" } else { labels.value(row) };
            if label.is_empty() || logits.is_null(row) {
                self.left_out += 1;
                continue;
            }
            let counted = self.names.class(label).and_then(|expected| {
                let logits = logits.value(row);
                Ok((expected, self.evaluation.add(expected, logits.as_primitive::<Float32Type>().values())?))
            });
            let (expected, verdict) = counted.with_context(|| format!("row {}", self.rows))?;
            self.numbers |= self.names.is_number(label);
            if verdict.predicted == expected || !self.mistakes.wants(verdict.confidence) {
                continue;
            }
            let texts = match &mut texts {
                Some(texts) => texts,
                none => none.insert(albertine::texts::read(window, &self.text_columns)?),
            };
            self.mistakes.offer(Mistake {
                row: self.rows,
                text: beginning(texts.value(row)),
                expected,
                predicted: verdict.predicted,
                confidence: verdict.confidence,
            });
        }
        Ok(())
    }

    pub(super) fn evaluation(&self) -> &Evaluation {
        &self.evaluation
    }

    /// Rows without a text or a label.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    pub(super) fn mistakes(&self) -> &[Mistake] {
        self.mistakes.surest()
    }

    /// Says how labels were understood and which rows do not count.
    pub(super) fn tell(&self, printer: &Printer) {
        let labels = self.classify.classifier().labels();
        let pairs = |pair: fn(usize, &String, &String) -> String| {
            let names = self.names.names().iter().zip(labels).enumerate().take(NAMED);
            let mut pairs: Vec<String> = names.map(|(class, (name, label))| pair(class, name, label)).collect();
            pairs.extend((labels.len() > NAMED).then(|| "...".to_owned()));
            pairs.join(", ")
        };
        if self.numbers {
            let pairs = pairs(|class, name, _| format!("{class} is {name}"));
            printer.note(format_args!("numeric labels were read as class indices: {pairs}"));
        } else if self.names.names() != labels {
            printer.note(format_args!(
                "labels were mapped to the model's: {}",
                pairs(|_, name, label| format!("{name} is {label}"))
            ));
        }
        match self.left_out {
            0 => {}
            1 => printer.warn("1 row has no text or no label and was skipped"),
            many => printer.warn(format_args!("{} rows have no text or no label and were skipped", grouped(many))),
        }
    }
}

/// The beginning of a text, with a mark where it goes on.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
