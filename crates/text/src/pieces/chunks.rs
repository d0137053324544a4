//! Where a long text can be cut so that its parts give exactly the pieces of the whole.
//!
//! The engine needs some hundred bytes for each byte of a text while it works on it. A text of many megabytes is
//! therefore handed over in parts. A part ends before a single space that stands between two letters or digits on
//! each side, all ASCII. At such a place
//!
//! - no added piece is found across the cut, or takes the space along;
//! - Unicode normalisation and the character map see the same characters together, since ASCII letters and digits
//!   compose with nothing and each is a grapheme of its own;
//! - no run of spaces is parted;
//! - a word begins in any case, and words are cut into pieces one by one.
//!
//! [`Chunks::for_recipe`] checks that the vocabulary keeps to all that, and cuts nothing otherwise.

use super::charsmap;
use super::recipe::{AddedPiece, Normalizer, Pattern, Splitter};

/// Parts are at least this long, in bytes.
const PART_BYTES: usize = 16 << 10;

/// How long texts are cut into parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunks {
    /// The shortest part, in bytes; nothing when texts must stay whole.
    at_least: Option<usize>,
}

impl Chunks {
    /// Parts for vocabularies that allow them, whole texts for others.
    pub(super) fn for_recipe(normalizers: &[Normalizer], splitters: &[Splitter], added: &[AddedPiece]) -> Self {
        let words = splitters.iter().any(|step| matches!(step, Splitter::Metaspace { split: true, .. }));
        let allowed = words && normalizers.iter().all(keeps_words) && added.iter().all(stays_in_word);
        Self { at_least: allowed.then_some(PART_BYTES) }
    }

    #[cfg(test)]
    pub(super) fn of(at_least: Option<usize>) -> Self {
        Self { at_least }
    }

    #[cfg(test)]
    pub(super) fn allowed(self) -> bool {
        self.at_least.is_some()
    }

    /// The parts of `text`, in order; at least one.
    pub(super) fn of_text(self, text: &str) -> impl Iterator<Item = &str> {
        let mut rest = Some(text);
        std::iter::from_fn(move || {
            let text = rest?;
            let cut = self.at_least.and_then(|from| cut(text.as_bytes(), from));
            let (part, left) = match cut {
                Some(at) => (&text[..at], Some(&text[at..])),
                None => (text, None),
            };
            rest = left;
            Some(part)
        })
    }
}

/// The first place at or after `from` where a text may be cut.
fn cut(text: &[u8], from: usize) -> Option<usize> {
    let first = from.checked_sub(2)?;
    let windows = text.get(first..)?.windows(5);
    let found = windows
        .into_iter()
        .position(|window| window[2] == b' ' && [0, 1, 3, 4].iter().all(|&at| window[at].is_ascii_alphanumeric()))?;
    Some(first + found + 2)
}

/// Whether a step leaves ASCII letters, digits and single spaces alone, except for case, wherever they stand.
fn keeps_words(step: &Normalizer) -> bool {
    let apart = |text: &str| !text.bytes().any(|byte| byte == b' ' || byte.is_ascii_alphanumeric());
    match step {
        Normalizer::Replace { pattern: Pattern::Text(pattern), content } => {
            !pattern.is_empty() && pattern.is_ascii() && apart(pattern) && apart(content)
        }
        Normalizer::Replace { pattern: Pattern::Regex(pattern), content } => pattern == " {2,}" && content == " ",
        Normalizer::Charsmap(map) => (0..=127)
            .filter(|byte| *byte == b' ' || byte.is_ascii_alphanumeric())
            .all(|byte| charsmap::leaves_alone(map, byte)),
        Normalizer::Nfc
        | Normalizer::Nfd
        | Normalizer::Nfkc
        | Normalizer::Nfkd
        | Normalizer::StripAccents
        | Normalizer::Lowercase => true,
        // These look at the ends of the text, which a part has elsewhere, or at more than words.
        Normalizer::Nmt | Normalizer::Strip { .. } | Normalizer::Prepend(_) => false,
    }
}

/// Whether an added piece can neither lie across a cut nor take a space at one along.
fn stays_in_word(piece: &AddedPiece) -> bool {
    let text = piece.content.as_bytes();
    let touches = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let crosses = piece.content.contains(char::is_whitespace) || piece.normalized && !piece.content.is_ascii();
    let takes = piece.lstrip && touches(text.first()) || piece.rstrip && touches(text.last());
    !crosses && !takes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, at_least: usize) -> Vec<&str> {
        Chunks::of(Some(at_least)).of_text(text).collect()
    }

    #[test]
    fn cuts_before_single_spaces_between_words() {
        assert_eq!(parts("ab cd ef", 2), ["ab", " cd", " ef"]);
        assert_eq!(parts("ab cd ef", 3), ["ab cd", " ef"]);
        assert_eq!(parts("", 2), [""]);
        assert_eq!(parts("ab", 2), ["ab"]);
    }

    #[test]
    fn leaves_every_other_space_alone() {
        for text in ["ab  cd", "ab, cd", "ab cé", "a b c", "é ab", "ab\u{a0}cd", "ab\tcd", "ab (cd"] {
            assert_eq!(parts(text, 2), [text]);
        }
    }

    #[test]
    fn a_vocabulary_must_allow_it() {
        let metaspace =
            Splitter::Metaspace { replacement: '▁', prepend: super::super::recipe::Prepend::Always, split: true };
        let cls = AddedPiece::special("[CLS]");
        let word = AddedPiece { lstrip: true, ..AddedPiece::special("word") };
        let allowed = |normalizers: &[Normalizer], added: &AddedPiece| {
            Chunks::for_recipe(normalizers, &[metaspace], std::slice::from_ref(added)).allowed()
        };
        let regex =
            |pattern: &str| Normalizer::Replace { pattern: Pattern::Regex(pattern.into()), content: " ".into() };
        assert!(allowed(&[Normalizer::Nfkd, regex(" {2,}")], &cls));
        assert!(allowed(&[], &AddedPiece { lstrip: true, ..cls.clone() }));
        assert!(!allowed(&[regex("[a-z] ")], &cls));
        assert!(!allowed(&[Normalizer::Prepend("x".into())], &cls));
        assert!(!allowed(&[], &word));
        assert!(!allowed(&[], &AddedPiece::special("two words")));
        assert!(!Chunks::for_recipe(&[], &[Splitter::Whitespace], &[cls]).allowed());
    }
}
