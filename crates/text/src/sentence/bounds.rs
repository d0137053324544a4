//! The bounds that a user adds.

use std::collections::BTreeSet;

use super::BoundsStrategy;
use super::marked::{BOUND, BREAK, Marked};
use crate::error::TextError;
use crate::pattern::Pattern;

/// A text without what bounds have taken away.
pub(super) struct Bounded {
    /// The text.
    pub(super) text: String,
    /// The text with a mark at each bound.
    pub(super) marked: Marked,
}

/// Looks for every bound, one after the other. A bound sees those before it as characters of private use.
pub(super) fn mark(text: &str, bounds: &[Pattern], strategy: BoundsStrategy) -> Result<Bounded, TextError> {
    let bound = free_char(text);
    let mut bounded = text.to_owned();
    for pattern in bounds {
        let found = pattern.find_all(&bounded)?;
        let mut next = String::with_capacity(bounded.len() + found.len() * bound.len_utf8());
        let mut from = 0;
        for range in found {
            next.push_str(&bounded[from..range.start]);
            if strategy == BoundsStrategy::Append {
                next.push_str(&bounded[range.clone()]);
            }
            next.push(bound);
            if strategy == BoundsStrategy::Prepend {
                next.push_str(&bounded[range.clone()]);
            }
            from = range.end;
        }
        next.push_str(&bounded[from..]);
        bounded = next;
    }
    // Where text was taken away the ends do not belong together, whatever protects them.
    let mark = if strategy == BoundsStrategy::None { BOUND } else { BREAK };
    Ok(Bounded { marked: Marked::with_bounds(&bounded, bound, mark), text: bounded.replace(bound, "") })
}

/// A character of private use that is not in the text: U+F050, which Spark NLP takes, wherever possible.
fn free_char(text: &str) -> char {
    const FIRST: char = '\u{F050}';
    let taken: BTreeSet<char> = text.chars().filter(|c| *c >= FIRST).collect();
    // A text that has them all is one that nobody wrote; it is cut at its last one.
    (FIRST..=char::MAX).find(|c| !taken.contains(c)).unwrap_or(char::MAX)
}
