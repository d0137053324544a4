//! Reads a SentencePiece model (`spiece.model`) as Hugging Face's ALBERT converter does.
//!
//! Format: `sentencepiece/src/sentencepiece_model.proto`. Behaviour: `AlbertConverter` in transformers'
//! `convert_slow_tokenizer.py`.

use std::ops::Range;
use std::path::Path;

use albertine_wire::{Fields, Value, WireError};

use crate::error::TextError;
use crate::subword::added_tokens::AddedToken;
use crate::subword::files::config::Config;
use crate::subword::files::digits::is_digit;
use crate::subword::files::recipe::{ModelRecipe, PostProcessor, Recipe};
use crate::subword::normalizers::charsmap::Charsmap;
use crate::subword::normalizers::{Normalizer, Pattern};
use crate::subword::pre_tokenizers::{PreTokenizer, Prepend};

/// How much the converter takes off the score of a piece that ends in a digit and a comma, so that a number does not
/// swallow the comma behind it.
const DIGIT_COMMA_PENALTY: f64 = 100.0;

/// SentencePiece's library has user-defined pieces win by giving them nearly the best of all scores: this much less.
const USER_DEFINED_PENALTY: f64 = 0.1;

/// The kinds of model that SentencePiece trains, by number.
const MODEL_KINDS: [&str; 5] = ["0", "unigram", "bpe", "word", "char"];
const UNIGRAM: u64 = 1;

/// The kinds of piece: ordinary ones, and those that are found in the raw text.
const NORMAL: u64 = 1;
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

/// What `bytes`, the contents of the model file `path`, say together with the directory's `config`.
pub(crate) fn read(path: &Path, bytes: &[u8], config: &Config) -> Result<Recipe, TextError> {
    let model = Model::read(path, bytes)?;
    let added = model
        .pieces
        .iter()
        .filter(|piece| matches!(piece.kind, CONTROL | USER_DEFINED))
        .map(|piece| AddedToken { special: piece.kind == CONTROL, ..AddedToken::special(&piece.text) })
        .collect();
    let normalizers = normalizers(model.map(path)?, config);
    model.recipe(path, normalizers, added, Piece::scored)
}

/// What the model file says by itself, as SentencePiece's own library works: no penalty, and pieces that only control
/// something are never found in a text. Its character map comes beside the recipe, whose steps would apply it as
/// `tokenizers` does.
pub(crate) fn read_plain(path: &Path, bytes: &[u8]) -> Result<(Option<Charsmap>, Recipe), TextError> {
    let model = Model::read(path, bytes)?;
    let map = model.map(path)?;
    let spaces = Normalizer::Replace { pattern: Pattern::Spaces, content: " ".into() };
    let ordinary = model.pieces.iter().filter(|piece| piece.kind == NORMAL).map(|piece| piece.score);
    let best = f64::from(ordinary.fold(f32::MIN_POSITIVE, f32::max));
    let recipe = model.recipe(path, vec![spaces], Vec::new(), |piece| match piece.kind {
        NORMAL => (piece.text, f64::from(piece.score)),
        USER_DEFINED => {
            let score = piece.text.chars().count() as f64 * best - USER_DEFINED_PENALTY;
            (piece.text, score)
        }
        // No text is found in the vocabulary under an empty name, and the place of the piece stays taken.
        _ => (String::new(), 0.0),
    })?;
    Ok((map, recipe))
}

/// The id of `piece` in the model file, whatever kind of piece it is.
pub(crate) fn id(path: &Path, bytes: &[u8], piece: &str) -> Result<Option<u32>, TextError> {
    let place = Model::read(path, bytes)?.pieces.iter().position(|other| other.text == piece);
    Ok(place.map(|place| place as u32))
}

/// The converter's normalisation: straight quotes, accents and case as configured, the model's own map, single spaces.
fn normalizers(map: Option<Charsmap>, config: &Config) -> Vec<Normalizer> {
    let quotes = |pattern: &str| Normalizer::Replace { pattern: Pattern::Text(pattern.into()), content: "\"".into() };
    let mut steps = vec![quotes("``"), quotes("''")];
    if !config.keep_accents {
        steps.extend([Normalizer::Nfkd, Normalizer::StripAccents]);
    }
    if config.do_lower_case {
        steps.push(Normalizer::Lowercase);
    }
    steps.extend(map.map(Normalizer::Charsmap));
    steps.push(Normalizer::Replace { pattern: Pattern::Spaces, content: " ".into() });
    steps
}

