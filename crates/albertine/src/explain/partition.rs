//! A hierarchy of a text's parts that follows its words, phrases and sentences.
//!
//! Source: `maskers._text.partition_tree` and `maskers.Text.clustering` of the `shap` package, of which this is the same
//! clustering: neighbors with the highest score are merged, the first ones among equals. There scores are computed anew
//! for every merge; here a heap keeps them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

/// A binary tree over parts. Parts are nodes by their own numbers, clusters of them have the numbers behind, children
/// before their parents; the last is the root.
#[derive(Debug)]
pub(super) struct Partition {
    /// The parts of each node.
    ranges: Vec<Range<usize>>,
    /// The left and the right child of each cluster.
    children: Vec<(usize, usize)>,
}

impl Partition {
    /// The hierarchy of parts with these texts; `separator` is the special token that separates texts.
    pub(super) fn new<'t>(texts: impl ExactSizeIterator<Item = &'t str>, separator: Option<&str>) -> Self {
        let tokens = tokens(texts, separator);
        let parts = tokens.len();
        let mut partition = Self { ranges: (0..parts).map(|part| part..part + 1).collect(), children: Vec::new() };
        let mut groups = Groups {
            nodes: (0..parts).map(Some).collect(),
            next: (1..=parts).collect(),
            previous: (0..parts).map(|part| part.checked_sub(1)).collect(),
            tokens,
        };
        let mut pairs: BinaryHeap<Pair> =
            (0..parts.saturating_sub(1)).map(|left| groups.pair(left, &partition)).collect();
        while let Some(pair) = pairs.pop() {
            let Pair { left: Reverse(left), nodes: (left_node, right_node), .. } = pair;
            let right = groups.next[left];
            if groups.nodes[left] != Some(left_node) || groups.nodes.get(right) != Some(&Some(right_node)) {
                continue; // one of them was merged with its other neighbor
            }
            let range = partition.ranges[left_node].start..partition.ranges[right_node].end;
            groups.balance(&range);
            groups.nodes[left] = Some(partition.ranges.len());
            groups.nodes[right] = None;
            groups.next[left] = groups.next[right];
            partition.ranges.push(range);
            partition.children.push((left_node, right_node));
            if let Some(previous) = groups.next.get(right).copied().and_then(|next| groups.previous.get_mut(next)) {
                *previous = Some(left);
            }
            pairs.extend(groups.previous[left].map(|previous| groups.pair(previous, &partition)));
            pairs.extend((groups.next[left] < parts).then(|| groups.pair(left, &partition)));
        }
        partition
    }

    /// The number of nodes. The last is the root.
    pub(super) fn nodes(&self) -> usize {
        self.ranges.len()
    }

    /// The parts of a node.
    pub(super) fn range(&self, node: usize) -> Range<usize> {
        self.ranges[node].clone()
    }

    /// The children of a cluster; none of a part.
    pub(super) fn children(&self, node: usize) -> Option<(usize, usize)> {
        let parts = self.ranges.len() - self.children.len();
        node.checked_sub(parts).map(|cluster| self.children[cluster])
    }
}

/// The groups that are left while they are merged, each by its first part.
struct Groups {
    tokens: Vec<Token>,
    /// The node of the group that begins with a part, if one does.
    nodes: Vec<Option<usize>>,
    /// Where the next group begins; the number of parts behind the last.
    next: Vec<usize>,
    /// Where the group before begins.
    previous: Vec<Option<usize>>,
}

/// Two neighbors that may be merged.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    score: i64,
    /// The first part: of pairs with equal scores, the first one is merged.
    left: Reverse<usize>,
    nodes: (usize, usize),
}

impl Groups {
    /// The group that begins with `left`, and the next.
    fn pair(&self, left: usize, partition: &Partition) -> Pair {
        let nodes = (self.nodes[left].unwrap_or(left), self.nodes[self.next[left]].unwrap_or(left));
        let group = |node: usize| &self.tokens[partition.range(node)];
        Pair { score: score(group(nodes.0), group(nodes.1)), left: Reverse(left), nodes }
    }

