//! The piece ids a model reads.
//!
//! A piece is a SentencePiece unit of a vocabulary. [`SubwordTokenizer`] gives the ids that transformers' `AlbertTokenizerFast`
//! gives, for every text, whether a model directory has a `tokenizer.json` or only a `spiece.model`.

mod added_tokens;
mod aligned;
mod ascii;
mod ascii_set;
mod cache;
mod files;
mod models;
mod normalizers;
mod pipeline;
mod pre_tokenizers;
#[cfg(test)]
mod reference;
mod scratch;
mod sink;
#[cfg(test)]
mod tests;
mod token_encoder;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use self::files::config::{Config, Sources};
use self::files::recipe::{PostProcessor, Recipe};
use self::files::{spiece, tokenizer_json};
use self::models::Model;
use self::normalizers::{Normalizer, growth};
use self::pipeline::Pipeline;
use self::sink::Sink;
pub use self::token_encoder::TokenEncoder;
use crate::error::TextError;

/// The largest vocabulary file that is read, in bytes. One of 500,000 pieces has about 40 MB.
const MAX_FILE_BYTES: u64 = 128 << 20;

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
    truncate_left: bool,
    model_max_length: Option<usize>,
}

impl SubwordTokenizer {
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
        let mut files = Vec::new();
        for name in [TOKENIZER_JSON, SPIECE_MODEL, TOKENIZER_CONFIG, SPECIAL_TOKENS_MAP, ADDED_TOKENS] {
            // The one vocabulary file is read only where the other is not.
            if name != SPIECE_MODEL || files.is_empty() {
                files.extend(read(&dir.join(name))?.map(|bytes| (name, bytes)));
            }
        }
        Self::from_files(dir, |name| files.iter().find(|(known, _)| *known == name).map(|(_, bytes)| bytes.as_slice()))
    }

    /// The same from files that were read before: `file` gives the contents of a file of the directory by its name,
    /// `dir` is what errors call the directory.
    ///
    /// # Errors
    ///
    /// As [`SubwordTokenizer::open`].
    pub fn from_files<'b>(dir: &Path, file: impl Fn(&str) -> Option<&'b [u8]>) -> Result<Self, TextError> {
        let small = [TOKENIZER_CONFIG, SPECIAL_TOKENS_MAP, ADDED_TOKENS].map(|name| (dir.join(name), file(name)));
        let [config, special_tokens_map, added_tokens] =
            small.each_ref().map(|(path, bytes)| bytes.map(|bytes| (path.as_path(), bytes)));
        let config = Config::read(Sources { config, special_tokens_map, added_tokens })?;
        match (file(TOKENIZER_JSON), file(SPIECE_MODEL)) {
            (Some(json), _) => Self::build(&dir.join(TOKENIZER_JSON), Vocabulary::TokenizerJson(json), &config),
            (None, Some(spiece)) => Self::build(&dir.join(SPIECE_MODEL), Vocabulary::Spiece(spiece), &config),
            (None, None) => Err(TextError::NoVocabulary { dir: dir.to_owned() }),
        }
    }

    /// The same from memory: a vocabulary file and, if there is one, a `tokenizer_config.json`.
    ///
    /// # Errors
    ///
    /// As [`SubwordTokenizer::open`], with the plain file name in the place of a path.
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
        let Recipe { model, normalizers, pre_tokenizers, added, post_processor, truncate_left } = recipe;
        let added = config.added(&added, in_json);
        let pipeline =
            Pipeline::new(Model::new(model), normalizers, &pre_tokenizers, &added, config.split_special_tokens);
        let (before, after) = match post_processor {
            PostProcessor::Ids { before, after } => (before, after),
            PostProcessor::ClsSep => {
                let id = |piece| match pipeline.id(piece) {
                    Some(id) => Ok(vec![id]),
                    None => {
                        Err(TextError::Malformed { path: path.to_owned(), reason: format!("it has no piece {piece}") })
                    }
                };
                (id("[CLS]")?, id("[SEP]")?)
            }
        };
        if before.iter().chain(&after).any(|&id| id as usize >= pipeline.vocabulary()) {
            let reason = "it puts a piece around a text that it does not have".into();
            return Err(TextError::Malformed { path: path.to_owned(), reason });
        }
        Ok(Self {
            pipeline,
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
    /// [`TextError::Encode`] when the changed steps could make a text too many times longer.
    pub fn with_case_sensitive(mut self, case_sensitive: bool) -> Result<Self, TextError> {
        let mut steps = self.pipeline.steps().to_vec();
        let lowers = steps.contains(&Normalizer::Lowercase);
        if case_sensitive {
            steps.retain(|step| *step != Normalizer::Lowercase);
        } else if !lowers {
            let map = steps.iter().position(|step| matches!(step, Normalizer::Charsmap(_)));
            steps.insert(map.unwrap_or(steps.len()), Normalizer::Lowercase);
        }
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
        let specials = self.specials();
        let Some(room) = limit.checked_sub(specials) else {
            return Err(TextError::LimitTooSmall { limit, specials });
        };
        ids.extend_from_slice(&self.before);
        let mut sink = Sink::new(ids, room, self.truncate_left);
        self.pipeline.encode(text, &mut sink);
        let encoded = sink.finish();
        ids.extend_from_slice(&self.after);
        Ok(encoded)
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
