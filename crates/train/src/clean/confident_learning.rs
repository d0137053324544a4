//! Confident learning: which labels are probably wrong, from out-of-fold probabilities.

use crate::TrainError;

/// Below, two numbers are the same to the reference.
const EPSILON: f64 = 1e-6;

/// How the rows with a label issue are chosen, under the names of the `cleanlab` package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FilterBy {
    /// Of each given class, for each other class, as many rows as the confident joint has there: those whose probability
    /// of the other class exceeds that of the given one by most.
    #[default]
    PruneByNoiseRate,
    /// Of each given class, as many rows as the confident joint has off its diagonal: those with the lowest probability of
    /// the given class.
    PruneByClass,
    /// What both of these choose.
    Both,
    /// The rows that the confident joint counts off its diagonal.
    ConfidentLearning,
    /// The rows whose likeliest class is another one.
    PredictedNeqGiven,
    /// As many rows as [`ConfidentLearning`](Self::ConfidentLearning) chooses, with the lowest normalized margins.
    LowNormalizedMargin,
    /// The same with the lowest self-confidence.
    LowSelfConfidence,
}

impl FilterBy {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::PruneByNoiseRate,
        Self::PruneByClass,
        Self::Both,
        Self::ConfidentLearning,
        Self::PredictedNeqGiven,
        Self::LowNormalizedMargin,
        Self::LowSelfConfidence,
    ];

    /// Its name, as flags have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PruneByNoiseRate => "prune-by-noise-rate",
            Self::PruneByClass => "prune-by-class",
            Self::Both => "both",
            Self::ConfidentLearning => "confident-learning",
            Self::PredictedNeqGiven => "predicted-neq-given",
            Self::LowNormalizedMargin => "low-normalized-margin",
            Self::LowSelfConfidence => "low-self-confidence",
        }
    }
}

/// How good a label is, from 0 to 1: issues are ranked by it, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RankBy {
    /// The probability of the given class.
    #[default]
    SelfConfidence,
    /// The probability of the given class minus that of the likeliest other one, taken from -1..1 to 0..1.
    NormalizedMargin,
}

impl RankBy {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::SelfConfidence, Self::NormalizedMargin];

    /// Its name, as flags have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SelfConfidence => "self-confidence",
            Self::NormalizedMargin => "normalized-margin",
        }
    }
}

/// The given classes of some rows with the probabilities of all classes, from models that were not trained on the row.
///
/// Source: Northcutt, Jiang and Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, 2021,
/// <https://arxiv.org/abs/1911.00068>; in numbers that they leave open, `find_label_issues` of the `cleanlab` package 2.9.
///
/// ```
/// use albertine_train::clean::{ConfidentLearning, FilterBy, RankBy};
///
/// let given = vec![0, 0, 0, 1, 1, 1];
/// let sure_of_class_0 = [0.9, 0.8, 0.1, 0.2, 0.1, 0.3];
/// let probabilities = sure_of_class_0.iter().flat_map(|&p| [p, 1.0 - p]).collect();
/// let learning = ConfidentLearning::new(2, given, probabilities)?;
/// assert_eq!(learning.issues(FilterBy::PruneByNoiseRate, RankBy::SelfConfidence), [2]);
/// assert_eq!(learning.likeliest(2), 1);
/// # Ok::<(), albertine_train::TrainError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ConfidentLearning {
    classes: usize,
    given: Vec<usize>,
    /// `[rows, classes]`
    probabilities: Vec<f64>,
}

