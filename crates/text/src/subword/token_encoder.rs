//! Pieces token by token, as Spark NLP cuts them.

use std::borrow::Cow;
use std::path::Path;

use crate::error::TextError;
use crate::subword::Encoded;
use crate::subword::files::{self, SPIECE_MODEL, Source, spiece};
use crate::subword::models::Model;
use crate::subword::normalizers::charsmap::Charsmap;
use crate::subword::normalizers::{growth, with_case};
use crate::subword::pipeline::Pipeline;
use crate::subword::sink::Sink;

/// The mark that SentencePiece puts before a word. Where it is a piece of its own, it is dropped.
const MARK: &str = "▁";

/// Cuts each token of a text into pieces by itself.
///
/// This is how Spark NLP reads a text. What it cuts a token with is what the vocabulary is:
///
/// - the SentencePiece model alone, as `AlbertForSequenceClassification` does. It differs from
///   [`SubwordTokenizer`](super::SubwordTokenizer), which is what a checkpoint was trained with, wherever punctuation
///   touches a word (`(Reuters)`), in letters with accents (which stay as they are) and in quotation marks;
/// - WordPiece with BERT's normalisation, as `BertForSequenceClassification` does: case and accents go together, and
///   punctuation within a token is apart from it. Since BERT breaks texts at the same places, this differs little from the whole
///   text at once;
/// - a unigram vocabulary without a SentencePiece model, which Spark NLP cannot read, with the normalisation of its
///   `tokenizer.json`.
///
/// Special tokens that are written out in a text are ordinary text here.
///
/// ```no_run
/// use std::path::Path;
/// use albertine_text::TokenEncoder;
///
/// # fn main() -> Result<(), albertine_text::TextError> {
/// let pieces = TokenEncoder::open(Path::new("albert-base-v2"))?;
/// let mut ids = Vec::new();
/// pieces.encode(["(", "Reuters", ")"], false, 512, &mut ids)?;
/// assert_eq!(ids, [2, 5, 27853, 6, 3]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TokenEncoder {
    cut: Cut,
    before: Vec<u32>,
    after: Vec<u32>,
    unknown: u32,
}

/// What cuts a token.
#[derive(Debug, Clone)]
enum Cut {
    /// The pipeline knows nothing of case and of the character map, which SentencePiece applies in its own way.
    SentencePiece { map: Option<Charsmap>, pipeline: Pipeline, mark: Option<u32> },
    /// The pipeline of the vocabulary's own files, with regard to case and without.
    Whole { cased: Pipeline, uncased: Pipeline, mark: Option<u32> },
}

impl TokenEncoder {
    /// Opens the vocabulary of a model directory: its `spiece.model`, or else a `tokenizer.json` or a `vocab.txt`.
    ///
    /// # Errors
    ///
    /// [`TextError::NoVocabulary`] when there is none of them; otherwise when the file is cut short or malformed, has
    /// another kind of model, or has no `[CLS]` and `[SEP]`.
    pub fn open(dir: &Path) -> Result<Self, TextError> {
        if let Some(spiece) = files::read(&dir.join(SPIECE_MODEL))? {
            return Self::from_spiece(&dir.join(SPIECE_MODEL), &spiece);
        }
        let files = files::read_all(dir)?;
        Self::from_files(dir, |name| files::named(&files, name))
    }

