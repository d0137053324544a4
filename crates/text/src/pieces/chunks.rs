//! Where a long text can be cut so that its parts give exactly the pieces of the whole.
//!
//! The engine needs some hundred bytes for each byte of a text while it works on it. A text of many megabytes is
//! therefore handed over in parts. A part ends before a single space that stands between two plain characters on
//! each side. Plain are the printable ASCII characters that no step of normalisation changes, other than in case, and
//! that no replacement looks for. At such a place
//!
//! - no added token is found across the cut, or takes the space along into the part before it;
//! - Unicode normalisation and the character map see the same characters together, since two plain characters in a row
//!   compose with nothing and the one next to the space is a grapheme of its own;
//! - no run of spaces is parted;
//! - a word begins in any case, and words are cut into pieces one by one.
//!
//! [`Chunks::for_recipe`] checks that the vocabulary keeps to all that, and cuts nothing otherwise. Within a word
//! nothing is cut: the best way through a word depends on all of it. A text without such spaces (one endless word, Han,
//! text in other scripts) is therefore a single part, and takes the engine's memory for the whole of it, unless
//! [`super::prefixes`] finds its beginning.

use super::charsmap;
use super::recipe::{AddedToken, Normalizer, Pattern, PreTokenizer};

/// Parts are at least this long, in bytes.
const PART_BYTES: usize = 4 << 10;

/// How long texts are cut into parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunks {
    /// The shortest part, in bytes.
    at_least: usize,
    /// The plain characters; none when texts must stay whole.
    plain: Ascii,
}

impl Chunks {
    /// Parts for vocabularies that allow them, whole texts for others.
    pub(super) fn for_recipe(
        normalizers: &[Normalizer],
        pre_tokenizers: &[PreTokenizer],
        added: &[AddedToken],
    ) -> Self {
        let words = pre_tokenizers.iter().any(|step| matches!(step, PreTokenizer::Metaspace { split: true, .. }));
        let plain = if words { plain(normalizers, added) } else { None };
        Self { at_least: PART_BYTES, plain: plain.unwrap_or(Ascii::NONE) }
    }

    #[cfg(test)]
    pub(super) fn at_least(self, at_least: usize) -> Self {
        Self { at_least, ..self }
    }

    /// The plain characters; none when texts must stay whole.
    pub(super) fn plain(self) -> Ascii {
        self.plain
    }

    /// The parts of `text`, in order; at least one.
    pub(super) fn of_text(self, text: &str) -> impl Iterator<Item = &str> {
        let mut rest = Some(text);
        std::iter::from_fn(move || {
            let text = rest?;
            let (part, left) = match self.cut(text.as_bytes()) {
                Some(at) => (&text[..at], Some(&text[at..])),
                None => (text, None),
            };
            rest = left;
            Some(part)
        })
    }

    /// The first place behind the shortest part where a text may be cut.
    fn cut(&self, text: &[u8]) -> Option<usize> {
        let first = self.at_least.checked_sub(2)?;
        let mut windows = text.get(first..)?.windows(5);
        let found = windows
            .position(|window| window[2] == b' ' && [0, 1, 3, 4].iter().all(|&at| self.plain.has(window[at])))?;
        Some(first + found + 2)
    }
}

/// A set of ASCII characters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ascii(u128);

impl Ascii {
    const NONE: Self = Self(0);

    /// All that can be seen: everything but control characters and the space.
    pub(super) fn graphic() -> Self {
        (0..128).filter(u8::is_ascii_graphic).fold(Self::NONE, |set, byte| Self(set.0 | 1 << byte))
    }

    pub(super) fn has(self, byte: u8) -> bool {
        byte < 128 && self.0 >> byte & 1 == 1
    }

    fn has_all(self, text: &str) -> bool {
        text.bytes().all(|byte| self.has(byte))
    }

    /// Takes an ASCII character out, as a large and as a small letter.
    pub(super) fn remove(&mut self, byte: u8) {
        for byte in [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()] {
            if byte < 128 {
                self.0 &= !(1 << byte);
            }
        }
    }
}

