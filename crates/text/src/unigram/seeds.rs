//! The substrings that repeat: where training begins.

/// The longest piece, in characters, as SentencePiece has it.
pub(super) const MAX_PIECE: usize = 16;

/// Runs of characters end to end, a 0 behind each.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) characters: Vec<u32>,
    /// For each character how often its run occurs.
    pub(super) counts: Vec<u64>,
}

impl Text {
    pub(super) fn push(&mut self, run: impl Iterator<Item = char>, count: u64) {
        let before = self.characters.len();
        self.characters.extend(run.map(|c| c as u32));
        self.characters.push(0);
        self.counts.resize(self.counts.len() + self.characters.len() - before, count);
    }
}

/// The substrings of two characters and more that occur more than once and go on in more than one way or end there, and
/// how often they occur; the best `most` by how much of the text they are.
pub(super) fn seeds(text: &Text, mark: u32, most: usize) -> Vec<(Vec<u32>, u64)> {
    let characters = &text.characters;
    let at = |suffix: u32| {
        let suffix = &characters[suffix as usize..];
        let end = suffix.iter().take(MAX_PIECE + 1).position(|&c| c == 0).unwrap_or(suffix.len().min(MAX_PIECE + 1));
        &suffix[..end]
    };
    let mut suffixes: Vec<u32> = (0..characters.len() as u32).filter(|&at| characters[at as usize] != 0).collect();
    suffixes.sort_unstable_by(|&a, &b| at(a).cmp(at(b)).then(a.cmp(&b)));
    let common = |a: &[u32], b: &[u32]| a.iter().zip(b).take_while(|(a, b)| a == b).count();

    // Substrings are the nodes of the suffix tree: where suffixes next to each other part, and where runs end.
    let mut found: Vec<(u32, usize, u64)> = Vec::new();
    // Open nodes: their lengths, the counts of the suffixes below them so far, and one of these.
    let mut open: Vec<(usize, u64, u32)> = Vec::new();
    let enter = |open: &mut Vec<(usize, u64, u32)>, length: usize, count: u64, suffix: u32| match open.last_mut() {
        Some((last, below, _)) if *last == length => *below += count,
        _ => open.push((length, count, suffix)),
    };
    for (place, &suffix) in suffixes.iter().enumerate() {
        let here = at(suffix);
        enter(&mut open, here.len(), text.counts[suffix as usize], suffix);
        let next = suffixes.get(place + 1).map_or(0, |&next| common(here, at(next)));
        while let Some((length, count, first)) = open.pop_if(|(length, ..)| *length > next) {
            found.push((first, length, count));
            let parent = open.last().map_or(0, |(length, ..)| *length).max(next);
            if parent > 0 {
                enter(&mut open, parent, count, first);
            }
        }
    }
    let is_piece = |&(first, length, count): &(u32, usize, u64)| {
        let piece = &characters[first as usize..][..length];
        (2..=MAX_PIECE).contains(&length) && count > 1 && !piece[1..].contains(&mark)
    };
    found.retain(is_piece);
    let score = |&(_, length, count): &(u32, usize, u64)| count * length as u64;
    let piece = |&(first, length, _): &(u32, usize, u64)| &characters[first as usize..][..length];
    found.sort_unstable_by(|a, b| score(b).cmp(&score(a)).then_with(|| piece(a).cmp(piece(b))));
    found.truncate(most);
    found.iter().map(|node| (piece(node).to_vec(), node.2)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substrings_that_repeat_are_counted_by_their_runs() {
        let mut text = Text::default();
        text.push("abcab".chars(), 3);
        text.push("xab".chars(), 2);
        text.push("xaby".chars(), 5);
        let found = seeds(&text, '▁' as u32, 10);
        let found: Vec<(String, u64)> = found
            .into_iter()
            .map(|(piece, count)| (piece.into_iter().filter_map(char::from_u32).collect(), count))
            .collect();
        // "xab" goes on with y or ends, "ab" occurs in all; "abc" goes on in one way.
        let expected = [
            ("ab", 3 + 3 + 2 + 5),
            ("xab", 7),
            ("xaby", 5),
            ("abcab", 3),
            ("aby", 5),
            ("bcab", 3),
            ("by", 5),
            ("cab", 3),
        ];
        assert_eq!(found, expected.map(|(piece, count)| (piece.to_owned(), count)));
    }

    /// Every substring that is found occurs as often as it is said to, by a slow count.
    #[test]
    fn counts_are_those_of_a_slow_count() {
        let runs = [("▁banana", 4), ("bandana", 7), ("▁ban", 1), ("nab", 2), ("aaaa", 3)];
        let mut text = Text::default();
        runs.iter().for_each(|(run, count)| text.push(run.chars(), *count));
        let found = seeds(&text, '▁' as u32, 100);
        assert!(found.len() > 5);
        for (piece, count) in found {
            let piece: Vec<char> = piece.into_iter().filter_map(char::from_u32).collect();
            let occurrences = |run: &str| {
                let run: Vec<char> = run.chars().collect();
                run.windows(piece.len()).filter(|window| *window == piece).count() as u64
            };
            let slow: u64 = runs.iter().map(|(run, count)| occurrences(run) * count).sum();
            assert_eq!(count, slow, "{piece:?}");
        }
    }
}
