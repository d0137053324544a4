//! A document in tokens.

use albertine_model::RaggedBatch;

/// A document in tokens, as [`Session::encode`](crate::Session::encode) makes it: what waits in a queue for the encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedDocument {
    /// One sequence, or one for each window.
    pub(super) batch: RaggedBatch,
    pub(super) truncated: bool,
}

impl EncodedDocument {
    /// Its tokens, special ones included; over all windows, if it is read in windows.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.batch.tokens()
    }

    /// Whether the text has more tokens than are read.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.truncated
    }
}