/// The parts of a model file that matter.
#[derive(Debug)]
struct Model<'b> {
    pieces: Vec<Piece>,
    kind: u64,
    unknown: usize,
    charsmap: &'b [u8],
}

#[derive(Debug)]
struct Piece {
    text: String,
    score: f32,
    kind: u64,
}

impl Piece {
    fn scored(self) -> (String, f64) {
        let mut end = self.text.chars().rev();
        let penalised = end.next() == Some(',') && end.next().is_some_and(is_digit);
        let penalty = if penalised { DIGIT_COMMA_PENALTY } else { 0.0 };
        (self.text, f64::from(self.score) - penalty)
    }
}

impl<'b> Model<'b> {
    fn read(path: &Path, bytes: &'b [u8]) -> Result<Self, TextError> {
        let mut model = Self { pieces: Vec::new(), kind: UNIGRAM, unknown: 0, charsmap: &[] };
        model.read_fields(bytes).map_err(|error| TextError::wire(path, error))?;
        if model.kind != UNIGRAM {
            let kind = usize::try_from(model.kind).ok().and_then(|kind| MODEL_KINDS.get(kind));
            return Err(TextError::Unsupported {
                path: path.to_owned(),
                part: "model",
                kind: kind.map_or_else(|| model.kind.to_string(), ToString::to_string),
            });
        }
        Ok(model)
    }

    fn map(&self, path: &Path) -> Result<Option<Charsmap>, TextError> {
        match self.charsmap {
            [] => Ok(None),
            map => {
                Charsmap::read(map).map(Some).map_err(|reason| TextError::Malformed { path: path.to_owned(), reason })
            }
        }
    }

    fn recipe(
        self,
        path: &Path,
        normalizers: Vec<Normalizer>,
        added: Vec<AddedToken>,
        scored: impl Fn(Piece) -> (String, f64),
    ) -> Result<Recipe, TextError> {
        let recipe = Recipe {
            normalizers,
            model: ModelRecipe::Unigram {
                vocabulary: self.pieces.into_iter().map(scored).collect(),
                unknown: self.unknown,
                byte_fallback: false,
            },
            pre_tokenizers: vec![PreTokenizer::Metaspace { replacement: '▁', prepend: Prepend::Always, split: true }],
            added,
            post_processor: PostProcessor::Named { before: "[CLS]".into(), after: "[SEP]".into() },
            truncate_left: None,
            configurable: false,
        };
        recipe.check(path)?;
        Ok(recipe)
    }

    fn read_fields(&mut self, file: &'b [u8]) -> Result<(), WireError> {
        let mut fields = Fields::new(file);
        while let Some(field) = fields.next()? {
            match field {
                (1, Value::Bytes(piece)) => self.pieces.push(Piece::read(file, &piece)?),
                (2, Value::Bytes(trainer)) => self.read_trainer(file, &trainer)?,
                (3, Value::Bytes(normalizer)) => self.read_normalizer(file, &normalizer)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_trainer(&mut self, file: &[u8], range: &Range<usize>) -> Result<(), WireError> {
        let mut fields = Fields::within(file, range);
        while let Some(field) = fields.next()? {
            match field {
                (3, Value::Varint(kind)) => self.kind = kind,
                // A negative number, which means none, arrives as a very large one, and the recipe's check names it.
                (40, Value::Varint(id)) => self.unknown = usize::try_from(id).unwrap_or(usize::MAX),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_normalizer(&mut self, file: &'b [u8], range: &Range<usize>) -> Result<(), WireError> {
        let mut fields = Fields::within(file, range);
        while let Some(field) = fields.next()? {
            if let (2, Value::Bytes(map)) = field {
                self.charsmap = file.get(map).unwrap_or_default();
            }
        }
        Ok(())
    }
}

impl Piece {
    fn read(file: &[u8], range: &Range<usize>) -> Result<Self, WireError> {
        let mut piece = Self { text: String::new(), score: 0.0, kind: NORMAL };
        let mut fields = Fields::within(file, range);
        while let Some(field) = fields.next()? {
            match field {
                (1, Value::Bytes(range)) => piece.text = albertine_wire::text(file, &range)?.to_owned(),
                (2, Value::Fixed32(bits)) => piece.score = f32::from_bits(bits),
                (3, Value::Varint(kind)) => piece.kind = kind,
                _ => {}
            }
        }
        Ok(piece)
    }
}
