//! The files of a model directory that say how its texts become pieces.

mod added_token_json;
pub(crate) mod config;
mod digits;
pub(crate) mod recipe;
pub(crate) mod spiece;
mod tokenizer_json;
mod vocab_txt;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use self::config::{Config, Defaults, Sources};
use self::recipe::{ModelRecipe, Recipe};
use crate::error::TextError;
use crate::subword::normalizers::Normalizer;

/// The largest vocabulary file that is read, in bytes. One of 500,000 pieces has about 40 MB.
const MAX_FILE_BYTES: u64 = 128 << 20;

pub(crate) const TOKENIZER_JSON: &str = "tokenizer.json";
pub(crate) const SPIECE_MODEL: &str = "spiece.model";
const VOCAB_TXT: &str = "vocab.txt";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
const ADDED_TOKENS: &str = "added_tokens.json";

/// The files that hold a vocabulary, the preferred one first.
const VOCABULARIES: [&str; 3] = [TOKENIZER_JSON, SPIECE_MODEL, VOCAB_TXT];

/// A vocabulary file in memory.
#[derive(Debug, Clone, Copy)]
pub enum Vocabulary<'b> {
    /// The contents of a `tokenizer.json`.
    TokenizerJson(&'b [u8]),
    /// The contents of a `spiece.model`.
    Spiece(&'b [u8]),
    /// The contents of a `vocab.txt`.
    VocabTxt(&'b [u8]),
}

impl Vocabulary<'_> {
    /// The name that the file has in a model directory.
    fn name(self) -> &'static str {
        match self {
            Self::TokenizerJson(_) => TOKENIZER_JSON,
            Self::Spiece(_) => SPIECE_MODEL,
            Self::VocabTxt(_) => VOCAB_TXT,
        }
    }
}

/// Everything that is said about one tokenizer.
#[derive(Debug)]
pub(crate) struct Source<'b> {
    /// Where the vocabulary file is, for errors.
    pub(crate) path: PathBuf,
    vocabulary: Vocabulary<'b>,
    pub(crate) config: Config,
}

impl<'b> Source<'b> {
    /// From the files of the directory `dir`, given by their names.
    pub(crate) fn from_files(dir: &Path, file: impl Fn(&str) -> Option<&'b [u8]>) -> Result<Self, TextError> {
        let small = [TOKENIZER_CONFIG, SPECIAL_TOKENS_MAP, ADDED_TOKENS].map(|name| (dir.join(name), file(name)));
        let [config, special_tokens_map, added_tokens] =
            small.each_ref().map(|(path, bytes)| bytes.map(|bytes| (path.as_path(), bytes)));
        let config = Config::read(Sources { config, special_tokens_map, added_tokens })?;
        let vocabulary = (file(TOKENIZER_JSON).map(Vocabulary::TokenizerJson))
            .or_else(|| file(SPIECE_MODEL).map(Vocabulary::Spiece))
            .or_else(|| file(VOCAB_TXT).map(Vocabulary::VocabTxt))
            .ok_or_else(|| TextError::NoVocabulary { dir: dir.to_owned() })?;
        Ok(Self { path: dir.join(vocabulary.name()), vocabulary, config })
    }

    /// From a vocabulary file and, if there is one, a `tokenizer_config.json`.
    pub(crate) fn from_bytes(
        vocabulary: Vocabulary<'b>,
        tokenizer_config: Option<&'b [u8]>,
    ) -> Result<Self, TextError> {
        let name = vocabulary.name();
        let whole = match vocabulary {
            Vocabulary::TokenizerJson(bytes) | Vocabulary::Spiece(bytes) | Vocabulary::VocabTxt(bytes) => bytes,
        };
        Self::from_files(Path::new(""), |wanted| match wanted {
            TOKENIZER_CONFIG => tokenizer_config,
            _ => (wanted == name).then_some(whole),
        })
    }

    /// What the tokenizer is made of, added tokens of the configuration included.
    pub(crate) fn recipe(&self) -> Result<Recipe, TextError> {
        let (path, config) = (&self.path, &self.config);
        let refuse = |class: Option<&str>| match class {
            None => Ok(()),
            Some(class) => Err(TextError::Unsupported {
                path: path.with_file_name(TOKENIZER_CONFIG),
                part: "tokenizer class",
                kind: class.to_owned(),
            }),
        };
        let mut recipe = match self.vocabulary {
            Vocabulary::TokenizerJson(bytes) => tokenizer_json::read(path, bytes)?,
            Vocabulary::Spiece(bytes) => {
                refuse(config.not_albert())?;
                spiece::read(path, bytes, config)?
            }
            Vocabulary::VocabTxt(bytes) => {
                refuse(config.not_bert())?;
                vocab_txt::read(path, bytes, config)?
            }
        };
        let defaults = self.defaults(&recipe);
        if let ([Normalizer::Bert(bert)], true, Defaults::Bert) =
            (&mut recipe.normalizers[..], recipe.configurable, defaults)
        {
            bert.handle_chinese_chars = config.tokenize_chinese_chars;
            bert.strip_accents = config.strip_accents;
            bert.lowercase = config.do_lower_case;
        }
        let in_json = matches!(self.vocabulary, Vocabulary::TokenizerJson(_));
        recipe.added = config.added(&recipe.added, in_json, defaults);
        Ok(recipe)
    }

    /// The token that stands for hidden text, if there is one.
    pub(crate) fn mask_token(&self, recipe: &Recipe) -> Option<&str> {
        self.config.special("mask_token", self.defaults(recipe))
    }

    fn defaults(&self, recipe: &Recipe) -> Defaults {
        match recipe.model {
            ModelRecipe::Unigram { .. } => Defaults::Albert,
            ModelRecipe::WordPiece { .. } if self.config.not_bert().is_none() => Defaults::Bert,
            ModelRecipe::WordPiece { .. } => Defaults::None,
        }
    }
}

/// Reads the files of a model directory that count: of several vocabulary files only the preferred one.
pub(crate) fn read_all(dir: &Path) -> Result<Vec<(&'static str, Vec<u8>)>, TextError> {
    let mut files = Vec::new();
    for name in VOCABULARIES {
        if files.is_empty() {
            files.extend(read(&dir.join(name))?.map(|bytes| (name, bytes)));
        }
    }
    for name in [TOKENIZER_CONFIG, SPECIAL_TOKENS_MAP, ADDED_TOKENS] {
        files.extend(read(&dir.join(name))?.map(|bytes| (name, bytes)));
    }
    Ok(files)
}

/// The contents of a file, or nothing when there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, TextError> {
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

/// The file of this name among `files`.
pub(crate) fn named<'f>(files: &'f [(&'static str, Vec<u8>)], name: &str) -> Option<&'f [u8]> {
    files.iter().find(|(known, _)| *known == name).map(|(_, bytes)| bytes.as_slice())
}
