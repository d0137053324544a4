//! From documents to the tokens that the encoder reads.

use std::sync::Arc;

use albertine_model::RaggedBatch;
use albertine_text::{Piece, SubwordTokenizer, TokenEncoder, Tokenizer, TruncationSide};

use super::Document;
use super::settings::{Encoding, LongTexts};
use crate::Error;

/// How documents become tokens.
#[derive(Debug, Clone)]
pub(crate) enum Tokenization {
    /// The whole text at once.
    Document(Arc<SubwordTokenizer>),
    /// Each word by itself.
    Token {
        pieces: Arc<TokenEncoder>,
        case_sensitive: bool,
        /// The token that the attention mask hides, if it hides one.
        hidden: Option<u32>,
    },
}

/// How much of a document is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    /// The most tokens of a sequence, special ones included.
    pub(super) limit: usize,
    pub(super) long_texts: LongTexts,
    /// Where a text with more tokens is cut; `None`: where the tokenizer's configuration says.
    pub(super) side: Option<TruncationSide>,
}

/// What a document became: one sequence for the encoder, or one for each of its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) sequences: usize,
    pub(super) truncated: bool,
}

/// What the encoder reads of a text.
#[derive(Debug)]
pub(crate) struct ReadText {
    /// Without special tokens around the text.
    pub(crate) pieces: Vec<Piece>,
    /// How many special tokens stand before the text, and how many behind it.
    pub(crate) around: (usize, usize),
    /// The last special token behind a text.
    pub(crate) separator: Option<String>,
    /// The token that stands for hidden text, if it can be written in a text.
    pub(crate) mask: Option<String>,
    /// Whether some of the text is not read.
    pub(crate) truncated: bool,
}

impl Tokenization {
    pub(super) fn encoding(&self) -> Encoding {
        match self {
            Self::Document(_) => Encoding::Document,
            Self::Token { .. } => Encoding::Token,
        }
    }

    /// The number of token ids.
    pub(crate) fn vocabulary_size(&self) -> usize {
        match self {
            Self::Document(pieces) => pieces.vocabulary(),
            Self::Token { pieces, .. } => pieces.vocabulary(),
        }
    }

    /// How many special tokens are put before a text and behind it.
    pub(super) fn around(&self) -> (usize, usize) {
        match self {
            Self::Document(pieces) => pieces.around(),
            Self::Token { pieces, .. } => pieces.around(),
        }
    }

    /// The longest input that the tokenizer's configuration names, in tokens.
    pub(crate) fn model_max_length(&self) -> Option<usize> {
        match self {
            Self::Document(pieces) => pieces.model_max_length(),
            Self::Token { .. } => None,
        }
    }

    /// Appends a document to the batch, at most [`Options::limit`] tokens in a sequence. A pair is never read in windows.
    pub(super) fn encode(
        &self,
        document: Document<'_>,
        Options { limit, long_texts, side }: Options,
        ids: &mut Vec<u32>,
        batch: &mut RaggedBatch,
    ) -> Result<Encoded, Error> {
        ids.clear();
        if let Some(second) = document.pair {
            let Self::Document(pieces) = self else { return Err(Error::PairOfTokens) };
            let side = side.unwrap_or(pieces.truncation_side());
            let mut token_types = Vec::new();
            let encoded = pieces.encode_pair((document.text, second), limit, side, ids, &mut token_types)?;
            batch.push_with_types(ids, &token_types);
            return Ok(Encoded { sequences: 1, truncated: encoded.truncated });
        }
        match long_texts {
            LongTexts::Truncate => {
                let truncated = self.ids(document, limit, side, ids)?;
                self.push(ids, batch);
                Ok(Encoded { sequences: 1, truncated })
            }
            LongTexts::Windows { overlap } => {
                self.ids(document, usize::MAX, None, ids)?;
                let (before, after) = self.around();
                let room = limit - before - after;
                let (head, rest) = ids.split_at(before);
                let (body, tail) = rest.split_at(rest.len() - after);
                let mut sequences = 0;
                let mut window = Vec::with_capacity(limit);
                for start in windows(body.len(), room, overlap) {
                    window.clear();
                    window.extend_from_slice(head);
                    window.extend_from_slice(&body[start..body.len().min(start + room)]);
                    window.extend_from_slice(tail);
                    self.push(&window, batch);
                    sequences += 1;
                }
                Ok(Encoded { sequences, truncated: false })
            }
        }
    }

    fn push(&self, ids: &[u32], batch: &mut RaggedBatch) {
        match self {
            Self::Token { hidden: Some(hidden), .. } => batch.push_without(ids, *hidden),
            _ => batch.push(ids),
        }
    }

