//! A set of byte strings with a number each, walked byte by byte.
//!
//! A double array: a node's children lie at `base ^ byte`, and every child has its byte written on it. A base stays
//! within its block of 256 units and belongs to one node, so a unit that carries the byte that was asked for is the
//! child that was asked for. A unit is one number of eight bytes, so that a step reads memory once.
//!
//! Source: J. Aoe, "An efficient digital search algorithm by using a double-array structure", 1989.

/// The units that a base and a byte can reach.
const BLOCK: usize = 256;
/// A label that no byte of UTF-8 has, so that nothing leads to a unit that carries it.
const UNUSED: u64 = 0xFF;
/// Stands where a node has no value; greater than any value.
const NO_VALUE: u64 = (1 << VALUE_BITS) - 1;
/// A value has this many bits, the ones above the eight of the label.
const VALUE_BITS: u32 = 24;
/// A place for children is looked for in no more unfinished blocks than this.
const OPEN_BLOCKS: usize = 4;
/// A block with fewer free units than this is finished: hardly any base would do.
const FEW: u32 = 12;

/// The set of strings.
#[derive(Debug, Clone)]
pub(crate) struct Trie {
    units: Vec<u64>,
}

/// A place in the tree: the unit itself, with its children's base, its value and its label.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node(u64);

impl Node {
    /// The number of the string that ends here, if one does.
    #[inline]
    pub(crate) fn value(self) -> Option<u32> {
        let value = self.0 >> 8 & NO_VALUE;
        (value != NO_VALUE).then_some(value as u32)
    }

    fn base(self) -> usize {
        (self.0 >> 32) as usize
    }
}

impl Trie {
    /// The set of `keys`, numbered by their places; of equal ones the last counts. Empty ones are left out.
    ///
    /// There must be fewer than 2^24 of them, and they must not hold the byte 0xFF, which UTF-8 never does.
    pub(crate) fn new<K: AsRef<[u8]>>(keys: &[K]) -> Self {
        let key = |at: u32| keys[at as usize].as_ref();
        let mut order: Vec<(u64, u32)> = (0..keys.len() as u32).map(|at| (beginning(key(at)), at)).collect();
        order.retain(|&(_, at)| !key(at).is_empty());
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| key(a.1).cmp(key(b.1))).then(a.1.cmp(&b.1)));

        let mut build = Build::new();
        let mut children: Vec<(u8, usize)> = Vec::new();
        let mut labels = Vec::new();
        // Ranges of `order` that share a beginning, its length, and the node that stands for it.
        let mut left = vec![(0, order.len(), 0, 0)];
        while let Some((mut first, end, depth, node)) = left.pop() {
            while first < end && key(order[first].1).len() == depth {
                build.set_value(node, order[first].1);
                first += 1;
            }
            if first == end {
                continue;
            }
            children.clear();
            for (at, &(_, number)) in order[..end].iter().enumerate().skip(first) {
                let byte = key(number)[depth];
                if children.last().is_none_or(|&(last, _)| last != byte) {
                    children.push((byte, at));
                }
            }
            labels.clear();
            labels.extend(children.iter().map(|&(byte, _)| byte));
            let base = build.place(node, &labels);
            for (number, &(byte, start)) in children.iter().enumerate() {
                let stop = children.get(number + 1).map_or(end, |&(_, next)| next);
                left.push((start, stop, depth + 1, base ^ usize::from(byte)));
            }
        }
        Self { units: build.units }
    }

    /// Where every walk begins.
    #[inline]
    pub(crate) fn root(&self) -> Node {
        Node(self.units[0])
    }

    /// The child of `node` for `byte`, if there is one.
    #[inline]
    pub(crate) fn step(&self, node: Node, byte: u8) -> Option<Node> {
        let unit = *self.units.get(node.base() ^ usize::from(byte))?;
        (unit & 0xFF == u64::from(byte)).then_some(Node(unit))
    }

    /// The number of exactly `key`.
    pub(crate) fn get(&self, key: &[u8]) -> Option<u32> {
        key.iter().try_fold(self.root(), |node, &byte| self.step(node, byte))?.value()
    }

    /// The number and the length of the longest string of the set that `text` begins with.
    pub(crate) fn longest(&self, text: &[u8]) -> Option<(u32, usize)> {
        let (mut node, mut found) = (self.root(), None);
        for (at, &byte) in text.iter().enumerate() {
            let Some(next) = self.step(node, byte) else { break };
            node = next;
            found = node.value().map(|value| (value, at + 1)).or(found);
        }
        found
    }
}

/// The first eight bytes, as a number that sorts as they do.
fn beginning(key: &[u8]) -> u64 {
    key.iter().take(8).enumerate().fold(0, |sum, (at, &byte)| sum | u64::from(byte) << (56 - 8 * at))
}

/// The units while they are filled.
struct Build {
    units: Vec<u64>,
    blocks: Vec<Block>,
    /// Blocks that have room, the oldest first.
    open: Vec<usize>,
}

/// What is still to be had of a block.
struct Block {
    /// Units that hold nothing.
    free: Set,
    /// Bases that no node has.
    bases: Set,
}