    /// The same from files that were read before: `file` gives the contents of a file of the directory by its name,
    /// `dir` is what errors call the directory.
    ///
    /// # Errors
    ///
    /// As [`TokenEncoder::open`].
    pub fn from_files<'b>(dir: &Path, file: impl Fn(&str) -> Option<&'b [u8]>) -> Result<Self, TextError> {
        if let Some(spiece) = file(SPIECE_MODEL) {
            return Self::from_spiece(&dir.join(SPIECE_MODEL), spiece);
        }
        Self::from_source(&Source::from_files(dir, file)?)
    }

    fn from_spiece(path: &Path, bytes: &[u8]) -> Result<Self, TextError> {
        let special = |piece: &'static str| {
            let reason = format!("it has no piece {piece}");
            spiece::id(path, bytes, piece)?.ok_or_else(|| TextError::Malformed { path: path.to_owned(), reason })
        };
        let (before, after) = (vec![special("[CLS]")?], vec![special("[SEP]")?]);
        let (map, recipe) = spiece::read_plain(path, bytes)?;
        let model = Model::new(recipe.model);
        let (unknown, mark) = (model.unknown(), model.id(MARK));
        let pipeline = Pipeline::new(model, recipe.normalizers, &recipe.pre_tokenizers, &[], false);
        Ok(Self { cut: Cut::SentencePiece { map, pipeline, mark }, before, after, unknown })
    }

    fn from_source(source: &Source<'_>) -> Result<Self, TextError> {
        let recipe = source.recipe()?;
        let [cased, uncased] = [true, false].map(|case_sensitive| with_case(&recipe.normalizers, case_sensitive));
        for steps in [&cased, &uncased] {
            growth::check(steps).map_err(|reason| TextError::Encode { reason })?;
        }
        let model = Model::new(recipe.model);
        let unknown = model.unknown();
        let mark = if matches!(model, Model::Unigram(_)) { model.id(MARK) } else { None };
        let cased = Pipeline::new(model, cased, &recipe.pre_tokenizers, &[], false);
        let (before, after) = cased.around(recipe.post_processor, &source.path)?;
        let mut folded = cased.clone();
        folded.normalize_by(uncased);
        Ok(Self { cut: Cut::Whole { cased, uncased: folded, mark }, before, after, unknown })
    }

    /// Appends the ids of a text's tokens to `ids`: `[CLS]`, their pieces, `[SEP]`, at most `limit` in all.
    ///
    /// Tokens are put in lower case first unless they are `case_sensitive`. Of more tokens than there is room for
    /// pieces, only so many are looked at. A token may have no piece, such as one of a no-break space.
    ///
    /// # Errors
    ///
    /// [`TextError::LimitTooSmall`] when not even `[CLS]` and `[SEP]` fit.
    pub fn encode<'t>(
        &self,
        tokens: impl IntoIterator<Item = &'t str>,
        case_sensitive: bool,
        limit: usize,
        ids: &mut Vec<u32>,
    ) -> Result<Encoded, TextError> {
        let specials = self.before.len() + self.after.len();
        let room = limit.checked_sub(specials).ok_or(TextError::LimitTooSmall { limit, specials })?;
        ids.extend_from_slice(&self.before);
        let body = ids.len();
        let mut tokens = tokens.into_iter();
        for token in tokens.by_ref().take(room) {
            self.cut.token(token, case_sensitive, ids);
            if ids.len() - body > room {
                break;
            }
        }
        let truncated = ids.len() - body > room || tokens.next().is_some();
        ids.truncate(body + room);
        ids.extend_from_slice(&self.after);
        Ok(Encoded { truncated })
    }

    /// How many special pieces are put before a text and how many behind it.
    #[must_use]
    pub fn around(&self) -> (usize, usize) {
        (self.before.len(), self.after.len())
    }

    /// The piece with this id, if one has it that stands in texts.
    #[must_use]
    pub fn id_to_piece(&self, id: u32) -> Option<String> {
        // SentencePiece's own pieces that are not found in texts have no names in its pipeline.
        let name = match &self.cut {
            Cut::SentencePiece { .. } if self.before.contains(&id) => Some("[CLS]"),
            Cut::SentencePiece { .. } if self.after.contains(&id) => Some("[SEP]"),
            Cut::SentencePiece { .. } if id == self.unknown => Some("<unk>"),
            _ => self.cut.pipeline().piece(id),
        };
        name.map(str::to_owned)
    }

    /// The id that stands for whatever the vocabulary lacks.
    #[must_use]
    pub fn unknown(&self) -> u32 {
        self.unknown
    }

    /// The number of piece ids. Every id is below it.
    #[must_use]
    pub fn vocabulary(&self) -> usize {
        self.cut.pipeline().vocabulary()
    }
}

impl Cut {
    /// One of the pipelines, all of which have the same vocabulary.
    fn pipeline(&self) -> &Pipeline {
        match self {
            Self::SentencePiece { pipeline, .. } | Self::Whole { cased: pipeline, .. } => pipeline,
        }
    }