/// The characters that keep to themselves, if the steps and the added tokens leave spaces between them alone.
fn plain(normalizers: &[Normalizer], added: &[AddedToken]) -> Option<Ascii> {
    let mut plain = Ascii::graphic();
    let mut maps = 0;
    for step in normalizers {
        match step {
            // Neither side has a space, nor a character that joins its neighbours.
            Normalizer::Replace { pattern: Pattern::Text(pattern), content } => {
                if !Ascii::graphic().has_all(pattern) || !Ascii::graphic().has_all(content) {
                    return None;
                }
                pattern.bytes().for_each(|byte| plain.remove(byte));
            }
            Normalizer::Replace { pattern: Pattern::Spaces, content } if content == " " => {}
            Normalizer::Charsmap(map) => {
                maps += 1;
                // A second map would see what the first made of the characters around.
                if maps > 1 || charsmap::of_ascii(map, b' ').is_some() {
                    return None;
                }
                (0..128).filter(|&byte| charsmap::of_ascii(map, byte).is_some()).for_each(|byte| plain.remove(byte));
            }
            Normalizer::Nfc
            | Normalizer::Nfd
            | Normalizer::Nfkc
            | Normalizer::Nfkd
            | Normalizer::StripAccents
            | Normalizer::Lowercase => {}
            // These look at the ends of the text, which a part has elsewhere, or at more than words.
            Normalizer::Replace { .. } | Normalizer::Nmt | Normalizer::Strip { .. } | Normalizer::Prepend(_) => {
                return None;
            }
        }
    }
    for token in added {
        let content = &token.content;
        if content.contains(char::is_whitespace) || token.normalized && !plain.has_all(content) {
            return None;
        }
    }
    // A token before the space would take it along; one behind it does so in the part behind the cut as well.
    for token in added.iter().filter(|token| token.rstrip) {
        token.content.bytes().last().into_iter().for_each(|byte| plain.remove(byte));
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::recipe::Prepend;

    const METASPACE: PreTokenizer =
        PreTokenizer::Metaspace { replacement: '▁', prepend: Prepend::Always, split: true };

    fn replace(pattern: &str, content: &str) -> Normalizer {
        Normalizer::Replace { pattern: Pattern::Text(pattern.into()), content: content.into() }
    }

    fn parts(text: &str, at_least: usize) -> Vec<&str> {
        let chunks = Chunks::for_recipe(&[replace("''", "\"")], &[METASPACE], &[]);
        chunks.at_least(at_least).of_text(text).collect()
    }

    #[test]
    fn cuts_before_single_spaces_between_plain_characters() {
        assert_eq!(parts("ab cd ef", 2), ["ab", " cd", " ef"]);
        assert_eq!(parts("ab cd ef", 3), ["ab cd", " ef"]);
        assert_eq!(parts("a, b. c!", 2), ["a,", " b.", " c!"]);
        assert_eq!(parts("ab (cd", 2), ["ab", " (cd"]);
        assert_eq!(parts("", 2), [""]);
        assert_eq!(parts("ab", 2), ["ab"]);
    }

    #[test]
    fn leaves_every_other_space_alone() {
        for text in ["ab  cd", "ab' cd", "ab cé", "a b c", "é ab", "ab\u{a0}cd", "ab\tcd", "ab ''cd"] {
            assert_eq!(parts(text, 2), [text]);
        }
    }

    #[test]
    fn a_vocabulary_must_allow_it() {
        let cls = AddedToken::special("[CLS]");
        let chunks = |normalizers: &[Normalizer], added: &AddedToken| {
            Chunks::for_recipe(normalizers, &[METASPACE], std::slice::from_ref(added))
        };
        let spaces = |content: &str| Normalizer::Replace { pattern: Pattern::Spaces, content: content.into() };
        let allowed = |chunks: Chunks| chunks.plain != Ascii::NONE;
        assert!(allowed(chunks(&[Normalizer::Nfkd, spaces(" ")], &cls)));
        assert!(!allowed(chunks(&[spaces("▁")], &cls)));
        assert!(!allowed(chunks(&[replace("a", " ")], &cls)));
        assert!(!allowed(chunks(&[replace("a ", "b")], &cls)));
        assert!(!allowed(chunks(&[Normalizer::Prepend("x".into())], &cls)));
        assert!(!allowed(chunks(&[], &AddedToken::special("two words"))));
        assert!(!allowed(Chunks::for_recipe(&[], &[PreTokenizer::Whitespace], &[cls])));

        let looked_for = chunks(&[replace("ab", "c")], &AddedToken::special("x"));
        assert!(!looked_for.plain.has(b'a') && !looked_for.plain.has(b'B') && looked_for.plain.has(b'c'));
        let word = AddedToken { rstrip: true, ..AddedToken::special("word") };
        assert!(!chunks(&[], &word).plain.has(b'D') && chunks(&[], &word).plain.has(b'w'));
        let normalized = AddedToken { normalized: true, ..word };
        assert!(!allowed(chunks(&[replace("w", "v")], &normalized)));
    }
}