    /// Brackets that stand at both ends of a group are a pair.
    fn balance(&mut self, range: &Range<usize>) {
        let (first, last) = (range.start, range.end - 1);
        if self.tokens[first].opens && self.tokens[last].closes {
            self.tokens[first].balanced = true;
            self.tokens[last].balanced = true;
        }
    }
}

/// What scores depend on of a part.
#[derive(Debug, Default)]
struct Token {
    separates: bool,
    continues_word: bool,
    /// `[` and `]` around it, as special tokens have.
    is_control: (bool, bool),
    opens: bool,
    closes: bool,
    balanced: bool,
    is_apostrophe: bool,
    is_ending: bool,
    connects: bool,
    is_comma: bool,
    ends_sentence: bool,
}

/// The parts as scores see them: without white space, and with a mark where a word goes on.
fn tokens<'t>(texts: impl Iterator<Item = &'t str>, separator: Option<&str>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut before: Option<&str> = None;
    for text in texts {
        let continues = |before: &str| {
            !ends_word(before) && !before.trim().is_empty() && text.starts_with(|c: char| c.is_ascii_alphabetic())
        };
        let word = text.trim();
        let token = if before.is_some_and(continues) {
            Token { continues_word: true, balanced: true, is_control: (false, word.ends_with(']')), ..Token::default() }
        } else {
            let is_bracket = matches!(word, "(" | ")");
            Token {
                separates: separator == Some(word),
                continues_word: word.starts_with("##"),
                is_control: (word.starts_with('['), word.ends_with(']')),
                opens: word == "(",
                closes: word == ")",
                balanced: !is_bracket,
                is_apostrophe: word == "'",
                is_ending: matches!(word, "t" | "s"),
                connects: matches!(word, "but" | "and" | "or"),
                is_comma: word == ",",
                ends_sentence: matches!(word, "." | "?" | "!"),
            }
        };
        tokens.push(token);
        before = Some(text);
    }
    tokens
}

/// Whether the last character of a part is none of a word, so that a letter behind it begins one.
///
/// The regular expression of the source, `^.*\W$`, takes a line end for something else than white space.
fn ends_word(text: &str) -> bool {
    let matches = |text: &str| {
        let mut characters = text.chars();
        let last = characters.next_back();
        last.is_some_and(|last| !(last.is_alphanumeric() || last == '_')) && !characters.as_str().contains('\n')
    };
    matches(text) || text.strip_suffix('\n').is_some_and(matches)
}

/// How well two groups go together.
fn score(left: &[Token], right: &[Token]) -> i64 {
    let ([first, ..], [.., before], [behind, ..], [.., last]) = (left, left, right, right) else { return i64::MIN };
    let mut score = 0;
    // texts that are separated are merged last
    if before.separates && behind.separates {
        return i64::MIN;
    }
    // parts of a word come first, and then its endings
    if behind.continues_word {
        score += 20;
    }
    if behind.is_apostrophe && (right.len() == 1 || right.len() == 2 && right[1].is_ending) {
        score += 15;
    }
    if before.is_apostrophe && behind.is_ending {
        score += 15;
    }
    if (first.is_control == (true, true)) != (last.is_control == (true, true)) {
        score -= 1000;
    }
    if behind.opens && !behind.balanced {
        score -= 100;
    }
    if before.closes && !before.balanced {
        score -= 100;
    }
    if first.opens {
        score -= 2;
    }
    if before.connects || behind.connects {
        score -= 2;
    }
    // what is behind a comma or a sentence comes later than they do
    let reaches = right.len() > 1;
    if before.is_comma {
        score -= 10;
    }
    if behind.is_comma {
        score -= if reaches { 10 } else { 1 };
    }
    if before.ends_sentence {
        score -= 20;
    }
    if behind.ends_sentence {
        score -= if reaches { 20 } else { 1 };
    }
    score - (left.len() + right.len()) as i64
}
