//! What a document assembler does to a raw text before anything else sees it.
//!
//! Offsets of everything downstream refer to the text *after* clean-up.

use std::borrow::Cow;

/// How a document assembler cleans a text (Spark NLP's `cleanupMode`).
///
/// ```
/// use albertine_text::CleanupMode;
///
/// assert_eq!(CleanupMode::Disabled.apply("  as it came\n"), "  as it came\n");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CleanupMode {
    /// The text is left as it came; it is not even trimmed. The default.
    #[default]
    Disabled,
}

impl CleanupMode {
    /// The name of the mode, as Spark NLP spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
        }
    }

    /// The cleaned text; borrowed when nothing had to change.
    #[must_use]
    pub fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Disabled => Cow::Borrowed(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disabled_borrows_the_text_unchanged() {
        for text in ["", "   ", " a\tb\n\nc ", "bad\\news"] {
            assert!(matches!(CleanupMode::Disabled.apply(text), Cow::Borrowed(same) if same == text));
        }
        assert_eq!(CleanupMode::default().name(), "disabled");
    }
}
