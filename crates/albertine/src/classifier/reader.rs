//! From texts to the pieces that the encoder reads.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use albertine_model::{CheckpointKind, RaggedBatch};
use albertine_text::{Piece, SubwordTokenizer, TokenEncoder, Tokenizer};

use super::settings::{ClassifierSettings, Encoding, LongTexts};
use crate::Error;
use crate::spark_params::SparkParams;

/// The files that say how a model's texts become pieces, and what is made of them when it is needed.
#[derive(Debug)]
pub(super) struct Vocabulary {
    /// What errors call the model.
    pub(super) origin: PathBuf,
    pub(super) files: BTreeMap<&'static str, Cow<'static, [u8]>>,
    /// What the model was saved with, if Spark NLP saved it.
    pub(super) params: SparkParams,
    pub(super) kind: CheckpointKind,
    document: OnceLock<Arc<SubwordTokenizer>>,
    token: OnceLock<Arc<TokenEncoder>>,
}

impl Vocabulary {
    pub(super) fn new(
        origin: PathBuf,
        files: BTreeMap<&'static str, Cow<'static, [u8]>>,
        params: SparkParams,
        kind: CheckpointKind,
    ) -> Self {
        Self { origin, files, params, kind, document: OnceLock::new(), token: OnceLock::new() }
    }

    fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(AsRef::as_ref)
    }

    fn document(&self) -> Result<Arc<SubwordTokenizer>, Error> {
        if let Some(pieces) = self.document.get() {
            return Ok(pieces.clone());
        }
        let pieces = SubwordTokenizer::from_files(&self.origin, |name| self.file(name))?;
        Ok(self.document.get_or_init(|| Arc::new(pieces)).clone())
    }

    fn token(&self) -> Result<Arc<TokenEncoder>, Error> {
        if let Some(pieces) = self.token.get() {
            return Ok(pieces.clone());
        }
        let pieces = TokenEncoder::from_files(&self.origin, |name| self.file(name))?;
        Ok(self.token.get_or_init(|| Arc::new(pieces)).clone())
    }

    /// The reader that settings ask for.
    pub(super) fn reader(&self, settings: &ClassifierSettings) -> Result<Reader, Error> {
        let case_sensitive = settings.case_sensitive.or(self.params.case_sensitive);
        Ok(match settings.encoding.unwrap_or_else(|| Encoding::of(self.kind, &self.params)) {
            Encoding::Document => {
                let own = self.document()?;
                Reader::Document(match case_sensitive {
                    Some(sensitive) => Arc::new(SubwordTokenizer::clone(&own).with_case_sensitive(sensitive)?),
                    None => own,
                })
            }
            Encoding::Token => {
                let pieces = self.token()?;
                let hidden = self.params.hides_unknown.then(|| pieces.unknown());
                Reader::Token { pieces, case_sensitive: case_sensitive.unwrap_or(false), hidden }
            }
        })
    }
}

/// One text, and the tokens that it was cut into by someone else, if so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Given<'a> {
    pub(crate) text: &'a str,
    /// Only [`Encoding::Token`] looks at them; without them it cuts the text by the default rules.
    pub(crate) tokens: Option<&'a [&'a str]>,
}

/// How texts become pieces.
#[derive(Debug, Clone)]
pub(super) enum Reader {
    Document(Arc<SubwordTokenizer>),
    Token {
        pieces: Arc<TokenEncoder>,
        case_sensitive: bool,
        /// The piece that the attention mask hides, if it hides one.
        hidden: Option<u32>,
    },
}

/// A text in pieces: one document for the encoder, or one for each of its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) documents: usize,
    pub(super) truncated: bool,
}

impl Reader {
    pub(super) fn encoding(&self) -> Encoding {
        match self {
            Self::Document(_) => Encoding::Document,
            Self::Token { .. } => Encoding::Token,
        }
    }

    /// The number of piece ids.
    pub(super) fn vocabulary(&self) -> usize {
        match self {
            Self::Document(pieces) => pieces.vocabulary(),
            Self::Token { pieces, .. } => pieces.vocabulary(),
        }
    }

