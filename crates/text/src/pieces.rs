//! The piece ids a model reads.
//!
//! A piece is a SentencePiece unit of a vocabulary. [`Pieces`] gives the ids that transformers' `AlbertTokenizerFast`
//! gives, for every text, whether a model directory has a `tokenizer.json` or only a `spiece.model`.

mod charsmap;
mod chunks;
mod config;
mod digits;
mod engine;
mod growth;
mod prefixes;
mod recipe;
mod spiece;
#[cfg(test)]
mod tests;
mod tokenizer_json;
mod wire;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use self::chunks::Chunks;
use self::config::{Config, Sources};
use self::engine::{Engine, Refusal};
use self::prefixes::Prefixes;
use self::recipe::{Normalizer, PostProcessor, Recipe};
use crate::error::TextError;

/// The largest vocabulary file that is read, in bytes. One of 500,000 pieces has about 40 MB.
const MAX_FILE_BYTES: u64 = 128 << 20;

/// A part of a text that is longer than this, in bytes, is looked at from its beginning if that is enough.
const LONG_PART_BYTES: usize = 16 << 10;

const TOKENIZER_JSON: &str = "tokenizer.json";
const SPIECE_MODEL: &str = "spiece.model";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
const ADDED_TOKENS: &str = "added_tokens.json";

/// A vocabulary file in memory.
#[derive(Debug, Clone, Copy)]
pub enum Vocabulary<'b> {
    /// The contents of a `tokenizer.json`.
    TokenizerJson(&'b [u8]),
    /// The contents of a `spiece.model`.
    Spiece(&'b [u8]),
}

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoded {
    /// Whether it has more pieces than the limit, and was cut.
    pub truncated: bool,
}

/// One piece of a text, for people to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The piece as it stands in the vocabulary, where `▁` marks the start of a word.
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
/// Every method takes `&self` and may be called from any number of threads at once. The engine remembers the cuts of
/// up to 10,000 words of less than 256 bytes, which makes it faster and never changes an answer.
///
/// ```no_run
/// use std::path::Path;
/// use albertine_text::Pieces;
///
/// # fn main() -> Result<(), albertine_text::TextError> {
/// let pieces = Pieces::open(Path::new("albert-base-v2"))?;
/// let mut ids = Vec::new();
/// let encoded = pieces.encode("Oil prices rose on Monday.", 512, &mut ids)?;
/// assert!(!encoded.truncated && ids.len() < 512);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Pieces {
    engine: Engine,
    normalizers: Vec<Normalizer>,
    chunks: Chunks,
    /// The length of the longest piece, in bytes; nothing if the beginning of a word cannot be found without its end.
    reach: Option<usize>,
    /// Rebuilds `chunks` when the steps of normalisation change.
    pre_tokenizers: Vec<recipe::PreTokenizer>,
    added: Vec<recipe::AddedToken>,
    before: Vec<u32>,
    after: Vec<u32>,
    truncate_left: bool,
    model_max_length: Option<usize>,
}

impl Pieces {
    /// Opens the vocabulary of a model directory.
    ///
    /// `tokenizer.json` is read if there is one, else `spiece.model`, converted as transformers converts it; then
    /// `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` as far as they exist and count.
    ///
    /// # Errors
    ///
    /// [`TextError::NoVocabulary`] when there is neither vocabulary file; otherwise an error that names the file:
    /// it cannot be read, is too large, cut short or malformed, or asks for something that is not supported.
    pub fn open(dir: &Path) -> Result<Self, TextError> {
        let small = [TOKENIZER_CONFIG, SPECIAL_TOKENS_MAP, ADDED_TOKENS].map(|name| dir.join(name));
        let contents = [read(&small[0])?, read(&small[1])?, read(&small[2])?];
        let source = |at: usize| contents[at].as_deref().map(|bytes| (small[at].as_path(), bytes));
        let config =
            Config::read(Sources { config: source(0), special_tokens_map: source(1), added_tokens: source(2) })?;
        let json = dir.join(TOKENIZER_JSON);
        if let Some(bytes) = read(&json)? {
            return Self::build(&json, Vocabulary::TokenizerJson(&bytes), &config);
        }
        let spiece = dir.join(SPIECE_MODEL);
        match read(&spiece)? {
            Some(bytes) => Self::build(&spiece, Vocabulary::Spiece(&bytes), &config),
            None => Err(TextError::NoVocabulary { dir: dir.to_owned() }),
        }
    }

