//! What crosses from text to model: piece ids, end to end.

/// The piece ids of some documents laid end to end, and where each document starts.
///
/// There is no padding and there is no mask: a document is exactly its pieces, `[CLS]` first and `[SEP]` last.
///
/// ```
/// use albertine_model::RaggedBatch;
///
/// let mut batch = RaggedBatch::new();
/// batch.push(&[2, 1952, 3]);
/// batch.push(&[2, 3]);
/// assert_eq!((batch.documents(), batch.tokens()), (2, 5));
/// assert_eq!(batch.document(1), [2, 3]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaggedBatch {
    ids: Vec<u32>,
    /// The start of each document in `ids`, and the end of the last one: `[0, n1, n1 + n2, ...]`.
    starts: Vec<usize>,
}

impl Default for RaggedBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl RaggedBatch {
    /// A batch without documents.
    #[must_use]
    pub fn new() -> Self {
        Self { ids: Vec::new(), starts: vec![0] }
    }

    /// Adds a document at the end.
    pub fn push(&mut self, ids: &[u32]) {
        self.ids.extend_from_slice(ids);
        self.starts.push(self.ids.len());
    }

    /// Removes all documents and keeps the memory.
    pub fn clear(&mut self) {
        self.ids.clear();
        self.starts.truncate(1);
    }

    /// The number of documents.
    #[must_use]
    pub fn documents(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of pieces of all documents.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// The piece ids of the document at `index`.
    ///
    /// # Panics
    ///
    /// When there is no such document.
    #[must_use]
    pub fn document(&self, index: usize) -> &[u32] {
        &self.ids[self.starts[index]..self.starts[index + 1]]
    }

    /// The start of each document in the pieces of all documents, end to end, and the end of the last one:
    /// `[documents + 1]`.
    #[must_use]
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// The piece ids of each document in turn.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.starts.windows(2).map(|ends| &self.ids[ends[0]..ends[1]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_back_as_they_went_in() {
        let documents: [&[u32]; 4] = [&[2, 7, 3], &[], &[5], &[2, 3]];
        let mut batch = RaggedBatch::default();
        for _ in 0..2 {
            batch.clear();
            assert_eq!((batch.documents(), batch.tokens()), (0, 0));
            documents.iter().for_each(|document| batch.push(document));
            assert_eq!(batch.starts(), [0, 3, 3, 4, 6]);
            assert!(batch.iter().eq(documents));
            assert!((0..4).all(|index| batch.document(index) == documents[index]));
        }
    }
}
