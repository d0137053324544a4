//! The piece ids a model reads.
//!
//! A piece is a unit of a vocabulary: one of SentencePiece's unigram model, or of WordPiece. [`SubwordTokenizer`] gives
//! the ids that transformers' `AlbertTokenizerFast` and `BertTokenizerFast` give, for every text, whether a model
//! directory has a `tokenizer.json` or only a `spiece.model` or a `vocab.txt`.
//!
//! `files` reads what a directory says, `normalizers` and `pre_tokenizers` turn a text into words, `models` cut a word
//! into pieces, and the `pipeline` takes a text through all of it.

mod added_tokens;
mod aligned;
mod ascii;
mod ascii_set;
mod cache;
mod characters;
mod files;
mod models;
pub(crate) mod normalizers;
mod pipeline;
mod pre_tokenizers;
#[cfg(test)]
mod reference;
mod scratch;
mod sink;
#[cfg(test)]
mod tests;
mod token_encoder;
mod truncation;
#[cfg(test)]
mod wordpiece_tests;

use std::path::Path;

use self::files::Source;
pub use self::files::Vocabulary;
use self::models::Model;
use self::normalizers::{growth, with_case};
use self::pipeline::Pipeline;
use self::sink::Sink;
pub use self::token_encoder::TokenEncoder;
pub use self::truncation::TruncationSide;
use self::truncation::{kept, longest_first};
use crate::error::TextError;

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoded {
    /// Whether it has more pieces than the limit, and was cut.
    pub truncated: bool,
}

/// One piece of a text, for people to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The piece as it stands in the vocabulary, where `▁` marks the start of a word, or `##` a piece within one.
    pub text: String,
    /// Its id.
    pub id: u32,
    /// Where it begins in the text, in characters (Unicode scalar values). Special pieces around a text are at 0.
    pub begin: usize,
    /// Where it ends in the text, in characters, exclusive.
    pub end: usize,
}

/// Cuts texts into pieces, for one vocabulary.
///
/// Every method takes `&self` and may be called from any number of threads at once. For each of them it remembers the
/// pieces of some thousand short words, which makes it faster and never changes an answer.
///
/// ```no_run
/// use std::path::Path;
/// use albertine_text::SubwordTokenizer;
///
/// # fn main() -> Result<(), albertine_text::TextError> {
/// let pieces = SubwordTokenizer::open(Path::new("albert-base-v2"))?;
/// let mut ids = Vec::new();
/// let encoded = pieces.encode("Oil prices rose on Monday.", 512, &mut ids)?;
/// assert!(!encoded.truncated && ids.len() < 512);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SubwordTokenizer {
    pipeline: Pipeline,
    before: Vec<u32>,
    after: Vec<u32>,
    truncation_side: TruncationSide,
    model_max_length: Option<usize>,
    mask_token: Option<String>,
}

impl SubwordTokenizer {
    /// Opens the vocabulary of a model directory.
    ///
    /// `tokenizer.json` is read if there is one, else `spiece.model` or `vocab.txt`, converted as transformers converts
    /// them; then `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` as far as they exist and
    /// count. What the vocabulary file holds decides which kind of tokenizer it is.
    ///
    /// # Errors
    ///
    /// [`TextError::NoVocabulary`] when there is no vocabulary file; otherwise an error that names the file:
    /// it cannot be read, is too large, cut short or malformed, or asks for something that is not supported.
    pub fn open(dir: &Path) -> Result<Self, TextError> {
        let files = files::read_all(dir)?;
        Self::from_files(dir, |name| files::named(&files, name))
    }