    /// The same from memory: a vocabulary file and, if there is one, a `tokenizer_config.json`.
    ///
    /// # Errors
    ///
    /// As [`Pieces::open`], with the plain file name in the place of a path.
    pub fn from_bytes(vocabulary: Vocabulary<'_>, tokenizer_config: Option<&[u8]>) -> Result<Self, TextError> {
        let config_path = Path::new(TOKENIZER_CONFIG);
        let config =
            Config::read(Sources { config: tokenizer_config.map(|bytes| (config_path, bytes)), ..Sources::default() })?;
        let path = Path::new(match vocabulary {
            Vocabulary::TokenizerJson(_) => TOKENIZER_JSON,
            Vocabulary::Spiece(_) => SPIECE_MODEL,
        });
        Self::build(path, vocabulary, &config)
    }

    fn build(path: &Path, vocabulary: Vocabulary<'_>, config: &Config) -> Result<Self, TextError> {
        let in_json = matches!(vocabulary, Vocabulary::TokenizerJson(_));
        let recipe = match vocabulary {
            Vocabulary::TokenizerJson(bytes) => tokenizer_json::read(path, bytes)?,
            Vocabulary::Spiece(bytes) => {
                if let Some(class) = &config.foreign_class {
                    return Err(TextError::Unsupported {
                        path: path.with_file_name(TOKENIZER_CONFIG),
                        part: "tokenizer class",
                        kind: class.clone(),
                    });
                }
                spiece::read(path, bytes, config)?
            }
        };
        let refused = |refusal: Refusal| TextError::Malformed { path: path.to_owned(), reason: refusal.to_string() };
        let Recipe {
            vocabulary,
            unknown,
            byte_fallback,
            normalizers,
            pre_tokenizers,
            added,
            post_processor,
            truncate_left,
        } = recipe;
        // A run of unknown characters becomes byte pieces all together or not at all.
        let reach = (!byte_fallback).then(|| vocabulary.iter().map(|(piece, _)| piece.len()).max().unwrap_or(0));
        let mut engine =
            Engine::new(vocabulary, unknown, byte_fallback, &normalizers, &pre_tokenizers).map_err(refused)?;
        let added = config.added(&added, in_json);
        engine.add(&added, config.split_special_tokens).map_err(refused)?;
        let (before, after) = match post_processor {
            PostProcessor::Ids { before, after } => (before, after),
            PostProcessor::ClsSep => {
                let id = |piece| match engine.piece_to_id(piece) {
                    Some(id) => Ok(vec![id]),
                    None => {
                        Err(TextError::Malformed { path: path.to_owned(), reason: format!("it has no piece {piece}") })
                    }
                };
                (id("[CLS]")?, id("[SEP]")?)
            }
        };
        if before.iter().chain(&after).any(|&id| id as usize >= engine.vocabulary()) {
            let reason = "it puts a piece around a text that it does not have".into();
            return Err(TextError::Malformed { path: path.to_owned(), reason });
        }
        Ok(Self {
            engine,
            chunks: Chunks::for_recipe(&normalizers, &pre_tokenizers, &added),
            reach,
            normalizers,
            pre_tokenizers,
            added,
            before,
            after,
            truncate_left: config.truncate_left.or(truncate_left).unwrap_or(false),
            model_max_length: config.model_max_length,
        })
    }

    /// Sets whether upper and lower case are told apart (Spark NLP's `caseSensitive`).
    ///
    /// `true` takes lower-casing out if the vocabulary's own normalisation has it; `false` puts it in, before the
    /// character map, if it does not. A vocabulary left alone keeps its own way.
    ///
    /// # Errors
    ///
    /// [`TextError::Encode`] when the engine refuses the changed steps.
    pub fn with_case_sensitive(mut self, case_sensitive: bool) -> Result<Self, TextError> {
        let lowers = self.normalizers.contains(&Normalizer::Lowercase);
        if case_sensitive {
            self.normalizers.retain(|step| *step != Normalizer::Lowercase);
        } else if !lowers {
            let map = self.normalizers.iter().position(|step| matches!(step, Normalizer::Charsmap(_)));
            self.normalizers.insert(map.unwrap_or(self.normalizers.len()), Normalizer::Lowercase);
        }
        self.engine.renormalize(&self.normalizers).map_err(encode_error)?;
        self.chunks = Chunks::for_recipe(&self.normalizers, &self.pre_tokenizers, &self.added);
        Ok(self)
    }

