//! What BERT's tokenizer knows of characters.
//!
//! Its categories are those of Unicode 8, from the tables that Hugging Face's `tokenizers` uses, so that a character
//! which was added later is what it is there: neither removed nor punctuation nor a mark.

use std::sync::OnceLock;

use unicode_categories::UnicodeCategories as _;
use unicode_normalization_alignments::char::{canonical_combining_class, decompose_canonical};

const REMOVED: u8 = 1;
const SPACE: u8 = 1 << 1;
const CHINESE: u8 = 1 << 2;
const MARK: u8 = 1 << 3;
const PUNCTUATION: u8 = 1 << 4;
const INERT: u8 = 1 << 5;
const CASED: u8 = 1 << 6;

/// The blocks of Chinese characters, first and last. One of them begins a little late, as in `tokenizers`.
const CHINESE_BLOCKS: [(u32, u32); 8] = [
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
];

/// Characters in a page, whose classes are looked up together when the first of them is met.
const PAGE: usize = 256;
static PAGES: [OnceLock<Box<[CharClass; PAGE]>>; (char::MAX as usize + 1) / PAGE] =
    [const { OnceLock::new() }; (char::MAX as usize + 1) / PAGE];

/// What is known of a character.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CharClass(u8);

impl CharClass {
    /// The class of a character.
    #[inline]
    pub(crate) fn of(c: char) -> Self {
        let number = c as usize;
        let page = number / PAGE;
        let first = (page * PAGE) as u32;
        let classes = PAGES[page].get_or_init(|| {
            let class = |at: usize| char::from_u32(first + at as u32).map_or(Self(0), Self::look_up);
            Box::new(std::array::from_fn(class))
        });
        classes[number % PAGE]
    }

    fn look_up(c: char) -> Self {
        let number = u32::from(c);
        // These three are control characters that separate words.
        let separates = matches!(c, '\t' | '\n' | '\r');
        let mut decomposed = false;
        decompose_canonical(c, |part| decomposed |= part != c);
        let facts = [
            (!separates && (c == '\0' || c == '\u{FFFD}' || c.is_other()), REMOVED),
            (c.is_whitespace(), SPACE),
            (CHINESE_BLOCKS.iter().any(|&(first, last)| (first..=last).contains(&number)), CHINESE),
            (c.is_mark_nonspacing(), MARK),
            (c.is_ascii_punctuation() || c.is_punctuation(), PUNCTUATION),
            (!decomposed && canonical_combining_class(c) == 0, INERT),
            (!c.to_lowercase().eq([c]), CASED),
        ];
        Self(facts.iter().filter(|(holds, _)| *holds).fold(0, |sum, (_, flag)| sum | flag))
    }

    fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// Whether cleaning removes it: a control character, one for formats or private use, NUL or a replacement
    /// character.
    pub(crate) fn is_removed(self) -> bool {
        self.has(REMOVED)
    }

    /// Whether it is white space.
    pub(crate) fn is_space(self) -> bool {
        self.has(SPACE)
    }

    /// Whether it is from one of the blocks of Chinese characters, which Japanese uses as well.
    pub(crate) fn is_chinese(self) -> bool {
        self.has(CHINESE)
    }

    /// Whether it is a nonspacing mark, such as an accent.
    pub(crate) fn is_mark(self) -> bool {
        self.has(MARK)
    }

    /// Whether it is a word of its own: punctuation, or any ASCII character that is neither letter nor digit.
    pub(crate) fn is_punctuation(self) -> bool {
        self.has(PUNCTUATION)
    }

    /// Whether canonical decomposition leaves it as it is and where it is.
    pub(crate) fn is_inert(self) -> bool {
        self.has(INERT)
    }

    /// Whether it has a lower case that differs from it.
    pub(crate) fn is_cased(self) -> bool {
        self.has(CASED)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use serde::Deserialize;

    use super::*;

    /// The characters that something is true of, as ranges of code points.
    #[derive(Deserialize)]
    struct Fact {
        is: String,
        ranges: Vec<(u32, u32)>,
    }

    /// What `tokenizers` does to every character that there is; `tools/golden_pieces/wordpiece.py` made the file.
    #[test]
    fn every_character_is_what_it_is_to_tokenizers() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/wordpiece/characters.jsonl");
        let file = std::fs::read_to_string(path).unwrap();
        let mut facts = 0;
        for Fact { is, ranges } in file.lines().map(|line| serde_json::from_str::<Fact>(line).unwrap()) {
            let holds: fn(CharClass) -> bool = match is.as_str() {
                "removed" => CharClass::is_removed,
                // What is both is removed.
                "space" => |class| class.is_space() && !class.is_removed(),
                "chinese" => CharClass::is_chinese,
                "mark" => CharClass::is_mark,
                "punctuation" => CharClass::is_punctuation,
                _ => CharClass::is_cased,
            };
            for c in '\0'..=char::MAX {
                let number = u32::from(c);
                let after = ranges.partition_point(|&(first, _)| first <= number);
                let expected = after > 0 && number <= ranges[after - 1].1;
                assert_eq!(holds(CharClass::of(c)), expected, "{is}: U+{number:04X}");
            }
            facts += 1;
        }
        assert_eq!(facts, 6);
    }
}
