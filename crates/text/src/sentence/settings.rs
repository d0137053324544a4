//! What can be set on a sentence detector.

use crate::error::{TextError, named};

/// What becomes of the text that a custom bound matches.
///
/// ```
/// use albertine_text::BoundsStrategy;
///
/// assert_eq!(BoundsStrategy::named("append").unwrap(), BoundsStrategy::Append);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoundsStrategy {
    /// It belongs to no sentence. The default.
    #[default]
    None,
    /// It starts the next sentence.
    Prepend,
    /// It ends the sentence before it.
    Append,
}

impl BoundsStrategy {
    /// Every strategy.
    pub const ALL: [Self; 3] = [Self::None, Self::Prepend, Self::Append];

    /// The name of the strategy, as Spark NLP spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Prepend => "prepend",
            Self::Append => "append",
        }
    }

    /// The strategy of exactly this name.
    ///
    /// # Errors
    ///
    /// [`TextError::UnknownName`] when there is none.
    pub fn named(name: &str) -> Result<Self, TextError> {
        named("custom bounds strategy", name, Self::ALL, Self::name)
    }
}

/// How documents are cut into sentences. Lengths are in UTF-16 code units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentenceDetectorSettings {
    /// Whether full stops of abbreviations end no sentence (default: they do not).
    pub use_abbreviations: bool,
    /// Whether a new item of a list starts a sentence (default: it does).
    pub detect_lists: bool,
    /// Whether sentences end at custom bounds and nowhere else (default: no).
    pub use_custom_bounds_only: bool,
    /// Java regular expressions for further bounds between sentences (default: none).
    pub custom_bounds: Vec<String>,
    /// What becomes of the text that a custom bound matches (default: it is left out).
    pub custom_bounds_strategy: BoundsStrategy,
    /// Sentences longer than this are cut at spaces (default: they are not).
    pub split_length: Option<usize>,
    /// The shortest sentence that is kept (default 0).
    pub min_length: usize,
    /// The longest sentence that is kept (default: any length).
    pub max_length: Option<usize>,
}

impl Default for SentenceDetectorSettings {
    fn default() -> Self {
        Self {
            use_abbreviations: true,
            detect_lists: true,
            use_custom_bounds_only: false,
            custom_bounds: Vec::new(),
            custom_bounds_strategy: BoundsStrategy::None,
            split_length: None,
            min_length: 0,
            max_length: None,
        }
    }
}
