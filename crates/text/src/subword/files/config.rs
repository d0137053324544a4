//! The small files beside a vocabulary: `tokenizer_config.json` and its two forerunners.
//!
//! Which of their settings count, and when, is what transformers does for `AlbertTokenizerFast` and `BertTokenizerFast`,
//! found by experiment: with a `tokenizer.json`, ALBERT's `do_lower_case` and `keep_accents` are ignored, because that
//! file has its own normalisation, and BERT's settings replace those of the file even where nothing is said; the token
//! lists and `truncation_side` count in all cases.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::TextError;
use crate::subword::added_tokens::AddedToken;
use crate::subword::files::added_token_json::AddedTokenJson;

/// The largest small file that is read, in bytes. Usual ones have some thousand; each of their tokens is looked for
/// among all the others.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// transformers writes 1e30 for "no limit" and takes anything above this for it.
const NO_LIMIT: f64 = 1e20;

/// The keys of single special tokens, in the order transformers adds them.
const SPECIAL_KEYS: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// The classes of transformers, without `Fast`, whose tokenizers are BERT's.
const BERT_CLASSES: [&str; 7] = [
    "BertTokenizer",
    "ConvBertTokenizer",
    "DistilBertTokenizer",
    "ElectraTokenizer",
    "LayoutLMTokenizer",
    "LxmertTokenizer",
    "MobileBertTokenizer",
];

/// What a class of tokenizers takes for granted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Defaults {
    Albert,
    Bert,
    /// A class that knows only what the files say.
    None,
}

impl Defaults {
    /// What the special token of this key is when nothing is said.
    fn special(self, key: &str) -> Option<&'static str> {
        match (self, key) {
            (Self::None, _) | (Self::Bert, "bos_token" | "eos_token") => None,
            (Self::Albert, "unk_token") => Some("<unk>"),
            (Self::Albert, "pad_token") => Some("<pad>"),
            (Self::Bert, "unk_token") => Some("[UNK]"),
            (Self::Bert, "pad_token") => Some("[PAD]"),
            (_, "bos_token" | "cls_token") => Some("[CLS]"),
            (_, "eos_token" | "sep_token") => Some("[SEP]"),
            (_, "mask_token") => Some("[MASK]"),
            _ => None,
        }
    }
}

/// The contents of the small files, as far as they exist.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sources<'f> {
    /// `tokenizer_config.json`.
    pub(crate) config: Option<(&'f Path, &'f [u8])>,
    /// `special_tokens_map.json`, which counts only if the configuration has no `added_tokens_decoder`.
    pub(crate) special_tokens_map: Option<(&'f Path, &'f [u8])>,
    /// `added_tokens.json`, with the same condition.
    pub(crate) added_tokens: Option<(&'f Path, &'f [u8])>,
}

/// What the small files say.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) do_lower_case: bool,
    pub(crate) keep_accents: bool,
    /// BERT's accents, which go with the case where nothing is said.
    pub(crate) strip_accents: Option<bool>,
    pub(crate) tokenize_chinese_chars: bool,
    pub(crate) model_max_length: Option<usize>,
    pub(crate) truncate_left: Option<bool>,
    /// Whether special tokens written out in a text are ordinary text.
    pub(crate) split_special_tokens: bool,
    /// The name of the tokenizer's class, without `Fast`.
    class: Option<String>,
    /// Tokens to add, in the order of their ids.
    added: Vec<AddedToken>,
    /// Whether `added` came in the modern form, which makes the vocabulary file's own definitions not count.
    modern: bool,
    /// Everything else of the files, special tokens among it.
    specials: Map<String, Value>,
}

/// A special token, as the files give it.
#[derive(Debug)]
struct Special {
    piece: AddedToken,
    /// Whether its properties were given, not only its text.
    defined: bool,
    /// Whether a file gave it, rather than the usual one being meant.
    given: bool,
}

impl Config {
    /// Reads the small files.
    pub(crate) fn read(sources: Sources<'_>) -> Result<Self, TextError> {
        let file: File = parse(sources.config)?;
        let mut specials = file.special;
        let modern = file.added_tokens_decoder.is_some();
        let added = match file.added_tokens_decoder {
            Some(decoder) => decoder.into_values().map(AddedToken::from).collect(),
            None => {
                specials.extend(parse::<Map<String, Value>>(sources.special_tokens_map)?);
                let named: Vec<&str> = specials.values().filter_map(text_of).collect();
                let mut legacy: Vec<(String, u32)> =
                    parse::<BTreeMap<String, u32>>(sources.added_tokens)?.into_iter().collect();
                legacy.sort_by_key(|&(_, id)| id);
                let piece = |(content, _): (String, u32)| {
                    let special = named.contains(&content.as_str());
                    AddedToken { special, normalized: !special, ..AddedToken::special(content) }
                };
                legacy.into_iter().map(piece).collect()
            }
        };
        Ok(Self {
            do_lower_case: file.do_lower_case.unwrap_or(true),
            keep_accents: file.keep_accents.unwrap_or(false),
            strip_accents: file.strip_accents,
            tokenize_chinese_chars: file.tokenize_chinese_chars.unwrap_or(true),
            model_max_length: file.model_max_length.filter(|&length| length < NO_LIMIT).map(|length| length as usize),
            truncate_left: file.truncation_side.map(|side| side == Side::Left),
            split_special_tokens: file.split_special_tokens.unwrap_or(false),
            class: file.tokenizer_class.map(|class| class.trim_end_matches("Fast").to_owned()),
            added,
            modern,
            specials,
        })
    }

