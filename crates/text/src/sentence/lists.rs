//! The items of a list start sentences.

use super::marked::{BREAK, CLOSE, Marked, OPEN, is_space};

/// Puts a break before each marker of a list item and protects the marker: `(a)`, `1.`, `-2.` or `3.)`, and at the
/// start of the text also `iv)`.
///
/// A marker with digits includes the space before it, and behind its full stop needs a space, which it includes, or a
/// closing bracket. Two markers do not share a space.
pub(super) fn mark(marked: &mut Marked) {
    let mut at = 0;
    while at < marked.bytes().len() {
        match item(marked, at) {
            Some(end) => {
                marked.insert(at, BREAK);
                marked.insert(at, OPEN);
                marked.insert(end, CLOSE);
                at = end;
            }
            None => at += 1,
        }
    }
    marked.settle();
}

/// The end of the marker that starts at `at`.
fn item(marked: &Marked, at: usize) -> Option<usize> {
    match marked.at(at)? {
        b'(' => lettered(marked, at + 1),
        // Spark NLP takes an `s` for a space here.
        b's' if marked.at(at + 1) == Some(b'-') => numbered_in_brackets(marked, at + 2),
        space if is_space(space) => match marked.at(at + 1)? {
            b'-' => numbered(marked, at + 2),
            b'0'..=b'9' => numbered(marked, at + 1).or_else(|| numbered_in_brackets(marked, at + 1)),
            _ => None,
        },
        _ if at > 0 => None,
        b'a'..=b'z' => lettered(marked, 0),
        b'0'..=b'9' => numbered(marked, 0).or_else(|| numbered_in_brackets(marked, 0)),
        b'-' => numbered(marked, 1).or_else(|| loosely_numbered(marked)),
        _ => None,
    }
}

/// Lower-case letters and a closing bracket.
fn lettered(marked: &Marked, from: usize) -> Option<usize> {
    let end = marked.skip(from, |byte| byte.is_ascii_lowercase());
    (end > from && marked.at(end) == Some(b')')).then_some(end + 1)
}

/// One or two digits, a full stop and a space.
fn numbered(marked: &Marked, from: usize) -> Option<usize> {
    let point = digits(marked, from)?;
    (marked.at(point) == Some(b'.') && is_space(marked.at(point + 1)?)).then_some(point + 2)
}

/// One or two digits, a full stop and a closing bracket.
fn numbered_in_brackets(marked: &Marked, from: usize) -> Option<usize> {
    let point = digits(marked, from)?;
    marked.says(point, b".)").then_some(point + 2)
}

/// At the start of a text Spark NLP takes any character but a line end for the full stop of `-1.)`, also a digit.
fn loosely_numbered(marked: &Marked) -> Option<usize> {
    let digits = digits(marked, 1)?;
    [digits, 2].into_iter().find_map(|point| {
        let any = char_length(marked.bytes().get(point..)?)?;
        (marked.at(point + any) == Some(b')')).then_some(point + any + 1)
    })
}

/// The end of one or two digits.
fn digits(marked: &Marked, from: usize) -> Option<usize> {
    let digit = |at| marked.at(at).is_some_and(|byte| byte.is_ascii_digit());
    digit(from).then(|| if digit(from + 1) { from + 2 } else { from + 1 })
}

/// How many bytes the first character of `rest` has, unless it is one that Java's `.` does not match.
fn char_length(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'\n' | b'\r', ..] | [0xC2, 0x85, ..] | [0xE2, 0x80, 0xA8 | 0xA9, ..] => None,
        [0xC0..=0xDF, ..] => Some(2),
        [0xE0..=0xEF, ..] => Some(3),
        [0xF0..=0xF7, ..] => Some(4),
        [_, ..] => Some(1),
        [] => None,
    }
}
