//! Words and punctuation: Spark NLP's `Tokenizer`.
//!
//! By default a text is broken at the six ASCII space characters, and at nothing else: no-break spaces and other
//! Unicode spaces stay inside a token. From each run between breaks the *context characters* (punctuation) at both ends
//! are split off, each side as one token; punctuation inside a word stays. A run of nothing but context characters is
//! one token. Every step of this can be set otherwise by [patterns](patterns).
//!
//! Two characters that Spark NLP marks breaks with, U+2187 and U+2188, are taken for its marks when they are in a text:
//! U+2187 breaks it everywhere, and where there are exceptions U+2188 keeps whole what it is in.

mod patterns;
mod settings;

use std::ops::Range;

pub use settings::{ContextChars, TokenizerSettings, read_exceptions};

use crate::error::TextError;
use crate::offsets::{Utf16Cursor, utf16_len};
use patterns::Patterns;

/// What Spark NLP puts in the place of a break, to cut the text there: it breaks a text that holds it, whatever the
/// target is.
const BREAK: char = '\u{2187}';
/// What Spark NLP puts in the place of a break inside an exception. It is no break, whatever the target is, and keeps
/// whole what holds it, if there are exceptions.
const PROTECTED: char = '\u{2188}';

/// One token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Where the token lies in the text that was cut, in bytes.
    pub range: Range<usize>,
    /// Its first UTF-16 code unit, counted from the start of the document.
    pub begin: usize,
    /// Its last UTF-16 code unit, **inclusive**, counted from the start of the document.
    pub end: usize,
}

/// Cuts texts into tokens.
///
/// ```
/// use albertine_text::Tokenizer;
///
/// let text = "Hello, world!";
/// let mut tokens = Vec::new();
/// Tokenizer::default().tokenize(text, 0, &mut tokens)?;
/// let words: Vec<_> = tokens.iter().map(|t| (&text[t.range.clone()], t.begin, t.end)).collect();
/// assert_eq!(words, [("Hello", 0, 4), (",", 5, 5), ("world", 7, 11), ("!", 12, 12)]);
/// # Ok::<(), albertine_text::TextError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tokenizer {
    settings: TokenizerSettings,
    patterns: Option<Patterns>,
}

impl Tokenizer {
    /// A tokenizer with these settings.
    ///
    /// # Errors
    ///
    /// [`TextError::Lengths`] when the largest length is below the smallest, [`TextError::Parameter`] when a setting
    /// cannot have its value, and [`TextError::Pattern`] when a pattern is none.
    ///
    /// ```
    /// use albertine_text::{Tokenizer, TokenizerSettings};
    ///
    /// let settings = TokenizerSettings { exceptions: vec!["New York".to_owned()], ..Default::default() };
    /// let (text, mut tokens) = ("To New York, now", Vec::new());
    /// Tokenizer::new(settings)?.tokenize(text, 0, &mut tokens)?;
    /// assert_eq!(tokens.iter().map(|t| &text[t.range.clone()]).collect::<Vec<_>>(), ["To", "New York,", "now"]);
    /// # Ok::<(), albertine_text::TextError>(())
    /// ```
    pub fn new(settings: TokenizerSettings) -> Result<Self, TextError> {
        settings.check()?;
        let patterns = Patterns::new(&settings)?;
        Ok(Self { settings, patterns })
    }

    /// The settings it works with.
    #[must_use]
    pub fn settings(&self) -> &TokenizerSettings {
        &self.settings
    }

    /// Appends the tokens of `text` to `tokens`, in order.
    ///
    /// `text` is a document or one sentence of it; `begin` is where it starts in its document, in UTF-16 code units.
    ///
    /// # Errors
    ///
    /// [`TextError::PatternGaveUp`] when a pattern of the settings gives up on the text. Without patterns there is none.
    pub fn tokenize(&self, text: &str, begin: usize, tokens: &mut Vec<Token>) -> Result<(), TextError> {
        let mut cursor = Utf16Cursor::new(text);
        let Some(patterns) = &self.patterns else {
            for run in runs(text) {
                for range in self.split(text, run).into_iter().filter(|range| !range.is_empty()) {
                    let first = begin + cursor.at(range.start);
                    self.keep(text, range, first, tokens);
                }
            }
            return Ok(());
        };
        for candidate in patterns.candidates(text)? {
            let first = begin + cursor.at(candidate.range.start);
            let candidate_text = &text[candidate.range.clone()];
            let groups = match candidate.whole {
                true => None,
                false if patterns.has_rules() => patterns.groups(candidate_text)?,
                false => self.groups(candidate_text),
            };
            let Some(groups) = groups else {
                self.keep(text, candidate.range, first, tokens);
                continue;
            };
            for group in groups {
                let first = first + utf16_len(&candidate_text[..group.start]);
                let mut cursor = Utf16Cursor::new(&candidate_text[group.clone()]);
                let start = candidate.range.start + group.start;
                for part in patterns.split(&candidate_text[group])? {
                    let first = first + cursor.at(part.start);
                    self.keep(text, start + part.start..start + part.end, first, tokens);
                }
            }
        }
        Ok(())
    }

    /// Appends a token, unless it is empty or of a length that is not kept.
    #[inline]
    fn keep(&self, text: &str, range: Range<usize>, begin: usize, tokens: &mut Vec<Token>) {
        if range.is_empty() {
            return;
        }
        let length = utf16_len(&text[range.clone()]);
        if length >= self.settings.min_length && self.settings.max_length.is_none_or(|max| length <= max) {
            tokens.push(Token { range, begin, end: begin + length - 1 });
        }
    }

    /// What the default rule makes of a candidate; nothing where it is all context characters.
    fn groups(&self, candidate: &str) -> Option<Vec<Range<usize>>> {
        let [prefix, word, suffix] = self.split(candidate, 0..candidate.len());
        (!word.is_empty()).then(|| vec![prefix, word, suffix])
    }

    /// The leading punctuation, the word and the trailing punctuation of a run; any of them may be empty.
    fn split(&self, text: &str, run: Range<usize>) -> [Range<usize>; 3] {
        let context = |c| self.settings.context_chars.contains(c);
        let word = text[run.clone()].trim_start_matches(context);
        let start = run.end - word.len();
        let end = start + word.trim_end_matches(context).len();
        if start == end {
            // Nothing but context characters: no rule applies and the run stays whole.
            return [run.clone(), run.end..run.end, run.end..run.end];
        }
        [run.start..start, start..end, end..run.end]
    }
}

/// Whether a text holds nothing but the six ASCII space characters: it has no sentence, and no token unless a target
/// pattern asks for spaces.
///
/// ```
/// assert!(albertine_text::is_blank(" \t\n"));
/// assert!(!albertine_text::is_blank("\u{a0}")); // a no-break space is a character like any other
/// ```
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t'..=b'\r'))
}

/// The maximal runs of characters that are not space, tab, line feed, vertical tab, form feed, carriage return or the
/// break mark.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find(|c| !is_break(c))?;
        let length = text[start..].find(is_break).unwrap_or(text.len() - start);
        from = start + length;
        Some(start..from)
    })
}

fn is_break(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r' | BREAK)
}

#[cfg(test)]
mod tests;
