//! Java regular expressions, as users of Spark NLP write them.

mod char_set;
mod class;
mod property;
mod reader;
mod translate;

use std::ops::Range;

pub(crate) use property::{letters_and_digits, non_spacing_marks};

use fancy_regex::{Regex, RegexBuilder};

use crate::error::TextError;

/// The longest pattern, in bytes.
const LONGEST: usize = 1 << 16;
/// How often one search may go back to try another way before it gives up; every character passed over counts too.
const BACKTRACKS: usize = 10_000_000;
/// The most memory that one part of a pattern compiles to, in bytes. The engine has no limit of its own on what is
/// looked for behind.
const LARGEST_PART: usize = 10 << 20;

/// A regular expression in Java's syntax, with Java's meaning.
///
/// It is translated for an engine that matches in linear time what can be matched so. Only patterns with look-around,
/// back references, atomic groups or possessive quantifiers go back and try again, and those give up after ten million
/// tries for one match (less than a second). All matches of such a pattern in a text can still take time that grows with
/// the square of its length.
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
        builder.backtrack_limit(BACKTRACKS).delegate_size_limit(LARGEST_PART);
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
            return Ok(std::iter::once(0..text.len()).collect());
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn refusal(pattern: &str) -> String {
        Pattern::new(pattern).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_had_is_named() {
        for (pattern, named) in [
            (r"a\X", r"\X is not supported"),
            (r"\p{javaMirrored}", r"\p{javaMirrored} is not supported"),
            (r"\p{InKhmerSymbols}", r"\p{InKhmerSymbols} is not supported"),
            (r"(a(b)\1)", r"\1 refers to a group that is not complete before it"),
            (r"(?i)(a)\1", r"\1 with the flag i is not supported"),
            (r"\uD83Dx", "D83D is no character"),
            ("(a", "a group is not closed"),
            ("a)", "there is a ')' without its opening at character 1"),
            ("[a", "a class is not closed"),
            ("a{3,2}", "the repetition at character 1 is none"),
            ("a{99999}", "a repetition of more than 10000 is not supported"),
        ] {
            assert_eq!(refusal(pattern), format!("the pattern {pattern:?} cannot be used: {named}"));
        }
    }

    #[test]
    fn what_would_take_too_much_is_refused() {
        assert!(refusal(&"a".repeat(LONGEST + 1)).contains("are allowed"));
        assert!(refusal(&r"\b".repeat(1000)).contains("too many large sets"));
        assert!(refusal(&r"\p{L}|".repeat(10_000)).contains("too many large sets"));
        assert!(refusal(&"(".repeat(500)).contains("nested more than"));
        assert!(refusal(&"[".repeat(500)).contains("nested more than"));
        for pattern in [
            "((a{1000}){1000}){1000}",
            r"\p{L}{10000}",
            r"(?<=\p{L}{1,10000})a",
            r"(?<=(?:a{1,1000}){1,1000})b",
            &r"(?=\w{10000})".repeat(100),
        ] {
            assert!(refusal(pattern).contains("repeats what it names too often"), "{pattern}");
        }
        assert!(Pattern::new(r"\w{1,10000}").is_ok() && Pattern::new(r"(?<=\w{1,100})\p{L}{1,100}").is_ok());
    }

    #[test]
    fn a_pattern_gives_up_in_the_end() {
        let error = Pattern::new("(x+x+)+y(?!z)").unwrap().find_all(&"x".repeat(1000)).unwrap_err();
        assert!(error.to_string().contains("was abandoned on a text of 1000 bytes"), "{error}");
        // Where nothing needs to be tried again there is nothing to give up.
        assert!(Pattern::new("(x+x+)+y").unwrap().find_all(&"x".repeat(1000)).unwrap().is_empty());
    }

    #[test]
    fn sets_are_those_of_their_names() {
        for (pattern, holds, lacks) in [
            (r"\w", "aZ_0", "é-\u{301}"),
            (r"(?U)\w", "aé\u{301}٣_", "- "),
            (r"(?U)\d", "5٣", "a"),
            (r"(?U)\s", " \u{2003}\u{85}", "\u{200b}"),
            (r"(?U)\p{Alpha}", "aéа", "5"),
            (r"(?U)\p{Graph}", "aé-", " \u{1}"),
            (r"(?U)\p{Print}", "aé \u{2003}", "\u{1}"),
            (r"(?U)\p{XDigit}", "aF9Ｆ", "g"),
            (r"\p{Punct}", "!/:@[`{~$+", "a “"),
            (r"\p{javaWhitespace}", " \t\u{1c}\u{2003}", "\u{a0}\u{202f}"),
            (r"\p{IsHex_Digit}", "aF9", "g"),
            (r"\p{LC}", "aAǅ", "ªʰ漢"),
            (r"\p{L1}", "aÿ", "Ā"),
            (r"\h", " \u{a0}\u{3000}", "\n"),
            (r"\v", "\n\u{b}\u{85}\u{2028}", " "),
        ] {
            let pattern = Pattern::new(pattern).unwrap();
            for (chars, found) in [(holds, 1), (lacks, 0)] {
                for c in chars.chars() {
                    assert_eq!(pattern.find_all(&c.to_string()).unwrap().len(), found, "{} {c:?}", pattern.as_str());
                }
            }
        }
    }

    proptest! {
        /// Whatever is written, it is a pattern or an error; and what is found lies in the text, in order.
        #[test]
        fn any_pattern_any_text(
            pattern in r"([ab\\(\[\]){}?*+|.^$&\-<>=!:0-9xuQEdwsbBpPLkGRAzZ\n]|\\[dwsbp]|\(\?){0,12}",
            text in "[ab0é😀 \\n]{0,12}",
        ) {
            if let Ok(pattern) = Pattern::new(&pattern)
                && let Ok(found) = pattern.find_all(&text)
            {
                for pair in found.windows(2) {
                    prop_assert!(pair[0].end <= pair[1].start);
                }
                prop_assert!(found.iter().all(|range| text.get(range.clone()).is_some()));
                if let Ok(parts) = pattern.split(&text) {
                    prop_assert!(parts.iter().all(|range| text.get(range.clone()).is_some()));
                }
                if let Ok(Some(groups)) = pattern.captures(&text) {
                    prop_assert_eq!(groups.len(), pattern.groups());
                }
            }
        }

        /// A text that is quoted is found where it stands.
        #[test]
        fn quoted_texts_stand_for_themselves(text in "[^\\\\]{1,12}") {
            let pattern = Pattern::new(&format!(r"\Q{text}\E")).unwrap();
            let whole = 0..text.len();
            prop_assert_eq!(pattern.find_all(&text).unwrap(), [whole]);
        }
    }
}
