//! Every way to cut runs into pieces.

use std::collections::HashMap;

use super::seeds::MAX_PIECE;

/// A piece at a place of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) begin: u8,
    pub(super) end: u8,
    pub(super) piece: u32,
}

/// The edges of all runs, those of a run in the order of their ends.
#[derive(Debug, Default)]
pub(super) struct Lattices {
    edges: Vec<Edge>,
    /// Where the edges of each run start, its length, and how often it occurs.
    runs: Vec<(usize, u8, u64)>,
}

impl Lattices {
    /// The lattices of runs, for pieces numbered in `numbers`.
    pub(super) fn new<'r>(runs: impl Iterator<Item = (&'r [u32], u64)>, numbers: &HashMap<Vec<u32>, u32>) -> Self {
        let mut lattices = Self::default();
        for (run, count) in runs {
            lattices.runs.push((lattices.edges.len(), run.len() as u8, count));
            each_edge(run, numbers, |edge| lattices.edges.push(edge));
        }
        lattices
    }

    /// Edges, length and count of each run.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[Edge], usize, u64)> {
        let ends = self.runs.iter().skip(1).map(|(start, ..)| *start).chain([self.edges.len()]);
        self.runs
            .iter()
            .zip(ends)
            .map(|(&(start, length, count), end)| (&self.edges[start..end], usize::from(length), count))
    }

    /// Keeps the pieces that have a new number, under it.
    pub(super) fn renumber(&mut self, numbers: &[Option<u32>]) {
        let mut kept = 0;
        let mut run = 0;
        for at in 0..self.edges.len() {
            while self.runs.get(run).is_some_and(|(start, ..)| *start == at) {
                self.runs[run].0 = kept;
                run += 1;
            }
            let edge = self.edges[at];
            if let Some(piece) = numbers[edge.piece as usize] {
                self.edges[kept] = Edge { piece, ..edge };
                kept += 1;
            }
        }
        self.runs[run..].iter_mut().for_each(|(start, ..)| *start = kept);
        self.edges.truncate(kept);
    }
}

/// The pieces at every place of a run, in the order of their ends.
pub(super) fn each_edge(run: &[u32], numbers: &HashMap<Vec<u32>, u32>, mut each: impl FnMut(Edge)) {
    for end in 1..=run.len() {
        for begin in end.saturating_sub(MAX_PIECE)..end {
            if let Some(&piece) = numbers.get(&run[begin..end]) {
                each(Edge { begin: begin as u8, end: end as u8, piece });
            }
        }
    }
}

/// The best cut by the sum of the scores of its pieces, and that sum; none when the edges do not lead to the end.
pub(super) fn best(edges: &[Edge], length: usize, scores: &[f64]) -> Option<(f64, Vec<u32>)> {
    let mut best = vec![(f64::NEG_INFINITY, None::<Edge>); length + 1];
    best[0].0 = 0.0;
    for &edge in edges {
        let score = best[usize::from(edge.begin)].0 + scores[edge.piece as usize];
        let to = &mut best[usize::from(edge.end)];
        if score > to.0 {
            *to = (score, Some(edge));
        }
    }
    let mut pieces = Vec::new();
    let mut at = length;
    while at > 0 {
        let edge = best[at].1?;
        pieces.push(edge.piece);
        at = usize::from(edge.begin);
    }
    pieces.reverse();
    Some((best[length].0, pieces))
}

/// Adds to `expected` how often each piece is expected in a run that occurs `count` times, over all its cuts by their
/// probabilities. `scratch` is memory.
pub(super) fn expect(
    edges: &[Edge],
    length: usize,
    count: u64,
    probabilities: &[f64],
    expected: &mut [f64],
    scratch: &mut [Vec<f64>; 2],
) {
    let [forward, backward] = scratch;
    for sums in [&mut *forward, &mut *backward] {
        sums.clear();
        sums.resize(length + 1, 0.0);
    }
    forward[0] = 1.0;
    for edge in edges {
        forward[usize::from(edge.end)] += forward[usize::from(edge.begin)] * probabilities[edge.piece as usize];
    }
    backward[length] = 1.0;
    for edge in edges.iter().rev() {
        backward[usize::from(edge.begin)] += backward[usize::from(edge.end)] * probabilities[edge.piece as usize];
    }
    if forward[length] <= 0.0 {
        return;
    }
    let share = count as f64 / forward[length];
    for edge in edges {
        let through = forward[usize::from(edge.begin)] * backward[usize::from(edge.end)];
        expected[edge.piece as usize] += share * through * probabilities[edge.piece as usize];
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn lattice(run: &str, pieces: &[&str]) -> (Vec<Edge>, usize) {
        let letters = |text: &str| text.chars().map(|c| c as u32).collect::<Vec<_>>();
        let numbers = pieces.iter().zip(0..).map(|(piece, number)| (letters(piece), number)).collect();
        let mut edges = Vec::new();
        each_edge(&letters(run), &numbers, |edge| edges.push(edge));
        (edges, run.chars().count())
    }

    #[test]
    fn the_best_cut_has_the_best_sum() {
        let (edges, length) = lattice("abc", &["a", "b", "c", "ab", "bc"]);
        assert_eq!(best(&edges, length, &[-1.0, -1.0, -1.0, -1.5, -3.0]).unwrap(), (-2.5, vec![3, 2]));
        assert_eq!(best(&edges, length, &[-1.0, -1.0, -1.0, -1.5, -0.1]).unwrap(), (-1.1, vec![0, 4]));
        let (edges, length) = lattice("abc", &["a", "b"]);
        assert!(best(&edges, length, &[0.0, 0.0]).is_none());
    }

    /// Over the cuts a|b|c (0.1 · 0.2 · 0.3), ab|c (0.25 · 0.3) and a|bc (0.1 · 0.15).
    #[test]
    fn pieces_are_expected_by_the_probabilities_of_their_cuts() {
        let (edges, length) = lattice("abc", &["a", "b", "c", "ab", "bc"]);
        let mut expected = [0.0; 5];
        expect(&edges, length, 2, &[0.1, 0.2, 0.3, 0.25, 0.15], &mut expected, &mut Default::default());
        let (all, one, two, three) = (0.006 + 0.075 + 0.015, 0.006, 0.075, 0.015);
        let truth = [one + three, one, one + two, two, three].map(|sum: f64| 2.0 * sum / all);
        assert!(expected.iter().zip(truth).all(|(found, truth)| (found - truth).abs() < 1e-12), "{expected:?}");
    }

    #[test]
    fn edges_without_their_pieces_are_removed() {
        let numbers: HashMap<Vec<u32>, u32> = [("a", 0), ("b", 1), ("ab", 2)]
            .map(|(piece, number)| (piece.chars().map(|c| c as u32).collect(), number))
            .into();
        let runs: Vec<Vec<u32>> = ["ab", "b", "ba"].map(|run| run.chars().map(|c| c as u32).collect()).into();
        let mut lattices = Lattices::new(runs.iter().map(|run| (run.as_slice(), 1)), &numbers);
        lattices.renumber(&[None, Some(0), Some(1)]);
        let found: Vec<Vec<u32>> =
            lattices.iter().map(|(edges, ..)| edges.iter().map(|edge| edge.piece).collect()).collect();
        assert_eq!(found, [vec![1, 0], vec![0], vec![0]]);
    }
}
