//! Reads a `tokenizer.json`, the file of Hugging Face's `tokenizers`.
//!
//! What is read is a closed list: a unigram or a WordPiece model, with the steps that the vocabularies of ALBERT and BERT,
//! old and new, are made of.
//! Anything else is an error that names it, never a step left out. The file's padding and decoder are not needed, and
//! of its truncation only the side counts, as in transformers.

use std::collections::HashMap;
use std::path::Path;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::TextError;
use crate::subword::added_tokens::AddedToken;
use crate::subword::files::added_token_json::AddedTokenJson;
use crate::subword::files::recipe::{MAX_AROUND, MAX_PIECES, ModelRecipe, PostProcessor, Recipe};
use crate::subword::files::vocab_txt::{MAX_CHARS, PREFIX};
use crate::subword::normalizers::bert::BertNormalizer;
use crate::subword::normalizers::charsmap::Charsmap;
use crate::subword::normalizers::{Normalizer, Pattern, SPACES};
use crate::subword::pre_tokenizers::{PreTokenizer, Prepend};

/// What `bytes`, the contents of the file `path`, say.
pub(crate) fn read(path: &Path, bytes: &[u8]) -> Result<Recipe, TextError> {
    let reader = Reader { path };
    let file: File = reader.json(serde_json::from_slice(bytes))?;
    if let Some(version) = file.version.filter(|version| version != "1.0") {
        return Err(reader.unsupported("version", version));
    }
    let model = reader.model(file.model)?;
    let configurable = matches!(&file.normalizer, Some(step) if step["type"] == "BertNormalizer");
    let mut normalizers = Vec::new();
    if let Some(step) = file.normalizer {
        reader.normalizers(step, &mut normalizers)?;
    }
    let mut pre_tokenizers = Vec::new();
    if let Some(step) = file.pre_tokenizer {
        reader.pre_tokenizers(step, &mut pre_tokenizers)?;
    }
    let metaspace = |step: &PreTokenizer| matches!(step, PreTokenizer::Metaspace { .. });
    if pre_tokenizers.contains(&PreTokenizer::Bert) && pre_tokenizers.iter().any(metaspace) {
        return Err(reader.unsupported("pre-tokenizer", "BertPreTokenizer with Metaspace"));
    }
    let recipe = Recipe {
        model,
        normalizers,
        pre_tokenizers,
        added: file.added_tokens.into_iter().map(AddedToken::from).collect(),
        post_processor: file.post_processor.map_or(Ok(PostProcessor::none()), |step| reader.post_processor(step))?,
        truncate_left: file.truncation.map(|truncation| truncation.direction.as_deref() == Some("Left")),
        configurable,
    };
    recipe.check(path)?;
    Ok(recipe)
}

/// The file as a whole.
#[derive(Deserialize)]
struct File {
    version: Option<String>,
    truncation: Option<Truncation>,
    #[serde(default)]
    added_tokens: Vec<AddedTokenJson>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    post_processor: Option<Value>,
    model: Model,
}

#[derive(Deserialize)]
struct Truncation {
    direction: Option<String>,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: Option<Vocabulary>,
    unk_id: Option<usize>,
    #[serde(default)]
    byte_fallback: bool,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    max_input_chars_per_word: Option<usize>,
}

/// The pieces of a model, in one of two forms.
enum Vocabulary {
    Scored(Vec<(String, f64)>),
    Ids(HashMap<String, u32>),
}

impl<'de> Deserialize<'de> for Vocabulary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pieces;
        impl<'de> Visitor<'de> for Pieces {
            type Value = Vocabulary;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a row of scored pieces, or pieces with their ids")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, row: A) -> Result<Vocabulary, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(row)).map(Vocabulary::Scored)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vocabulary, A::Error> {
                HashMap::deserialize(MapAccessDeserializer::new(map)).map(Vocabulary::Ids)
            }
        }
        deserializer.deserialize_any(Pieces)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PatternJson {
    Tagged(TaggedPattern),
    Plain(String),
}

#[derive(Deserialize)]
enum TaggedPattern {
    String(String),
    Regex(String),
}

#[derive(Deserialize)]
struct Metaspace {
    #[serde(default = "lower_block")]
    replacement: char,
    add_prefix_space: Option<bool>,
    prepend_scheme: Option<String>,
    split: Option<bool>,
}

fn lower_block() -> char {
    '▁'
}

#[derive(Deserialize)]
struct TemplateProcessing {
    single: Vec<TemplatePiece>,
    special_tokens: HashMap<String, SpecialToken>,
}

#[derive(Deserialize)]
enum TemplatePiece {
    Sequence {},
    SpecialToken { id: String },
}

#[derive(Deserialize)]
struct SpecialToken {
    ids: Vec<u32>,
}

