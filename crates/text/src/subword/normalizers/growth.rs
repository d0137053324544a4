//! Bounds how much longer a text can become before it is cut into pieces.
//!
//! A replacement can be longer than what it replaces, and the next step can replace every byte of it again, so a small
//! vocabulary file could turn a short text into one that no memory holds. The bound is found from the last step
//! to the first: what a byte becomes at most is the sum of what the bytes that take its place become.

use crate::subword::normalizers::charsmap::Charsmap;
use crate::subword::normalizers::{Normalizer, Pattern};

/// More steps than this have no use; the ALBERT converter writes seven.
const MAX_STEPS: usize = 64;
/// Nothing that is looked for, put in its place or put before a text is longer than this, in bytes.
const MAX_REPLACEMENT_BYTES: usize = 64;
/// What an ASCII character becomes is not longer than this, in bytes.
const MAX_ASCII_GROWTH: usize = 64;
/// What a byte of any other character becomes is not longer than this, in bytes. The bound is a loose one, since few
/// characters grow much in one step and none does in each: it is about 400 for the steps of the ALBERT converter.
const MAX_GROWTH: usize = 4096;

/// Growth under canonical and compatible normalisation, in bytes of UTF-8, from the Unicode normalisation FAQ.
const CANONICAL_GROWTH: usize = 3;
const COMPATIBLE_GROWTH: usize = 11;
/// Growth of non-ASCII characters that are made lower-case, in bytes: two become three at most.
const LOWERCASE_GROWTH: usize = 2;

/// Says in a sentence why `steps` could make too much of a text, or that they cannot.
pub(crate) fn check(steps: &[Normalizer]) -> Result<(), String> {
    if steps.len() > MAX_STEPS {
        return Err(format!("it has more than {MAX_STEPS} steps of normalisation"));
    }
    for step in steps {
        let (pattern, content) = match step {
            Normalizer::Replace { pattern: Pattern::Text(text), .. } if text.is_empty() => {
                return Err("it replaces an empty text".into());
            }
            Normalizer::Replace { pattern: Pattern::Text(text), content } => (text.as_str(), content.as_str()),
            Normalizer::Replace { pattern: Pattern::Spaces, content } => ("", content.as_str()),
            Normalizer::Prepend(content) => ("", content.as_str()),
            _ => continue,
        };
        if pattern.len().max(content.len()) > MAX_REPLACEMENT_BYTES {
            return Err(format!(
                "a text that its normalisation looks for or puts in is longer than {MAX_REPLACEMENT_BYTES} bytes"
            ));
        }
    }
    let growth = steps.iter().rev().fold(Growth([1; 256]), |behind, step| behind.after(step));
    let (ascii, others) = growth.0.split_at(128);
    if ascii.iter().any(|&bytes| bytes > MAX_ASCII_GROWTH) || others.iter().any(|&bytes| bytes > MAX_GROWTH) {
        return Err("its normalisation makes a text too many times longer".into());
    }
    Ok(())
}

/// How many bytes each byte of a text becomes at most.
struct Growth([usize; 256]);

impl Growth {
    /// What bytes become by `step` and then by the steps that `self` stands for.
    fn after(mut self, step: &Normalizer) -> Self {
        match step {
            Normalizer::Replace { pattern: Pattern::Text(pattern), content } => {
                // The bytes of a match share what takes its place; a byte outside a match stays.
                let share = self.of(content.as_bytes()).div_ceil(pattern.len().max(1));
                for byte in pattern.bytes() {
                    let becomes = &mut self.0[usize::from(byte)];
                    *becomes = share.max(*becomes);
                }
            }
            Normalizer::Replace { pattern: Pattern::Spaces, content } => {
                let share = self.of(content.as_bytes()).div_ceil(2);
                self.0[usize::from(b' ')] = share.max(self.0[usize::from(b' ')]);
            }
            // A text to put something before has one byte at least.
            Normalizer::Prepend(content) => {
                let more = self.of(content.as_bytes());
                self.0.iter_mut().for_each(|becomes| *becomes = becomes.saturating_add(more));
            }
            Normalizer::Nfc | Normalizer::Nfd => self.others(CANONICAL_GROWTH),
            Normalizer::Nfkc | Normalizer::Nfkd => self.others(COMPATIBLE_GROWTH),
            Normalizer::Lowercase => {
                for byte in b'A'..=b'Z' {
                    self.0[usize::from(byte)] = self.0[usize::from(byte.to_ascii_lowercase())];
                }
                self.others(LOWERCASE_GROWTH);
            }
            // Control characters become spaces or nothing.
            Normalizer::Nmt => {
                let space = self.0[usize::from(b' ')];
                self.0.iter_mut().for_each(|becomes| *becomes = space.max(*becomes));
            }
            Normalizer::Charsmap(map) => self = self.after_charsmap(map),
            Normalizer::Bert(bert) => {
                if bert.lowercase {
                    self = self.after(&Normalizer::Lowercase);
                }
                if bert.strips_accents() {
                    self = self.after(&Normalizer::Nfd);
                }
                let space = self.0[usize::from(b' ')];
                if bert.handle_chinese_chars {
                    // Two spaces come to characters of three bytes or four.
                    self.0[128..].iter_mut().for_each(|becomes| *becomes = becomes.saturating_add(space));
                }
                if bert.clean_text {
                    self.0.iter_mut().for_each(|becomes| *becomes = space.max(*becomes));
                }
            }
            Normalizer::StripAccents | Normalizer::Strip { .. } => {}
        }
        self
    }

