//! An explanation for programs.

use albertine::explain::Part;
use serde::Serialize;

use super::Explained;

/// A text, the class that is explained, and the weights of the words for every class, in the order of `labels`.
#[derive(Debug, Serialize)]
pub(super) struct Row<'e> {
    text: &'e str,
    label: &'e str,
    score: f32,
    method: &'static str,
    activation: &'static str,
    evaluations: usize,
    truncated: bool,
    labels: &'e [String],
    base: &'e [f32],
    values: &'e [f32],
    words: Vec<Word<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pieces: Option<Vec<Piece<'e>>>,
}

#[derive(Debug, Serialize)]
struct Word<'e> {
    word: &'e str,
    begin: usize,
    end: usize,
    weights: &'e [f32],
}

#[derive(Debug, Serialize)]
struct Piece<'e> {
    piece: &'e str,
    begin: usize,
    end: usize,
    weights: &'e [f32],
}

impl<'e> Row<'e> {
    pub(super) fn new(explained: &'e Explained<'_>, labels: &'e [String], pieces: bool) -> Self {
        let Explained { text, explanation, label } = explained;
        let word = |Part { bytes, begin, end, weights }: &'e Part| Word {
            word: &text[bytes.clone()],
            begin: *begin,
            end: *end,
            weights,
        };
        let piece = |part: &'e Part| {
            let Word { word, begin, end, weights } = word(part);
            Piece { piece: word, begin, end, weights }
        };
        Self {
            text,
            label: &labels[*label],
            score: explanation.values[*label],
            method: explanation.method.name(),
            activation: explanation.activation.name(),
            evaluations: explanation.evaluations,
            truncated: explanation.truncated,
            labels,
            base: &explanation.base,
            values: &explanation.values,
            words: explanation.words.iter().map(word).collect(),
            pieces: pieces.then(|| explanation.parts.iter().map(piece).collect()),
        }
    }
}