    /// Appends the ids of `text` to `ids`: `[CLS]`, its pieces, `[SEP]`, at most `limit` in all.
    ///
    /// A longer text is cut as transformers does with `truncation=True, max_length=limit`: the special pieces stay,
    /// and pieces go from the end of the text, or from its start where the vocabulary's configuration says so. What is
    /// behind the limit is not looked at, as far as the text can be cut in front of it: long texts are worked on in
    /// parts of some kilobytes, which end at spaces, and of an endless ASCII word the beginning is enough. On an error
    /// `ids` is left as it was.
    ///
    /// # Errors
    ///
    /// [`TextError::LimitTooSmall`] when not even the special pieces fit, [`TextError::Encode`] when the engine
    /// refuses the text.
    pub fn encode(&self, text: &str, limit: usize, ids: &mut Vec<u32>) -> Result<Encoded, TextError> {
        let specials = self.specials();
        let Some(room) = limit.checked_sub(specials) else {
            return Err(TextError::LimitTooSmall { limit, specials });
        };
        let start = ids.len();
        ids.extend_from_slice(&self.before);
        let body = ids.len();
        let mut truncated = false;
        for part in self.chunks.of_text(text) {
            let done = match self.beginning(part, room - (ids.len() - body)) {
                Ok(Some(beginning)) => {
                    ids.extend(beginning);
                    truncated = true;
                    break;
                }
                Ok(None) => self.engine.encode(part, ids),
                Err(refusal) => Err(refusal),
            };
            if let Err(refusal) = done {
                ids.truncate(start);
                return Err(encode_error(refusal));
            }
            let kept = ids.len() - body;
            if kept <= room {
                continue;
            }
            truncated = true;
            if !self.truncate_left {
                ids.truncate(body + room);
                break;
            }
            // Cut after every part, so that a long text never keeps more than its share.
            ids.drain(body..body + kept - room);
        }
        ids.extend_from_slice(&self.after);
        Ok(Encoded { truncated })
    }

    /// The first `wanted` ids of a part that is very long and has more, where the rest of it does not matter.
    fn beginning(&self, part: &str, wanted: usize) -> Result<Option<Vec<u32>>, Refusal> {
        match self.reach {
            Some(reach) if !self.truncate_left && part.len() > LONG_PART_BYTES => {
                Prefixes::new(reach, self.chunks.plain(), &self.added).settle(part, wanted, |text| {
                    let mut ids = Vec::new();
                    self.engine.encode(text, &mut ids).map(|()| ids)
                })
            }
            _ => Ok(None),
        }
    }

    /// The pieces of the whole of `text`, special pieces included, with their places: a view for people.
    ///
    /// # Errors
    ///
    /// [`TextError::Encode`] when the engine refuses the text.
    pub fn inspect(&self, text: &str) -> Result<Vec<Piece>, TextError> {
        let around = |ids: &[u32]| ids.iter().map(|&id| (id, (0, 0))).collect::<Vec<_>>();
        let placed = self.engine.place(text).map_err(encode_error)?;
        let all = around(&self.before).into_iter().chain(placed).chain(around(&self.after));
        let piece = |(id, (begin, end))| Piece { text: self.id_to_piece(id).unwrap_or_default(), id, begin, end };
        Ok(all.map(piece).collect())
    }

    /// How many special pieces are put around every text.
    #[must_use]
    pub fn specials(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// The longest input that the vocabulary's configuration names, in pieces, if it names one.
    #[must_use]
    pub fn model_max_length(&self) -> Option<usize> {
        self.model_max_length
    }

    /// The number of piece ids, added pieces included. Every id is below it.
    #[must_use]
    pub fn vocabulary(&self) -> usize {
        self.engine.vocabulary()
    }

    /// The piece with this id, if there is one.
    #[must_use]
    pub fn id_to_piece(&self, id: u32) -> Option<String> {
        self.engine.id_to_piece(id)
    }
}

fn encode_error(refusal: Refusal) -> TextError {
    TextError::Encode { reason: refusal.to_string() }
}

/// The contents of a file, or nothing when there is no such file.
fn read(path: &Path) -> Result<Option<Vec<u8>>, TextError> {
    let failed = |source| TextError::Read { path: PathBuf::from(path), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // One byte more than is allowed, so that a file that grows or does not know its size cannot pass either.
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(TextError::TooLarge { path: path.to_owned(), cap: MAX_FILE_BYTES });
    }
    Ok(Some(bytes))
}
