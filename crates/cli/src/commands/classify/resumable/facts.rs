//! All that the labels of a table depend on, beside the table and the model, as names and values for a person to read.

use std::fmt::Debug;

use albertine::{Classify, Columns};
use albertine_engine::{FailedRows, SourceOptions};

use crate::args::RunArgs;

/// What the classifier counts among its facts and no label depends on.
const INDEPENDENT: [&str; 1] = ["threads"];

/// The settings of a run. Those that are not given are left out; the columns that it adds are seen in its output.
pub(super) fn of(classify: &Classify, columns: &Columns, run: &RunArgs, read: &SourceOptions) -> Vec<(String, String)> {
    let of_classifier = classify.classifier().facts().into_iter().filter(|(name, _)| !INDEPENDENT.contains(name));
    let mut facts: Vec<_> = of_classifier.map(|(name, value)| (name.to_owned(), value)).collect();
    let mut add = |name: &str, value: Option<String>| facts.extend(value.map(|value| (name.to_owned(), value)));
    add("text columns", Some(columns.text.join(", ")));
    add("case sensitive", run.case_sensitive.map(|value| value.to_string()));
    add("activation", columns.activation.map(|value| value.name().to_owned()));
    add("threshold", columns.threshold.map(|value| value.to_string()));
    add("abstain", columns.abstain.map(|value| value.to_string()));
    add("coverage", columns.coverage.map(|value| value.to_string()));
    add("explain", columns.words.map(|words| words.most.to_string()));
    add("explain method", columns.words.map(|words| words.method.to_string()));
    let text = &read.text;
    add("input format", read.format.map(|format| format.name().to_owned()));
    add("delimiter", text.delimiter.map(character));
    add("quote", text.quote.map(shown));
    add("escape", text.escape.map(character));
    add("header", text.header.map(|value| value.to_string()));
    add("comment", text.comment.map(character));
    add("null", (!text.nulls.is_empty()).then(|| text.nulls.join(", ")));
    add("input encoding", text.encoding.map(shown));
    facts
}

/// What becomes of rows that cannot be read, in a word.
pub(super) fn policy(failed_rows: &FailedRows) -> &'static str {
    match failed_rows {
        FailedRows::Stop => "fail",
        FailedRows::Keep => "null",
        FailedRows::PutAside(_) => "put aside",
    }
}

fn character(byte: u8) -> String {
    format!("{:?}", char::from(byte))
}

fn shown(value: impl Debug) -> String {
    format!("{value:?}")
}
