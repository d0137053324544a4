//! A WordPiece vocabulary: the longest piece from left to right.
//!
//! A piece within a word is one that the vocabulary has behind a prefix, `##`. A word that no row of pieces covers is
//! one unknown piece, and so is a word of very many characters.
//!
//! Source: `google-research/bert`, `tokenization.py`; behaviour: `WordPiece` of Hugging Face's `tokenizers`.

use super::trie::Trie;

/// Pieces that begin words and pieces that go on with them.
#[derive(Debug)]
pub(crate) struct WordPiece {
    /// All pieces as they are written.
    first: Trie,
    /// Those that begin with the prefix, without it.
    next: Trie,
    pieces: Vec<String>,
    /// How many different tokens the vocabulary has.
    tokens: usize,
    /// The id of the unknown piece.
    pub(crate) unknown: u32,
    /// Words of more characters are unknown.
    pub(crate) max_chars: usize,
}

impl WordPiece {
    /// For pieces of which each has its place as its id; of equal ones the last counts, and empty ones are places that
    /// no piece has. There are `tokens` different ones, and `unknown` is one of them.
    pub(crate) fn new(pieces: Vec<String>, tokens: usize, unknown: usize, prefix: &str, max_chars: usize) -> Self {
        let next: Vec<&str> = pieces.iter().map(|piece| piece.strip_prefix(prefix).unwrap_or_default()).collect();
        Self { first: Trie::new(&pieces), next: Trie::new(&next), tokens, unknown: unknown as u32, max_chars, pieces }
    }

    /// The number of ids.
    pub(crate) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// The number of different tokens.
    pub(crate) fn tokens(&self) -> usize {
        self.tokens
    }

    /// The piece with this id.
    pub(crate) fn piece(&self, id: u32) -> Option<&str> {
        self.pieces.get(id as usize).map(String::as_str)
    }

    /// The id of a piece.
    pub(crate) fn id(&self, piece: &str) -> Option<u32> {
        self.first.get(piece.as_bytes())
    }

    /// The id and the length of the longest piece that `word` has at byte `at`.
    #[inline]
    fn longest(&self, word: &[u8], at: usize) -> Option<(u32, usize)> {
        let trie = if at == 0 { &self.first } else { &self.next };
        trie.longest(&word[at..])
    }

    /// Whether a word has few enough characters to be looked up.
    fn is_short(&self, word: &[u8]) -> bool {
        // No character begins with a byte of the form 10xxxxxx.
        word.len() <= self.max_chars || word.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() <= self.max_chars
    }
}

/// What is known of a word that has too many characters, of which nothing is kept.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct Overlong {
    /// How many bytes of it have been forgotten.
    bytes: usize,
}

impl Overlong {
    /// Forgets what has come of a word if it has too many characters already.
    #[inline]
    pub(crate) fn advance(&mut self, text: &mut Vec<u8>, model: &WordPiece) {
        // A character has four bytes at most.
        if text.len() / 4 > model.max_chars {
            self.bytes += text.len();
            text.clear();
        }
    }

    /// Hands on the pieces of a word, with how many bytes of it they stand for, and forgets it.
    #[inline]
    pub(crate) fn finish(&mut self, text: &mut Vec<u8>, model: &WordPiece, mut to: impl FnMut(&[u32], usize)) {
        let length = self.bytes + text.len();
        if length == 0 {
            return;
        }
        // The way is walked twice, because its end decides whether its beginning counts: words are short, and those
        // that are met often are not cut again.
        let mut at = 0;
        if self.bytes == 0 && model.is_short(text) {
            while let Some((_, length)) = model.longest(text, at) {
                at += length;
            }
        }
        if at == length {
            let mut at = 0;
            while let Some((id, length)) = model.longest(text, at) {
                to(&[id], length);
                at += length;
            }
        } else {
            to(&[model.unknown], length);
        }
        text.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ids of a word that comes in parts of `size` bytes, with the bytes that they stand for.
    fn pieces(model: &WordPiece, word: &str, size: usize) -> Vec<(u32, usize)> {
        let (mut found, mut text, mut overlong) = (Vec::new(), Vec::new(), Overlong::default());
        for part in word.as_bytes().chunks(size) {
            text.extend_from_slice(part);
            overlong.advance(&mut text, model);
            assert!(text.len() <= 4 * model.max_chars + 3, "little is kept of a long word");
        }
        overlong.finish(&mut text, model, |ids, length| found.push((ids[0], length)));
        assert!(text.is_empty() && overlong == Overlong::default());
        found
    }

    fn model(prefix: &str) -> WordPiece {
        let pieces = ["[UNK]", "a", "ab", "##c", "##cd", "é", "##é", "##", "", "b", "ab"];
        WordPiece::new(pieces.map(String::from).to_vec(), 10, 0, prefix, 6)
    }

    #[test]
    fn the_longest_piece_first() {
        let model = model("##");
        assert_eq!(pieces(&model, "abcdé", 100), [(10, 2), (4, 2), (6, 2)], "of equal pieces the last counts");
        assert_eq!(pieces(&model, "##é", 100), [(6, 4)], "pieces can be written out");
        assert_eq!(pieces(&model, "éé", 100), [(5, 2), (6, 2)]);
        assert_eq!(pieces(&model, "", 100), []);
    }

    #[test]
    fn what_is_not_covered_is_unknown_as_a_whole() {
        let model = model("##");
        assert_eq!(pieces(&model, "abb", 100), [(0, 3)]);
        assert_eq!(pieces(&model, "新", 100), [(0, 3)]);
    }

    #[test]
    fn long_words_are_unknown() {
        let model = model("##");
        for size in [1, 3, 100] {
            assert_eq!(pieces(&model, "éééééé", size).len(), 6);
            assert_eq!(pieces(&model, "ééééééé", size), [(0, 14)]);
            assert_eq!(pieces(&model, &"a".repeat(1000), size), [(0, 1000)]);
        }
    }

    #[test]
    fn there_may_be_no_prefix() {
        assert_eq!(pieces(&model(""), "abb", 100), [(10, 2), (9, 1)]);
    }
}
