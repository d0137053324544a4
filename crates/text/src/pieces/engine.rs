//! The one place that knows Hugging Face's `tokenizers`: a checked recipe in, piece ids out.

use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::{
    Lowercase, NFC, NFD, NFKC, NFKD, Nmt, NormalizerWrapper, Precompiled, Prepend as PrependText, Replace,
    Sequence as Normalizers, Strip, StripAccents, replace::ReplacePattern,
};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::{DecoderWrapper, Model as _, PostProcessorWrapper, PreTokenizerWrapper, TokenizerImpl};

use super::recipe::{AddedToken, Normalizer, Pattern, PreTokenizer, Prepend, SPACES};

type Tokenizer = TokenizerImpl<Unigram, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

/// What the engine says when it refuses something.
pub(super) type Refusal = tokenizers::Error;

/// One piece with its place in the text, in characters.
pub(super) type Placed = (u32, (usize, usize));

/// Cuts texts into pieces, without special pieces around them.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    tokenizer: Tokenizer,
}

impl Engine {
    /// An engine for a vocabulary and everything done to a text before it.
    pub(super) fn new(
        vocabulary: Vec<(String, f64)>,
        unknown: usize,
        byte_fallback: bool,
        normalizers: &[Normalizer],
        pre_tokenizers: &[PreTokenizer],
    ) -> Result<Self, Refusal> {
        let mut tokenizer = Tokenizer::new(Unigram::from(vocabulary, Some(unknown), byte_fallback)?);
        tokenizer.with_normalizer(Some(sequence(normalizers)?))?;
        let pre_tokenizers = pre_tokenizers.iter().map(pre_tokenizer).collect();
        tokenizer.with_pre_tokenizer(Some(PreTokenizers::new(pre_tokenizers)));
        Ok(Self { tokenizer })
    }

    /// Lets these pieces be found in the raw text. Those that the vocabulary lacks get ids behind its last.
    pub(super) fn add(&mut self, pieces: &[AddedToken], split_special: bool) -> Result<(), Refusal> {
        self.tokenizer.add_tokens(pieces.iter().map(|piece| tokenizers::AddedToken {
            content: piece.content.clone(),
            single_word: piece.single_word,
            lstrip: piece.lstrip,
            rstrip: piece.rstrip,
            normalized: piece.normalized,
            special: piece.special,
        }))?;
        self.tokenizer.set_encode_special_tokens(split_special);
        Ok(())
    }

    /// Puts other steps of normalisation in the place of those there are.
    pub(super) fn renormalize(&mut self, normalizers: &[Normalizer]) -> Result<(), Refusal> {
        self.tokenizer.with_normalizer(Some(sequence(normalizers)?))?;
        Ok(())
    }

    /// Appends the piece ids of `text`, without special pieces.
    pub(super) fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), Refusal> {
        ids.extend_from_slice(self.tokenizer.encode_fast(text, false)?.get_ids());
        Ok(())
    }

    /// The pieces of `text` with their places.
    pub(super) fn place(&self, text: &str) -> Result<Vec<Placed>, Refusal> {
        let encoding = self.tokenizer.encode_char_offsets(text, false)?;
        Ok(encoding.get_ids().iter().copied().zip(encoding.get_offsets().iter().copied()).collect())
    }

    /// The number of ids, added pieces included.
    pub(super) fn vocabulary(&self) -> usize {
        self.tokenizer.get_vocab_size(true).max(self.tokenizer.get_model().get_vocab_size())
    }

    pub(super) fn id_to_piece(&self, id: u32) -> Option<String> {
        self.tokenizer.id_to_token(id)
    }

    pub(super) fn piece_to_id(&self, piece: &str) -> Option<u32> {
        self.tokenizer.token_to_id(piece)
    }
}

fn sequence(steps: &[Normalizer]) -> Result<Normalizers, Refusal> {
    Ok(Normalizers::new(steps.iter().map(normalizer).collect::<Result<_, _>>()?))
}

fn normalizer(step: &Normalizer) -> Result<NormalizerWrapper, Refusal> {
    Ok(match step {
        Normalizer::Replace { pattern, content } => {
            let pattern = match pattern {
                Pattern::Text(text) => ReplacePattern::String(text.clone()),
                Pattern::Spaces => ReplacePattern::Regex(SPACES.into()),
            };
            Replace::new(pattern, content.clone())?.into()
        }
        Normalizer::Nfc => NFC.into(),
        Normalizer::Nfd => NFD.into(),
        Normalizer::Nfkc => NFKC.into(),
        Normalizer::Nfkd => NFKD.into(),
        Normalizer::Nmt => Nmt.into(),
        Normalizer::StripAccents => StripAccents.into(),
        Normalizer::Lowercase => Lowercase.into(),
        Normalizer::Strip { left, right } => Strip::new(*left, *right).into(),
        Normalizer::Prepend(text) => PrependText::new(text.clone()).into(),
        Normalizer::Charsmap(map) => Precompiled::from(map).map_err(|fault| fault.to_string())?.into(),
    })
}

fn pre_tokenizer(step: &PreTokenizer) -> PreTokenizerWrapper {
    match *step {
        PreTokenizer::Whitespace => WhitespaceSplit.into(),
        PreTokenizer::Metaspace { replacement, prepend, split } => {
            let scheme = match prepend {
                Prepend::Always => PrependScheme::Always,
                Prepend::First => PrependScheme::First,
                Prepend::Never => PrependScheme::Never,
            };
            Metaspace::new(replacement, scheme, split).into()
        }
    }
}
