//! Full stops of abbreviations and initials.

mod words;

use super::marked::{Marked, is_space, is_word};
use crate::pattern::{letters_and_digits, non_spacing_marks};
use words::Word;

/// Marks abbreviations; those that only a list of words tells are marked where `from_list` says so.
pub(super) fn mark(marked: &mut Marked, from_list: bool) {
    protect_acronyms(marked);
    protect_hours(marked);
    shield_single_letters(marked);
    if from_list {
        shield_words(marked);
    }
}

/// Protects single letters with full stops between and behind them (`U.S.A.`). A full stop before a space and a
/// capital letter is left out: it may end a sentence.
fn protect_acronyms(marked: &mut Marked) {
    let letter = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic());
    let mut from = 0;
    while let Some(point) = marked.next(b'.', from) {
        let start = point.saturating_sub(1);
        let starts = point > from && letter(marked.at(start)) && letter(marked.at(point + 1));
        if !starts || word_ends_at(&marked.bytes()[..start]) {
            from = point + 1;
            continue;
        }
        let mut end = point;
        while marked.at(end) == Some(b'.') && letter(marked.at(end + 1)) {
            end += 2;
        }
        while marked.at(end) == Some(b'.') && !capital_follows(marked, end + 1) {
            end += 1;
        }
        marked.protect(start, end);
        from = end;
    }
    marked.settle();
}

/// One space and a capital letter.
fn capital_follows(marked: &Marked, at: usize) -> bool {
    marked.at(at).is_some_and(is_space) && marked.at(at + 1).is_some_and(|byte| byte.is_ascii_uppercase())
}

/// Whether Java sees a word at the end of `bytes`: a letter, a digit or `_`, or marks that combine with a letter or
/// digit.
fn word_ends_at(bytes: &[u8]) -> bool {
    match bytes.last() {
        None => return false,
        Some(byte) if byte.is_ascii() => return is_word(*byte),
        Some(_) => {}
    }
    let mut rest = bytes;
    while let Some(c) = last_char(rest) {
        if letters_and_digits().contains(c) {
            return true;
        }
        if !non_spacing_marks().contains(c) {
            return false;
        }
        rest = &rest[..rest.len() - c.len_utf8()];
    }
    false
}

/// The last character of `bytes`, unless a mark is the last.
fn last_char(bytes: &[u8]) -> Option<char> {
    let start = bytes.len().saturating_sub(4);
    (start..bytes.len())
        .find_map(|from| std::str::from_utf8(&bytes[from..]).ok())
        .and_then(|end| end.chars().next_back())
}

/// Protects `a.m.` and `p.m.` in any case and in the middle of anything, with all full stops behind them.
fn protect_hours(marked: &mut Marked) {
    let mut from = 0;
    while let Some(point) = marked.next(b'.', from) {
        from = point + 1;
        let half = matches!(marked.before(point), Some(b'a' | b'A' | b'p' | b'P'));
        if half && matches!(marked.at(point + 1), Some(b'm' | b'M')) {
            from = marked.skip(point + 2, |byte| byte == b'.');
            marked.protect(point - 1, from);
        }
    }
    marked.settle();
}

/// Full stops of possessives (`Jr.'s`), of `Co. KG`, and of initials (`J. Smith`).
fn shield_single_letters(marked: &mut Marked) {
    let mut from = 0;
    while let Some(point) = marked.next(b'.', from) {
        let possessive =
            marked.says(point + 1, b"'s") && marked.at(point + 3).is_none_or(|byte| is_space(byte) || byte == b'$');
        let space = marked.at(point + 1).is_some_and(is_space);
        let company = space && point >= 2 && marked.says(point - 2, b"Co") && marked.says(point + 2, b"KG");
        let initial = space && marked.before(point).is_some_and(|byte| byte.is_ascii_uppercase());
        if possessive || company || initial && stands_apart(marked, point - 1) {
            marked.shield(point);
        }
        from = point + 1;
    }
}

/// Full stops of words from the lists, unless what follows looks like a new sentence.
fn shield_words(marked: &mut Marked) {
    let mut from = 0;
    while let Some(point) = marked.next(b'.', from) {
        from = point + 1;
        let letters = marked.bytes()[..point].iter().rev().take_while(|byte| byte.is_ascii_alphabetic());
        let start = point - letters.take(words::LONGEST + 1).count();
        let Some(word) = Word::of(&marked.bytes()[start..point]) else { continue };
        if stands_apart(marked, start) && ends_nothing(marked, word, start, point) {
            marked.shield(point);
        }
    }
}

/// Whether the full stop at `point` behind a word of the lists ends no sentence.
fn ends_nothing(marked: &Marked, word: Word, start: usize, point: usize) -> bool {
    let (next, after) = (marked.at(point + 1), marked.at(point + 2));
    let digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
    let Some(next) = next else { return false };
    if is_space(next) {
        let lower = after.is_some_and(|byte| byte.is_ascii_lowercase());
        let number = word.before_number && digit(after);
        let bracket = word.before_number && marked.at(marked.skip(point + 1, is_space)) == Some(b'(');
        let goes_on = word.general && (lower || digit(after) || first_person(marked, point + 2));
        return word.title || number || bracket || goes_on;
    }
    word.title && next == b':' && digit(after)
        || word.general && (matches!(next, b'.' | b':' | b'?' | b',') || next == b'-' && start > 0)
}

/// `I` and a space, `I'm` or `I'll`.
fn first_person(marked: &Marked, at: usize) -> bool {
    marked.at(at) == Some(b'I')
        && (marked.at(at + 1).is_some_and(is_space) || marked.says(at + 1, b"'m") || marked.says(at + 1, b"'ll"))
}

/// Whether a space or the start of the text is before `at`.
fn stands_apart(marked: &Marked, at: usize) -> bool {
    marked.before(at).is_none_or(is_space)
}
