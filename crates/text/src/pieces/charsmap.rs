//! Checks a SentencePiece character map before anyone walks it.
//!
//! The map is four bytes of length, a double-array trie of that many bytes in the layout of darts-clone, and the
//! replacement texts, each ended by a NUL. Whoever walks the trie indexes it without looking; so every step that a
//! walk could take is bounded here.
//!
//! Format: `sentencepiece/src/normalizer.cc`, `DecodePrecompiledCharsMap`; units: darts-clone, `DoubleArrayUnit`.

/// The largest map that is taken, in bytes; the map of NFKC has about 240 KB.
const MAX_BYTES: usize = 16 << 20;
/// The longest replacement text that is taken, in bytes; the longest of NFKC has 33.
const MAX_TEXT_BYTES: usize = 64;
/// A step changes only the low eight bits of a position, so it stays within a block of this many units.
const BLOCK: usize = 256;

/// Says in a word what is wrong with `map`, or that nothing is.
pub(super) fn check(map: &[u8]) -> Result<(), String> {
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
    if longest_of(texts.as_bytes()) > MAX_TEXT_BYTES {
        return Err(format!("its character map has a text longer than {MAX_TEXT_BYTES} bytes"));
    }
    let (units, remainder) = trie.as_chunks::<4>();
    if units.is_empty() || !remainder.is_empty() {
        return Err("its character map has a trie that is not a row of units".into());
    }
    let units: Vec<Unit> = units.iter().map(|bytes| Unit(u32::from_le_bytes(*bytes))).collect();
    for (at, unit) in units.iter().enumerate() {
        // A unit that holds a value has a label no byte can match: nothing is reached through it. The root is where
        // every walk begins, whatever its label.
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
    Ok(())
}

/// What a checked map puts in the place of this ASCII byte, if anything.
///
/// A map takes the shortest key that a text begins with, so a longer one does not count.
pub(super) fn of_ascii(map: &[u8], byte: u8) -> Option<&[u8]> {
    let unit = |at: usize| {
        let bytes = map.get(4 + 4 * at..8 + 4 * at)?.first_chunk::<4>()?;
        Some(Unit(u32::from_le_bytes(*bytes)))
    };
    let at = unit(0)?.offset() ^ usize::from(byte);
    let child = unit(at).filter(|child| child.label() == u32::from(byte) && child.has_leaf())?;
    let value = unit(at ^ child.offset())?.value();
    texts(map)?.get(value..)?.split(|&byte| byte == 0).next()
}

/// The length of the longest text that a checked map puts in the place of anything, in bytes.
pub(super) fn longest(map: &[u8]) -> usize {
    texts(map).map_or(0, longest_of)
}

fn longest_of(texts: &[u8]) -> usize {
    texts.split(|&byte| byte == 0).map(<[u8]>::len).max().unwrap_or(0)
}

fn texts(map: &[u8]) -> Option<&[u8]> {
    let (length, rest) = map.split_first_chunk::<4>()?;
    rest.get(u32::from_le_bytes(*length) as usize..)
}

/// One unit of the double array.
#[derive(Clone, Copy)]
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
    use tokenizers::normalizers::Precompiled;

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

    #[test]
    fn a_whole_map_passes_and_replaces() {
        let map = small_map();
        assert_eq!(check(&map), Ok(()));
        assert_eq!(Precompiled::from(&map).unwrap().normalize_string("ABA"), "bcBbc");
        assert_eq!(of_ascii(&map, b'A'), Some(&b"bc"[..]));
        assert_eq!(of_ascii(&map, b'B'), None);
        assert_eq!(longest(&map), 2);
    }

    #[test]
    fn faults_are_named() {
        let map = small_map();
        let fault = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut map = map.clone();
            change(&mut map);
            check(&map).expect_err("the map is broken")
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
            if check(&map).is_ok() {
                let _ = Precompiled::from(&map).unwrap().normalize_string(&text);
            }
        }
    }
}
