//! Partition SHAP: Owen values over a hierarchy of parts.
//!
//! Source: `PartitionExplainer.owen` of the `shap` package, with which the values agree. It takes the nodes that promise
//! most first and stops when the evaluations are used up, so which nodes are divided depends on how many it takes at a
//! time; that stays as it is there. What is different is when the model is asked: for many coalitions at once, those
//! included that are likely to be needed soon, and for each only once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::coalition::Coalition;
use super::game::{Credits, Game, Outcome, Scores};
use super::masking::Masking;
use super::partition::Partition;

/// The coalitions of a step: nodes are taken until there are as many.
///
/// Source: `maskers.Text.default_batch_size`.
const STEP: usize = 5;

/// The Owen values of a text on their way.
pub(super) struct PartitionShap {
    partition: Partition,
    kept: Coalition,
    all: Coalition,
    known: HashMap<Coalition, Scores>,
    /// Nodes that may be divided, those that promise most first and among equals the older ones.
    queue: BTreeMap<(Reverse<u64>, u64), Visit>,
    queued: u64,
    /// Nodes of this step.
    step: Vec<Visit>,
    started: bool,
    /// Evaluations that are left, and those that were taken.
    budget: usize,
    evaluations: usize,
    /// What each node itself is credited with, `[nodes][labels]`.
    credits: Vec<Vec<f64>>,
}

/// A node that is seen with some others shown.
#[derive(Clone)]
struct Visit {
    node: usize,
    others: Coalition,
    /// With the node hidden, and with it shown.
    hidden: Scores,
    shown: Scores,
    weight: f64,
}

impl PartitionShap {
    pub(super) fn new(masking: &Masking<'_>, evaluations: usize) -> Self {
        let kept = masking.kept().clone();
        Self {
            partition: Partition::new(masking.texts(), masking.separator()),
            all: Coalition::all(kept.parts()),
            kept,
            known: HashMap::new(),
            queue: BTreeMap::new(),
            queued: 0,
            step: Vec::new(),
            started: false,
            // the text and the text all hidden are two of them
            budget: evaluations.saturating_sub(2),
            evaluations: 0,
            credits: Vec::new(),
        }
    }

    fn of(&self, coalition: &Coalition) -> Scores {
        self.known.get(coalition).cloned().unwrap_or_else(|| Rc::new([]))
    }

    /// The coalitions that divide a node: others with its left child, and with its right one.
    fn halves(&self, visit: &Visit) -> Option<[Coalition; 2]> {
        let (left, right) = self.partition.children(visit.node)?;
        Some([left, right].map(|child| visit.others.clone().with(self.partition.range(child))))
    }

    fn start(&mut self) {
        let (shown, hidden) = (self.of(&self.all), self.of(&self.kept));
        self.credits = vec![vec![0.0; shown.len()]; self.partition.nodes()];
        self.started = true;
        if let Some(node) = self.partition.nodes().checked_sub(1) {
            self.push(Visit { node, others: self.kept.clone(), hidden, shown, weight: 1.0 });
        }
    }

    fn push(&mut self, visit: Visit) {
        let changes = visit.shown.iter().zip(visit.hidden.iter()).map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs());
        // numbers that are not negative have the order of their bits
        let promise = (changes.fold(0.0, f64::max) * visit.weight).to_bits();
        self.queue.insert((Reverse(promise), self.queued), visit);
        self.queued += 1;
    }

    fn credit(&mut self, visit: &Visit) {
        let changes = visit.shown.iter().zip(visit.hidden.iter()).map(|(&a, &b)| f64::from(a) - f64::from(b));
        self.credits[visit.node].iter_mut().zip(changes).for_each(|(credit, change)| *credit += change * visit.weight);
    }

    /// Takes the nodes of the next step from the queue.
    fn next_step(&mut self) {
        if self.evaluations >= self.budget {
            while let Some((_, visit)) = self.queue.pop_first() {
                self.credit(&visit);
            }
        }
        while 2 * self.step.len() < STEP && self.evaluations + 2 * self.step.len() < self.budget {
            let Some((_, visit)) = self.queue.pop_first() else { return };
            match self.partition.children(visit.node) {
                Some(_) => self.step.push(visit),
                None => self.credit(&visit),
            }
        }
    }

    /// Divides the nodes of this step.
    fn divide(&mut self) {
        for visit in std::mem::take(&mut self.step) {
            let (Some((left, right)), Some(halves)) = (self.partition.children(visit.node), self.halves(&visit)) else {
                continue;
            };
            let [with_left, with_right] = halves.each_ref().map(|half| self.of(half));
            let [left_shown, right_shown] = halves;
            let Visit { others, hidden, shown, weight, .. } = visit;
            let weight = weight / 2.0;
            let child = |node, others: &Coalition, hidden: &Scores, shown: &Scores| Visit {
                node,
                others: others.clone(),
                hidden: Rc::clone(hidden),
                shown: Rc::clone(shown),
                weight,
            };
            self.push(child(left, &others, &hidden, &with_left));
            self.push(child(right, &others, &hidden, &with_right));
            self.push(child(left, &right_shown, &with_right, &shown));
            self.push(child(right, &left_shown, &with_left, &shown));
            self.evaluations += 2;
        }
    }
}

impl Game for PartitionShap {
    fn wanted(&mut self, room: usize) -> Vec<Coalition> {
        if !self.started {
            let first = [&self.all, &self.kept].into_iter().filter(|coalition| !self.known.contains_key(coalition));
            let first: Vec<Coalition> = first.cloned().collect();
            if !first.is_empty() {
                return first;
            }
            self.start();
        }
        let mut wanted = Vec::new();
        loop {
            if self.step.is_empty() {
                self.next_step();
            }
            if self.step.is_empty() && self.queue.is_empty() {
                return wanted;
            }
            for half in self.step.iter().filter_map(|visit| self.halves(visit)).flatten() {
                if !self.known.contains_key(&half) && !wanted.contains(&half) {
                    wanted.push(half);
                }
            }
            if !wanted.is_empty() {
                break;
            }
            self.divide();
        }
        // what promises most is divided soon, unless the evaluations are used up
        let room = room.min(self.budget.saturating_sub(self.evaluations));
        for half in self.queue.values().filter_map(|visit| self.halves(visit)).flatten() {
            if wanted.len() >= room {
                break;
            }
            if !self.known.contains_key(&half) && !wanted.contains(&half) {
                wanted.push(half);
            }
        }
        wanted
    }

    fn take(&mut self, coalition: Coalition, scores: Scores) {
        self.known.insert(coalition, scores);
    }

    /// What a cluster itself is credited with goes to its parts, the same for each.
    ///
    /// Source: `lower_credit` of the `shap` package.
    fn finish(mut self: Box<Self>) -> Outcome {
        for node in (0..self.credits.len()).rev() {
            let Some(children) = self.partition.children(node) else { continue };
            let credits = std::mem::take(&mut self.credits[node]);
            let size = self.partition.range(node).len() as f64;
            for child in [children.0, children.1] {
                let share = self.partition.range(child).len() as f64;
                let lowered = credits.iter().map(|credit| credit * share / size);
                self.credits[child].iter_mut().zip(lowered).for_each(|(credit, lowered)| *credit += lowered);
            }
        }
        self.credits.truncate(self.kept.parts());
        Outcome {
            base: self.of(&self.kept),
            values: self.of(&self.all),
            credits: Credits::OfParts(self.credits),
            evaluations: self.evaluations + 2,
        }
    }
}
