//! Full stops in numbers, words and ellipses, and the ends of exclamations and questions.

use super::marked::{BREAK, Marked, is_space, is_word};

/// Decimal points, full stops in front of anything that follows a digit directly, and the number that a text starts
/// with.
pub(super) fn in_numbers(marked: &mut Marked) {
    let digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
    let mut from = 0;
    while let Some(at) = marked.next(b'.', from) {
        let next = marked.at(at + 1);
        if digit(next) || digit(marked.before(at)) && next.is_some_and(|byte| !is_space(byte)) {
            marked.shield(at);
        }
        from = at + 1;
    }
    let point = marked.skip(0, |byte| byte.is_ascii_digit());
    if !(1..=2).contains(&point) || marked.at(point) != Some(b'.') {
        return;
    }
    match (marked.at(point + 1), marked.at(point + 2)) {
        (Some(space), Some(next)) if is_space(space) && !is_space(next) => marked.shield(point),
        _ => {}
    }
}

/// Puts a break behind each run of `!` and `?` that follows something and is followed by a space, the end or a `$`.
pub(super) fn behind_exclamations(marked: &mut Marked) {
    if !marked.holds(b'!') && !marked.holds(b'?') {
        return;
    }
    let mark = |byte| matches!(byte, b'!' | b'?');
    let mut at = 0;
    while at < marked.bytes().len() {
        let start = marked.skip(at, |byte| !mark(byte));
        at = marked.skip(start, mark);
        // The first of several may be what the others follow.
        let follows = marked.before(start).is_some_and(|byte| !is_space(byte)) || at > start + 1;
        if at > start && follows && marked.at(at).is_none_or(|byte| is_space(byte) || byte == b'$') {
            marked.insert(at, BREAK);
        }
    }
    marked.settle();
}

/// Full stops between word characters.
pub(super) fn in_words(marked: &mut Marked) {
    let mut from = 0;
    while let Some(at) = marked.next(b'.', from) {
        if marked.before(at).is_some_and(is_word) && marked.at(at + 1).is_some_and(is_word) {
            marked.shield(at);
        }
        from = at + 1;
    }
}

/// Full stops in the likes of `N°. 5`.
pub(super) fn in_coordinates(marked: &mut Marked) {
    const DEGREE: &[u8] = "°.".as_bytes();
    if !marked.holds(DEGREE[0]) {
        return;
    }
    let mut from = 0;
    while let Some(at) = marked.next(DEGREE[0], from) {
        from = at + 1;
        // Spark NLP's letters run from `A` to `z`, and so include what lies between the cases.
        if marked.says(at, DEGREE) && marked.before(at).is_some_and(|byte| (b'A'..=b'z').contains(&byte)) {
            let point = at + DEGREE.len() - 1;
            let next = marked.skip(point + 1, is_space);
            if marked.at(next).is_some_and(|byte| byte.is_ascii_digit()) {
                marked.shield(point);
            }
        }
    }
}

/// Three full stops before spaces and a capital letter end a sentence together.
pub(super) fn behind_ellipses(marked: &mut Marked) {
    let mut from = 0;
    while let Some(at) = marked.next(b'.', from) {
        let end = marked.skip(at, |byte| byte == b'.');
        from = end;
        if end < at + 3 {
            continue;
        }
        let next = marked.skip(end, is_space);
        if next > end && marked.at(next).is_some_and(|byte| byte.is_ascii_uppercase()) {
            // Of a longer run it is the last three; each of the others ends a sentence of its own.
            for point in end - 3..end {
                marked.shield(point);
            }
            marked.insert(end, BREAK);
        }
        from = next.max(end);
    }
    marked.settle();
}
