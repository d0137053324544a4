//! BERT's normalisation: clean text, Chinese characters set apart, accents and case taken away.
//!
//! Source: `google-research/bert`, `tokenization.py`, `BasicTokenizer`; behaviour: `BertNormalizer` of Hugging Face's
//! `tokenizers`, which knows more kinds of character.

use unicode_normalization_alignments::UnicodeNormalization as _;
use unicode_normalization_alignments::char::{canonical_combining_class, decompose_canonical};

use crate::subword::characters::CharClass;

/// The settings, under the names of `tokenizer.json`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BertNormalizer {
    /// Whether control characters go and all white space becomes spaces.
    pub(crate) clean_text: bool,
    /// Whether there are spaces around Chinese characters.
    pub(crate) handle_chinese_chars: bool,
    /// Whether accents go; where nothing is said they go with the case.
    pub(crate) strip_accents: Option<bool>,
    pub(crate) lowercase: bool,
}

impl BertNormalizer {
    /// Whether accents go.
    pub(crate) fn strips_accents(&self) -> bool {
        self.strip_accents.unwrap_or(self.lowercase)
    }

    /// What cleaning makes of a character, if anything.
    #[inline]
    pub(crate) fn clean(&self, c: char) -> Option<char> {
        if !self.clean_text {
            return Some(c);
        }
        let class = CharClass::of(c);
        if class.is_removed() {
            return None;
        }
        Some(if class.is_space() { ' ' } else { c })
    }

    /// Whether a character that has been cleaned gets spaces around it.
    pub(crate) fn sets_apart(&self, c: char) -> bool {
        self.handle_chinese_chars && CharClass::of(c).is_chinese()
    }

    /// Appends what the beginning of `text` becomes to `out` and says how long that beginning is: all of it if this is
    /// the `last` part.
    pub(crate) fn apply(&self, text: &str, last: bool, out: &mut String) -> usize {
        // Marks are put in order among themselves, and over what is removed, so a text can be cut only before a
        // character that is neither.
        let begins = |&(_, c): &(usize, char)| self.clean(c).is_some() && class_of_first(c) == 0;
        let settled = match last || !self.strips_accents() {
            true => text.len(),
            false => text.char_indices().rfind(begins).map_or(0, |(at, _)| at),
        };
        let mut rest = &text[..settled];
        while !rest.is_empty() {
            let ascii = rest.bytes().take_while(|&byte| self.ascii(byte).is_some()).count();
            out.extend(rest[..ascii].bytes().filter_map(|byte| self.ascii(byte)));
            rest = &rest[ascii..];
            let others = rest.bytes().take_while(|&byte| self.ascii(byte).is_none()).count();
            self.apply_to_others(&rest[..others], out);
            rest = &rest[others..];
        }
        settled
    }

    /// What an ASCII character becomes, unless it is one of those that go. Nothing for the bytes of other characters.
    #[inline]
    fn ascii(&self, byte: u8) -> Option<char> {
        if !byte.is_ascii() {
            return None;
        }
        let c = if self.lowercase { byte.to_ascii_lowercase() } else { byte };
        // Most characters are none of those that are cleaned.
        if (b' '..0x7F).contains(&c) { Some(char::from(c)) } else { self.clean(char::from(c)) }
    }

    /// The same for characters that are not ASCII or go.
    fn apply_to_others(&self, text: &str, out: &mut String) {
        let strips = self.strips_accents();
        let mut put = |c: char| {
            let class = CharClass::of(c);
            if strips && class.is_mark() {
                return;
            }
            if self.lowercase && class.is_cased() { out.extend(c.to_lowercase()) } else { out.push(c) }
        };
        let cleaned = text.chars().filter_map(|c| self.clean(c)).flat_map(|c| match self.sets_apart(c) {
            true => [Some(' '), Some(c), Some(' ')],
            false => [Some(c), None, None],
        });
        let cleaned = cleaned.flatten();
        if strips && !text.chars().all(|c| CharClass::of(c).is_inert()) {
            cleaned.nfd().for_each(|(c, _)| put(c));
        } else {
            cleaned.for_each(put);
        }
    }
}

/// The combining class of the first character that `c` is taken apart into.
fn class_of_first(c: char) -> u8 {
    if c.is_ascii() {
        return 0;
    }
    let mut first = None;
    decompose_canonical(c, |part| {
        first.get_or_insert(part);
    });
    canonical_combining_class(first.unwrap_or(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(bert: BertNormalizer, text: &str) -> String {
        let mut out = String::new();
        assert_eq!(bert.apply(text, true, &mut out), text.len());
        out
    }

    const UNCASED: BertNormalizer =
        BertNormalizer { clean_text: true, handle_chinese_chars: true, strip_accents: None, lowercase: true };

    #[test]
    fn every_setting_counts() {
        let text = "A\u{0}\tÉ新\u{AD}İΣ\u{FFFD}x\u{7F}";
        assert_eq!(normalized(UNCASED, text), "a e 新 iσx");
        let cased = BertNormalizer { lowercase: false, ..UNCASED };
        assert_eq!(normalized(cased, text), "A É 新 İΣx");
        assert_eq!(normalized(BertNormalizer { strip_accents: Some(true), ..cased }, text), "A E 新 IΣx");
        let accents = BertNormalizer { strip_accents: Some(false), ..UNCASED };
        assert_eq!(normalized(accents, text), "a é 新 i\u{307}σx");
        let together = BertNormalizer { handle_chinese_chars: false, ..UNCASED };
        assert_eq!(normalized(together, text), "a e新iσx");
        let unclean = BertNormalizer { clean_text: false, ..UNCASED };
        assert_eq!(normalized(unclean, text), "a\u{0}\te 新 \u{AD}iσ\u{FFFD}x\u{7F}");
    }

    #[test]
    fn marks_are_put_in_order_over_what_is_removed() {
        // Of these two only the second is a nonspacing mark, and a control character is between two that are none.
        assert_eq!(normalized(UNCASED, "e\u{302E}\u{301}"), "e\u{302E}");
        assert_eq!(normalized(UNCASED, "a\u{302E}\u{1}\u{1D165}"), "a\u{1D165}\u{302E}");
    }
}
