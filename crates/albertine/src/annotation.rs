//! What annotators read and write: Spark NLP's annotation, as a plain value.

/// The type of an annotation; its name is what columns and rows carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnnotatorType {
    /// A whole text, or a sentence of it.
    Document,
    /// A token.
    Token,
    /// A class with its score.
    Category,
    /// Any of them: a column without annotations, from a library that does not keep the type with the column. Stages
    /// take it for the type that they read.
    Any,
}

impl AnnotatorType {
    /// All types.
    pub const ALL: [Self; 4] = [Self::Document, Self::Token, Self::Category, Self::Any];

    /// The name in Spark NLP.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Token => "token",
            Self::Category => "category",
            Self::Any => "any",
        }
    }
}

/// One annotation over a text.
///
/// `begin` and `end` are inclusive and count UTF-16 code units of the text after the `DocumentAssembler`, as on the
/// JVM; an empty text has `begin` 0 and `end` -1.
///
/// Source: Spark NLP's `Annotation`, whose fields these are.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// The kind of annotation, for example `category`.
    pub annotator_type: String,
    /// The first UTF-16 code unit.
    pub begin: i32,
    /// The last UTF-16 code unit, inclusive.
    pub end: i32,
    /// The main value: the text of a document or token, the label of a category.
    pub result: String,
    /// Further facts, as text, in a fixed order.
    pub metadata: Vec<(String, Option<String>)>,
    /// A vector; empty for every annotator here.
    pub embeddings: Vec<f32>,
}

impl Annotation {
    /// An annotation with metadata and without a vector.
    #[must_use]
    pub fn new(
        kind: AnnotatorType,
        begin: i32,
        end: i32,
        result: impl Into<String>,
        metadata: Vec<(String, Option<String>)>,
    ) -> Self {
        Self {
            annotator_type: kind.name().to_owned(),
            begin,
            end,
            result: result.into(),
            metadata,
            embeddings: Vec::new(),
        }
    }

    /// The value of a metadata key; the first, should a label have the name of another key.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.iter().find(|(name, _)| name == key).and_then(|(_, value)| value.as_deref())
    }
}

impl std::fmt::Display for Annotation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Annotation(type: {}, begin: {}, end: {}, result: {})",
            self.annotator_type, self.begin, self.end, self.result
        )
    }
}
