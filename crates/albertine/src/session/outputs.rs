//! The logits of the documents of a call.

/// The logits of each document that a [`Session`](crate::Session) was given, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputs {
    /// Of the distinct documents, `[distinct documents, labels]`.
    logits: Vec<f32>,
    labels: usize,
    /// The index of each document among the distinct ones; none for a blank one.
    indices: Vec<Option<usize>>,
}

impl Outputs {
    /// Of logits of distinct documents, and which of them each document is.
    pub(crate) fn new(logits: Vec<f32>, labels: usize, indices: Vec<Option<usize>>) -> Self {
        Self { logits, labels, indices }
    }

    /// The number of labels.
    pub(crate) fn labels(&self) -> usize {
        self.labels
    }

    /// The number of documents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The logits of a document by its index, one for each label; `None` for a null or blank one, and where there is
    /// none.
    #[must_use]
    pub fn logits(&self, document: usize) -> Option<&[f32]> {
        let index = self.indices.get(document).copied().flatten()?;
        self.logits.get(index * self.labels..(index + 1) * self.labels)
    }

    /// The logits of each document.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&[f32]>> {
        (0..self.len()).map(|document| self.logits(document))
    }
}
