//! Expectation steps over all cuts, and the removal of the pieces that help least.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::SPECIALS;
use super::lattice::{Lattices, best, each_edge, expect};
use super::runs::{Runs, SPACE};
use super::seeds::{Text, seeds};
use crate::TextError;

/// The characters of distinct runs that are trained on at most. Rarer runs change little.
const MAX_CHARACTERS: usize = 1 << 22;

/// The pieces that training begins with at most, as SentencePiece's `seed_sentencepiece_size`.
const SEEDS: usize = 1_000_000;

/// The share of the texts whose characters have pieces of their own. ASCII characters always have.
const COVERAGE: f64 = 0.9999;

/// Expectation steps between removals, and what is left by one (`num_sub_iterations`, `shrinking_factor`).
const STEPS: usize = 2;
const SHRINKING: f64 = 0.75;

/// Training ends with this many times as many pieces as asked for; the best of them are kept.
const MORE: f64 = 1.1;

/// A piece that is expected less often is removed.
const LEAST_EXPECTED: f64 = 0.5;

/// By how much the scores of characters that were never expected differ, so that their order is one.
const PENALTY: f64 = 1e-4;

/// A piece by its characters, and its score: the logarithm of its probability.
type Scored = (Vec<u32>, f64);

/// The pieces of a vocabulary of `size` pieces but for the special ones, the best first.
pub(super) fn train(runs: Runs, size: usize) -> Result<Vec<(String, f64)>, TextError> {
    let runs = runs.into_counts(MAX_CHARACTERS);
    let required = required(&runs);
    let least = SPECIALS.len() + required.len();
    if size < least || required.is_empty() {
        return Err(TextError::VocabularySize { asked: size, least, most: None });
    }
    let size = size - SPECIALS.len();
    let text = text(&runs, &required);
    let mut model = Model::new(&text, &required);
    loop {
        (0..STEPS).for_each(|_| model.step());
        let wanted = (size as f64 * MORE) as usize;
        if model.pieces.len() <= wanted {
            break;
        }
        model.prune(wanted.max((model.pieces.len() as f64 * SHRINKING) as usize));
    }
    let pieces = model.finish(&required, size);
    if pieces.len() < size {
        let most = Some(pieces.len() + SPECIALS.len());
        return Err(TextError::VocabularySize { asked: size + SPECIALS.len(), least, most });
    }
    let as_text = |piece: Vec<u32>| piece.into_iter().filter_map(char::from_u32).collect();
    Ok(pieces.into_iter().map(|(piece, score)| (as_text(piece), score)).collect())
}

/// The characters that have pieces of their own, and how often they occur.
fn required(runs: &[(Box<str>, u64)]) -> BTreeMap<u32, u64> {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for (run, count) in runs {
        run.chars().for_each(|c| *counts.entry(c as u32).or_default() += count);
    }
    let all: u64 = counts.values().sum();
    let mut sorted: Vec<(u32, u64)> = counts.into_iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut sum = 0;
    let is_covered = |(c, count): &(u32, u64)| {
        let before = sum as f64;
        sum += count;
        before < COVERAGE * all as f64 || *c < 128 || *c == SPACE as u32
    };
    sorted.into_iter().filter(is_covered).collect()
}

/// The runs without the characters that have no piece.
fn text(runs: &[(Box<str>, u64)], required: &BTreeMap<u32, u64>) -> Text {
    let mut text = Text::default();
    for (run, count) in runs {
        for known in run.split(|c| !required.contains_key(&(c as u32))).filter(|known| !known.is_empty()) {
            text.push(known.chars(), *count);
        }
    }
    text
}

struct Model {
    pieces: Vec<Scored>,
    lattices: Lattices,
}

impl Model {
    /// Characters and substrings, more probable the more of the text they are.
    fn new(text: &Text, required: &BTreeMap<u32, u64>) -> Self {
        let characters = required.iter().map(|(&c, &count)| (vec![c], count as f64));
        let substrings = seeds(text, SPACE as u32, SEEDS).into_iter();
        let substrings = substrings.map(|(piece, count)| {
            let share = count as f64 * piece.len() as f64;
            (piece, share)
        });
        let mut pieces: Vec<Scored> = characters.chain(substrings).collect();
        let sum = pieces.iter().map(|(_, share)| share).sum::<f64>().ln();
        pieces.iter_mut().for_each(|(_, share)| *share = share.ln() - sum);
        let mut starts: Vec<usize> = vec![0];
        starts.extend(text.characters.iter().enumerate().filter(|(_, c)| **c == 0).map(|(at, _)| at + 1));
        let runs = starts.windows(2).map(|ends| (&text.characters[ends[0]..ends[1] - 1], text.counts[ends[0]]));
        let lattices = Lattices::new(runs, &numbers(&pieces));
        Self { pieces, lattices }
    }

