//! Sentences that are too long.

use std::ops::Range;

use crate::offsets::utf16_len;

/// Cuts a sentence at single spaces into parts of as many words as fit into `length` UTF-16 units; a longer word is a
/// part of its own. Of several spaces, those behind the first are words of no length.
pub(super) fn at_spaces(sentence: &str, length: usize, mut keep: impl FnMut(Range<usize>)) {
    let (mut part, mut units) = (0..0, 0);
    let mut start = 0;
    for word in sentence.split(' ') {
        let (end, word) = (start + word.len(), utf16_len(word));
        if start == 0 {
            (part, units) = (0..end, word);
        } else if units + 1 + word <= length {
            part.end = end;
            units += 1 + word;
        } else {
            if !part.is_empty() {
                keep(part);
            }
            (part, units) = (start..end, word);
        }
        start = end + 1;
    }
    if !part.is_empty() {
        keep(part);
    }
}
