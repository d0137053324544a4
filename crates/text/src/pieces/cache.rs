//! Words that have been cut before.
//!
//! A few thousand words make up most of any text, so their pieces are kept: in a table of fixed size, where a word has
//! one of two neighbouring places and a new word drives out the one that came earlier.

/// Places in the table: 128 KB of them stay in a core's own cache.
const PLACES: usize = 4096;
/// The longest word that is kept, in bytes.
const MAX_BYTES: usize = 15;
/// The most pieces that a word which is kept has.
const MAX_PIECES: usize = 3;

/// A word as two numbers: its bytes, zeros, and its length in the last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key([u64; 2]);

impl Key {
    /// The key of a word that is short enough to be kept.
    #[inline]
    pub(super) fn new(word: &[u8]) -> Option<Self> {
        if word.is_empty() || word.len() > MAX_BYTES {
            return None;
        }
        let mut bytes = [0; 16];
        bytes[..word.len()].copy_from_slice(word);
        bytes[MAX_BYTES] = word.len() as u8;
        let number = u128::from_le_bytes(bytes);
        Some(Self([number as u64, (number >> 64) as u64]))
    }

    /// The first of the two places of the word.
    #[inline]
    fn place(self) -> usize {
        // Multiplication by odd constants (from the golden ratio) brings all bits of a word to the top.
        let mixed = (self.0[0] ^ self.0[1].rotate_left(29).wrapping_mul(0x9E37_79B9_7F4A_7C15))
            .wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (mixed >> 53) as usize * 2 % PLACES
    }
}

/// The words.
#[derive(Debug)]
pub(super) struct Cache {
    words: Vec<Word>,
}

#[derive(Debug, Clone, Copy)]
struct Word {
    key: Key,
    ids: [u32; MAX_PIECES],
    count: u32,
}

/// No word has this key: its length would be 0.
const NONE: Word = Word { key: Key([0; 2]), ids: [0; MAX_PIECES], count: 0 };

impl Cache {
    pub(super) fn new() -> Self {
        Self { words: vec![NONE; PLACES] }
    }

    /// The pieces of a word, if they are here.
    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<&[u32]> {
        let place = key.place();
        let word = self.words[place..place + 2].iter().find(|word| word.key == key)?;
        word.ids.get(..word.count as usize)
    }

    /// Keeps the pieces of a word, unless it has many.
    pub(super) fn put(&mut self, key: Key, pieces: &[u32]) {
        if pieces.len() > MAX_PIECES {
            return;
        }
        let place = key.place();
        let mut ids = [0; MAX_PIECES];
        ids[..pieces.len()].copy_from_slice(pieces);
        self.words[place + 1] = self.words[place];
        self.words[place] = Word { key, ids, count: pieces.len() as u32 };
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
        let long = Key::new(b"fifteen letters").unwrap();
        cache.put(long, &[1, 2, 3, 4]);
        assert_eq!(cache.get(long), None, "it has too many pieces");
        assert_eq!((Key::new(b"sixteen letters!"), Key::new(b"")), (None, None));
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
