//! What crosses from text to model: token ids, end to end.

/// The piece ids of some documents laid end to end, and where each document starts.
///
/// There is no padding and there is no mask: a document is exactly its pieces, `[CLS]` first and `[SEP]` last. A piece
/// that a mask would hide from all others is left out, and those behind it keep their positions.
///
/// Each token also has a type, which tells the two texts of a pair apart; a document of one text has type 0 throughout.
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
    /// The position of each piece in its document, which chooses its position embedding.
    positions: Vec<u32>,
    /// The type of each piece; empty while all have type 0.
    token_types: Vec<u32>,
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
        Self { ids: Vec::new(), positions: Vec::new(), token_types: Vec::new(), starts: vec![0] }
    }

    /// Adds a document at the end.
    pub fn push(&mut self, ids: &[u32]) {
        self.ids.extend_from_slice(ids);
        self.positions.extend(0..ids.len() as u32);
        self.end_document();
    }

    /// Adds a document whose tokens have these types, such as a pair of texts: `[CLS] a [SEP]` of type 0 and `b [SEP]` of
    /// type 1.
    ///
    /// ```
    /// use albertine_model::RaggedBatch;
    ///
    /// let mut batch = RaggedBatch::new();
    /// batch.push_with_types(&[2, 1952, 3, 77, 3], &[0, 0, 0, 1, 1]);
    /// assert_eq!(batch.token_types(), Some(&[0, 0, 0, 1, 1][..]));
    /// ```
    ///
    /// # Panics
    ///
    /// When there are not as many types as ids.
    pub fn push_with_types(&mut self, ids: &[u32], token_types: &[u32]) {
        assert_eq!(ids.len(), token_types.len(), "a type for each token");
        if token_types.iter().any(|&token_type| token_type != 0) {
            self.token_types.resize(self.ids.len(), 0);
            self.token_types.extend_from_slice(token_types);
        }
        self.push(ids);
    }

    /// Adds a document without its pieces of one id, whose positions stay empty.
    ///
    /// This is what an attention mask over those pieces comes to: they are seen by none, so that nothing depends on
    /// them.
    ///
    /// ```
    /// use albertine_model::RaggedBatch;
    ///
    /// let mut batch = RaggedBatch::new();
    /// batch.push_without(&[2, 1, 1952, 3], 1);
    /// assert_eq!((batch.document(0), batch.positions()), (&[2, 1952, 3][..], &[0, 2, 3][..]));
    /// ```
    pub fn push_without(&mut self, ids: &[u32], hidden: u32) {
        for (position, &id) in ids.iter().enumerate().filter(|&(_, &id)| id != hidden) {
            self.ids.push(id);
            self.positions.push(position as u32);
        }
        self.end_document();
    }

    /// Adds a document of another batch.
    ///
    /// # Panics
    ///
    /// When that batch has no such document.
    pub fn push_from(&mut self, other: &Self, index: usize) {
        let range = other.starts[index]..other.starts[index + 1];
        if let Some(token_types) = other.token_types() {
            self.token_types.resize(self.ids.len(), 0);
            self.token_types.extend_from_slice(&token_types[range.clone()]);
        }
        self.ids.extend_from_slice(&other.ids[range.clone()]);
        self.positions.extend_from_slice(&other.positions[range]);
        self.end_document();
    }

    /// Adds a document of one token: its id, its position in whatever document it comes from, and its type.
    pub(crate) fn push_token(&mut self, (id, position, token_type): (u32, u32, u32)) {
        if token_type != 0 {
            self.token_types.resize(self.ids.len(), 0);
            self.token_types.push(token_type);
        }
        self.ids.push(id);
        self.positions.push(position);
        self.end_document();
    }

    /// The tokens since the last start are a document.
    fn end_document(&mut self) {
        if !self.token_types.is_empty() {
            self.token_types.resize(self.ids.len(), 0);
        }
        self.starts.push(self.ids.len());
    }

    /// Removes all documents and keeps the memory.
    pub fn clear(&mut self) {
        self.ids.clear();
        self.positions.clear();
        self.token_types.clear();
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

    /// The ids of all documents, end to end.
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The position of each of these in its document, from 0.
    #[must_use]
    pub fn positions(&self) -> &[u32] {
        &self.positions
    }

    /// The type of each of these; `None` where all have type 0.
    #[must_use]
    pub fn token_types(&self) -> Option<&[u32]> {
        (!self.token_types.is_empty()).then_some(&self.token_types)
    }

    /// The start of each document in the pieces of all documents, end to end, and the end of the last one:
    /// `[documents + 1]`.
    #[must_use]
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// The id, position and type of each token of a document.
    pub(crate) fn tokens_of(&self, index: usize) -> impl Iterator<Item = (u32, u32, u32)> {
        let types = self.token_types();
        (self.starts[index]..self.starts[index + 1])
            .map(move |token| (self.ids[token], self.positions[token], types.map_or(0, |types| types[token])))
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
            assert_eq!(batch.positions(), [0, 1, 2, 0, 0, 1]);
        }
    }
    #[test]
    fn a_document_crosses_with_its_positions() {
        let (mut from, mut to) = (RaggedBatch::new(), RaggedBatch::new());
        from.push(&[2, 3]);
        from.push_without(&[2, 1, 9, 1, 1, 3], 1);
        to.push_from(&from, 1);
        assert_eq!((to.ids(), to.positions(), to.starts()), (&[2, 9, 3][..], &[0, 2, 5][..], &[0, 3][..]));
    }

    #[test]
    fn types_are_kept_only_where_there_are_any() {
        let mut batch = RaggedBatch::new();
        batch.push(&[2, 3]);
        batch.push_with_types(&[2, 9, 3], &[0, 0, 0]);
        assert_eq!(batch.token_types(), None);
        batch.push_with_types(&[2, 9, 3], &[0, 1, 1]);
        batch.push(&[2, 3]);
        assert_eq!(batch.token_types(), Some(&[0, 0, 0, 0, 0, 0, 1, 1, 0, 0][..]));
        let mut to = RaggedBatch::new();
        to.push(&[5]);
        to.push_from(&batch, 2);
        assert_eq!(to.token_types(), Some(&[0, 0, 1, 1][..]));
        assert_eq!(to.positions(), [0, 0, 1, 2]);
        to.clear();
        to.push(&[2]);
        assert_eq!(to.token_types(), None);
    }
}
