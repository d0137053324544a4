//! The first pieces of a very long word, found without the rest of it.
//!
//! Some texts have no space for a megabyte: base64, say. The best way through a word depends on all of the word, yet
//! how it begins is mostly settled a few pieces on. It is found to be settled like this, without knowing the word's
//! end. The engine finds the best way to every place in a word from left to right, so the best way to a place is the
//! same whatever follows. A piece has `reach` bytes at most, so the best way through the whole word touches one of
//! any `reach` places in a row. If the best ways to all of these begin with the same pieces, then so does that
//! through the whole word.
//!
//! The places must lie among plain characters (see [`super::chunks`]), so that a text cut there is normalised as the
//! whole is, and no added token may lie across them: far enough before them no character begins one.

use std::ops::RangeInclusive;

use super::chunks::Ascii;
use super::recipe::AddedToken;

/// The first place that is tried, in bytes for each piece that is wanted; English has about four.
const BYTES_PER_PIECE: usize = 8;
/// The least first place that is tried, in bytes.
const LEAST_BYTES: usize = 1 << 10;

/// Where to look at long words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prefixes {
    /// The length of the longest piece, in bytes.
    reach: usize,
    /// How far before the places no added token may begin, in bytes.
    margin: usize,
    /// The plain characters that begin no added token.
    plain: Ascii,
}

impl Prefixes {
    /// For a vocabulary with pieces of `reach` bytes at most and these plain characters.
    pub(super) fn new(reach: usize, mut plain: Ascii, added: &[AddedToken]) -> Self {
        added.iter().filter_map(|token| token.content.bytes().next()).for_each(|byte| plain.remove(byte));
        // Two plain characters at least stand before a place.
        let margin = added.iter().map(|token| token.content.len()).max().unwrap_or(0).max(2);
        Self { reach: reach.max(1), margin, plain }
    }

    /// The first `wanted` piece ids of `text` if it has more, and if that is found in less work than all of them.
    ///
    /// `encode` gives the ids of a text; its errors are passed on.
    pub(super) fn settle<E>(
        self,
        text: &str,
        wanted: usize,
        encode: impl Fn(&str) -> Result<Vec<u32>, E>,
    ) -> Result<Option<Vec<u32>>, E> {
        let mut from = wanted.saturating_mul(BYTES_PER_PIECE).max(LEAST_BYTES);
        // The tries double in length, so all of them together are less than twice the last.
        while from.saturating_mul(self.reach).saturating_mul(2) < text.len() {
            let Some(places) = self.places(text.as_bytes(), from) else { return Ok(None) };
            if places.end().saturating_mul(self.reach).saturating_mul(2) >= text.len() {
                return Ok(None);
            }
            from = places.end() * 2;
            if let Some(ids) = agreed(text, places, wanted, &encode)? {
                return Ok(Some(ids));
            }
        }
        Ok(None)
    }

    /// `reach` places in a row, the last of them at or after `from`, among characters that keep to themselves.
    fn places(self, text: &[u8], from: usize) -> Option<RangeInclusive<usize>> {
        let needed = self.reach + self.margin + 1;
        let first = from.checked_sub(needed - 1)?;
        let mut run = 0;
        let end = first
            + text.get(first..)?.iter().position(|&byte| {
                run = if self.plain.has(byte) { run + 1 } else { 0 };
                run == needed
            })?;
        Some(end + 1 - self.reach..=end)
    }
}

/// The first `wanted` ids of the texts that end at `places`, if all have more and begin alike.
fn agreed<E>(
    text: &str,
    places: RangeInclusive<usize>,
    wanted: usize,
    encode: impl Fn(&str) -> Result<Vec<u32>, E>,
) -> Result<Option<Vec<u32>>, E> {
    let mut agreed: Option<Vec<u32>> = None;
    for place in places {
        let mut ids = encode(&text[..place])?;
        if ids.len() <= wanted || agreed.as_ref().is_some_and(|before| *before != ids[..wanted]) {
            return Ok(None);
        }
        ids.truncate(wanted);
        agreed = Some(ids);
    }
    Ok(agreed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes() -> Prefixes {
        Prefixes::new(3, Ascii::graphic(), &[AddedToken::special("[X]")])
    }

    #[test]
    fn places_lie_far_from_anything_else() {
        // Three places, three characters before them that begin no token, and one plain character behind.
        assert_eq!(prefixes().places(b"abcdefghij", 6), Some(4..=6));
        assert_eq!(prefixes().places(b"abcdefghij", 8), Some(6..=8));
        assert_eq!(prefixes().places(b"ab[defghij", 6), Some(7..=9));
        assert_eq!(prefixes().places(b"ab cdefgh", 6), None);
        assert_eq!(prefixes().places("abcdéfgh".as_bytes(), 6), None);
    }

    #[test]
    fn only_what_all_agree_on_is_settled() {
        let text = "a".repeat(1 << 20);
        let agreeing = |text: &str| Ok::<_, ()>(vec![7; text.len()]);
        assert_eq!(prefixes().settle(&text, 2, agreeing), Ok(Some(vec![7, 7])));
        let differing = |text: &str| Ok::<_, ()>(vec![text.len() as u32; 9]);
        assert_eq!(prefixes().settle(&text, 2, differing), Ok(None));
        let few = |_: &str| Ok::<_, ()>(vec![7, 7]);
        assert_eq!(prefixes().settle(&text, 2, few), Ok(None));
        assert_eq!(prefixes().settle("aaaaaaaaaaaa", 2, agreeing), Ok(None), "short texts are read whole");
        assert_eq!(prefixes().settle(&text, usize::MAX, agreeing), Ok(None));
    }
}
