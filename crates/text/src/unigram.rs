//! Trains the vocabulary of a unigram model, as SentencePiece does
//! ([Kudo 2018](https://arxiv.org/abs/1804.10959); `unigram_model_trainer.cc`).
//!
//! `runs` counts what pieces are made of, `seeds` finds the substrings that repeat, `lattice` has every way to cut a run
//! into pieces, and `train` takes expectation steps over them and removes the pieces that help least, until as many are
//! left as asked for.

mod files;
mod lattice;
mod runs;
mod seeds;
mod train;

use self::files::tokenizer_json;
use self::runs::Runs;
use crate::TextError;

/// The pieces that come first, with the ids of ALBERT's vocabularies.
pub(crate) const SPECIALS: [&str; 5] = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"];

/// Learns the pieces of a unigram vocabulary from texts.
///
/// Texts are normalized as ALBERT's are: straight quotes, compatible characters (NFKC), no accents, lower case. No piece
/// crosses a space, or goes from letters to digits or other characters, or is longer than 16 characters. Memory is bounded
/// whatever the texts are: rare runs of characters are given up first. The same texts give the same vocabulary.
///
/// ```
/// use albertine_text::{SubwordTokenizer, UnigramTrainer, Vocabulary};
///
/// let mut trainer = UnigramTrainer::new();
/// for _ in 0..20 {
///     trainer.add("The prices of oil rose, and the price of gas did not.");
/// }
/// let vocabulary = trainer.train(30)?;
/// let json = vocabulary.tokenizer_json();
/// let pieces = SubwordTokenizer::from_bytes(Vocabulary::TokenizerJson(json.as_bytes()), None)?;
/// assert_eq!(pieces.vocabulary(), 30);
/// # Ok::<(), albertine_text::TextError>(())
/// ```
#[derive(Debug, Default)]
pub struct UnigramTrainer {
    runs: Runs,
}

/// A trained vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub struct UnigramVocabulary {
    /// Every piece with its score, the special ones first.
    pieces: Vec<(String, f64)>,
}

impl UnigramTrainer {
    /// Without any text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a text of any length.
    pub fn add(&mut self, text: &str) {
        self.runs.add(text);
    }

    /// The vocabulary of so many pieces, the five special ones included.
    ///
    /// # Errors
    /// [`TextError::VocabularySize`] when there are more characters than that in the texts, or fewer pieces.
    pub fn train(self, size: usize) -> Result<UnigramVocabulary, TextError> {
        let pieces = train::train(self.runs, size)?;
        let specials = SPECIALS.map(|piece| (piece.to_owned(), 0.0));
        Ok(UnigramVocabulary { pieces: specials.into_iter().chain(pieces).collect() })
    }
}

impl UnigramVocabulary {
    /// Every piece with its score, the natural logarithm of its probability, in the order of their ids.
    #[must_use]
    pub fn pieces(&self) -> &[(String, f64)] {
        &self.pieces
    }

    /// The `tokenizer.json` with these pieces, which Hugging Face's `tokenizers` reads too.
    #[must_use]
    pub fn tokenizer_json(&self) -> String {
        tokenizer_json(&self.pieces)
    }

    /// The `tokenizer_config.json` beside it, for a model that reads so many pieces at most.
    #[must_use]
    pub fn tokenizer_config_json(model_max_length: usize) -> String {
        files::tokenizer_config_json(model_max_length)
    }
}

#[cfg(test)]
mod tests;
