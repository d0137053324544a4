//! Java regular expressions, as users of Spark NLP write them.

mod class;
mod property;
mod translate;

use std::ops::Range;

pub(crate) use property::{letters_and_digits, non_spacing_marks};

use fancy_regex::{Regex, RegexBuilder};

use crate::error::TextError;

/// The longest pattern, in bytes.
const LONGEST: usize = 1 << 16;
/// How often a match may go back to try another way before it gives up.
const BACKTRACKS: usize = 1_000_000;

/// A regular expression in Java's syntax, with Java's meaning.
///
/// It is translated for an engine that matches in linear time what can be matched so. Only patterns with look-around,
/// back references, atomic groups or possessive quantifiers go back and try again, and those give up on a text after a
/// million tries, so that no pattern and no text can take for ever.
///
/// Java's meaning is that of versions 8 to 18, on which Spark runs: `\s`, `\w` and `\d` are ASCII, `\b` knows the
/// letters of all scripts, `.` matches no line terminator. What cannot be had is refused by name: `\X`, `\N{…}`,
/// references to groups that are not complete before them or that ignore case, half characters, `\p{javaMirrored}` and
/// most Unicode blocks. Two things differ: nothing is found in the middle of a character beyond the basic plane, and a
/// repeated group whose last turn matches nothing keeps what the turn before matched.
///
/// ```
/// use albertine_text::Pattern;
///
/// let pattern = Pattern::new(r"\p{Upper}\w++(?=,)")?;
/// assert_eq!(pattern.find_all("Oil, Gas and Coal,")?, [0..3, 13..17]);
/// # Ok::<(), albertine_text::TextError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
    groups: usize,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    ///
    /// [`TextError::Pattern`] when Java would refuse it, or when it asks for what cannot be had.
    pub fn new(pattern: &str) -> Result<Self, TextError> {
        let refuse = |reason: String| TextError::Pattern { pattern: pattern.chars().take(200).collect(), reason };
        if pattern.len() > LONGEST {
            return Err(refuse(format!("it has {} bytes, and {LONGEST} are allowed", pattern.len())));
        }
        let (translated, groups) = translate::translate(pattern).map_err(refuse)?;
        let mut builder = RegexBuilder::new(&translated);
        builder.backtrack_limit(BACKTRACKS);
        let regex = builder.build().map_err(|error| refuse(error.to_string()))?;
        Ok(Self { source: pattern.to_owned(), regex, groups })
    }

    /// The pattern as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// How many groups it captures, the whole match not counted.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Every match from left to right, in bytes, as Java's `find` gives them one after the other: an empty match may
    /// touch the match before it.
    ///
    /// # Errors
    ///
    /// [`TextError::PatternGaveUp`] when the text takes too many tries.
    pub fn find_all(&self, text: &str) -> Result<Vec<Range<usize>>, TextError> {
        let mut found = Vec::new();
        let mut from = 0;
        while from <= text.len() {
            let Some(range) = self.find_at(text, from)? else { break };
            // Behind an empty match the search goes on one character further.
            let step = if range.is_empty() { text[range.end..].chars().next().map_or(1, char::len_utf8) } else { 0 };
            from = range.end + step;
            found.push(range);
        }
        Ok(found)
    }

    /// The groups of the first match, in bytes; a group that took no part has none.
    ///
    /// # Errors
    ///
    /// [`TextError::PatternGaveUp`] when the text takes too many tries.
    pub fn captures(&self, text: &str) -> Result<Option<Vec<Option<Range<usize>>>>, TextError> {
        let captures = self.regex.captures(text).map_err(|error| self.gave_up(text, &error))?;
        Ok(captures.map(|captures| (1..=self.groups).map(|group| captures.get(group).map(|m| m.range())).collect()))
    }

    /// What lies between the matches, as Java's `split` gives it: empty parts at the end are left out, and so is the
    /// empty part before an empty match at the start.
    ///
    /// # Errors
    ///
    /// [`TextError::PatternGaveUp`] when the text takes too many tries.
    pub fn split(&self, text: &str) -> Result<Vec<Range<usize>>, TextError> {
        let (mut parts, mut from) = (Vec::new(), 0);
        for range in self.find_all(text)? {
            if range.end > 0 {
                parts.push(from..range.start);
                from = range.end;
            }
        }
        if parts.is_empty() {
            return Ok(vec![0..text.len()]);
        }
        parts.push(from..text.len());
        while parts.last().is_some_and(Range::is_empty) {
            parts.pop();
        }
        Ok(parts)
    }

    fn find_at(&self, text: &str, from: usize) -> Result<Option<Range<usize>>, TextError> {
        let found = self.regex.find_from_pos(text, from).map_err(|error| self.gave_up(text, &error))?;
        Ok(found.map(|found| found.range()))
    }

    fn gave_up(&self, text: &str, error: &fancy_regex::Error) -> TextError {
        TextError::PatternGaveUp { pattern: self.source.clone(), length: text.len(), reason: error.to_string() }
    }
}
