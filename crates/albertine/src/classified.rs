//! What a classifier says of some texts, before it is put into columns.

use std::ops::Range;

use crate::category::CategoryRule;
use crate::column::AnnotationColumnBuilder;
use crate::documents::{Documents, Span};
use crate::scores::mean;
use crate::session::Outputs;

/// The documents of every row with their logits: one for a text, or as many as a pipeline has made of it.
#[derive(Debug)]
pub(crate) struct Classified {
    outputs: Outputs,
    spans: Vec<Span>,
    /// The documents of each row; none for a blank one.
    rows: Vec<Range<usize>>,
    /// Whether a row with several documents gets one annotation.
    coalesce: bool,
}

impl Classified {
    /// `outputs` has a row of logits for each of the documents.
    pub(crate) fn new(documents: Documents<'_>, outputs: Outputs, coalesce: bool) -> Self {
        Self { outputs, spans: documents.spans, rows: documents.rows, coalesce }
    }

    /// One row: `outputs` has a row of logits for each of its documents, which stand at `spans`.
    pub(crate) fn of_row(outputs: Outputs, spans: Vec<Span>, coalesce: bool) -> Self {
        let row = 0..spans.len();
        Self { outputs, spans, rows: Vec::from([row]), coalesce }
    }

    /// The logits of each row, the mean where it has several documents.
    pub(crate) fn logits(&self) -> impl Iterator<Item = Option<Vec<f32>>> {
        self.of_rows(<[f32]>::to_vec)
    }

    /// The scores of each row, the mean where it has several documents.
    pub(crate) fn scores(&self, rule: CategoryRule) -> impl Iterator<Item = Option<Vec<f32>>> {
        self.of_rows(move |logits| rule.scores(logits))
    }

    fn of_rows(&self, of: impl Fn(&[f32]) -> Vec<f32>) -> impl Iterator<Item = Option<Vec<f32>>> {
        self.rows.iter().map(move |row| {
            let mut documents = self.documents(row).map(|(_, logits)| of(logits));
            let first = documents.next()?;
            let mut others: Vec<Vec<f32>> = documents.collect();
            if others.is_empty() {
                return Some(first);
            }
            others.insert(0, first);
            Some(mean(others.iter().map(Vec::as_slice)))
        })
    }

    /// Adds the annotations of each row to a column, as `AlbertForSequenceClassification` gives them.
    pub(crate) fn annotate(&self, rule: CategoryRule, labels: &[String], column: &mut AnnotationColumnBuilder) {
        for row in &self.rows {
            if self.coalesce {
                let scores: Vec<Vec<f32>> = self.documents(row).map(|(_, logits)| rule.scores(logits)).collect();
                if let Some((first, _)) = self.documents(row).next() {
                    rule.push(column, first, labels, &mean(scores.iter().map(Vec::as_slice)));
                }
            } else {
                self.documents(row).for_each(|(span, logits)| rule.push(column, span, labels, &rule.scores(logits)));
            }
            column.end_row();
        }
    }

    fn documents(&self, row: &Range<usize>) -> impl Iterator<Item = (&Span, &[f32])> {
        row.clone().filter_map(|document| Some((&self.spans[document], self.outputs.logits(document)?)))
    }
}