impl ConfidentLearning {
    /// Of so many classes; `given` has the class of each row, and `probabilities`, `[rows, classes]`, those that a model
    /// gives.
    ///
    /// # Errors
    /// [`TrainError::NoRows`]; [`TrainError::TooFewLabels`]; [`TrainError::Shape`] for a class that is none;
    /// [`TrainError::Probability`] for what is none.
    pub fn new(classes: usize, given: Vec<usize>, probabilities: Vec<f64>) -> Result<Self, TrainError> {
        if given.is_empty() {
            return Err(TrainError::NoRows);
        }
        if classes < 2 {
            return Err(TrainError::TooFewLabels { count: classes });
        }
        let rows = given.len();
        if probabilities.len() != rows * classes || given.iter().any(|&class| class >= classes) {
            let expected = given.iter().copied().max().unwrap_or(0);
            return Err(TrainError::Shape { expected, logits: probabilities.len() / rows, labels: classes });
        }
        if let Some(place) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
            let (row, value) = ((place / classes) as u64 + 1, probabilities[place]);
            return Err(TrainError::Probability { row, value });
        }
        Ok(Self { classes, given, probabilities })
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.given.len()
    }

    /// The given class of each row.
    #[must_use]
    pub fn given(&self) -> &[usize] {
        &self.given
    }

    /// The likeliest class of a row; of equals, the first.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn likeliest(&self, row: usize) -> usize {
        first_greatest(self.row(row))
    }

    /// The quality of the label of each row.
    #[must_use]
    pub fn quality(&self, by: RankBy) -> Vec<f64> {
        let of = |row: usize| {
            let (given, probabilities) = (self.given[row], self.row(row));
            let own = probabilities[given];
            match by {
                RankBy::SelfConfidence => own,
                RankBy::NormalizedMargin => {
                    let others = probabilities.iter().enumerate().filter(|(class, _)| *class != given);
                    let most = others.map(|(_, &p)| p).fold(f64::NEG_INFINITY, f64::max);
                    (own - most + 1.0) / 2.0
                }
            }
        };
        (0..self.rows()).map(of).collect()
    }

    /// The confident joint: an estimate of how many rows have each pair of a given class (outside) and a true class
    /// (inside), with as many rows of each given class as there are.
    ///
    /// A row counts for the likeliest of the classes whose probability is at least the mean that the rows given that
    /// class have.
    #[must_use]
    pub fn confident_joint(&self) -> Vec<Vec<u64>> {
        let mut joint = vec![vec![0_u64; self.classes]; self.classes];
        for (row, class) in self.confident_classes().into_iter().enumerate() {
            if let Some(class) = class {
                joint[self.given[row]][class] += 1;
            }
        }
        (0..self.classes).for_each(|class| joint[class][class] = joint[class][class].max(1));
        let mut counts = vec![0.0; self.classes];
        self.given.iter().for_each(|&class| counts[class] += 1.0);
        let calibrated = joint.iter().zip(&counts).map(|(row, count)| {
            let sum: u64 = row.iter().sum();
            rounded(&row.iter().map(|&cell| cell as f64 / sum as f64 * count).collect::<Vec<_>>())
        });
        calibrated.collect()
    }

    /// The rows whose label is probably wrong, the worst label first.
    #[must_use]
    pub fn issues(&self, filter: FilterBy, rank: RankBy) -> Vec<usize> {
        let is_issue = self.are_issues(filter);
        let quality = self.quality(rank);
        let mut rows: Vec<usize> = (0..self.rows()).filter(|&row| is_issue[row]).collect();
        rows.sort_by(|&one, &other| quality[one].total_cmp(&quality[other]));
        rows
    }

    fn are_issues(&self, filter: FilterBy) -> Vec<bool> {
        let by_quality = |by: RankBy| {
            let count = self.reduced(self.off_diagonal()).into_iter().filter(|&is_issue| is_issue).count();
            let (quality, all) = (self.quality(by), (0..self.rows()).collect());
            self.marked(&lowest(all, |row| quality[row], count))
        };
        let issues = match filter {
            FilterBy::LowNormalizedMargin => return by_quality(RankBy::NormalizedMargin),
            FilterBy::LowSelfConfidence => return by_quality(RankBy::SelfConfidence),
            FilterBy::PruneByNoiseRate => self.pruned_by_noise_rate(),
            FilterBy::PruneByClass => self.pruned_by_class(),
            FilterBy::Both => {
                let by_class = self.pruned_by_class();
                self.pruned_by_noise_rate().into_iter().zip(by_class).map(|(one, other)| one && other).collect()
            }
            FilterBy::ConfidentLearning => self.off_diagonal(),
            FilterBy::PredictedNeqGiven => (0..self.rows()).map(|row| self.likeliest(row) != self.given[row]).collect(),
        };
        self.reduced(issues)
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.probabilities[row * self.classes..][..self.classes]
    }

    /// The mean probability of each class over the rows that are given it; more than any for a class without rows.
    fn thresholds(&self) -> Vec<f64> {
        let (mut sums, mut counts) = (vec![0.0; self.classes], vec![0.0; self.classes]);
        for (row, &class) in self.given.iter().enumerate() {
            sums[class] += self.row(row)[class];
            counts[class] += 1.0;
        }
        let mean = |(sum, count): (&f64, &f64)| if *count == 0.0 { 2.0 } else { (sum / count).max(2.0 * EPSILON) };
        sums.iter().zip(&counts).map(mean).collect()
    }

    /// The class that each row is confidently of, if there is one.
    fn confident_classes(&self) -> Vec<Option<usize>> {
        let thresholds = self.thresholds();
        let of = |row: usize| {
            let row = self.row(row);
            let mut confident = (0..self.classes).filter(|&class| row[class] >= thresholds[class] - EPSILON);
            let first = confident.next()?;
            Some(if confident.next().is_some() { first_greatest(row) } else { first })
        };
        (0..self.rows()).map(of).collect()
    }

    fn off_diagonal(&self) -> Vec<bool> {
        let confident = self.confident_classes();
        confident
            .into_iter()
            .zip(&self.given)
            .map(|(class, &given)| class.is_some_and(|class| class != given))
            .collect()
    }

    /// Those of the issues whose given class is not the likeliest one, or as likely.
    fn reduced(&self, issues: Vec<bool>) -> Vec<bool> {
        let differs = |row: usize| {
            let mut probabilities = self.row(row).to_vec();
            probabilities[self.given[row]] += EPSILON;
            first_greatest(&probabilities) != self.given[row]
        };
        issues.into_iter().enumerate().map(|(row, is_issue)| is_issue && differs(row)).collect()
    }

    fn pruned_by_noise_rate(&self) -> Vec<bool> {
        self.pruned(|rows, given, counts| {
            let others = (0..self.classes).filter(|&class| class != given);
            let worst = |class: usize| {
                let margin = |row: usize| self.row(row)[given] - self.row(row)[class];
                lowest(rows.to_vec(), margin, counts[class] as usize)
            };
            others.flat_map(worst).collect()
        })
    }

    fn pruned_by_class(&self) -> Vec<bool> {
        self.pruned(|rows, given, counts| {
            lowest(rows.to_vec(), |row| self.row(row)[given], rows.len().saturating_sub(counts[given] as usize))
        })
    }

    /// What `prune` chooses of the rows that are given each class, of which one at least is kept: it gets the rows, the
    /// class, and how many of them the confident joint has of each true class.
    fn pruned(&self, prune: impl Fn(&[usize], usize, &[u64]) -> Vec<usize>) -> Vec<bool> {
        let mut issues = Vec::new();
        for (given, counts) in prune_counts(&self.confident_joint()).iter().enumerate() {
            let rows: Vec<usize> = (0..self.rows()).filter(|&row| self.given[row] == given).collect();
            if rows.len() > 1 {
                issues.extend(prune(&rows, given, counts));
            }
        }
        self.marked(&issues)
    }

    fn marked(&self, rows: &[usize]) -> Vec<bool> {
        let mut marked = vec![false; self.rows()];
        rows.iter().for_each(|&row| marked[row] = true);
        marked
    }
}

