//! The few things that clean-up looks for, and one way to replace them.
//!
//! A scanner is given the rest of a text and says how many bytes of its start it takes, all of them ASCII.

use std::borrow::Cow;

/// The text with every match of `scanner`, from left to right, replaced.
pub(super) fn replace<'t>(text: &'t str, by: &str, scanner: impl Fn(&[u8]) -> Option<usize>) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    let mut clean = String::new();
    let (mut kept, mut at, mut changed) = (0, 0, false);
    while at < bytes.len() {
        match scanner(&bytes[at..]) {
            Some(length) => {
                if &text[at..at + length] != by {
                    if !changed {
                        clean.reserve(text.len());
                        changed = true;
                    }
                    clean.push_str(&text[kept..at]);
                    clean.push_str(by);
                    kept = at + length;
                }
                at += length;
            }
            None => at += 1,
        }
    }
    if !changed {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[kept..]);
    Cow::Owned(clean)
}

/// Without characters up to U+0020 at both ends.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

/// One ASCII space character.
pub(super) fn space(rest: &[u8]) -> Option<usize> {
    matches!(rest.first(), Some(b' ' | b'\t'..=b'\r')).then_some(1)
}

/// A run of them.
pub(super) fn spaces(rest: &[u8]) -> Option<usize> {
    run(rest, space)
}

/// A space and a line feed or tab.
pub(super) fn space_and_break(rest: &[u8]) -> Option<usize> {
    (space(rest).is_some() && matches!(rest.get(1), Some(b'\n' | b'\t'))).then_some(2)
}

/// A printed line feed, carriage return with line feed, or tab.
pub(super) fn printed(rest: &[u8]) -> Option<usize> {
    [r"\n", r"\r\n", r"\t"].into_iter().find(|printed| rest.starts_with(printed.as_bytes())).map(str::len)
}

/// Printed carriage returns, if any, and at least one printed line feed behind them.
pub(super) fn printed_line_ends(rest: &[u8]) -> Option<usize> {
    let returns = run(rest, |rest| rest.starts_with(br"\r").then_some(2)).unwrap_or(0);
    let feeds = run(&rest[returns..], |rest| rest.starts_with(br"\n").then_some(2))?;
    Some(returns + feeds)
}

/// A run of printed tabs.
pub(super) fn printed_tabs(rest: &[u8]) -> Option<usize> {
    run(rest, |rest| rest.starts_with(br"\t").then_some(2))
}

/// As many matches of `scanner` as follow each other; none is no match.
fn run(rest: &[u8], scanner: impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
    let mut length = 0;
    while let Some(next) = scanner(&rest[length..]) {
        length += next;
    }
    (length > 0).then_some(length)
}
