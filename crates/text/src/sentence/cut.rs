//! From marks to sentences.

use std::ops::Range;

use super::marked::{BOUND, BREAK, CLOSE, Marked, OPEN};

/// Where the text without its marks is to be cut, in bytes. Full stops and semicolons that nothing shields cut behind
/// them where `punctuation` says so.
///
/// A break is protected when, going right from it, the end of a protected span is met before the start of one.
pub(super) fn breaks(marked: &Marked, punctuation: bool) -> Vec<usize> {
    let (mut breaks, mut bounds) = (Vec::new(), Vec::new());
    // So many breaks are known to count; those behind them wait for the next start or end of a span.
    let mut settled = 0;
    let mut at = 0;
    for byte in marked.bytes() {
        match *byte {
            BREAK => breaks.push(at),
            BOUND => {
                breaks.push(at);
                bounds.push(at);
            }
            OPEN => {
                settled = breaks.len();
                bounds.clear();
            }
            CLOSE => {
                breaks.truncate(settled);
                breaks.append(&mut bounds);
                settled = breaks.len();
            }
            byte => {
                at += 1;
                if punctuation && matches!(byte, b'.' | b';') {
                    breaks.push(at);
                }
            }
        }
    }
    breaks
}

/// What lies between the breaks, without characters up to U+0020 at both ends; nothing empty.
pub(super) fn sentences(text: &str, breaks: &[usize], mut keep: impl FnMut(Range<usize>)) {
    let mut start = 0;
    for end in breaks.iter().copied().chain([text.len()]) {
        let piece = text[start..end].trim_end_matches(|c| c <= ' ');
        let sentence = piece.trim_start_matches(|c| c <= ' ');
        if !sentence.is_empty() {
            keep(start + piece.len() - sentence.len()..start + piece.len());
        }
        start = end;
    }
}
