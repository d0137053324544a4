//! What stands in quotation marks or brackets is not cut, if it is plain text.

use super::marked::{Marked, is_space, is_word};

/// Protects `"…"`, `[…]` and `(…)` that hold only word characters, spaces and `? ! . ,`, at least one of them; and
/// `'…'` behind a space or the start of the text, which may hold `|` and `'` too, up to the last `'` with something
/// behind it that is no word character. That character is protected with it.
pub(super) fn mark(marked: &mut Marked) {
    if !b"\"'[(".iter().any(|opening| marked.holds(*opening)) {
        return;
    }
    let mut quoted = SingleQuoted::default();
    let mut at = 0;
    while at < marked.bytes().len() {
        let end = match marked.bytes()[at] {
            b'"' => enclosed(marked, at, b'"'),
            b'[' => enclosed(marked, at, b']'),
            b'(' => enclosed(marked, at, b')'),
            b'\'' if marked.before(at).is_none_or(is_space) => quoted.end(marked, at),
            _ => None,
        };
        match end {
            Some(end) => {
                marked.protect(at, end);
                at = end;
            }
            None => at += 1,
        }
    }
    marked.settle();
}

/// The end of what starts at `at` and ends with `closing`.
fn enclosed(marked: &Marked, at: usize, closing: u8) -> Option<usize> {
    let end = marked.skip(at + 1, is_plain);
    (end > at + 1 && marked.at(end) == Some(closing)).then_some(end + 1)
}

fn is_plain(byte: u8) -> bool {
    is_word(byte) || is_space(byte) || matches!(byte, b'?' | b'!' | b'.' | b',')
}

/// The run of characters that single quotation marks may hold, looked at once however many marks are in it.
#[derive(Default)]
struct SingleQuoted {
    /// Where the run ends.
    run_end: usize,
    /// The last quotation mark of the run that can close a quotation.
    closing: usize,
}

impl SingleQuoted {
    /// The end of the quotation that starts at `at`.
    fn end(&mut self, marked: &Marked, at: usize) -> Option<usize> {
        if self.run_end <= at {
            self.run_end = marked.skip(at, |byte| is_plain(byte) || matches!(byte, b'\'' | b'|'));
            let closes =
                |mark: &usize| marked.bytes()[*mark] == b'\'' && marked.at(mark + 1).is_some_and(|next| !is_word(next));
            self.closing = (at..self.run_end).rev().find(closes).unwrap_or(at);
        }
        (self.closing > at + 1).then(|| {
            let next = &marked.bytes()[self.closing + 1..];
            // The rest of a character that is longer than a byte.
            let rest = next.iter().skip(1).take_while(|byte| next[0] >= 0xC0 && **byte & 0xC0 == 0x80).count();
            self.closing + 2 + rest
        })
    }
}
