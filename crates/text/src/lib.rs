//! From text to documents, tokens and piece ids.
//!
//! This crate is the first room of Albertine: it knows text and vocabularies, and neither tensors nor tables.
//!
//! | module item | what it does |
//! | --- | --- |
//! | [`CleanupMode`] | what a document assembler does to a raw text |
//! | [`Utf16Cursor`] | byte offsets to UTF-16 offsets, in one pass |
//! | [`Tokenizer`] | words and punctuation, by Spark NLP's default rules |
//! | [`Pieces`] | the piece ids a model reads, identical to Hugging Face's fast ALBERT tokenizer |
//!
//! Everything here works on `&self`, keeps no state between calls that could change a result, and starts no threads.

mod document;
mod error;
mod offsets;
mod pieces;
mod token;

pub use document::CleanupMode;
pub use error::TextError;
pub use offsets::{Utf16Cursor, utf16_len};
pub use pieces::{Encoded, Piece, Pieces, TruncationSide, Vocabulary};
pub use token::{ContextChars, Token, Tokenizer, TokenizerSettings, is_blank};
