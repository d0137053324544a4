//! Sentences: Spark NLP's rule-based `SentenceDetector`.
//!
//! A sentence ends behind a full stop, a semicolon, or a run of exclamation and question marks, unless a rule says that
//! this one ends nothing: a decimal point, an abbreviation, an initial, a quotation. A line feed ends no sentence.
//!
//! The rules are a cascade: each works on a copy of the text that carries the [marks](marked) of those before it, and
//! treats a mark as a character like any other. The order of the calls in [`SentenceDetector::detect`] therefore
//! matters as much as the rules do. Every rule is one walk over the text, whatever the text holds.

mod abbreviations;
mod bounds;
mod brackets;
mod cut;
mod lists;
mod marked;
mod points;
mod settings;
mod split;

use std::ops::Range;

pub use settings::{BoundsStrategy, SentenceDetectorSettings};

use crate::error::TextError;
use crate::offsets::{Utf16Cursor, utf16_len};
use crate::pattern::Pattern;
use marked::Marked;

/// One sentence of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Where the sentence lies in the document, in bytes.
    pub range: Range<usize>,
    /// Its first UTF-16 code unit, counted from the start of the document.
    pub begin: usize,
    /// Its last UTF-16 code unit, **inclusive**, counted from the start of the document.
    pub end: usize,
}

impl Sentence {
    /// What the sentence says; `document` is the text that it was found in.
    ///
    /// # Panics
    ///
    /// When `document` is another text, in which the sentence does not fit.
    #[must_use]
    pub fn text<'t>(&self, document: &'t str) -> &'t str {
        &document[self.range.clone()]
    }
}

/// Cuts documents into sentences.
///
/// ```
/// use albertine_text::SentenceDetector;
///
/// let text = "Dr. Who paid $3.50. Then he left!";
/// let mut sentences = Vec::new();
/// SentenceDetector::default().detect(text, &mut sentences)?;
/// let shown: Vec<_> = sentences.iter().map(|s| (s.text(text), s.begin, s.end)).collect();
/// assert_eq!(shown, [("Dr. Who paid $3.50.", 0, 18), ("Then he left!", 20, 32)]);
/// # Ok::<(), albertine_text::TextError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct SentenceDetector {
    settings: SentenceDetectorSettings,
    bounds: Vec<Pattern>,
}

impl SentenceDetector {
    /// A detector with these settings.
    ///
    /// # Errors
    ///
    /// [`TextError::Lengths`] when the largest length is below the smallest; [`TextError::Pattern`] when a custom
    /// bound is no pattern.
    ///
    /// ```
    /// use albertine_text::{BoundsStrategy, SentenceDetector, SentenceDetectorSettings};
    ///
    /// let detector = SentenceDetector::new(SentenceDetectorSettings {
    ///     custom_bounds: vec![r"\n\n".to_owned()],
    ///     custom_bounds_strategy: BoundsStrategy::None,
    ///     ..Default::default()
    /// })?;
    /// let (text, mut sentences) = ("One. Two\n\nThree", Vec::new());
    /// detector.detect(text, &mut sentences)?;
    /// assert_eq!(sentences.iter().map(|s| s.text(text)).collect::<Vec<_>>(), ["One.", "Two", "Three"]);
    /// # Ok::<(), albertine_text::TextError>(())
    /// ```
    pub fn new(settings: SentenceDetectorSettings) -> Result<Self, TextError> {
        TextError::check_lengths("sentence", settings.min_length, settings.max_length)?;
        let bounds = settings.custom_bounds.iter().map(|bound| Pattern::new(bound)).collect::<Result<_, _>>()?;
        Ok(Self { settings, bounds })
    }

    /// The settings it works with.
    #[must_use]
    pub fn settings(&self) -> &SentenceDetectorSettings {
        &self.settings
    }

    /// Appends the sentences of `text` to `sentences`, in order. Blank text has none.
    ///
    /// # Errors
    ///
    /// [`TextError::PatternGaveUp`] when a custom bound gives up on the text. Without custom bounds there is none.
    pub fn detect(&self, text: &str, sentences: &mut Vec<Sentence>) -> Result<(), TextError> {
        let mut cursor = Utf16Cursor::new(text);
        let mut keep = |range: Range<usize>| {
            let length = utf16_len(&text[range.clone()]);
            if length >= self.settings.min_length && self.settings.max_length.is_none_or(|max| length <= max) {
                let begin = cursor.at(range.start);
                sentences.push(Sentence { range, begin, end: begin + length - 1 });
            }
        };
        let mut split = |range: Range<usize>| match self.settings.split_length {
            Some(length) if utf16_len(&text[range.clone()]) > length => {
                split::at_spaces(&text[range.clone()], length, |part| {
                    keep(range.start + part.start..range.start + part.end);
                });
            }
            _ => keep(range),
        };
        if self.bounds.is_empty() {
            let mut marked = Marked::new(text);
            self.apply_rules(&mut marked);
            cut::sentences(text, &cut::breaks(&marked, true), &mut split);
            return Ok(());
        }
        let mut bounded = bounds::mark(text, &self.bounds, self.settings.custom_bounds_strategy)?;
        if !self.settings.use_custom_bounds_only {
            self.apply_rules(&mut bounded.marked);
        }
        let breaks = cut::breaks(&bounded.marked, !self.settings.use_custom_bounds_only);
        // What a bound took away is not in the text that was cut, so each sentence is looked for behind the one before.
        let mut from = 0;
        cut::sentences(&bounded.text, &breaks, |range| {
            let sentence = &bounded.text[range];
            if let Some(at) = text[from..].find(sentence) {
                split(from + at..from + at + sentence.len());
                from += at + sentence.len();
            }
        });
        Ok(())
    }

    /// All rules but the custom bounds.
    fn apply_rules(&self, marked: &mut Marked) {
        if self.settings.detect_lists {
            lists::mark(marked);
        }
        if marked.holds(b'.') {
            // Spark NLP has one cascade for texts with custom bounds and one for those without.
            if self.bounds.is_empty() {
                points::in_numbers(marked);
            }
            abbreviations::mark(marked, self.settings.use_abbreviations);
            if !self.bounds.is_empty() {
                points::in_numbers(marked);
            }
        }
        points::behind_exclamations(marked);
        if marked.holds(b'.') {
            points::in_words(marked);
            points::in_coordinates(marked);
            points::behind_ellipses(marked);
        }
        brackets::mark(marked);
    }
}

#[cfg(test)]
mod tests;
