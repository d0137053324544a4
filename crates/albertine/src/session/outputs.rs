//! The logits of the documents of a call.

/// The logits of each document that a [`Session`](crate::Session) was given, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputs {
    /// Of the distinct documents, `[distinct documents, labels]`.
    pub(super) logits: Vec<f32>,
    pub(super) labels: usize,
    /// The index of each document among the distinct ones; none for a blank one.
    pub(super) indices: Vec<Option<usize>>,
}

impl Outputs {
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
