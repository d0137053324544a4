//! What pieces are made of: runs of letters, of digits or of other characters, and how often each occurs.

use std::collections::HashMap;

use crate::subword::normalizers::{Flow, Normalizer, Pattern};

/// What stands for the space before a word.
pub(super) const SPACE: char = '▁';

/// Longer runs, in characters, are cut.
pub(super) const MAX_RUN: usize = 24;

/// How much of a text is normalized at a time, in bytes.
const PART: usize = 1 << 14;

/// The most distinct runs that are counted. When there are more, the rarest go.
const MAX_RUNS: usize = 1 << 22;

/// Counts of runs.
#[derive(Debug, Default)]
pub(super) struct Runs {
    counts: HashMap<Box<str>, u64>,
    flow: Flow,
}

/// The steps before pieces: those of ALBERT's tokenizer, without a character map of its own.
pub(super) fn normalizers() -> Vec<Normalizer> {
    let quotes = |pattern: &str| Normalizer::Replace { pattern: Pattern::Text(pattern.into()), content: "\"".into() };
    vec![
        Normalizer::Nmt,
        quotes("``"),
        quotes("''"),
        Normalizer::Nfkd,
        Normalizer::StripAccents,
        Normalizer::Lowercase,
        Normalizer::Nfkc,
    ]
}

/// What kind of characters a piece is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
    Other,
}

impl Kind {
    fn of(c: char) -> Self {
        if c.is_numeric() {
            Self::Digit
        } else if c.is_alphabetic() {
            Self::Letter
        } else {
            Self::Other
        }
    }
}

impl Runs {
    /// Counts the runs of a text.
    pub(super) fn add(&mut self, text: &str) {
        let steps = normalizers();
        self.flow.clear();
        let mut reader = Reader::default();
        let mut rest = text;
        loop {
            let (part, behind) = rest.split_at(rest.floor_char_boundary(PART));
            rest = behind;
            let mut normalized = std::mem::take(self.flow.push(&steps, part, rest.is_empty()));
            normalized.chars().for_each(|c| reader.read(c, &mut self.counts));
            if self.counts.len() > MAX_RUNS {
                self.give_up_the_rarest();
            }
            if rest.is_empty() {
                break;
            }
            normalized.clear();
        }
        reader.end(&mut self.counts);
    }

    /// Forgets the rarest runs, at least half of them.
    fn give_up_the_rarest(&mut self) {
        let mut least = 1;
        while self.counts.len() > MAX_RUNS / 2 {
            least += 1;
            self.counts.retain(|_, count| *count >= least);
        }
    }

    /// The runs with their counts, the most frequent first, and as many as have so many characters together.
    pub(super) fn into_counts(self, characters: usize) -> Vec<(Box<str>, u64)> {
        let mut counts: Vec<_> = self.counts.into_iter().collect();
        counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut sum = 0;
        let kept = counts.iter().take_while(|(run, _)| {
            sum += run.chars().count();
            sum <= characters
        });
        let kept = kept.count();
        counts.truncate(kept);
        counts
    }
}

/// A run that is being read.
#[derive(Debug, Default)]
struct Reader {
    run: String,
    length: usize,
    kind: Option<Kind>,
    /// Within a word.
    inside: bool,
}

impl Reader {
    fn read(&mut self, c: char, counts: &mut HashMap<Box<str>, u64>) {
        if c.is_whitespace() {
            self.end(counts);
            self.inside = false;
            return;
        }
        let kind = Kind::of(c);
        if self.length >= MAX_RUN || self.kind.is_some_and(|before| before != kind) {
            self.end(counts);
        }
        if !self.inside {
            self.run.push(SPACE);
            self.length += 1;
            self.inside = true;
        }
        self.run.push(c);
        self.length += 1;
        self.kind = Some(kind);
    }

    fn end(&mut self, counts: &mut HashMap<Box<str>, u64>) {
        if !self.run.is_empty() {
            match counts.get_mut(self.run.as_str()) {
                Some(count) => *count += 1,
                None => drop(counts.insert(self.run.as_str().into(), 1)),
            }
        }
        self.run.clear();
        (self.length, self.kind) = (0, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> Vec<(String, u64)> {
        let mut runs = Runs::default();
        runs.add(text);
        runs.into_counts(usize::MAX).into_iter().map(|(run, count)| (run.into(), count)).collect()
    }

    #[test]
    fn runs_are_of_one_kind_and_within_a_word() {
        let mut found = counted("Don't pay 3,000€  ``Été''\u{200b}don't");
        found.sort();
        let expected = ["'", "\"", ",", "000", "€", "▁\"", "▁3", "▁don", "▁pay", "ete", "t"];
        let mut expected: Vec<(String, u64)> = expected.map(|run| (run.to_owned(), 1)).to_vec();
        for (run, count) in &mut expected {
            *count = if ["'", "▁don", "t"].contains(&run.as_str()) { 2 } else { 1 };
        }
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_text_in_parts_is_the_whole_and_one_without_spaces_is_cut() {
        let long = "abcdefghij".repeat(10_000);
        let found = counted(&long);
        assert!(found.iter().all(|(run, _)| run.chars().count() <= MAX_RUN));
        let characters: u64 =
            found.iter().map(|(run, count)| run.chars().filter(|&c| c != SPACE).count() as u64 * count).sum();
        assert_eq!(characters, 100_000);
        assert_eq!(counted(&"oil prices ".repeat(5000)), [("▁oil".to_owned(), 5000), ("▁prices".to_owned(), 5000)]);
    }
}