    /// An expectation step, and new scores by it: those of a Bayesian estimate with a sparse prior, which removes what is
    /// hardly expected. Characters stay.
    fn step(&mut self) {
        let probabilities: Vec<f64> = self.pieces.iter().map(|(_, score)| score.exp()).collect();
        let mut expected = vec![0.0; self.pieces.len()];
        let mut scratch = Default::default();
        for (edges, length, count) in self.lattices.iter() {
            expect(edges, length, count, &probabilities, &mut expected, &mut scratch);
        }
        let is_kept = |(piece, expected): (&Scored, &f64)| piece.0.len() == 1 || *expected >= LEAST_EXPECTED;
        let kept: Vec<bool> = self.pieces.iter().zip(&expected).map(is_kept).collect();
        let counts: Vec<f64> = expected.iter().map(|expected| expected.max(LEAST_EXPECTED)).collect();
        let sum = digamma(counts.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(count, _)| count).sum());
        for ((_, score), count) in self.pieces.iter_mut().zip(counts) {
            *score = digamma(count) - sum;
        }
        self.keep(&kept);
    }

    /// Removes pieces, until `size` are left: those whose best replacement by others makes the texts hardly less
    /// probable.
    fn prune(&mut self, size: usize) {
        let scores: Vec<f64> = self.pieces.iter().map(|(_, score)| *score).collect();
        // How often each piece is in the best cuts, and how often the runs occur whose best cut has it.
        let (mut uses, mut runs_with, mut all) = (vec![0.0; scores.len()], vec![0.0; scores.len()], 0.0);
        for (edges, length, count) in self.lattices.iter() {
            all += count as f64;
            let Some((_, mut cut)) = best(edges, length, &scores) else { continue };
            cut.iter().for_each(|&piece| uses[piece as usize] += count as f64);
            cut.sort_unstable();
            cut.dedup();
            cut.iter().for_each(|&piece| runs_with[piece as usize] += count as f64);
        }
        let sum: f64 = uses.iter().sum();
        let numbers = numbers(&self.pieces);
        let mut kept = vec![false; scores.len()];
        let mut candidates: Vec<(f64, usize)> = Vec::new();
        for (number, (piece, score)) in self.pieces.iter().enumerate() {
            let mut edges = Vec::new();
            each_edge(piece, &numbers, |edge| {
                if edge.piece as usize != number {
                    edges.push(edge);
                }
            });
            let Some((other, cut)) = best(&edges, piece.len(), &scores) else {
                kept[number] = true;
                continue;
            };
            if other > *score || uses[number] == 0.0 {
                continue;
            }
            let share = runs_with[number] / all;
            let before = uses[number].ln() - sum.ln();
            let sum = (sum + uses[number] * (cut.len() as f64 - 1.0)).ln();
            let after: f64 = cut.iter().map(|&part| (uses[part as usize] + uses[number]).ln() - sum).sum();
            candidates.push((share * (before - after), number));
        }
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let room = size.saturating_sub(kept.iter().filter(|kept| **kept).count());
        candidates.iter().take(room).for_each(|&(_, number)| kept[number] = true);
        self.keep(&kept);
    }

    fn keep(&mut self, kept: &[bool]) {
        let mut next = 0;
        let numbers: Vec<Option<u32>> = kept
            .iter()
            .map(|&kept| {
                let number = kept.then_some(next);
                next += u32::from(kept);
                number
            })
            .collect();
        let mut keep = kept.iter();
        self.pieces.retain(|_| keep.next().is_some_and(|kept| *kept));
        self.lattices.renumber(&numbers);
    }

    /// The characters and the best of the other pieces, `size` in all, the best first.
    fn finish(self, required: &BTreeMap<u32, u64>, size: usize) -> Vec<Scored> {
        let least = self.pieces.iter().map(|(_, score)| *score).fold(0.0, f64::min);
        let known: BTreeSet<u32> =
            self.pieces.iter().filter(|(piece, _)| piece.len() == 1).map(|(piece, _)| piece[0]).collect();
        let (mut pieces, mut others): (Vec<Scored>, Vec<Scored>) =
            self.pieces.into_iter().partition(|(piece, _)| piece.len() == 1);
        let unknown = required.keys().filter(|c| !known.contains(c)).enumerate();
        pieces.extend(unknown.map(|(place, &c)| (vec![c], least - PENALTY * (place + 1) as f64)));
        let order = |a: &Scored, b: &Scored| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0));
        others.sort_by(order);
        others.truncate(size.saturating_sub(pieces.len()));
        pieces.append(&mut others);
        pieces.sort_by(order);
        pieces
    }
}

fn numbers(pieces: &[Scored]) -> HashMap<Vec<u32>, u32> {
    pieces.iter().zip(0..).map(|((piece, _), number)| (piece.clone(), number)).collect()
}

/// The derivative of the logarithm of the gamma function, for `x` above 0 (Abramowitz and Stegun 6.3.5 and 6.3.18).
fn digamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 7.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = square * (1.0 / 12.0 - square * (1.0 / 120.0 - square * (1.0 / 252.0 - square / 240.0)));
    sum + x.ln() - 0.5 / x - series
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.special.digamma`
    #[test]
    fn digamma_is_that_of_scipy() {
        for (x, expected) in
            [(0.5, -1.963_510_026_021_423_3), (1.0, -0.577_215_664_901_532_8), (12.5, 2.485_195_651_249_241)]
        {
            assert!((digamma(x) - expected).abs() < 1e-8, "{x}: {}", digamma(x));
        }
    }
}
