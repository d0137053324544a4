//! The best way through a word, as pieces.
//!
//! Viterbi's algorithm from left to right: the best way to every node of a word is found from the best ways to the
//! nodes before it. Of equally good ways the one whose last piece is the longest wins, since it is seen first.
//!
//! Some words have no end for a megabyte: base64 has no spaces, and neither has Chinese. The ways to all nodes that
//! the rest of the word can still be reached from mostly begin with the same pieces, so every few kilobytes these are
//! handed on and forgotten. What is kept does not grow with the word, unless a vocabulary is made to keep two ways
//! equal for ever; then it is some twenty bytes for each byte of the word.

use crate::subword::models::unigram::Unigram;

/// Pieces are handed on before the end of a word when this many bytes of it are waiting.
const LONG: usize = 4 << 10;

/// A word on its way to pieces. Lives on from word to word, so that nothing is allocated for one.
#[derive(Debug)]
pub(crate) struct Lattice {
    /// The best way to every node in the text of the word, as far as it is known.
    nodes: Vec<Node>,
    /// The ways that begin before this node have been followed.
    at: usize,
    /// How long the text has to be before it is worth looking for pieces to hand on.
    long: usize,
    /// Whether pieces of the word have been handed on.
    begun: bool,
    /// Unknown characters in a row: they become one piece.
    run: Vec<u8>,
    /// How long the run is, in bytes, though `run` may have only its beginning.
    run_length: usize,
    /// Room for the way back.
    way: Vec<Node>,
    marked: Vec<bool>,
}

/// The best way to a node: its score, its last piece, and how long that is; a length of 0 means that there is none.
#[derive(Debug, Clone, Copy)]
struct Node {
    score: f64,
    id: u32,
    length: u32,
}

const START: Node = Node { score: 0.0, id: 0, length: 0 };

impl Lattice {
    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![START],
            at: 0,
            long: LONG,
            begun: false,
            run: Vec::new(),
            run_length: 0,
            way: Vec::new(),
            marked: Vec::new(),
        }
    }

    /// Forgets the word.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.nodes.push(START);
        self.at = 0;
        self.long = LONG;
        self.begun = false;
        self.run.clear();
        self.run_length = 0;
    }

    /// About how much memory it holds, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.run.capacity()
    }

    /// Whether nothing of the word has been handed on.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        !self.begun
    }

    /// Hands on what is certain of a long word before its end: ids, and how many bytes of the word they stand for.
    #[inline]
    pub(crate) fn advance(&mut self, text: &mut Vec<u8>, model: &Unigram, mut to: impl FnMut(&[u32], usize)) {
        if text.len() >= self.long {
            self.follow(text, model, text.len().saturating_sub(model.longest));
            let certain = self.certain();
            self.hand_on(&text[..certain], model, &mut to);
            self.begun |= certain > 0;
            text.drain(..certain);
            self.nodes.drain(..certain);
            self.at -= certain;
            self.long = LONG.max(2 * text.len());
        }
    }

    /// Hands on the pieces of the word, now that all of it is there, and forgets it.
    #[inline]
    pub(crate) fn finish(&mut self, text: &mut Vec<u8>, model: &Unigram, mut to: impl FnMut(&[u32], usize)) {
        self.follow(text, model, text.len());
        self.hand_on(text, model, &mut to);
        self.end_run(model, &mut to);
        text.clear();
        self.clear();
    }

    /// Follows all ways that begin before `end`.
    fn follow(&mut self, text: &[u8], model: &Unigram, end: usize) {
        self.nodes.resize(text.len() + 1, START);
        while self.at < end {
            let here = self.nodes[self.at].score;
            let rest = &text[self.at..];
            let width = width(rest[0]);
            let ends = &mut self.nodes[self.at + 1..];
            let mut offer = |length: usize, id: u32, score: f64| {
                if let Some(node) = ends.get_mut(length - 1) {
                    let score = score + here;
                    if node.length == 0 || score > node.score {
                        *node = Node { score, id, length: length as u32 };
                    }
                }
            };
            let (mut node, mut known) = (model.trie.root(), false);
            for (at, &byte) in rest.iter().enumerate() {
                let Some(next) = model.trie.step(node, byte) else { break };
                node = next;
                if let Some(id) = node.value() {
                    offer(at + 1, id, model.scores[id as usize]);
                    known |= at + 1 == width;
                }
            }
            if !known {
                offer(width, model.unknown, model.unknown_score);
            }
            self.at += width;
        }
    }

    /// The last node up to which all ways that could go on are the same.
    fn certain(&mut self) -> usize {
        if self.at == 0 {
            return 0;
        }
        // Every way to the end of the word touches a node at or behind `at`, and the first one it touches is reached
        // by the best way there. Walk all of these back, the one that is furthest ahead first, until they are one.
        self.marked.clear();
        self.marked.extend(self.nodes.iter().enumerate().map(|(at, node)| at >= self.at && node.length > 0));
        let mut ways = self.marked.iter().filter(|&&marked| marked).count();
        for at in (1..self.nodes.len()).rev() {
            if self.marked[at] {
                if ways == 1 {
                    return at;
                }
                let before = &mut self.marked[at - self.nodes[at].length as usize];
                if *before {
                    ways -= 1;
                }
                *before = true;
            }
        }
        0
    }

    /// Hands on the pieces of the best way to the end of `text`.
    fn hand_on(&mut self, text: &[u8], model: &Unigram, to: &mut impl FnMut(&[u32], usize)) {
        self.way.clear();
        let mut at = text.len();
        while at > 0 && self.nodes[at].length > 0 {
            self.way.push(self.nodes[at]);
            at -= self.nodes[at].length as usize;
        }
        while let Some(Node { id, length, .. }) = self.way.pop() {
            let start = at;
            at += length as usize;
            if id != model.unknown {
                self.end_run(model, to);
                to(&[id], length as usize);
                continue;
            }
            self.run_length += length as usize;
            // A run that is longer than any piece is not one, however it goes on.
            if model.bytes.is_some() || self.run.len() <= model.longest {
                self.run.extend_from_slice(&text[start..at]);
            }
        }
    }

    /// Hands on what a run of unknown characters becomes, if there is one.
    #[inline]
    fn end_run(&mut self, model: &Unigram, to: &mut impl FnMut(&[u32], usize)) {
        if self.run.is_empty() {
            return;
        }
        // A run can be a piece after all, where scores are so high that unknown characters beat it.
        if let Some(id) = model.trie.get(&self.run) {
            to(&[id], self.run_length);
        } else {
            let pieces = |bytes: &Vec<Option<u32>>| self.run.iter().map(|&byte| bytes[usize::from(byte)]).collect();
            let ids: Option<Vec<u32>> = model.bytes.as_ref().and_then(pieces);
            to(ids.as_deref().unwrap_or(&[model.unknown]), self.run_length);
        }
        self.run.clear();
        self.run_length = 0;
    }
}

