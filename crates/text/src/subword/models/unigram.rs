//! A unigram vocabulary: pieces with their scores.
//!
//! Source: T. Kudo, "Subword Regularization", 2018; the rules for unknown characters are those of Hugging Face's
//! `tokenizers`.

pub(crate) mod lattice;

use crate::subword::models::trie::Trie;

/// How much worse an unknown character is than the worst piece.
const UNKNOWN_PENALTY: f64 = 10.0;

/// Pieces with their scores.
#[derive(Debug)]
pub(crate) struct Unigram {
    pub(crate) trie: Trie,
    /// The score of every piece: its log probability.
    pub(crate) scores: Vec<f64>,
    pieces: Vec<String>,
    /// The id of the unknown piece.
    pub(crate) unknown: u32,
    /// The score of an unknown character.
    pub(crate) unknown_score: f64,
    /// The pieces of the 256 bytes, as far as there are any, if unknown characters are to become these.
    pub(crate) bytes: Option<Vec<Option<u32>>>,
    /// The length of the longest piece, in bytes.
    pub(crate) longest: usize,
}

impl Unigram {
    /// For pieces with finite scores; a piece's place is its id, and `unknown` is one of them.
    pub(crate) fn new(vocabulary: Vec<(String, f64)>, unknown: usize, byte_fallback: bool) -> Self {
        let (pieces, scores): (Vec<String>, Vec<f64>) = vocabulary.into_iter().unzip();
        let trie = Trie::new(&pieces);
        let byte_piece = |byte| trie.get(format!("<0x{byte:02X}>").as_bytes());
        Self {
            bytes: byte_fallback.then(|| (0..=255_u8).map(byte_piece).collect()),
            unknown: unknown as u32,
            unknown_score: scores.iter().copied().fold(f64::INFINITY, f64::min) - UNKNOWN_PENALTY,
            longest: pieces.iter().map(String::len).max().unwrap_or(0),
            trie,
            scores,
            pieces,
        }
    }

    /// The number of pieces.
    pub(crate) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// The piece with this id.
    pub(crate) fn piece(&self, id: u32) -> Option<&str> {
        self.pieces.get(id as usize).map(String::as_str)
    }

    /// The id of a piece. Of equal ones the last counts.
    pub(crate) fn id(&self, piece: &str) -> Option<u32> {
        self.trie.get(piece.as_bytes())
    }
}
