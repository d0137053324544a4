//! From text to documents, sentences, tokens and piece ids.
//!
//! This crate knows text and vocabularies, and neither tensors nor tables; the rest of Albertine builds on it.
//!
//! | module item | what it does |
//! | --- | --- |
//! | [`CleanupMode`] | what a document assembler does to a raw text |
//! | [`Utf16Cursor`] | byte offsets to UTF-16 offsets, in one pass |
//! | [`Pattern`] | a Java regular expression |
//! | [`SentenceDetector`] | sentences, by Spark NLP's rules |
//! | [`Tokenizer`] | words and punctuation, by Spark NLP's rules |
//! | [`SubwordTokenizer`] | the piece ids a model reads, identical to Hugging Face's fast tokenizers of ALBERT and BERT |
//! | [`UnigramTrainer`] | a vocabulary of subwords, trained on texts as SentencePiece does it |
//! | [`TokenEncoder`] | the piece ids of each token by itself, as Spark NLP reads a text |
//!
//! Everything here works on `&self`, keeps no state between calls that could change a result, and starts no threads.

mod document;
mod error;
mod offsets;
mod pattern;
mod sentence;
mod subword;
mod token;
mod unigram;

pub use document::CleanupMode;
pub use error::TextError;
pub use offsets::{Utf16Cursor, utf16_len};
pub use pattern::Pattern;
pub use sentence::{BoundsStrategy, Sentence, SentenceDetector, SentenceDetectorSettings};
pub use subword::{Encoded, Piece, SubwordTokenizer, TokenEncoder, TruncationSide, Vocabulary};
pub use token::{ContextChars, Token, Tokenizer, TokenizerSettings, is_blank, read_exceptions};
pub use unigram::{UnigramTrainer, UnigramVocabulary};
