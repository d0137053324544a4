//! What cuts a word into pieces.

pub(crate) mod trie;
pub(crate) mod unigram;
pub(crate) mod wordpiece;

use self::unigram::Unigram;
use self::unigram::lattice::Lattice;
use self::wordpiece::{Overlong, WordPiece};
use crate::subword::files::recipe::ModelRecipe;

/// A vocabulary and its way of cutting.
#[derive(Debug)]
pub(crate) enum Model {
    Unigram(Unigram),
    WordPiece(WordPiece),
}

impl Model {
    /// The model that a checked recipe describes.
    pub(crate) fn new(recipe: ModelRecipe) -> Self {
        match recipe {
            ModelRecipe::Unigram { vocabulary, unknown, byte_fallback } => {
                Self::Unigram(Unigram::new(vocabulary, unknown, byte_fallback))
            }
            ModelRecipe::WordPiece { vocabulary, tokens, unknown, prefix, max_chars } => {
                Self::WordPiece(WordPiece::new(vocabulary, tokens, unknown, &prefix, max_chars))
            }
        }
    }

    /// The number of ids: every id is below it.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Unigram(model) => model.len(),
            Self::WordPiece(model) => model.len(),
        }
    }

    /// The id of the first token that is added to the vocabulary.
    pub(crate) fn next_id(&self) -> usize {
        match self {
            Self::Unigram(model) => model.len(),
            Self::WordPiece(model) => model.tokens(),
        }
    }

    /// The piece with this id.
    pub(crate) fn piece(&self, id: u32) -> Option<&str> {
        match self {
            Self::Unigram(model) => model.piece(id),
            Self::WordPiece(model) => model.piece(id),
        }
    }

    /// The id of a piece. Of equal ones the last counts.
    pub(crate) fn id(&self, piece: &str) -> Option<u32> {
        match self {
            Self::Unigram(model) => model.id(piece),
            Self::WordPiece(model) => model.id(piece),
        }
    }

    /// The id that stands for whatever the vocabulary lacks.
    pub(crate) fn unknown(&self) -> u32 {
        match self {
            Self::Unigram(model) => model.unknown,
            Self::WordPiece(model) => model.unknown,
        }
    }
}

/// A word on its way to pieces. Lives on from word to word, so that nothing is allocated for one.
#[derive(Debug)]
pub(crate) struct Word {
    /// What has come of the word and has not been handed on.
    pub(crate) text: Vec<u8>,
    lattice: Lattice,
    overlong: Overlong,
}

impl Word {
    pub(crate) fn new() -> Self {
        Self { text: Vec::new(), lattice: Lattice::new(), overlong: Overlong::default() }
    }

    /// Forgets the word.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.lattice.clear();
        self.overlong = Overlong::default();
    }

    /// About how much memory it holds, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.text.capacity() + self.lattice.capacity()
    }

    /// Whether all of the word that has come is in `text`.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        self.lattice.is_whole() && self.overlong == Overlong::default()
    }

    /// Hands on what is certain of a long word before its end: ids, and how many bytes of the word they stand for.
    #[inline]
    pub(crate) fn advance(&mut self, model: &Model, to: impl FnMut(&[u32], usize)) {
        match model {
            Model::Unigram(model) => self.lattice.advance(&mut self.text, model, to),
            Model::WordPiece(model) => self.overlong.advance(&mut self.text, model),
        }
    }

    /// Hands on the pieces of the word, now that all of it is there, and forgets it.
    #[inline]
    pub(crate) fn finish(&mut self, model: &Model, to: impl FnMut(&[u32], usize)) {
        match model {
            Model::Unigram(model) => self.lattice.finish(&mut self.text, model, to),
            Model::WordPiece(model) => self.overlong.finish(&mut self.text, model, to),
        }
    }
}
