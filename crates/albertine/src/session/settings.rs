//! How a session works: what it reads of a text, and with how much of the machine.

use albertine_model::{ModelConfig, Precision};

use crate::Error;

/// The most pieces of a text that are read when nothing else is asked for.
pub const DEFAULT_MAX_SENTENCE_LENGTH: usize = 512;

/// The most threads of a classifier; more than this is a slip of the finger.
pub const MAX_THREADS: usize = 1024;

/// How texts become pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// The whole text at once, as Hugging Face's tokenizer of the model does it: what the model was trained with.
    Document,
    /// Each token by itself, as Spark NLP does it.
    Token,
}

impl Encoding {
    /// The name that settings and files give it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Token => "token",
        }
    }
}

/// What becomes of a text that has more pieces than are read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LongTexts {
    /// What is too much is not read. [`Counts::truncated`](crate::Counts::truncated) counts such texts.
    #[default]
    Truncate,
    /// The text is read in windows as long as may be, each of which begins with the last `overlap` pieces of the one
    /// before it; its logits are the mean of theirs.
    Windows {
        /// Pieces that two windows share: fewer than half of those in one.
        overlap: usize,
    },
}

/// How a [`Classifier`](crate::Classifier) works; the default suits most.
#[derive(Debug, Clone)]
pub struct ClassifierSettings {
    /// The most pieces of a text, `[CLS]` and `[SEP]` counted; the rest of a longer text is not read. `None`: what a
    /// model that Spark NLP saved was saved with, or else 512, or less when the model has fewer positions.
    pub max_sentence_length: Option<usize>,
    /// `Some(false)` lower-cases the text, `Some(true)` keeps its case; `None` does what the model's tokenizer says.
    pub case_sensitive: Option<bool>,
    /// How texts become pieces; `None`: token by token for a model that Spark NLP saved, else the whole text at once.
    pub encoding: Option<Encoding>,
    /// What becomes of texts that are too long.
    pub long_texts: LongTexts,
    /// How exactly the encoder computes; less exact is faster. It is settled when the model is loaded.
    pub precision: Precision,
    /// About the most pieces that go through the encoder together on one thread. It changes the speed, never a score.
    pub batch_tokens: usize,
    /// Threads, at most [`MAX_THREADS`]; 0 means one for each core.
    pub threads: usize,
    /// Whether calls measure what each stage costs, for [`Counts::stages`](crate::Counts::stages).
    pub measure_stages: bool,
}

impl Default for ClassifierSettings {
    fn default() -> Self {
        Self {
            max_sentence_length: None,
            case_sensitive: None,
            encoding: None,
            long_texts: LongTexts::Truncate,
            precision: Precision::F32,
            batch_tokens: 256,
            threads: 0,
            measure_stages: false,
        }
    }
}

impl ClassifierSettings {
    /// The most pieces of a text that are read under these settings, `[CLS]` and `[SEP]` counted.
    ///
    /// `own` is what the model's files name, `specials` how many pieces are put around a text.
    ///
    /// # Errors
    /// When the model cannot read so many, or there is no room for windows.
    pub(super) fn limit(&self, config: &ModelConfig, own: Option<usize>, specials: usize) -> Result<usize, Error> {
        let positions = config.architecture().max_tokens();
        let least = specials.max(1);
        let usual = || own.unwrap_or(DEFAULT_MAX_SENTENCE_LENGTH).min(DEFAULT_MAX_SENTENCE_LENGTH).min(positions);
        let limit = self.max_sentence_length.unwrap_or_else(usual);
        if limit < least || limit > positions {
            return Err(Error::MaxSentenceLength { asked: limit, least, most: positions });
        }
        match self.long_texts {
            LongTexts::Windows { overlap } if overlap >= (limit - specials).div_ceil(2) => {
                Err(Error::WindowOverlap { asked: overlap, room: limit - specials })
            }
            _ => Ok(limit),
        }
    }
}
