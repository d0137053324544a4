//! What a vocabulary file says, as plain checked values.
//!
//! All readers, of `tokenizer.json`, `spiece.model` and `vocab.txt`, end here, and the engine is built from nothing else. So
//! whatever the engine expects of its input is checked in this one place.

use std::path::Path;

use crate::error::TextError;
use crate::subword::added_tokens::AddedToken;
use crate::subword::normalizers::{Normalizer, growth};
use crate::subword::pre_tokenizers::PreTokenizer;

/// No vocabulary has more pieces than this; the largest published ones have about 500,000.
pub(crate) const MAX_PIECES: usize = 1 << 20;
/// No piece is longer than this, in bytes. Pieces that end within so many bytes compete.
const MAX_PIECE_BYTES: usize = 512;
/// All pieces together are no longer than this, in bytes. The tree of pieces needs some twenty bytes for each of them.
const MAX_VOCABULARY_BYTES: usize = 8 << 20;
/// No vocabulary has more added tokens than this.
const MAX_ADDED: usize = 1 << 14;
/// A text is not broken into words more often than this; ALBERT's vocabularies do it once or twice.
const MAX_PRE_TOKENIZERS: usize = 8;
/// A post-processor puts no more pieces around a text than this.
pub(crate) const MAX_AROUND: usize = 64;

/// A vocabulary and everything done to a text before and after it.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) model: ModelRecipe,
    /// What is done to a text first, in order.
    pub(crate) normalizers: Vec<Normalizer>,
    /// How a text is broken into words afterwards, in order.
    pub(crate) pre_tokenizers: Vec<PreTokenizer>,
    /// Pieces that are found in the raw text, before anything else is done to it, in the order of their addition.
    pub(crate) added: Vec<AddedToken>,
    /// What is put around the pieces of a text.
    pub(crate) post_processor: PostProcessor,
    /// On which side a vocabulary file with truncation settings of its own cuts.
    pub(crate) truncate_left: Option<bool>,
    /// Whether the only step of normalisation is BERT's, whose settings are those of `tokenizer_config.json`.
    pub(crate) configurable: bool,
}

/// What is put around the pieces of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PostProcessor {
    /// Ids, as a `tokenizer.json` gives them.
    Ids { before: Vec<u32>, after: Vec<u32> },
    /// Pieces such as `[CLS]` and `[SEP]`, looked up in the vocabulary.
    Named { before: String, after: String },
}

/// A vocabulary. A piece's place is its id.
#[derive(Debug)]
pub(crate) enum ModelRecipe {
    Unigram {
        /// Pieces with their scores (log probabilities).
        vocabulary: Vec<(String, f64)>,
        /// The id of the unknown piece.
        unknown: usize,
        /// Whether characters that no piece covers become byte pieces where the vocabulary has them.
        byte_fallback: bool,
    },
    WordPiece {
        /// Pieces; an empty one where no piece has the id.
        vocabulary: Vec<String>,
        /// How many different tokens there are: the id of the first one that is added.
        tokens: usize,
        /// The id of the unknown piece.
        unknown: usize,
        /// What stands before a piece that does not begin a word.
        prefix: String,
        /// Words of more characters are unknown.
        max_chars: usize,
    },
}

impl ModelRecipe {
    /// The number of ids.
    fn len(&self) -> usize {
        match self {
            Self::Unigram { vocabulary, .. } => vocabulary.len(),
            Self::WordPiece { vocabulary, .. } => vocabulary.len(),
        }
    }

    fn unknown(&self) -> usize {
        match self {
            Self::Unigram { unknown, .. } | Self::WordPiece { unknown, .. } => *unknown,
        }
    }

    fn piece(&self, id: usize) -> &str {
        match self {
            Self::Unigram { vocabulary, .. } => vocabulary.get(id).map_or("", |(piece, _)| piece),
            Self::WordPiece { vocabulary, .. } => vocabulary.get(id).map_or("", String::as_str),
        }
    }

    fn score(&self, id: usize) -> f64 {
        match self {
            Self::Unigram { vocabulary, .. } => vocabulary.get(id).map_or(0.0, |&(_, score)| score),
            Self::WordPiece { .. } => 0.0,
        }
    }
}

impl Recipe {
    /// Checks what the engine takes for granted.
    ///
    /// # Errors
    ///
    /// [`TextError::Malformed`], which names `path` and says what is wrong.
    pub(crate) fn check(&self, path: &Path) -> Result<(), TextError> {
        let malformed = |reason| Err(TextError::Malformed { path: path.to_owned(), reason });
        let pieces = self.model.len();
        if pieces == 0 {
            return malformed("it has no pieces".into());
        }
        if pieces > MAX_PIECES {
            return malformed(format!("it has more than {MAX_PIECES} pieces"));
        }
        let (unknown, last) = (self.model.unknown(), pieces - 1);
        if unknown > last {
            return malformed(format!("its unknown piece has id {unknown}, and the last piece has id {last}"));
        }
        let mut bytes = 0;
        for id in 0..pieces {
            let piece = self.model.piece(id);
            if piece.len() > MAX_PIECE_BYTES {
                return malformed(format!("piece {id} is longer than {MAX_PIECE_BYTES} bytes"));
            }
            if !self.model.score(id).is_finite() {
                return malformed(format!("the score of piece {id} is not a finite number"));
            }
            bytes += piece.len();
        }
        if bytes > MAX_VOCABULARY_BYTES {
            return malformed(format!("its pieces are longer than {MAX_VOCABULARY_BYTES} bytes together"));
        }
        if let Err(reason) = growth::check(&self.normalizers) {
            return malformed(reason);
        }
        // Each metaspace puts a marker before every word of the one before it.
        let metaspace = |step: &&PreTokenizer| matches!(step, PreTokenizer::Metaspace { .. });
        if self.pre_tokenizers.iter().filter(metaspace).count() > 1 || self.pre_tokenizers.len() > MAX_PRE_TOKENIZERS {
            return malformed("it has too many pre-tokenizers".into());
        }
        if self.added.len() > MAX_ADDED {
            return malformed(format!("it has more than {MAX_ADDED} added tokens"));
        }
        if self.added.iter().any(|token| token.content.len() > MAX_PIECE_BYTES) {
            return malformed(format!("an added token is longer than {MAX_PIECE_BYTES} bytes"));
        }
        Ok(())
    }
}