    fn after_charsmap(mut self, map: &Charsmap) -> Self {
        let longest = map.longest();
        let mut before = Self(self.0);
        for byte in 0..128 {
            if let Some(text) = map.of(&[byte]) {
                before.0[usize::from(byte)] = self.of(text.as_bytes());
            } else if byte == b'\r' {
                // The one grapheme of two ASCII bytes is a line end.
                before.0[usize::from(byte)] = longest.saturating_mul(self.most());
            }
        }
        // Any other character that is replaced has two bytes at least.
        self.others(longest.div_ceil(2).max(1));
        before.0[128..].copy_from_slice(&self.0[128..]);
        before
    }

    /// A byte outside ASCII becomes `times` bytes of any kind.
    fn others(&mut self, times: usize) {
        let most = self.most().saturating_mul(times);
        self.0[128..].fill(most);
    }

    fn of(&self, text: &[u8]) -> usize {
        text.iter().fold(0, |sum, &byte| sum.saturating_add(self.0[usize::from(byte)]))
    }

    fn most(&self) -> usize {
        self.0.iter().copied().max().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn replace(pattern: &str, content: &str) -> Normalizer {
        Normalizer::Replace { pattern: Pattern::Text(pattern.into()), content: content.into() }
    }

    fn fault(steps: &[Normalizer]) -> String {
        check(steps).expect_err("the steps make too much of a text")
    }

    #[test]
    fn long_replacements_are_refused() {
        let long = "b".repeat(65);
        let message = "a text that its normalisation looks for or puts in is longer than 64 bytes";
        assert_eq!(fault(&[replace("a", &long)]), message);
        assert_eq!(fault(&[replace(&long, "a")]), message);
        assert_eq!(fault(&[Normalizer::Prepend(long)]), message);
        assert_eq!(check(&[replace("a", &"b".repeat(64))]), Ok(()));
        assert_eq!(fault(&[replace("", "a")]), "it replaces an empty text");
        assert_eq!(fault(&vec![Normalizer::Nfc; 65]), "it has more than 64 steps of normalisation");
    }

    #[test]
    fn replacements_of_replacements_are_refused() {
        let message = "its normalisation makes a text too many times longer";
        assert_eq!(fault(&[replace("a", &"b".repeat(9)), replace("b", &"c".repeat(9))]), message);
        assert_eq!(fault(&[replace("a", &"B".repeat(9)), Normalizer::Lowercase, replace("b", "ccccccccc")]), message);
        assert_eq!(fault(&vec![replace("a", "aa"); 7]), message);
        assert_eq!(fault(&vec![Normalizer::Nfkd; 4]), message);
        assert_eq!(fault(&[replace(" ", "ﷺ"), Normalizer::Nfkd, replace(" ", "ﷺ"), Normalizer::Nfkd]), message);
        assert_eq!(fault(&[Normalizer::Prepend("aa".into()), replace("a", &"b".repeat(32))]), message);
    }

    #[test]
    fn punctuation_may_be_set_apart() {
        let steps: Vec<_> = ('!'..='/')
            .map(|mark| replace(&mark.to_string(), &format!(" {mark} ")))
            .chain([Normalizer::Nfkd])
            .collect();
        assert_eq!(check(&steps), Ok(()));
    }
}
