//! The documents or sentences of a table that have something to classify.

use std::ops::Range;

use crate::classifier::Given;
use crate::column::{AnnotationColumn, AnnotationRef};

/// A document with at least one token.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) text: &'a str,
    pub(crate) span: (i32, i32),
    pub(crate) sentence: &'a str,
    /// Its tokens' places among those of the batch.
    tokens: Range<usize>,
}

/// The documents of a batch that have tokens, row after row.
#[derive(Debug, Default)]
pub(crate) struct Documents<'a> {
    pub(crate) all: Vec<Document<'a>>,
    /// Where the documents of each row stand in `all`.
    pub(crate) rows: Vec<Range<usize>>,
    /// The tokens of all documents.
    tokens: Vec<&'a str>,
}

impl<'a> Documents<'a> {
    /// A token belongs to the document or sentence that its span lies in, never to one by position: a sentence without tokens must
    /// not shift the others. Only where the spans of a row's documents overlap, since each counts from its own start, does the
    /// `sentence` in the metadata decide.
    pub(crate) fn with_tokens(documents: &AnnotationColumn<'a>, tokens: &AnnotationColumn<'a>) -> Self {
        let mut found = Self::default();
        for row in 0..documents.rows() {
            let start = found.all.len();
            let candidates: Vec<AnnotationRef<'a>> = documents.row(row).collect();
            let overlap = candidates.windows(2).any(|pair| pair[1].begin <= pair[0].end);
            for document in candidates {
                let first = found.tokens.len();
                let sentence = document.sentence();
                let belongs = |token: &AnnotationRef<'a>| match overlap {
                    true => token.sentence() == sentence,
                    false => token.begin >= document.begin && token.end <= document.end,
                };
                found.tokens.extend(tokens.row(row).filter(belongs).map(|token| token.result));
                if found.tokens.len() > first && !albertine_text::is_blank(document.result) {
                    let tokens = first..found.tokens.len();
                    let span = (document.begin, document.end);
                    found.all.push(Document { text: document.result, span, sentence, tokens });
                }
            }
            found.rows.push(start..found.all.len());
        }
        found
    }

    /// Each as the classifier takes it.
    pub(crate) fn given(&self) -> impl ExactSizeIterator<Item = Option<Given<'_>>> {
        self.all
            .iter()
            .map(|document| Some(Given { text: document.text, tokens: Some(&self.tokens[document.tokens.clone()]) }))
    }
}

/// The mean of each label over rows, in their order.
pub(crate) fn mean(rows: &[Vec<f32>]) -> Vec<f32> {
    let labels = rows.first().map_or(0, Vec::len);
    let sum = |label: usize| rows.iter().map(|scores| f64::from(scores[label])).sum::<f64>();
    (0..labels).map(|label| (sum(label) / rows.len() as f64) as f32).collect()
}
