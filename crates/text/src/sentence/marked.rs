//! A copy of a text that carries marks.

/// A sentence ends here.
pub(super) const BREAK: u8 = 0xF8;
/// A sentence ends here, even in a protected span.
pub(super) const BOUND: u8 = 0xF9;
/// A protected span starts here: no [`BREAK`] in it counts.
pub(super) const OPEN: u8 = 0xFA;
/// A protected span ends here.
pub(super) const CLOSE: u8 = 0xFB;
/// Stands in the place of a full stop that ends no sentence.
pub(super) const POINT: u8 = 0xFC;

/// The bytes of a text and, between them, marks: bytes that no UTF-8 text holds.
///
/// A mark is neither space nor word character nor digit to the rules, which is what Spark NLP's marks are to its own.
pub(super) struct Marked {
    bytes: Vec<u8>,
    /// Marks that wait to be put in, with the places that they have in `bytes` as it is; in order.
    waiting: Vec<(usize, u8)>,
    /// Which bytes the text holds.
    held: [bool; 256],
}

impl Marked {
    /// A text without marks.
    pub(super) fn new(text: &str) -> Self {
        // Room for a mark every few words saves most texts from growing.
        let mut bytes = Vec::with_capacity(text.len() + text.len() / 8 + 16);
        bytes.extend_from_slice(text.as_bytes());
        let mut held = [false; 256];
        for byte in text.bytes() {
            held[usize::from(byte)] = true;
        }
        Self { bytes, waiting: Vec::new(), held }
    }

    /// A text in which each `bound` is a mark.
    pub(super) fn with_bounds(text: &str, bound: char, mark: u8) -> Self {
        let mut marked = Self::new("");
        for (index, part) in text.split(bound).enumerate() {
            if index > 0 {
                marked.bytes.push(mark);
            }
            marked.bytes.extend_from_slice(part.as_bytes());
        }
        for byte in &marked.bytes {
            marked.held[usize::from(*byte)] = true;
        }
        marked
    }

    /// Text and marks.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the text held this byte before any rule.
    pub(super) fn holds(&self, byte: u8) -> bool {
        self.held[usize::from(byte)]
    }

    /// The byte before `at`, if there is one.
    pub(super) fn before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).map(|before| self.bytes[before])
    }

    /// The byte at `at`, if there is one.
    pub(super) fn at(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// Whether `bytes` stand at `at`.
    pub(super) fn says(&self, at: usize, bytes: &[u8]) -> bool {
        self.bytes.get(at..).is_some_and(|rest| rest.starts_with(bytes))
    }

    /// The first place from `from` on whose byte is not of this kind, or the end.
    pub(super) fn skip(&self, from: usize, kind: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(|byte| !kind(*byte)).unwrap_or(rest.len())
    }

    /// The places of this byte, in order.
    pub(super) fn next(&self, byte: u8, from: usize) -> Option<usize> {
        memchr::memchr(byte, self.bytes.get(from..)?).map(|at| from + at)
    }

    /// The full stop at `at` ends no sentence.
    pub(super) fn shield(&mut self, at: usize) {
        self.bytes[at] = POINT;
    }

    /// Puts a mark before the byte at `at`, once the rule is done; rules go from left to right.
    pub(super) fn insert(&mut self, at: usize, mark: u8) {
        self.waiting.push((at, mark));
    }

    /// Protects `start..end`, once the rule is done.
    pub(super) fn protect(&mut self, start: usize, end: usize) {
        self.insert(start, OPEN);
        self.insert(end, CLOSE);
    }

    /// Puts in what waits: what the rule just done has found.
    pub(super) fn settle(&mut self) {
        let mut end = self.bytes.len();
        self.bytes.resize(end + self.waiting.len(), 0);
        while let Some((at, mark)) = self.waiting.pop() {
            // So many marks go before this one, and everything behind it moves by one more.
            let before = self.waiting.len();
            self.bytes.copy_within(at..end, at + before + 1);
            self.bytes[at + before] = mark;
            end = at;
        }
    }
}

/// What Java's `\s` matches.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// What Java's `\w` matches.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn marks_go_where_they_were_put(text in "[a-f]{0,20}", places in proptest::collection::vec(0_usize..21, 0..9)) {
            let mut places: Vec<usize> = places.into_iter().filter(|place| *place <= text.len()).collect();
            places.sort_unstable();
            let mut marked = Marked::new(&text);
            let mut expected = text.clone().into_bytes();
            for (index, place) in places.iter().enumerate() {
                marked.insert(*place, [BREAK, OPEN, CLOSE][index % 3]);
                expected.insert(place + index, [BREAK, OPEN, CLOSE][index % 3]);
            }
            marked.settle();
            prop_assert_eq!(marked.bytes(), expected);
        }
    }
}