    /// Appends the ids of a document; says whether it was cut.
    fn ids(
        &self,
        document: Document<'_>,
        limit: usize,
        side: Option<TruncationSide>,
        ids: &mut Vec<u32>,
    ) -> Result<bool, Error> {
        // Spark NLP, whose way it is to read token by token, cuts at the end
        let encoded = match (self, document.tokens) {
            (Self::Document(pieces), _) => {
                pieces.encode_from(document.text, limit, side.unwrap_or(pieces.truncation_side()), ids)?
            }
            (Self::Token { pieces, case_sensitive, .. }, Some(tokens)) => {
                pieces.encode(tokens.iter().copied(), *case_sensitive, limit, ids)?
            }
            (Self::Token { pieces, case_sensitive, .. }, None) => {
                let mut tokens = Vec::new();
                Tokenizer::default().tokenize(document.text, 0, &mut tokens)?;
                let words = tokens.iter().map(|token| &document.text[token.range.clone()]);
                pieces.encode(words, *case_sensitive, limit, ids)?
            }
        };
        Ok(encoded.truncated)
    }

    /// Whether tokens of a document that is too long go from its start.
    pub(super) fn truncates_left(&self) -> bool {
        matches!(self, Self::Document(pieces) if pieces.truncation_side() == TruncationSide::Left)
    }

    /// The tokens that the encoder reads of a text, and what else there is to know to hide some of them.
    pub(super) fn read(&self, text: &str, limit: usize, long_texts: LongTexts) -> Result<ReadText, Error> {
        let mut pieces = self.inspect(text)?;
        let (before, after) = self.around();
        let separator = pieces.split_off(pieces.len() - after).pop().map(|piece| piece.text);
        pieces.drain(..before);
        let mask = match self {
            Self::Document(pieces) => pieces.mask_token(),
            Self::Token { .. } => None,
        };
        let room = match long_texts {
            LongTexts::Truncate => limit - before - after,
            LongTexts::Windows { .. } => usize::MAX,
        };
        let over = pieces.len().saturating_sub(room);
        if self.truncates_left() {
            pieces.drain(..over);
        } else {
            pieces.truncate(room);
        }
        Ok(ReadText { pieces, around: (before, after), separator, mask: mask.map(str::to_owned), truncated: over > 0 })
    }

    /// The tokens of the whole of a text, special ones included, with their positions in characters: a view for people.
    pub(super) fn inspect(&self, text: &str) -> Result<Vec<Piece>, Error> {
        let (pieces, case_sensitive) = match self {
            Self::Document(pieces) => return Ok(pieces.inspect(text)?),
            Self::Token { pieces, case_sensitive, .. } => (pieces, *case_sensitive),
        };
        let piece = |id, begin, end| Piece { text: pieces.id_to_piece(id).unwrap_or_default(), id, begin, end };
        let mut tokens = Vec::new();
        Tokenizer::default().tokenize(text, 0, &mut tokens)?;
        let mut ids = Vec::new();
        pieces.encode([], case_sensitive, usize::MAX, &mut ids)?;
        let (before, _) = pieces.around();
        let after = ids.split_off(before);
        let mut found: Vec<Piece> = ids.iter().map(|&id| piece(id, 0, 0)).collect();
        for token in tokens {
            ids.clear();
            let word = &text[token.range.clone()];
            pieces.encode([word], case_sensitive, usize::MAX, &mut ids)?;
            let begin = text[..token.range.start].chars().count();
            let end = begin + word.chars().count();
            found.extend(ids[before..ids.len() - after.len()].iter().map(|&id| piece(id, begin, end)));
        }
        found.extend(after.iter().map(|&id| piece(id, 0, 0)));
        Ok(found)
    }
}

/// Where windows of `room` tokens begin that share `overlap` with the one before them, over a text of `tokens`. There
/// is one for a text without tokens, and none that another one holds whole.
fn windows(tokens: usize, room: usize, overlap: usize) -> impl Iterator<Item = usize> {
    let step = room - overlap;
    let more = tokens.saturating_sub(room).div_ceil(step);
    (0..=more).map(move |window| window * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_a_text() {
        let starts = |tokens, room, overlap| windows(tokens, room, overlap).collect::<Vec<_>>();
        assert_eq!(starts(0, 4, 1), [0]);
        assert_eq!(starts(4, 4, 1), [0]);
        assert_eq!(starts(5, 4, 1), [0, 3]);
        assert_eq!(starts(7, 4, 1), [0, 3]);
        assert_eq!(starts(8, 4, 1), [0, 3, 6]);
        assert_eq!(starts(9, 4, 0), [0, 4, 8]);
    }
}