    /// The same from files that were read before: `file` gives the contents of a file of the directory by its name,
    /// `dir` is what errors call the directory.
    ///
    /// # Errors
    ///
    /// As [`SubwordTokenizer::open`].
    pub fn from_files<'b>(dir: &Path, file: impl Fn(&str) -> Option<&'b [u8]>) -> Result<Self, TextError> {
        Self::build(&Source::from_files(dir, file)?)
    }

    /// The same from memory: a vocabulary file and, if there is one, a `tokenizer_config.json`.
    ///
    /// # Errors
    ///
    /// As [`SubwordTokenizer::open`], with the plain file name in the place of a path.
    pub fn from_bytes(vocabulary: Vocabulary<'_>, tokenizer_config: Option<&[u8]>) -> Result<Self, TextError> {
        Self::build(&Source::from_bytes(vocabulary, tokenizer_config)?)
    }

    fn build(source: &Source<'_>) -> Result<Self, TextError> {
        let (recipe, config) = (source.recipe()?, &source.config);
        let mask_token = source.mask_token(&recipe).map(str::to_owned);
        let model = Model::new(recipe.model);
        let split_special = config.split_special_tokens;
        let pipeline = Pipeline::new(model, recipe.normalizers, &recipe.pre_tokenizers, &recipe.added, split_special);
        let (before, after) = pipeline.around(recipe.post_processor, &source.path)?;
        let truncate_left = config.truncate_left.or(recipe.truncate_left).unwrap_or(false);
        let truncation_side = if truncate_left { TruncationSide::Left } else { TruncationSide::Right };
        let model_max_length = config.model_max_length;
        Ok(Self { pipeline, before, after, truncation_side, model_max_length, mask_token })
    }

    /// Sets whether upper and lower case are told apart (Spark NLP's `caseSensitive`).
    ///
    /// `true` takes lower-casing out if the vocabulary's own normalisation has it; `false` puts it in, before the
    /// character map, if it does not. BERT's normalisation takes accents along with the case, unless its configuration
    /// says what becomes of them. A vocabulary left alone keeps its own way.
    ///
    /// # Errors
    ///
    /// [`TextError::Encode`] when the changed steps could make a text too many times longer.
    pub fn with_case_sensitive(mut self, case_sensitive: bool) -> Result<Self, TextError> {
        let steps = with_case(self.pipeline.steps(), case_sensitive);
        growth::check(&steps).map_err(|reason| TextError::Encode { reason })?;
        self.pipeline.normalize_by(steps);
        Ok(self)
    }

    /// Appends the ids of `text` to `ids`: `[CLS]`, its pieces, `[SEP]`, at most `limit` in all.
    ///
    /// A longer text is cut as transformers does with `truncation=True, max_length=limit`: the special pieces stay,
    /// and pieces go from the end of the text, or from its start where the vocabulary's configuration says so. Texts
    /// are worked on in parts of some kilobytes, so a long one takes little memory, and what is behind the limit is not
    /// looked at. On an error `ids` is left as it was.
    ///
    /// # Errors
    ///
    /// [`TextError::LimitTooSmall`] when not even the special pieces fit.
    pub fn encode(&self, text: &str, limit: usize, ids: &mut Vec<u32>) -> Result<Encoded, TextError> {
        self.encode_from(text, limit, self.truncation_side, ids)
    }

    /// As [`encode`](Self::encode), with another side to cut a longer text at.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn encode_from(
        &self,
        text: &str,
        limit: usize,
        side: TruncationSide,
        ids: &mut Vec<u32>,
    ) -> Result<Encoded, TextError> {
        let room = self.room(limit, self.specials())?;
        ids.extend_from_slice(&self.before);
        let encoded = self.encode_text(text, room, side, ids);
        ids.extend_from_slice(&self.after);
        Ok(encoded)
    }

    /// Appends the ids of a pair of texts to `ids`, as ALBERT and BERT read one: `[CLS]`, the pieces of the first,
    /// `[SEP]`, the pieces of the second, `[SEP]`, at most `limit` in all; and to `token_types` a 0 for each of them up
    /// to the first `[SEP]` and a 1 for each that follows.
    ///
    /// A longer pair is cut as transformers does with `truncation="longest_first"`: the longer text gives way until
    /// both are as long as each other. On an error nothing is appended.
    ///
    /// # Errors
    ///
    /// [`TextError::LimitTooSmall`] when not even the special pieces fit.
    pub fn encode_pair(
        &self,
        (first, second): (&str, &str),
        limit: usize,
        side: TruncationSide,
        ids: &mut Vec<u32>,
        token_types: &mut Vec<u32>,
    ) -> Result<Encoded, TextError> {
        let room = self.room(limit, self.specials() + self.after.len())?;
        let (mut one, mut two) = (Vec::new(), Vec::new());
        let cut_one = self.encode_text(first, room, side, &mut one).truncated;
        let cut_two = self.encode_text(second, room, side, &mut two).truncated;
        let truncated = cut_one || cut_two || one.len() + two.len() > room;
        let lengths = if cut_one && cut_two && room % 2 == 1 {
            // the odd piece goes to the text that is longer as a whole
            let length = |text| {
                let mut ids = Vec::new();
                self.encode_text(text, usize::MAX, side, &mut ids);
                ids.len()
            };
            (length(first), length(second))
        } else {
            (one.len() + usize::from(cut_one), two.len() + usize::from(cut_two))
        };
        let (keep_one, keep_two) = longest_first(lengths.0, lengths.1, room);
        let start = ids.len();
        ids.extend_from_slice(&self.before);
        ids.extend_from_slice(kept(&one, keep_one, side));
        ids.extend_from_slice(&self.after);
        token_types.resize(token_types.len() + ids.len() - start, 0);
        let start = ids.len();
        ids.extend_from_slice(kept(&two, keep_two, side));
        ids.extend_from_slice(&self.after);
        token_types.resize(token_types.len() + ids.len() - start, 1);
        Ok(Encoded { truncated })
    }

    /// Appends the pieces of a text, at most `room` of them, without special ones.
    fn encode_text(&self, text: &str, room: usize, side: TruncationSide, ids: &mut Vec<u32>) -> Encoded {
        let mut sink = Sink::new(ids, room, side == TruncationSide::Left);
        self.pipeline.encode(text, &mut sink);
        sink.finish()
    }

    /// What `limit` leaves for the pieces of a text.
    fn room(&self, limit: usize, specials: usize) -> Result<usize, TextError> {
        limit.checked_sub(specials).ok_or(TextError::LimitTooSmall { limit, specials })
    }

    /// Which end of a longer text goes, as the vocabulary's configuration says.
    #[must_use]
    pub fn truncation_side(&self) -> TruncationSide {
        self.truncation_side
    }

    /// The pieces of the whole of `text`, special pieces included, with their places: a view for people.
    ///
    /// # Errors
    ///
    /// None today.
    pub fn inspect(&self, text: &str) -> Result<Vec<Piece>, TextError> {
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let character = |byte| starts.partition_point(|&start| start < byte);
        let piece = |id, begin, end| Piece { text: self.id_to_piece(id).unwrap_or_default(), id, begin, end };
        let mut pieces: Vec<Piece> = self.before.iter().map(|&id| piece(id, 0, 0)).collect();
        self.pipeline.place(text, |id, (begin, end)| pieces.push(piece(id, character(begin), character(end))));
        pieces.extend(self.after.iter().map(|&id| piece(id, 0, 0)));
        Ok(pieces)
    }

    /// How many special pieces are put around every text.
    #[must_use]
    pub fn specials(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// How many of them are put before a text and how many behind it.
    #[must_use]
    pub fn around(&self) -> (usize, usize) {
        (self.before.len(), self.after.len())
    }

    /// The longest input that the vocabulary's configuration names, in pieces, if it names one.
    #[must_use]
    pub fn model_max_length(&self) -> Option<usize> {
        self.model_max_length
    }
    /// The piece that stands for text that is hidden, as it is written in a text: `[MASK]`, unless the configuration
    /// names another one or none.
    #[must_use]
    pub fn mask_token(&self) -> Option<&str> {
        self.mask_token.as_deref()
    }

    /// The number of piece ids, added pieces included. Every id is below it.
    #[must_use]
    pub fn vocabulary(&self) -> usize {
        self.pipeline.vocabulary()
    }

    /// The piece with this id, if there is one.
    #[must_use]
    pub fn id_to_piece(&self, id: u32) -> Option<String> {
        self.pipeline.piece(id).map(str::to_owned)
    }
}