/// The `count` of some rows with the lowest values; of equals, the first.
fn lowest(mut rows: Vec<usize>, value: impl Fn(usize) -> f64, count: usize) -> Vec<usize> {
    if count > 0 {
        rows.sort_by(|&one, &other| value(one).total_cmp(&value(other)));
    }
    rows.truncate(count);
    rows
}

/// The confident joint with at least one row on each place of its diagonal, taken evenly from the others of its row.
fn prune_counts(joint: &[Vec<u64>]) -> Vec<Vec<u64>> {
    let classes = joint.len();
    // The reference rounds the rows of the transposed matrix, which are the true classes.
    let mut by_true: Vec<Vec<f64>> =
        (0..classes).map(|class| joint.iter().map(|row| row[class] as f64).collect()).collect();
    for given in 0..classes {
        let missing = (1.0 - by_true[given][given]).max(0.0);
        let others = (joint[given].iter().filter(|&&count| count > 0).count() as f64 - 1.0).max(1.0);
        for (class, row) in by_true.iter_mut().enumerate() {
            let cell = &mut row[given];
            *cell = if class == given { *cell + missing } else { (*cell - missing / others).max(0.0) };
        }
    }
    let by_true: Vec<Vec<u64>> = by_true.iter().map(|row| rounded(row)).collect();
    (0..classes).map(|given| by_true.iter().map(|row| row[given]).collect()).collect()
}

