//! Which parts of a text are shown.

use std::ops::Range;

/// A set of the parts of a text: those that are shown, while the others are hidden.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Coalition {
    parts: usize,
    bits: Box<[u64]>,
}

impl Coalition {
    /// No part of so many.
    pub(super) fn none(parts: usize) -> Self {
        Self { parts, bits: vec![0; parts.div_ceil(64)].into() }
    }

    /// All parts.
    pub(super) fn all(parts: usize) -> Self {
        Self::none(parts).with(0..parts)
    }

    /// The number of parts, shown or hidden.
    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    /// These parts shown as well.
    pub(super) fn with(mut self, parts: Range<usize>) -> Self {
        parts.for_each(|part| self.bits[part / 64] |= 1 << (part % 64));
        self
    }

    /// These parts hidden.
    pub(super) fn without(mut self, parts: Range<usize>) -> Self {
        parts.for_each(|part| self.bits[part / 64] &= !(1 << (part % 64)));
        self
    }

    /// Whether a part is shown.
    pub(super) fn shows(&self, part: usize) -> bool {
        self.bits[part / 64] >> (part % 64) & 1 == 1
    }

    /// Whether all are shown.
    pub(super) fn is_all(&self) -> bool {
        self.bits.iter().map(|bits| bits.count_ones() as usize).sum::<usize>() == self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_shown_and_hidden() {
        let some = Coalition::none(130).with(60..70).with(129..130);
        assert!(!some.shows(59) && some.shows(60) && some.shows(69) && !some.shows(70) && some.shows(129));
        assert!(!some.is_all());
        assert_eq!(Coalition::all(130).without(70..129).without(0..60), some);
        assert!(Coalition::all(130).is_all() && Coalition::all(64).is_all() && Coalition::none(0).is_all());
    }
}