    /// The name of a class other than ALBERT's, which only a `tokenizer.json` makes up for.
    pub(crate) fn not_albert(&self) -> Option<&str> {
        self.class.as_deref().filter(|class| *class != "AlbertTokenizer")
    }

    /// The name of a class other than BERT's, which only a `tokenizer.json` makes up for.
    pub(crate) fn not_bert(&self) -> Option<&str> {
        self.class.as_deref().filter(|class| !BERT_CLASSES.contains(class))
    }

    /// The text of a special token, if it has one.
    pub(crate) fn special(&self, key: &str, defaults: Defaults) -> Option<&str> {
        match self.specials.get(key) {
            Some(value) => text_of(value),
            None => defaults.special(key),
        }
    }

    /// The pieces to be found in the raw text, given those that the vocabulary file itself defines.
    ///
    /// A later definition of a token replaces an earlier one and keeps its place. `in_json` says that the vocabulary
    /// file is a `tokenizer.json`, whose definitions count where the configuration only names a token.
    pub(crate) fn added(&self, of_file: &[AddedToken], in_json: bool, defaults: Defaults) -> Vec<AddedToken> {
        let specials = special_tokens(&self.specials, defaults);
        let known: Vec<&AddedToken> = match in_json && !self.modern {
            true => of_file.iter().chain(&self.added).collect(),
            false => self.added.iter().collect(),
        };
        let changed: Vec<&AddedToken> = known.iter().copied().filter(|piece| !of_file.contains(piece)).collect();
        let mut all = of_file.to_vec();
        for &piece in &changed {
            let special = piece.special || specials.iter().any(|other| other.piece.content == piece.content);
            put(&mut all, AddedToken { special, ..piece.clone() });
        }
        for (at, Special { piece, defined, given }) in specials.iter().enumerate() {
            let same = |other: &AddedToken| other.content == piece.content;
            if specials[..at].iter().any(|other| same(&other.piece)) {
                continue;
            }
            let definition = known.iter().rev().find(|other| *given && same(other));
            match definition.copied().or(defined.then_some(piece)) {
                Some(piece) if !changed.iter().any(|other| same(other)) => {
                    put(&mut all, AddedToken { special: true, ..piece.clone() });
                }
                None if !all.iter().any(same) => all.push(piece.clone()),
                _ => {}
            }
        }
        all
    }
}

/// Adds `piece`, or puts it in the place of one with the same text.
fn put(all: &mut Vec<AddedToken>, piece: AddedToken) {
    match all.iter_mut().find(|other| other.content == piece.content) {
        Some(other) => *other = piece,
        None => all.push(piece),
    }
}

/// The special tokens that `given` names, and the usual ones for those it does not.
fn special_tokens(given: &Map<String, Value>, defaults: Defaults) -> Vec<Special> {
    let mut all = Vec::new();
    for key in SPECIAL_KEYS {
        let mut special = match given.get(key) {
            None => match defaults.special(key) {
                Some(usual) => Special { piece: AddedToken::special(usual), defined: false, given: false },
                None => continue,
            },
            Some(value) => match special_of(value) {
                Some(special) => special,
                // An explicit null takes a token away.
                None => continue,
            },
        };
        if key == "mask_token" && defaults == Defaults::Albert && !special.defined {
            special.piece.lstrip = true;
            special.defined = true;
        }
        all.push(special);
    }
    if let Some(Value::Array(more)) = given.get("additional_special_tokens") {
        all.extend(more.iter().filter_map(special_of));
    }
    all
}

fn special_of(value: &Value) -> Option<Special> {
    let (piece, defined) = match value {
        Value::String(text) => (AddedToken::special(text), false),
        Value::Object(_) => (AddedToken::from(AddedTokenJson::deserialize(value).ok()?), true),
        _ => return None,
    };
    Some(Special { piece, defined, given: true })
}

fn text_of(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("content")?.as_str())
}

#[derive(Deserialize, Default)]
struct File {
    do_lower_case: Option<bool>,
    keep_accents: Option<bool>,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: Option<bool>,
    model_max_length: Option<f64>,
    truncation_side: Option<Side>,
    split_special_tokens: Option<bool>,
    tokenizer_class: Option<String>,
    added_tokens_decoder: Option<BTreeMap<Id, AddedTokenJson>>,
    #[serde(flatten)]
    special: Map<String, Value>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Side {
    Left,
    Right,
}

/// An id written as a string, as JSON keys must be, and ordered as a number.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Id(u32);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map(Id).map_err(|_| serde::de::Error::custom(format!("the id {text:?} is not a number")))
    }
}

fn parse<T: serde::de::DeserializeOwned + Default>(source: Option<(&Path, &[u8])>) -> Result<T, TextError> {
    let Some((path, bytes)) = source else { return Ok(T::default()) };
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(TextError::TooLarge { path: path.to_owned(), cap: MAX_FILE_BYTES });
    }
    serde_json::from_slice(bytes).map_err(|source| TextError::Json { path: path.to_owned(), source })
}
