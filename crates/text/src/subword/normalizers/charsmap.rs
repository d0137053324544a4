//! A SentencePiece character map: what single characters and short graphemes are replaced by.
//!
//! The map is four bytes of length, a double-array trie of that many bytes in the layout of darts-clone, and the
//! replacement texts, each ended by a NUL. Every step that a walk could take is bounded when a map is read, so that
//! none can leave it.
//!
//! Format: `sentencepiece/src/normalizer.cc`, `DecodePrecompiledCharsMap`; units: darts-clone, `DoubleArrayUnit`.
//! Behaviour: `Precompiled` of Hugging Face's `tokenizers`, which differs from SentencePiece's own.

use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::subword::ascii_set::AsciiSet;

/// The largest map that is taken, in bytes; the map of NFKC has about 240 KB.
const MAX_BYTES: usize = 16 << 20;
/// The longest replacement text that is taken, in bytes; the longest of NFKC has 33.
const MAX_TEXT_BYTES: usize = 64;
/// A step changes only the low eight bits of a position, so it stays within a block of this many units.
const BLOCK: usize = 256;
/// Graphemes that are shorter than this, in bytes, are looked up as a whole before their characters are.
const MAX_GRAPHEME_BYTES: usize = 6;

/// A checked map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Charsmap {
    units: Arc<[Unit]>,
    texts: Arc<str>,
    /// The ASCII characters that stay as they are.
    kept: AsciiSet,
}

impl Charsmap {
    /// Reads a map, or says what is wrong with it.
    pub(crate) fn read(map: &[u8]) -> Result<Self, String> {
        if map.len() > MAX_BYTES {
            return Err(format!("its character map is larger than {MAX_BYTES} bytes"));
        }
        let (length, rest) = map.split_first_chunk::<4>().ok_or("its character map has no length")?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > rest.len() {
            return Err(format!("its character map claims {length} bytes of trie and has {}", rest.len()));
        }
        let (trie, texts) = rest.split_at(length);
        let texts = std::str::from_utf8(texts).map_err(|_| "its character map has texts that are not UTF-8")?;
        if texts.split('\0').any(|text| text.len() > MAX_TEXT_BYTES) {
            return Err(format!("its character map has a text longer than {MAX_TEXT_BYTES} bytes"));
        }
        let (units, remainder) = trie.as_chunks::<4>();
        if units.is_empty() || !remainder.is_empty() {
            return Err("its character map has a trie that is not a row of units".into());
        }
        let units: Arc<[Unit]> = units.iter().map(|bytes| Unit(u32::from_le_bytes(*bytes))).collect();
        for (at, unit) in units.iter().enumerate() {
            // A unit that holds a value has a label no byte can match: nothing is reached through it. The root is
            // where every walk begins, whatever its label.
            if at > 0 && unit.is_value() {
                continue;
            }
            let base = at ^ unit.offset();
            if base | (BLOCK - 1) >= units.len() {
                return Err(format!("unit {at} of its character map leads outside the trie"));
            }
            if unit.has_leaf() && !texts.is_char_boundary(units[base].value()) {
                return Err(format!("unit {at} of its character map leads outside the texts"));
            }
        }
        let mut map = Self { units, texts: texts.into(), kept: AsciiSet::ALL };
        for byte in (0..128).filter(|&byte| map.of(&[byte]).is_some()).collect::<Vec<u8>>() {
            map.kept.remove(byte);
        }
        Ok(map)
    }

    /// What takes the place of `text`, if anything does: the shortest key that it begins with decides.
    pub(crate) fn of(&self, text: &[u8]) -> Option<&str> {
        let mut at = self.units.first()?.offset();
        // A NUL ends a key.
        for &byte in text.iter().take_while(|&&byte| byte != 0) {
            at ^= usize::from(byte);
            let unit = self.units.get(at).filter(|unit| unit.label() == u32::from(byte))?;
            at ^= unit.offset();
            if unit.has_leaf() {
                let rest = self.texts.get(self.units.get(at)?.value()..)?;
                return rest.split('\0').next();
            }
        }
        None
    }

    /// What takes the place of the beginning of `text` and how long that beginning is, in bytes, if anything does: the
    /// longest key decides, as in SentencePiece's own library.
    pub(crate) fn longest_of(&self, text: &[u8]) -> Option<(usize, &str)> {
        let mut at = self.units.first()?.offset();
        let mut found = None;
        for (length, &byte) in (1..).zip(text.iter().take_while(|&&byte| byte != 0)) {
            at ^= usize::from(byte);
            let Some(unit) = self.units.get(at).filter(|unit| unit.label() == u32::from(byte)) else { break };
            at ^= unit.offset();
            if unit.has_leaf() {
                found = self.units.get(at).map(|leaf| (length, leaf.value()));
            }
        }
        let (length, text) = found?;
        Some((length, self.texts.get(text..)?.split('\0').next()?))
    }

    /// Whether nothing in `text` is replaced, as a look at its bytes tells.
    pub(crate) fn keeps(&self, text: &str) -> bool {
        text.bytes().all(|byte| self.kept.has(byte))
    }

