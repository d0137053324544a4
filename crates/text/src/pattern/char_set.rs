//! Sets of characters.

use std::fmt::Write as _;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::reader::Flags;

/// A set of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CharSet(ClassUnicode);

impl CharSet {
    pub(super) fn of(chars: impl IntoIterator<Item = char>) -> Self {
        Self::ranges(chars.into_iter().map(|c| (c, c)))
    }

    pub(super) fn ranges(ranges: impl IntoIterator<Item = (char, char)>) -> Self {
        Self(ClassUnicode::new(ranges.into_iter().map(|(start, end)| ClassUnicodeRange::new(start, end))))
    }

    pub(super) fn all() -> Self {
        Self::ranges([('\0', char::MAX)])
    }

    /// The set that the regular expressions of `regex-syntax` know by this class.
    pub(super) fn known(class: &str) -> Option<Self> {
        match regex_syntax::parse(class).ok()?.into_kind() {
            regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => Some(Self(class)),
            _ => None,
        }
    }

    pub(crate) fn contains(&self, c: char) -> bool {
        let ranges = self.0.ranges();
        let behind = ranges.partition_point(|range| range.start() <= c);
        behind.checked_sub(1).is_some_and(|at| c <= ranges[at].end())
    }

    pub(super) fn negated(mut self) -> Self {
        self.0.negate();
        self
    }

    pub(super) fn with(mut self, other: &Self) -> Self {
        self.0.union(&other.0);
        self
    }

    pub(super) fn intersected(mut self, other: &Self) -> Self {
        self.0.intersect(&other.0);
        self
    }

    /// With the other case of every letter, as far as the flags say.
    pub(super) fn folded(mut self, flags: Flags) -> Self {
        if flags.ignore_case {
            let mut letters = self.0.clone();
            if !flags.unicode_case {
                letters.intersect(&Self::ranges([('A', 'Z'), ('a', 'z')]).0);
            }
            let _ = letters.try_case_fold_simple();
            if !flags.unicode_case {
                letters.intersect(&Self::ranges([('A', 'Z'), ('a', 'z')]).0);
            }
            self.0.union(&letters);
        }
        self
    }

    /// The set as a class for the engine. No character is one on its own, so that nothing needs to be escaped.
    pub(super) fn to_class(&self) -> String {
        if self.0.ranges().is_empty() {
            return "(?!)".to_owned();
        }
        let mut class = String::from("[");
        for range in self.0.ranges() {
            let (start, end) = (u32::from(range.start()), u32::from(range.end()));
            let _ = write!(class, "\\x{{{start:X}}}");
            if end > start {
                let _ = write!(class, "-\\x{{{end:X}}}");
            }
        }
        class.push(']');
        class
    }
}
