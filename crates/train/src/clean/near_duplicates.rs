//! Texts that are nearly the same: groups of them, by MinHash.

use std::collections::HashMap;

use rayon::prelude::*;

/// Letters of a shingle. Words would be too coarse: in a headline of ten words, one other word changes three shingles of
/// three words out of eight, but a tenth of those of five letters. Languages without spaces have no words to cut at.
const LETTERS: usize = 5;

/// Texts whose hashes agree in a band are compared: with 20 bands of 6, 99.8 % of the pairs with a similarity of 0.8 are,
/// and 2 in 100,000 of those with 0.1.
const BANDS: usize = 20;
const ROWS: usize = 6;

/// The similarity from which texts are near-duplicates by default.
pub const SIMILARITY: f64 = 0.8;

/// Groups of texts that are nearly the same.
///
/// The similarity of two texts is the Jaccard index of their sets of five letters in a row, in lower case and with
/// anything but letters and digits as one space. Pairs are found by MinHash (Broder 1997) in bands (Leskovec, Rajaraman
/// and Ullman, Mining of Massive Datasets, section 3.4), in time that grows with the number of texts and not with that of
/// their pairs, and then compared exactly; so no group has a text that is not `similarity` to another one in it.
/// Blank texts are in none.
///
/// The groups are in the order of their first texts, and so are the texts of each.
///
/// ```
/// use albertine_train::clean::{SIMILARITY, near_duplicates};
///
/// let texts = ["Oil prices rose on Monday as OPEC cut output.", "A late goal", "Oil prices rose on Monday, as OPEC cut output"];
/// assert_eq!(near_duplicates(&texts, SIMILARITY), [[0, 2]]);
/// ```
#[must_use]
pub fn near_duplicates<T: AsRef<str> + Sync>(texts: &[T], similarity: f64) -> Vec<Vec<usize>> {
    let multipliers = multipliers();
    let signatures: Vec<Option<[u64; BANDS]>> =
        texts.par_iter().map(|text| signature(&shingles(text.as_ref()), &multipliers)).collect();
    let mut groups = Groups::new(texts.len());
    // Texts whose hashes all agree are the same but for letters that make no other shingle: one of them stands for all.
    let mut whole: HashMap<[u64; BANDS], usize> = HashMap::with_capacity(texts.len());
    for (text, signature) in signatures.iter().enumerate() {
        let Some(signature) = signature else { continue };
        let first = *whole.entry(*signature).or_insert(text);
        if first != text && shingles(texts[first].as_ref()) == shingles(texts[text].as_ref()) {
            groups.join(first, text);
        }
    }
    for band in 0..BANDS {
        // Each text is compared with the first and the last of its bucket: many that are alike make no pairs of all.
        let mut buckets: HashMap<u64, (usize, usize)> = HashMap::with_capacity(texts.len());
        let mut pairs = Vec::new();
        for (text, signature) in signatures.iter().enumerate() {
            let Some(signature) = signature.filter(|_| groups.find(text) == text) else { continue };
            let (first, last) = buckets.entry(signature[band]).or_insert((text, text));
            pairs.extend([*first, *last].into_iter().filter(|&other| other != text).map(|other| (other, text)));
            *last = text;
        }
        let similar = |&&(one, other): &&(usize, usize)| {
            jaccard(&shingles(texts[one].as_ref()), &shingles(texts[other].as_ref())) >= similarity
        };
        let similar: Vec<(usize, usize)> = pairs.par_iter().filter(similar).copied().collect();
        similar.into_iter().for_each(|(one, other)| groups.join(one, other));
    }
    groups.of_several()
}

/// The hashes of a text's shingles, sorted, each once; of a text that is shorter, that of the whole.
fn shingles(text: &str) -> Vec<u64> {
    let mut letters: Vec<char> = Vec::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            letters.extend(letter.to_lowercase());
        } else if letters.last().is_some_and(|last| *last != ' ') {
            letters.push(' ');
        }
    }
    if letters.last() == Some(&' ') {
        letters.pop();
    }
    if letters.is_empty() {
        return Vec::new();
    }
    let mut hashes: Vec<u64> = letters.windows(LETTERS.min(letters.len())).map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// FNV-1a over the letters, with its bits mixed.
fn hash(letters: &[char]) -> u64 {
    mixed(
        letters
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash, &letter| (hash ^ letter as u64).wrapping_mul(0x100_0000_01b3)),
    )
}