/// Numbers rounded so that their sum stays what it is, rounded: those that rounding changed most give way.
fn rounded(values: &[f64]) -> Vec<u64> {
    let even = |value: f64| value.round_ties_even();
    let mut whole: Vec<f64> = values.iter().map(|&value| even(value)).collect();
    let wanted = even(values.iter().sum());
    loop {
        let difference = even(wanted - even(whole.iter().sum()));
        if difference == 0.0 {
            return whole.into_iter().map(|value| value.max(0.0) as u64).collect();
        }
        let step = difference.signum();
        let mut order: Vec<usize> = (0..values.len()).collect();
        let gap = |place: usize| values[place] - whole[place];
        order.sort_by(|&one, &other| gap(one).total_cmp(&gap(other)));
        if step > 0.0 {
            order.reverse();
        }
        let changes = (difference.abs() as usize).min(order.len());
        order.into_iter().take(changes).for_each(|place| whole[place] += step);
    }
}

fn first_greatest(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, index| if values[index] > values[best] { index } else { best })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_probability_is_refused() {
        let of = |classes, given: &[usize], probabilities: &[f64]| {
            ConfidentLearning::new(classes, given.to_vec(), probabilities.to_vec()).unwrap_err().to_string()
        };
        assert_eq!(of(2, &[], &[]), "no row has both a text and a label");
        assert!(of(1, &[0], &[1.0]).contains("1 class"));
        assert!(of(2, &[0, 2], &[1.0, 0.0, 0.5, 0.5]).contains("class 2"));
        assert!(of(2, &[0], &[1.0]).contains("1 logits"));
        for wrong in [f64::NAN, -0.1, 1.5, f64::INFINITY] {
            assert_eq!(
                of(2, &[0, 1], &[0.5, 0.5, 0.1, wrong]),
                format!("row 2 has {wrong} where a probability should be")
            );
        }
    }

    #[test]
    fn a_class_without_rows_has_no_issues() {
        let learning = ConfidentLearning::new(3, vec![0, 0, 1], vec![0.8, 0.1, 0.1, 0.1, 0.1, 0.8, 0.1, 0.8, 0.1]);
        let learning = learning.unwrap();
        assert_eq!(learning.confident_joint().iter().map(|row| row.iter().sum::<u64>()).collect::<Vec<_>>(), [2, 1, 0]);
        for filter in FilterBy::ALL {
            let issues = learning.issues(filter, RankBy::NormalizedMargin);
            assert!(issues.iter().all(|&row| row == 1), "{filter:?}: {issues:?}");
        }
    }

    #[test]
    fn rounding_keeps_the_sum() {
        assert_eq!(rounded(&[0.5, 0.5, 0.5, 0.5]).iter().sum::<u64>(), 2);
        // of equals the last gives way, as in the reference
        assert_eq!(rounded(&[1.4, 1.4, 1.2]), [1, 2, 1]);
        assert_eq!(rounded(&[0.6, 0.7, 0.7]), [0, 1, 1]);
    }

    proptest! {
        #[test]
        fn a_joint_has_the_rows_that_there_are(
            rows in prop::collection::vec((0..3usize, prop::array::uniform3(0.01f64..1.0)), 1..60)
        ) {
            let given: Vec<usize> = rows.iter().map(|(class, _)| *class).collect();
            let probabilities = rows.iter().flat_map(|(_, row)| row.map(|p| p / row.iter().sum::<f64>())).collect();
            let learning = ConfidentLearning::new(3, given.clone(), probabilities).unwrap();
            for (class, row) in learning.confident_joint().iter().enumerate() {
                let count = given.iter().filter(|&&other| other == class).count() as u64;
                prop_assert_eq!(row.iter().sum::<u64>(), count);
            }
            for filter in FilterBy::ALL {
                let issues = learning.issues(filter, RankBy::SelfConfidence);
                let quality = learning.quality(RankBy::SelfConfidence);
                prop_assert!(issues.is_sorted_by(|&one, &other| quality[one] <= quality[other]));
            }
        }
    }
}