    /// Appends the ids of one token.
    fn token(&self, token: &str, case_sensitive: bool, ids: &mut Vec<u32>) {
        let start = ids.len();
        let mark = match self {
            Self::Whole { cased, uncased, mark } => {
                let pipeline = if case_sensitive { cased } else { uncased };
                pipeline.encode(token, &mut Sink::new(ids, usize::MAX, false));
                mark
            }
            Self::SentencePiece { map, pipeline, mark } => {
                let token = if case_sensitive { Cow::Borrowed(token) } else { lower_case(token) };
                let token = match map {
                    Some(map) if !map.keeps(&token) => Cow::Owned(map.replace_longest(&token)),
                    _ => token,
                };
                pipeline.encode(&token, &mut Sink::new(ids, usize::MAX, false));
                mark
            }
        };
        if ids[start..].iter().any(|&id| Some(id) == *mark) {
            let mut kept = start;
            for at in start..ids.len() {
                ids[kept] = ids[at];
                kept += usize::from(Some(ids[at]) != *mark);
            }
            ids.truncate(kept);
        }
    }
}

fn lower_case(token: &str) -> Cow<'_, str> {
    let lower = token.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if lower { Cow::Borrowed(token) } else { Cow::Owned(token.to_lowercase()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A model file of pieces with their kinds, all of one score.
    fn spiece(pieces: &[(&str, u8)]) -> Vec<u8> {
        let mut file = Vec::new();
        for (text, kind) in pieces {
            let mut piece = vec![0x0A, text.len() as u8];
            piece.extend(text.as_bytes());
            piece.push(0x15);
            piece.extend((-2.0_f32).to_le_bytes());
            piece.extend([0x18, *kind]);
            file.extend([0x0A, piece.len() as u8]);
            file.extend(piece);
        }
        // the trainer's unknown id, field 40, is 1
        file.extend([0x12, 3, 0xC0, 0x02, 1]);
        file
    }

    fn model() -> TokenEncoder {
        let (control, unknown, user) = (3, 2, 4);
        let specials = [("<pad>", control), ("<unk>", unknown), ("[CLS]", control), ("[SEP]", control)];
        let pieces = [("▁", 1), ("▁a", 1), ("▁ab", 1), ("b", 1), ("(", user)];
        let file = spiece(&[&specials[..], &pieces].concat());
        TokenEncoder::from_files(Path::new("m"), |name| (name == SPIECE_MODEL).then_some(&file[..])).unwrap()
    }

    fn ids(tokens: &[&str], case_sensitive: bool, limit: usize) -> (Vec<u32>, bool) {
        let mut ids = Vec::new();
        let encoded = model().encode(tokens.iter().copied(), case_sensitive, limit, &mut ids).unwrap();
        (ids, encoded.truncated)
    }

    #[test]
    fn a_mark_alone_is_dropped_and_unknown_runs_are_one_piece() {
        assert_eq!(ids(&["(", "ab", "日本"], true, 99).0, [2, 8, 6, 1, 3]);
    }

    #[test]
    fn case_is_the_callers() {
        assert_eq!(ids(&["AB"], false, 99).0, [2, 6, 3]);
        assert_eq!(ids(&["AB"], true, 99).0, [2, 1, 3]);
    }

    #[test]
    fn control_pieces_are_ordinary_text() {
        assert!(!ids(&["[CLS]", "<pad>"], true, 99).0[1..].contains(&2));
        assert!(!ids(&["[CLS]", "<pad>"], true, 99).0.contains(&0));
    }

    #[test]
    fn limits_count_tokens_and_pieces() {
        assert_eq!(ids(&["a", "ab", "a"], true, 4), (vec![2, 5, 6, 3], true));
        assert_eq!(ids(&["a", "ab"], true, 4), (vec![2, 5, 6, 3], false));
        assert_eq!(ids(&["abb", "a"], true, 4), (vec![2, 6, 7, 3], true));
        assert_eq!(ids(&["ab"], true, 2), (vec![2, 3], true));
        let error = model().encode(["a"], true, 1, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, TextError::LimitTooSmall { limit: 1, specials: 2 }));
    }
}