impl Build {
    /// The root stands alone in the first block, where the base of nodes without children leads to as well.
    fn new() -> Self {
        let mut units = vec![NO_VALUE << 8 | UNUSED; BLOCK];
        units[0] = NO_VALUE << 8 | UNUSED;
        Self { units, blocks: vec![Block { free: Set::NONE, bases: Set::NONE }], open: Vec::new() }
    }

    fn set_value(&mut self, node: usize, value: u32) {
        self.units[node] = self.units[node] & !(NO_VALUE << 8) | u64::from(value) << 8;
    }

    /// Finds units for the children of `node`, labels them, and says what base leads to them.
    fn place(&mut self, node: usize, labels: &[u8]) -> usize {
        // The bases that lead to free units with all labels.
        let room = |block: &Block| {
            let fitting = labels.iter().try_fold(block.bases, |left, &byte| {
                Some(left.and(block.free.xored(byte))).filter(|left| *left != Set::NONE)
            });
            fitting?.first()
        };
        let found = self.open.iter().find_map(|&block| Some((block, room(&self.blocks[block])?)));
        let (block, base) = found.unwrap_or_else(|| {
            let block = self.blocks.len();
            self.blocks.push(Block { free: Set::ALL, bases: Set::ALL });
            self.units.resize(self.units.len() + BLOCK, NO_VALUE << 8 | UNUSED);
            if self.open.len() == OPEN_BLOCKS {
                self.open.remove(0);
            }
            self.open.push(block);
            (block, 0)
        });
        let Block { free, bases } = &mut self.blocks[block];
        bases.remove(base);
        let base = block * BLOCK + usize::from(base);
        for &byte in labels {
            let unit = base ^ usize::from(byte);
            free.remove(unit as u8);
            self.units[unit] = NO_VALUE << 8 | u64::from(byte);
        }
        if free.len() < FEW {
            self.open.retain(|&open| open != block);
        }
        self.units[node] |= (base as u64) << 32;
        base
    }
}

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Set([u64; 4]);

impl Set {
    const NONE: Self = Self([0; 4]);
    const ALL: Self = Self([u64::MAX; 4]);

    fn remove(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] &= !(1 << (byte & 63));
    }

    fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] & other.0[at]))
    }

    /// The bytes that are in this set once they are XORed with `byte`.
    #[inline]
    fn xored(self, byte: u8) -> Self {
        /// For every bit of a position within a word, the positions that do not have it.
        const WITHOUT: [u64; 6] = [
            0x5555_5555_5555_5555,
            0x3333_3333_3333_3333,
            0x0F0F_0F0F_0F0F_0F0F,
            0x00FF_00FF_00FF_00FF,
            0x0000_FFFF_0000_FFFF,
            0x0000_0000_FFFF_FFFF,
        ];
        let mut words: [u64; 4] = std::array::from_fn(|at| self.0[at ^ usize::from(byte >> 6)]);
        for (bit, without) in WITHOUT.iter().enumerate() {
            if byte >> bit & 1 == 1 {
                let by = 1 << bit;
                words = words.map(|word| word >> by & without | (word & without) << by);
            }
        }
        Self(words)
    }

    fn len(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    fn first(self) -> Option<u8> {
        let word = self.0.iter().position(|&word| word != 0)?;
        Some((word as u32 * 64 + self.0[word].trailing_zeros()) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn walks_and_finds() {
        let trie = Trie::new(&["", "ab", "abc", "b", "ab", "\0", "é"]);
        assert_eq!(trie.get(b"ab"), Some(4), "the last of equal keys counts");
        assert_eq!(trie.get(b"abc"), Some(2));
        assert_eq!(trie.get(b"\0"), Some(5));
        assert_eq!(trie.get("é".as_bytes()), Some(6));
        assert_eq!((trie.get(b""), trie.get(b"a"), trie.get(b"abcd")), (None, None, None));
        assert_eq!(trie.longest(b"abd"), Some((4, 2)));
        assert_eq!(trie.longest(b"d"), None);
        assert_eq!(Trie::new::<&str>(&[]).longest(b"\0"), None);
    }

    #[test]
    fn sets_are_permuted() {
        let mut set = Set::ALL;
        [0, 7, 64, 130, 255].into_iter().for_each(|byte| set.remove(byte));
        let has = |set: Set, byte: u8| set.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1;
        for by in 0..=255 {
            assert!((0..=255).all(|byte| has(set.xored(by), byte) == has(set, byte ^ by)));
        }
    }

    proptest! {
        #[test]
        fn holds_its_keys_and_no_others(
            keys in prop::collection::vec("[a-dé新\\x00]{0,5}|\\PC{1,3}", 0..400),
            others in prop::collection::vec("[a-dé新\\x00]{0,5}", 0..50),
        ) {
            let trie = Trie::new(&keys);
            let expected: HashMap<&str, u32> = keys.iter().zip(0..).map(|(key, at)| (key.as_str(), at)).collect();
            for key in keys.iter().chain(&others) {
                let number = expected.get(key.as_str()).copied().filter(|_| !key.is_empty());
                prop_assert_eq!(trie.get(key.as_bytes()), number);
            }
        }
    }
}