    /// How many special pieces are put before a text and behind it.
    pub(super) fn around(&self) -> (usize, usize) {
        match self {
            Self::Document(pieces) => pieces.around(),
            Self::Token { pieces, .. } => pieces.around(),
        }
    }

    /// The longest input that the vocabulary's configuration names, in pieces.
    pub(super) fn model_max_length(&self) -> Option<usize> {
        match self {
            Self::Document(pieces) => pieces.model_max_length(),
            Self::Token { .. } => None,
        }
    }

    /// Appends a text to the batch, at most `limit` pieces in a document.
    pub(super) fn read(
        &self,
        given: Given<'_>,
        limit: usize,
        long_texts: LongTexts,
        ids: &mut Vec<u32>,
        batch: &mut RaggedBatch,
    ) -> Result<Read, Error> {
        ids.clear();
        match long_texts {
            LongTexts::Truncate => {
                let truncated = self.ids(given, limit, ids)?;
                self.push(ids, batch);
                Ok(Read { documents: 1, truncated })
            }
            LongTexts::Windows { overlap } => {
                self.ids(given, usize::MAX, ids)?;
                let (before, after) = self.around();
                let room = limit - before - after;
                let (head, rest) = ids.split_at(before);
                let (body, tail) = rest.split_at(rest.len() - after);
                let mut documents = 0;
                let mut window = Vec::with_capacity(limit);
                for start in windows(body.len(), room, overlap) {
                    window.clear();
                    window.extend_from_slice(head);
                    window.extend_from_slice(&body[start..body.len().min(start + room)]);
                    window.extend_from_slice(tail);
                    self.push(&window, batch);
                    documents += 1;
                }
                Ok(Read { documents, truncated: false })
            }
        }
    }

    fn push(&self, ids: &[u32], batch: &mut RaggedBatch) {
        match self {
            Self::Token { hidden: Some(hidden), .. } => batch.push_without(ids, *hidden),
            _ => batch.push(ids),
        }
    }

    /// Appends the ids of a text; says whether it was cut.
    fn ids(&self, given: Given<'_>, limit: usize, ids: &mut Vec<u32>) -> Result<bool, Error> {
        let encoded = match (self, given.tokens) {
            (Self::Document(pieces), _) => pieces.encode(given.text, limit, ids)?,
            (Self::Token { pieces, case_sensitive, .. }, Some(tokens)) => {
                pieces.encode(tokens.iter().copied(), *case_sensitive, limit, ids)?
            }
            (Self::Token { pieces, case_sensitive, .. }, None) => {
                let mut tokens = Vec::new();
                Tokenizer::default().tokenize(given.text, 0, &mut tokens)?;
                let words = tokens.iter().map(|token| &given.text[token.range.clone()]);
                pieces.encode(words, *case_sensitive, limit, ids)?
            }
        };
        Ok(encoded.truncated)
    }

    /// The pieces of the whole of a text, special pieces included, with their places in characters: a view for people.
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

/// Where windows of `room` pieces begin that share `overlap` with the one before them, over a text of `pieces`. There is
/// one for a text without pieces, and none that another one holds whole.
fn windows(pieces: usize, room: usize, overlap: usize) -> impl Iterator<Item = usize> {
    let step = room - overlap;
    let more = pieces.saturating_sub(room).div_ceil(step);
    (0..=more).map(move |window| window * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_a_text() {
        let starts = |pieces, room, overlap| windows(pieces, room, overlap).collect::<Vec<_>>();
        assert_eq!(starts(0, 4, 1), [0]);
        assert_eq!(starts(4, 4, 1), [0]);
        assert_eq!(starts(5, 4, 1), [0, 3]);
        assert_eq!(starts(7, 4, 1), [0, 3]);
        assert_eq!(starts(8, 4, 1), [0, 3, 6]);
        assert_eq!(starts(9, 4, 0), [0, 4, 8]);
    }
}