/// The length of the character that begins with this byte.
#[inline]
fn width(first: u8) -> usize {
    match first {
        0..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn model(pieces: &[(&str, f64)], byte_fallback: bool) -> Unigram {
        Unigram::new(pieces.iter().map(|&(piece, score)| (piece.to_owned(), score)).collect(), 0, byte_fallback)
    }

    /// The ids of a word that comes in parts of `size` bytes, and the most that was waiting.
    fn ids(model: &Unigram, word: &str, size: usize, long: usize) -> (Vec<u32>, usize) {
        let (mut ids, mut text, mut lattice, mut most) = (Vec::new(), Vec::new(), Lattice::new(), 0);
        let (mut rest, mut bytes) = (word, 0);
        let mut to = |some: &[u32], length: usize| {
            ids.extend_from_slice(some);
            bytes += length;
        };
        while !rest.is_empty() {
            let (part, left) = rest.split_at(rest.ceil_char_boundary(size.min(rest.len())));
            text.extend_from_slice(part.as_bytes());
            lattice.long = lattice.long.min(long);
            lattice.advance(&mut text, model, &mut to);
            most = most.max(text.len());
            rest = left;
        }
        lattice.finish(&mut text, model, &mut to);
        assert_eq!(bytes, word.len());
        (ids, most)
    }

    fn whole(model: &Unigram, word: &str) -> Vec<u32> {
        ids(model, word, usize::MAX, usize::MAX).0
    }

    #[test]
    fn the_best_way_and_the_first_of_equals() {
        let model = model(&[("?", 0.0), ("a", -1.0), ("b", -1.0), ("ab", -2.0), ("abc", -9.0), ("é", -1.0)], false);
        assert_eq!(whole(&model, "ab"), [3], "of equally good ways the longer piece wins");
        assert_eq!(whole(&model, "abc"), [4]);
        assert_eq!(whole(&model, "aéxyb"), [1, 5, 0, 2], "unknown characters become one piece");
        assert_eq!(whole(&model, "x?y"), [0], "the unknown piece written out is one of them");
    }

    #[test]
    fn unknown_runs_that_have_pieces() {
        let high = model(&[("?", 50.0), ("xy", 20.0)], false);
        assert_eq!(whole(&high, "xy"), [1], "two unknown characters beat the piece, and are it");
        let bytes = model(&[("?", 0.0), ("<0x78>", -1.0), ("<0xC3>", -1.0), ("<0xA9>", -1.0), ("a", -1.0)], true);
        assert_eq!(whole(&bytes, "axéa"), [4, 1, 2, 3, 4]);
        assert_eq!(whole(&bytes, "axya"), [4, 0, 4], "all bytes or none");
    }

    #[test]
    fn long_words_are_handed_on() {
        let model = model(&[("?", 0.0), ("a", -3.0), ("aa", -4.0), ("aaa", -4.5), ("b", -1.0), ("ba", -3.0)], false);
        let (ids, most) = ids(&model, &"abcaaa新".repeat(100_000), 1000, LONG);
        assert!(most < 2 * LONG, "{most} bytes were waiting");
        assert!(ids.len() > 300_000);
        let endless = "a".repeat(1 << 18);
        assert_eq!(self::ids(&model, &endless, 1000, LONG).0, whole(&model, &endless));
    }

    proptest! {
        #[test]
        fn parts_make_the_whole(
            scores in prop::collection::vec(0u8..12, 12),
            word in "[abcé]{0,200}",
            size in 1usize..20,
            long in 1usize..50,
            fallback in any::<bool>(),
        ) {
            let pieces = ["?", "a", "b", "ab", "ba", "aab", "abab", "bab", "é", "éa", "cc", "<0x63>"];
            let scored: Vec<(&str, f64)> =
                pieces.iter().zip(scores).map(|(&piece, score)| (piece, -f64::from(score) * 0.7)).collect();
            let model = model(&scored, fallback);
            prop_assert_eq!(ids(&model, &word, size, long).0, whole(&model, &word));
        }
    }
}
