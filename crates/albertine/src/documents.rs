//! The documents or sentences of a table that have something to classify.

use std::borrow::Cow;
use std::ops::Range;

use crate::column::{AnnotationColumn, AnnotationRef};
use crate::session::Document;

/// Where a document stands in the text of its row: what its annotations are given.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) begin: i32,
    pub(crate) end: i32,
    /// The number of the document or sentence.
    pub(crate) sentence: Cow<'static, str>,
}

/// The documents of a table, row after row.
#[derive(Debug, Default)]
pub(crate) struct Documents<'a> {
    texts: Vec<&'a str>,
    /// The tokens of each document by their indices in `tokens`; none of documents that were not cut into tokens.
    token_ranges: Vec<Range<usize>>,
    tokens: Vec<&'a str>,
    pub(crate) spans: Vec<Span>,
    /// The documents of each row.
    pub(crate) rows: Vec<Range<usize>>,
    /// Rows without a text.
    pub(crate) blank_rows: usize,
}

impl<'a> Documents<'a> {
    /// One document for each text that is neither null nor blank.
    pub(crate) fn of_texts(texts: &[Option<&'a str>]) -> Self {
        let mut found = Self::default();
        for text in texts {
            let start = found.texts.len();
            match text.filter(|text| !albertine_text::is_blank(text)) {
                None => found.blank_rows += 1,
                Some(text) => {
                    let end = albertine_text::utf16_len(text) as i32 - 1;
                    found.texts.push(text);
                    found.spans.push(Span { begin: 0, end, sentence: "0".into() });
                }
            }
            found.rows.push(start..found.texts.len());
        }
        found
    }

    /// The documents of an annotation column that have tokens.
    ///
    /// A token belongs to the document or sentence that its span lies in, never to one by position: a sentence without
    /// tokens must not shift the others. Only where the spans of a row's documents overlap, since each counts from its
    /// own start, does the `sentence` in the metadata decide.
    pub(crate) fn with_tokens(documents: &AnnotationColumn<'a>, tokens: &AnnotationColumn<'a>) -> Self {
        let mut found = Self::default();
        for row in 0..documents.rows() {
            let start = found.texts.len();
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
                    let sentence = if sentence == "0" { "0".into() } else { sentence.to_owned().into() };
                    found.texts.push(document.result);
                    found.token_ranges.push(first..found.tokens.len());
                    found.spans.push(Span { begin: document.begin, end: document.end, sentence });
                }
            }
            found.rows.push(start..found.texts.len());
        }
        found
    }

    /// Each as a session takes it.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Option<Document<'_>>> {
        self.texts.iter().enumerate().map(|(index, text)| {
            let tokens = self.token_ranges.get(index).map(|range| &self.tokens[range.clone()]);
            Some(Document { text, pair: None, tokens })
        })
    }

    /// The row of a document.
    pub(crate) fn row_of(&self, document: usize) -> usize {
        self.rows.partition_point(|row| row.end <= document)
    }
}