/// Mixes all bits into all others (the finalizer of SplitMix64).
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// An odd multiplier for each hash function, always the same ones.
fn multipliers() -> [u64; BANDS * ROWS] {
    std::array::from_fn(|index| mixed((index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1)
}

/// For each band the hash of its least hashes; none of a blank text.
fn signature(shingles: &[u64], multipliers: &[u64; BANDS * ROWS]) -> Option<[u64; BANDS]> {
    if shingles.is_empty() {
        return None;
    }
    // The upper half of a product depends on all bits of the shingle.
    let least =
        |multiplier: u64| shingles.iter().map(|shingle| shingle.wrapping_mul(multiplier) >> 32).min().unwrap_or(0);
    let mut signature = [0; BANDS];
    for (band, multipliers) in signature.iter_mut().zip(multipliers.chunks_exact(ROWS)) {
        *band =
            multipliers.iter().fold(0, |hash, &multiplier| mixed(hash ^ least(multiplier)).wrapping_add(multiplier));
    }
    Some(signature)
}

/// The part of all shingles of both texts that both have.
fn jaccard(one: &[u64], other: &[u64]) -> f64 {
    let (mut left, mut right, mut both) = (one.iter().peekable(), other.iter().peekable(), 0_usize);
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        match a.cmp(b) {
            std::cmp::Ordering::Less => drop(left.next()),
            std::cmp::Ordering::Greater => drop(right.next()),
            std::cmp::Ordering::Equal => {
                both += 1;
                left.next();
                right.next();
            }
        }
    }
    both as f64 / (one.len() + other.len() - both) as f64
}

/// Texts that were found to belong together (a disjoint-set forest).
struct Groups(Vec<usize>);

impl Groups {
    fn new(texts: usize) -> Self {
        Self((0..texts).collect())
    }

    /// The first text of a text's group.
    fn find(&mut self, text: usize) -> usize {
        let mut root = text;
        while self.0[root] != root {
            // Halves the way for the next one who comes along.
            self.0[root] = self.0[self.0[root]];
            root = self.0[root];
        }
        root
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.find(one), self.find(other));
        self.0[one.max(other)] = one.min(other);
    }

    fn of_several(mut self) -> Vec<Vec<usize>> {
        let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
        for text in 0..self.0.len() {
            let root = self.find(text);
            groups.entry(root).or_default().push(text);
        }
        let mut groups: Vec<Vec<usize>> = groups.into_values().filter(|group| group.len() > 1).collect();
        groups.sort_unstable();
        groups
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_punctuation_and_one_word_make_no_other_text() {
        let text =
            "The home side won the cup final after extra time in front of forty thousand people on Sunday evening";
        let texts = [
            text.to_owned(),
            text.to_uppercase().replace(' ', " - "),
            text.replace("forty", "fifty"),
            text.replace("home side won the cup final", "parliament passed its budget"),
            String::new(),
            " .. ".to_owned(),
            "won".to_owned(),
            "Won!".to_owned(),
        ];
        assert_eq!(near_duplicates(&texts, SIMILARITY), [vec![0, 1, 2], vec![6, 7]]);
        assert_eq!(near_duplicates(&texts, 1.0), [[0, 1], [6, 7]]);
    }

    #[test]
    fn thousands_of_equal_texts_are_one_group() {
        let texts = vec!["the same text again and again"; 5000];
        assert_eq!(near_duplicates(&texts, SIMILARITY), [(0..5000).collect::<Vec<_>>()]);
        assert!(near_duplicates(&[] as &[&str], SIMILARITY).is_empty());
    }

    proptest! {
        /// All pairs that are alike enough, compared one by one, are in one group; and a group has no others.
        #[test]
        fn groups_are_those_of_all_pairs(words in prop::collection::vec(prop::collection::vec(0..3usize, 4), 2..12)) {
            let known = ["international ", "government ", "a "];
            let texts: Vec<String> =
                words.iter().map(|words| words.iter().map(|&word| known[word]).collect()).collect();
            let sets: Vec<Vec<u64>> = texts.iter().map(|text| shingles(text)).collect();
            let mut groups = Groups::new(texts.len());
            for one in 0..texts.len() {
                for other in 0..one {
                    // Where it is certain to be found: a pair near the limit may be missed.
                    if jaccard(&sets[one], &sets[other]) >= 0.98 {
                        groups.join(one, other);
                    }
                }
            }
            prop_assert_eq!(near_duplicates(&texts, 0.98), groups.of_several());
        }
    }
}
