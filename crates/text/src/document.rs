//! What a document assembler does to a raw text before anything else sees it.
//!
//! Offsets of everything downstream refer to the text *after* clean-up.

mod scan;

use std::borrow::Cow;

use crate::error::{TextError, named};

/// How a document assembler cleans a text (Spark NLP's `cleanupMode`).
///
/// A *space* is one of the six ASCII space characters. A *printed* line feed, say, is the two characters `\` and `n`,
/// as badly exported tables have them. To trim is to remove characters up to U+0020 at both ends.
///
/// ```
/// use albertine_text::CleanupMode;
///
/// assert_eq!(CleanupMode::Disabled.apply("  as it came\n"), "  as it came\n");
/// assert_eq!(CleanupMode::Shrink.apply("  as\n\n it\tcame\n"), "as it came");
/// assert_eq!(CleanupMode::named("shrink_full")?.apply(r"one\n\ntwo"), "one two");
/// # Ok::<(), albertine_text::TextError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum CleanupMode {
    /// The text is left as it came; it is not even trimmed. The default.
    #[default]
    Disabled,
    /// Each space becomes a blank; the length stays.
    Inplace,
    /// As `Inplace`, and each printed line feed, carriage return with line feed, and tab becomes a blank.
    InplaceFull,
    /// Trimmed; each run of spaces becomes a blank.
    Shrink,
    /// As `Shrink`, and each run of printed line ends or of printed tabs becomes a blank.
    ShrinkFull,
    /// A space and a line feed or tab behind it become a blank together; a line feed that is alone stays.
    Each,
    /// As `Each`; the second of the two may be a printed line feed, carriage return with line feed, or tab.
    EachFull,
    /// Trimmed; printed line feeds, carriage returns with line feeds, and tabs are left out. Real ones stay.
    DeleteFull,
}

impl CleanupMode {
    /// Every mode.
    pub const ALL: [Self; 8] = [
        Self::Disabled,
        Self::Inplace,
        Self::InplaceFull,
        Self::Shrink,
        Self::ShrinkFull,
        Self::Each,
        Self::EachFull,
        Self::DeleteFull,
    ];

    /// The name of the mode, as Spark NLP spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Inplace => "inplace",
            Self::InplaceFull => "inplace_full",
            Self::Shrink => "shrink",
            Self::ShrinkFull => "shrink_full",
            Self::Each => "each",
            Self::EachFull => "each_full",
            Self::DeleteFull => "delete_full",
        }
    }

    /// The mode of this name; blanks around it and its case do not matter.
    ///
    /// # Errors
    ///
    /// [`TextError::UnknownName`] when there is none; it lists those that there are.
    pub fn named(name: &str) -> Result<Self, TextError> {
        named("cleanup mode", name.trim().to_lowercase().as_str(), Self::ALL, Self::name)
    }

    /// The cleaned text; borrowed when nothing had to change.
    #[must_use]
    pub fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Disabled => Cow::Borrowed(text),
            Self::Inplace => scan::replace(text, " ", scan::space),
            Self::InplaceFull => scan::replace(text, " ", |rest| scan::space(rest).or_else(|| scan::printed(rest))),
            Self::Shrink => scan::replace(scan::trim(text), " ", scan::spaces),
            Self::ShrinkFull => scan::replace(scan::trim(text), " ", |rest| {
                scan::spaces(rest).or_else(|| scan::printed_line_ends(rest)).or_else(|| scan::printed_tabs(rest))
            }),
            Self::Each => scan::replace(text, " ", scan::space_and_break),
            Self::EachFull => scan::replace(text, " ", |rest| {
                scan::space_and_break(rest).or_else(|| Some(scan::space(rest)? + scan::printed(&rest[1..])?))
            }),
            Self::DeleteFull => scan::replace(scan::trim(text), "", scan::printed),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn disabled_borrows_the_text_unchanged() {
        for text in ["", "   ", " a\tb\n\nc ", "bad\\news"] {
            assert!(matches!(CleanupMode::Disabled.apply(text), Cow::Borrowed(same) if same == text));
        }
        assert_eq!(CleanupMode::default().name(), "disabled");
    }

    /// A text and what each mode, in the order of `ALL`, makes of it.
    const VECTORS: [(&str, [&str; 8]); 6] = [
        (
            "  a\tb\n\nc  ",
            ["  a\tb\n\nc  ", "  a b  c  ", "  a b  c  ", "a b c", "a b c", "  a\tb c  ", "  a\tb c  ", "a\tb\n\nc"],
        ),
        ("a \n\tb", ["a \n\tb", "a   b", "a   b", "a b", "a b", "a \tb", "a \tb", "a \n\tb"]),
        ("x\r\ny", ["x\r\ny", "x  y", "x  y", "x y", "x y", "x y", "x y", "x\r\ny"]),
        (
            r"a\nb\tc\r\nd",
            [
                r"a\nb\tc\r\nd",
                r"a\nb\tc\r\nd",
                "a b c d",
                r"a\nb\tc\r\nd",
                "a b c d",
                r"a\nb\tc\r\nd",
                r"a\nb\tc\r\nd",
                "abcd",
            ],
        ),
        (r"a\n\nb", [r"a\n\nb", r"a\n\nb", "a  b", r"a\n\nb", "a b", r"a\n\nb", r"a\n\nb", "ab"]),
        (
            r"bad\news",
            [r"bad\news", r"bad\news", "bad ews", r"bad\news", "bad ews", r"bad\news", r"bad\news", "badews"],
        ),
    ];

    #[test]
    fn every_mode_does_what_spark_nlp_does() {
        for (text, expected) in VECTORS {
            assert_eq!(CleanupMode::ALL.map(|mode| mode.apply(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn names_are_read_as_setters_read_them() {
        for mode in CleanupMode::ALL {
            assert_eq!(CleanupMode::named(&format!(" {} ", mode.name().to_uppercase())).unwrap(), mode);
        }
        assert_eq!(
            CleanupMode::named("tidy").unwrap_err().to_string(),
            "there is no cleanup mode \"tidy\"; there are disabled, inplace, inplace_full, shrink, shrink_full, each, \
             each_full, delete_full"
        );
    }

    proptest! {
        /// A result is borrowed exactly when it says what the text said.
        #[test]
        fn borrowed_when_nothing_changes(text in "[ \\t\\n\\r\u{b}a\\\\ntré\u{a0}]{0,20}") {
            for mode in CleanupMode::ALL {
                let clean = mode.apply(&text);
                let untouched = clean == scan::trim(&text) || clean == text;
                prop_assert_eq!(matches!(clean, Cow::Borrowed(_)), untouched);
            }
        }

        /// Shrinking leaves no two blanks beside each other, and is done in one go.
        #[test]
        fn shrunk_once_is_shrunk(text in "[ \\t\\n\\ra\\\\nté\u{a0}]{0,20}") {
            let once = CleanupMode::Shrink.apply(&text);
            prop_assert!(!once.contains("  "));
            prop_assert_eq!(CleanupMode::Shrink.apply(&once), once.as_ref());
        }
    }
}
