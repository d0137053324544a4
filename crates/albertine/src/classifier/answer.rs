//! What a classifier says of some texts, before it is put into columns.

use std::ops::Range;

use crate::category::CategoryRule;
use crate::column::AnnotationColumnBuilder;
use crate::documents::mean;

/// Begin and end of a document, its `sentence`, and its logits.
type Document = ((i32, i32), String, Vec<f32>);

/// The documents of every text with their logits: one for a text, or as many as a pipeline has made of it.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    documents: Vec<Document>,
    /// Where the documents of each text stand among them; none for a blank one.
    rows: Vec<Range<usize>>,
    /// Whether a text with several documents gets one annotation.
    pub(super) coalesce: bool,
}

impl Answer {
    pub(super) fn push_row(&mut self, documents: impl IntoIterator<Item = Document>) {
        let start = self.documents.len();
        self.documents.extend(documents);
        self.rows.push(start..self.documents.len());
    }

    /// The logits of each text, the mean where it has several documents.
    pub(crate) fn logits(&self) -> impl Iterator<Item = Option<Vec<f32>>> {
        self.of_rows(<[f32]>::to_vec)
    }

    /// The scores of each text, the mean where it has several documents.
    pub(crate) fn scores(&self, rule: CategoryRule) -> impl Iterator<Item = Option<Vec<f32>>> {
        self.of_rows(move |logits| rule.scores(logits))
    }

    fn of_rows(&self, of: impl Fn(&[f32]) -> Vec<f32>) -> impl Iterator<Item = Option<Vec<f32>>> {
        self.rows.iter().map(move |row| match &self.documents[row.clone()] {
            [] => None,
            [(_, _, logits)] => Some(of(logits)),
            several => Some(mean(&several.iter().map(|(_, _, logits)| of(logits)).collect::<Vec<_>>())),
        })
    }

    /// The annotations of each text, as `AlbertForSequenceClassification` gives them.
    pub(crate) fn annotate(&self, rule: CategoryRule, labels: &[String], column: &mut AnnotationColumnBuilder) {
        for row in &self.rows {
            let documents = &self.documents[row.clone()];
            let scores: Vec<Vec<f32>> = documents.iter().map(|(_, _, logits)| rule.scores(logits)).collect();
            match documents.first() {
                Some((span, sentence, _)) if self.coalesce => {
                    rule.push(column, *span, sentence, labels, &mean(&scores))
                }
                _ => documents
                    .iter()
                    .zip(&scores)
                    .for_each(|((span, sentence, _), scores)| rule.push(column, *span, sentence, labels, scores)),
            }
            column.end_row();
        }
    }
}