    /// `text` with all of it replaced that is the longest of its keys, from left to right.
    pub(crate) fn replace_longest(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let key = self.longest_of(&text.as_bytes()[at..]);
            match key.filter(|&(length, _)| text.is_char_boundary(at + length)) {
                Some((length, new)) => {
                    out.push_str(new);
                    at += length;
                }
                None => {
                    out.push(c);
                    at += c.len_utf8();
                }
            }
        }
        out
    }

    /// The length of the longest text that takes the place of anything, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.texts.split('\0').map(str::len).max().unwrap_or(0)
    }

    /// Replaces what is replaced in `text`, and appends the outcome to `out`.
    ///
    /// Says how far it came: a grapheme at the end may have more to come, unless this is the `last` part of a text.
    pub(crate) fn apply(&self, text: &str, last: bool, out: &mut String) -> usize {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            // An ASCII character with another behind it is a grapheme, but for the line end of two.
            let kept =
                bytes[at..].windows(2).take_while(|pair| self.kept.has(pair[0]) && pair[1] < 128 && pair[0] != b'\r');
            let kept = kept.count();
            out.push_str(&text[at..at + kept]);
            at += kept;
            let Some(grapheme) = text[at..].graphemes(true).next() else { break };
            if at + grapheme.len() == bytes.len() && !last {
                break;
            }
            self.apply_grapheme(grapheme, |_, text| out.push_str(text));
            at += grapheme.len();
        }
        at
    }

    /// Hands on the parts of a grapheme that are replaced together, each with what takes its place.
    pub(crate) fn apply_grapheme(&self, grapheme: &str, mut replace: impl FnMut(&str, &str)) {
        if grapheme.len() < MAX_GRAPHEME_BYTES
            && let Some(text) = self.of(grapheme.as_bytes())
        {
            return replace(grapheme, text);
        }
        for (at, character) in grapheme.char_indices() {
            let part = &grapheme[at..at + character.len_utf8()];
            replace(part, self.of(part.as_bytes()).unwrap_or(part));
        }
    }
}

/// One unit of the double array.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Unit(u32);

impl Unit {
    fn is_value(self) -> bool {
        self.0 >> 31 == 1
    }

    fn has_leaf(self) -> bool {
        self.0 >> 8 & 1 == 1
    }

    fn value(self) -> usize {
        (self.0 & 0x7FFF_FFFF) as usize
    }

    fn label(self) -> u32 {
        self.0 & 0x8000_00FF
    }

    fn offset(self) -> usize {
        ((self.0 >> 10) << ((self.0 & 1 << 9) >> 6)) as usize
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    /// A map that turns `A` into `bc` and nothing else.
    fn small_map() -> Vec<u8> {
        let mut units = vec![0u32; 2 * BLOCK];
        // The root leads to the second block; there stands `A`, which has a leaf in the unit its offset names.
        units[0] = (BLOCK as u32) << 10;
        units[BLOCK + 0x41] = 0x41 | 1 << 8 | (0x41 ^ 0x7F) << 10;
        units[BLOCK + 0x7F] = 1 << 31;
        let mut map = (4 * units.len() as u32).to_le_bytes().to_vec();
        map.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        map.extend(b"bc\0");
        map
    }

    fn applied(map: &Charsmap, text: &str) -> String {
        let mut out = String::new();
        assert_eq!(map.apply(text, true, &mut out), text.len());
        out
    }

    #[test]
    fn a_whole_map_passes_and_replaces() {
        let map = Charsmap::read(&small_map()).unwrap();
        assert_eq!(applied(&map, "ABA"), "bcBbc");
        // The shortest key that a grapheme begins with decides for all of it, unless the grapheme is a long one.
        assert_eq!(applied(&map, "A\u{301}é"), "bcé");
        assert_eq!(applied(&map, "A\u{301}\u{301}\u{301}"), "bc\u{301}\u{301}\u{301}");
        assert_eq!((map.of(b"A"), map.of(b"B"), map.of(b"\0A")), (Some("bc"), None, None));
        assert_eq!(map.longest(), 2);
    }

    #[test]
    fn a_grapheme_may_have_more_to_come() {
        let map = Charsmap::read(&small_map()).unwrap();
        let mut out = String::new();
        assert_eq!(map.apply("xyA", false, &mut out), 2);
        assert_eq!(out, "xy");
    }

    #[test]
    fn faults_are_named() {
        let map = small_map();
        let fault = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut map = map.clone();
            change(&mut map);
            Charsmap::read(&map).expect_err("the map is broken")
        };
        assert_eq!(fault(&|map| map.truncate(3)), "its character map has no length");
        let claim = fault(&|map| map[..4].copy_from_slice(&u32::MAX.to_le_bytes()));
        assert_eq!(claim, "its character map claims 4294967295 bytes of trie and has 2051");
        let remainder = fault(&|map| map[..4].copy_from_slice(&2046u32.to_le_bytes()));
        assert_eq!(remainder, "its character map has a trie that is not a row of units");
        let outside = fault(&|map| map[4..8].copy_from_slice(&(4 * BLOCK as u32 * 1024).to_le_bytes()));
        assert_eq!(outside, "unit 0 of its character map leads outside the trie");
        let root = fault(&|map| map[4..8].copy_from_slice(&(1u32 << 31).to_le_bytes()));
        assert_eq!(root, "unit 0 of its character map leads outside the trie");
        let value = 4 + 4 * (BLOCK + 0x7F);
        let text = fault(&|map| map[value..value + 4].copy_from_slice(&(1u32 << 31 | 9).to_le_bytes()));
        assert_eq!(text, "unit 321 of its character map leads outside the texts");
        let long = fault(&|map| map.extend([b'x'; 65]));
        assert_eq!(long, "its character map has a text longer than 64 bytes");
        assert_eq!(fault(&|map| map.push(0xFF)), "its character map has texts that are not UTF-8");
    }

    proptest! {
        /// Whatever passes the check can be walked by any text.
        #[test]
        fn a_checked_map_cannot_hurt(
            changes in prop::collection::vec((4usize..2055, any::<u8>()), 0..12),
            text in "[A-C\\x00\\x7Fé]{0,6}",
        ) {
            let mut map = small_map();
            for (at, byte) in changes {
                map[at] = byte;
            }
            if let Ok(map) = Charsmap::read(&map) {
                let _ = applied(&map, &text);
            }
        }
    }
}
