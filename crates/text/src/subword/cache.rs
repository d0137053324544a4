//! Words that have been cut before.
//!
//! A few thousand words make up most of any text, so their pieces are kept: in a table of fixed size, where a word has
//! one of two neighbouring places. A new word comes to the second place, and one that is met again to the first, so
//! that rare words drive out rare words.

use crate::subword::models::{Model, Word};
use crate::subword::sink::Sink;

/// Places in the table: 256 KB of them stay in a core's own cache.
const PLACES: usize = 8192;
/// The longest word that is kept, in bytes.
const MAX_BYTES: usize = 16;
/// The most pieces that a word which is kept has.
const MAX_PIECES: usize = 3;

/// A word as three numbers that no other word has: its first bytes, its last, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    first: u64,
    last: u64,
    length: u16,
}

impl Key {
    /// The key of a word that is short enough to be kept.
    #[inline]
    pub(crate) fn new(word: &[u8]) -> Option<Self> {
        // The first bytes and the last overlap, or meet, in a word of up to twice as many.
        let (first, last) = match (word.first_chunk(), word.last_chunk(), word.first_chunk(), word.last_chunk()) {
            (Some(first), Some(last), ..) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            (_, _, Some(first), Some(last)) => (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into()),
            _ => (word.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)), 0),
        };
        (1..=MAX_BYTES).contains(&word.len()).then_some(Self { first, last, length: word.len() as u16 })
    }

    /// The first of the two places of the word.
    #[inline]
    fn place(self) -> usize {
        // Multiplication by odd constants (from the golden ratio) brings all bits of a word to the top.
        let mixed = (self.first ^ self.last.rotate_left(29).wrapping_mul(0x9E37_79B9_7F4A_7C15))
            .wrapping_add(self.length.into())
            .wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (mixed >> 52) as usize * 2 % PLACES
    }
}

/// The words.
#[derive(Debug)]
pub(crate) struct Cache {
    words: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    first: u64,
    last: u64,
    length: u16,
    count: u16,
    ids: [u32; MAX_PIECES],
}

/// Stands where there is no word: its length would be 0.
const NONE: Entry = Entry { first: 0, last: 0, length: 0, count: 0, ids: [0; MAX_PIECES] };

impl Entry {
    #[inline]
    fn is(&self, key: Key) -> bool {
        self.first == key.first && self.last == key.last && self.length == key.length
    }
}

impl Cache {
    pub(crate) fn new() -> Self {
        Self { words: vec![NONE; PLACES] }
    }

    /// The pieces of a word, if they are here.
    #[inline]
    pub(crate) fn get(&mut self, key: Key) -> Option<&[u32]> {
        let place = key.place();
        let [first, second] = self.words.get_mut(place..)?.first_chunk_mut()?;
        if !first.is(key) {
            if !second.is(key) {
                return None;
            }
            std::mem::swap(first, second);
        }
        first.ids.get(..first.count.into())
    }

    /// Keeps the pieces of a word, unless it has many.
    pub(crate) fn put(&mut self, key: Key, pieces: &[u32]) {
        if pieces.len() > MAX_PIECES {
            return;
        }
        let mut ids = [0; MAX_PIECES];
        ids[..pieces.len()].copy_from_slice(pieces);
        let Key { first, last, length } = key;
        self.words[key.place() + 1] = Entry { first, last, length, count: pieces.len() as u16, ids };
    }
}

/// Hands on the pieces of `word`, if there is one, and remembers them if it begins with `mark`.
#[inline]
pub(crate) fn finish(word: &mut Word, cache: &mut Cache, model: &Model, mark: &[u8], sink: &mut Sink<'_>) {
    let key = match word.text.strip_prefix(mark) {
        Some(text) if word.is_whole() => Key::new(text),
        _ => None,
    };
    if let Some(key) = key {
        if let Some(ids) = cache.get(key) {
            sink.extend(ids);
            word.clear();
        } else {
            let from = sink.len();
            word.finish(model, |ids, _| sink.extend(ids));
            cache.put(key, sink.since(from));
        }
    } else {
        word.finish(model, |ids, _| sink.extend(ids));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_words_are_kept() {
        let mut cache = Cache::new();
        let key = Key::new(b"oil").unwrap();
        assert_eq!(cache.get(key), None);
        cache.put(key, &[7, 8]);
        assert_eq!(cache.get(key), Some(&[7, 8][..]));
        let long = Key::new(b"sixteen letters!").unwrap();
        cache.put(long, &[1, 2, 3, 4]);
        assert_eq!(cache.get(long), None, "it has too many pieces");
        assert_eq!((Key::new(b"seventeen letters"), Key::new(b"")), (None, None));
        assert_ne!(Key::new(b"a"), Key::new(b"a\0"));
    }

    proptest! {
        #[test]
        fn what_is_found_is_right(words in prop::collection::vec("[a-c]{1,4}|[a-zé]{1,7}", 0..2000)) {
            let pieces = |word: &str| word.bytes().take(3).map(u32::from).collect::<Vec<_>>();
            let mut cache = Cache::new();
            for word in &words {
                let key = Key::new(word.as_bytes()).unwrap();
                if let Some(found) = cache.get(key) {
                    prop_assert_eq!(found, pieces(word));
                }
                cache.put(key, &pieces(word));
            }
        }
    }
}