#[derive(Deserialize)]
struct BertProcessing {
    sep: (String, u32),
    cls: (String, u32),
}

impl PostProcessor {
    fn none() -> Self {
        Self::Ids { before: Vec::new(), after: Vec::new() }
    }
}

/// Reads the steps of one file.
struct Reader<'p> {
    path: &'p Path,
}

impl Reader<'_> {
    fn model(&self, model: Model) -> Result<ModelRecipe, TextError> {
        // Old files do not name their model.
        let named = match (&model.kind, &model.vocab) {
            (None, Some(Vocabulary::Ids(_))) if model.continuing_subword_prefix.is_some() => "WordPiece",
            (None, _) => "Unigram",
            (Some(kind), _) => kind,
        };
        match (named, model.vocab) {
            ("Unigram", Some(Vocabulary::Scored(vocabulary))) => {
                let unknown = model.unk_id.ok_or_else(|| self.malformed("its model has no unknown piece"))?;
                Ok(ModelRecipe::Unigram { vocabulary, unknown, byte_fallback: model.byte_fallback })
            }
            ("Unigram", _) => Err(self.malformed("its model has no row of scored pieces")),
            ("WordPiece", Some(Vocabulary::Ids(ids))) => {
                let unknown = model.unk_token.as_deref().unwrap_or("[UNK]");
                let unknown = ids.get(unknown).ok_or_else(|| self.malformed("its model has no unknown piece"))?;
                Ok(ModelRecipe::WordPiece {
                    tokens: ids.len(),
                    unknown: *unknown as usize,
                    prefix: model.continuing_subword_prefix.unwrap_or_else(|| PREFIX.into()),
                    max_chars: model.max_input_chars_per_word.unwrap_or(MAX_CHARS),
                    vocabulary: self.by_id(ids)?,
                })
            }
            ("WordPiece", _) => Err(self.malformed("its model has no pieces with ids")),
            _ => Err(self.unsupported("model", named)),
        }
    }

    /// Pieces in the order of their ids; an empty one where no piece has the id.
    fn by_id(&self, ids: HashMap<String, u32>) -> Result<Vec<String>, TextError> {
        let ids_needed = ids.values().max().map_or(0, |&last| last as usize + 1);
        if ids_needed > MAX_PIECES {
            return Err(self.malformed(&format!("it has more than {MAX_PIECES} pieces")));
        }
        let mut pieces = vec![String::new(); ids_needed];
        for (piece, id) in ids {
            let place = &mut pieces[id as usize];
            if !place.is_empty() {
                return Err(self.malformed(&format!("two of its pieces have the id {id}")));
            }
            *place = piece;
        }
        Ok(pieces)
    }

    fn normalizers(&self, step: Value, into: &mut Vec<Normalizer>) -> Result<(), TextError> {
        #[derive(Deserialize)]
        struct Sequence {
            normalizers: Vec<Value>,
        }
        #[derive(Deserialize)]
        struct Replace {
            pattern: PatternJson,
            content: String,
        }
        #[derive(Deserialize)]
        struct Strip {
            strip_left: bool,
            strip_right: bool,
        }
        #[derive(Deserialize)]
        struct PrependText {
            prepend: String,
        }
        #[derive(Deserialize)]
        struct Precompiled {
            precompiled_charsmap: String,
        }
        #[derive(Deserialize)]
        struct Bert {
            clean_text: bool,
            handle_chinese_chars: bool,
            strip_accents: Option<bool>,
            lowercase: bool,
        }
        into.push(match self.kind(&step, "normalizer")?.as_str() {
            "Sequence" => {
                for step in self.json(Sequence::deserialize(step))?.normalizers {
                    self.normalizers(step, into)?;
                }
                return Ok(());
            }
            "Replace" => {
                let Replace { pattern, content } = self.json(Replace::deserialize(step))?;
                let pattern = match pattern {
                    PatternJson::Tagged(TaggedPattern::Regex(regex)) if regex == SPACES => Pattern::Spaces,
                    PatternJson::Tagged(TaggedPattern::Regex(regex)) => {
                        return Err(self.unsupported("replacement pattern", regex));
                    }
                    PatternJson::Tagged(TaggedPattern::String(text)) | PatternJson::Plain(text) => Pattern::Text(text),
                };
                Normalizer::Replace { pattern, content }
            }
            "NFC" => Normalizer::Nfc,
            "NFD" => Normalizer::Nfd,
            "NFKC" => Normalizer::Nfkc,
            "NFKD" => Normalizer::Nfkd,
            "Nmt" => Normalizer::Nmt,
            "StripAccents" => Normalizer::StripAccents,
            "Lowercase" => Normalizer::Lowercase,
            "Strip" => {
                let Strip { strip_left, strip_right } = self.json(Strip::deserialize(step))?;
                Normalizer::Strip { left: strip_left, right: strip_right }
            }
            "Prepend" => Normalizer::Prepend(self.json(PrependText::deserialize(step))?.prepend),
            "Precompiled" => {
                let text = self.json(Precompiled::deserialize(step))?.precompiled_charsmap;
                match base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text) {
                    Ok(map) => Normalizer::Charsmap(Charsmap::read(&map).map_err(|reason| self.malformed(&reason))?),
                    Err(_) => return Err(self.malformed("its character map is not base64")),
                }
            }
            "BertNormalizer" => {
                let Bert { clean_text, handle_chinese_chars, strip_accents, lowercase } =
                    self.json(Bert::deserialize(step))?;
                Normalizer::Bert(BertNormalizer { clean_text, handle_chinese_chars, strip_accents, lowercase })
            }
            kind => return Err(self.unsupported("normalizer", kind)),
        });
        Ok(())
    }

    fn pre_tokenizers(&self, step: Value, into: &mut Vec<PreTokenizer>) -> Result<(), TextError> {
        #[derive(Deserialize)]
        struct Sequence {
            pretokenizers: Vec<Value>,
        }
        match self.kind(&step, "pre-tokenizer")?.as_str() {
            "Sequence" => {
                for step in self.json(Sequence::deserialize(step))?.pretokenizers {
                    self.pre_tokenizers(step, into)?;
                }
            }
            "WhitespaceSplit" => into.push(PreTokenizer::Whitespace),
            "BertPreTokenizer" => into.push(PreTokenizer::Bert),
            "Metaspace" => {
                let metaspace: Metaspace = self.json(Metaspace::deserialize(step))?;
                let prepend = match (metaspace.prepend_scheme.as_deref(), metaspace.add_prefix_space) {
                    (None | Some("never"), Some(false)) | (Some("never"), _) => Prepend::Never,
                    (None | Some("always"), _) => Prepend::Always,
                    (Some("first"), _) => Prepend::First,
                    (Some(scheme), _) => return Err(self.unsupported("prepend scheme", scheme)),
                };
                into.push(PreTokenizer::Metaspace {
                    replacement: metaspace.replacement,
                    prepend,
                    split: metaspace.split.unwrap_or(true),
                });
            }
            kind => return Err(self.unsupported("pre-tokenizer", kind)),
        }
        Ok(())
    }

    fn post_processor(&self, step: Value) -> Result<PostProcessor, TextError> {
        match self.kind(&step, "post-processor")?.as_str() {
            "TemplateProcessing" => {
                let template: TemplateProcessing = self.json(TemplateProcessing::deserialize(step))?;
                let (mut before, mut after, mut sequences) = (Vec::new(), Vec::new(), 0);
                for piece in template.single {
                    match piece {
                        TemplatePiece::Sequence {} => sequences += 1,
                        TemplatePiece::SpecialToken { id } => match template.special_tokens.get(&id) {
                            Some(token) if sequences == 0 => before.extend(&token.ids),
                            Some(token) => after.extend(&token.ids),
                            None => return Err(self.malformed("its template names a special token it does not have")),
                        },
                    }
                    // At every turn, since a few bytes can name a long row of ids any number of times.
                    if before.len() + after.len() > MAX_AROUND {
                        return Err(self.malformed(&format!("it puts more than {MAX_AROUND} pieces around a text")));
                    }
                }
                if sequences != 1 {
                    return Err(self.malformed("its template does not hold the text exactly once"));
                }
                Ok(PostProcessor::Ids { before, after })
            }
            "BertProcessing" => {
                let BertProcessing { sep, cls } = self.json(BertProcessing::deserialize(step))?;
                Ok(PostProcessor::Ids { before: vec![cls.1], after: vec![sep.1] })
            }
            kind => Err(self.unsupported("post-processor", kind)),
        }
    }

    /// The `type` of a step.
    fn kind(&self, step: &Value, part: &'static str) -> Result<String, TextError> {
        match step.get("type").and_then(Value::as_str) {
            Some(kind) => Ok(kind.to_owned()),
            None => Err(self.malformed(&format!("a {part} of it has no type"))),
        }
    }

    fn json<T>(&self, result: serde_json::Result<T>) -> Result<T, TextError> {
        result.map_err(|source| TextError::Json { path: self.path.to_owned(), source })
    }

    fn malformed(&self, reason: &str) -> TextError {
        TextError::Malformed { path: self.path.to_owned(), reason: reason.to_owned() }
    }

    fn unsupported(&self, part: &'static str, kind: impl Into<String>) -> TextError {
        TextError::Unsupported { path: self.path.to_owned(), part, kind: kind.into() }
    }
}
