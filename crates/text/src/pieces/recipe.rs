//! What a vocabulary file says, as plain checked values.
//!
//! Both readers, of `tokenizer.json` and of `spiece.model`, end here, and the engine is built from nothing else. So
//! whatever the engine expects of its input is checked in this one place.

use std::path::Path;

use super::charsmap::Charsmap;
use super::growth;
use crate::error::TextError;

/// No vocabulary has more pieces than this; the largest published ones have about 500,000.
const MAX_PIECES: usize = 1 << 20;
/// No piece is longer than this, in bytes. Pieces that end within so many bytes compete.
const MAX_PIECE_BYTES: usize = 512;
/// All pieces together are no longer than this, in bytes. The tree of pieces needs some twenty bytes for each of them.
const MAX_VOCABULARY_BYTES: usize = 8 << 20;
/// No vocabulary has more added tokens than this.
const MAX_ADDED: usize = 1 << 14;
/// A text is not broken into words more often than this; ALBERT's vocabularies do it once or twice.
const MAX_PRE_TOKENIZERS: usize = 8;
/// A post-processor puts no more pieces around a text than this.
pub(super) const MAX_AROUND: usize = 64;

/// A unigram vocabulary and everything done to a text before and after it.
#[derive(Debug)]
pub(super) struct Recipe {
    /// Pieces with their scores (log probabilities); a piece's place is its id.
    pub(super) vocabulary: Vec<(String, f64)>,
    /// The id of the unknown piece.
    pub(super) unknown: usize,
    /// Whether characters that no piece covers become byte pieces where the vocabulary has them.
    pub(super) byte_fallback: bool,
    /// What is done to a text first, in order.
    pub(super) normalizers: Vec<Normalizer>,
    /// How a text is broken into words afterwards, in order.
    pub(super) pre_tokenizers: Vec<PreTokenizer>,
    /// Pieces that are found in the raw text, before anything else is done to it, in the order of their addition.
    pub(super) added: Vec<AddedToken>,
    /// What is put around the pieces of a text.
    pub(super) post_processor: PostProcessor,
    /// On which side a vocabulary file with truncation settings of its own cuts.
    pub(super) truncate_left: Option<bool>,
}

/// One step of normalisation.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Normalizer {
    Replace {
        pattern: Pattern,
        content: String,
    },
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
    Nmt,
    StripAccents,
    Lowercase,
    Strip {
        left: bool,
        right: bool,
    },
    Prepend(String),
    /// A SentencePiece character map.
    Charsmap(Charsmap),
}

/// The one regular expression that ALBERT's converter writes, in all its versions. What others mean differs
/// from one dialect to the next.
pub(super) const SPACES: &str = " {2,}";

/// What a replacement looks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pattern {
    Text(String),
    /// Two spaces or more, as long a run of them as there is.
    Spaces,
}

/// One way of breaking a text into words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum PreTokenizer {
    Whitespace,
    /// Spaces become `replacement`, and a word begins at each of them if `split`.
    Metaspace {
        replacement: char,
        prepend: Prepend,
        split: bool,
    },
}

/// Where a metaspace puts a marker that the text does not have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Prepend {
    Always,
    First,
    Never,
}

/// A piece that is found in the raw text as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AddedToken {
    pub(super) content: String,
    /// Found only where no word character touches it.
    pub(super) single_word: bool,
    /// Takes the white space before it along.
    pub(super) lstrip: bool,
    /// Takes the white space behind it along.
    pub(super) rstrip: bool,
    /// Found in the normalised text instead.
    pub(super) normalized: bool,
    pub(super) special: bool,
}

impl AddedToken {
    /// A special piece, found as it is written.
    pub(super) fn special(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: true,
        }
    }
}

/// What is put around the pieces of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PostProcessor {
    /// Ids, as a `tokenizer.json` gives them.
    Ids { before: Vec<u32>, after: Vec<u32> },
    /// `[CLS]` and `[SEP]`, looked up in the vocabulary.
    ClsSep,
}

impl Recipe {
    /// Checks what the engine takes for granted.
    ///
    /// # Errors
    ///
    /// [`TextError::Malformed`], which names `path` and says what is wrong.
    pub(super) fn check(&self, path: &Path) -> Result<(), TextError> {
        let malformed = |reason| Err(TextError::Malformed { path: path.to_owned(), reason });
        if self.vocabulary.is_empty() {
            return malformed("it has no pieces".into());
        }
        if self.vocabulary.len() > MAX_PIECES {
            return malformed(format!("it has more than {MAX_PIECES} pieces"));
        }
        if self.unknown >= self.vocabulary.len() {
            let last = self.vocabulary.len() - 1;
            return malformed(format!("its unknown piece has id {}, and the last piece has id {last}", self.unknown));
        }
        let mut bytes = 0;
        for (id, (piece, score)) in self.vocabulary.iter().enumerate() {
            if piece.len() > MAX_PIECE_BYTES {
                return malformed(format!("piece {id} is longer than {MAX_PIECE_BYTES} bytes"));
            }
            if !score.is_finite() {
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
