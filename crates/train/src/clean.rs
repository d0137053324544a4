//! What is wrong with a labeled table: labels that are probably wrong, texts that are there twice, and texts that are in
//! the test set too.
//!
//! Labels are judged by [`ConfidentLearning`], from probabilities that [`out_of_fold`] gives or that come from elsewhere;
//! texts are compared by [`near_duplicates`]. A [`CleanReport`] shows the [`Findings`].

mod confident_learning;
mod near_duplicates;
mod out_of_fold;
mod page;
mod review;
mod table;

use serde::Serialize;

pub use self::confident_learning::{ConfidentLearning, FilterBy, RankBy};
pub use self::near_duplicates::{SIMILARITY, near_duplicates};
pub use self::out_of_fold::{FoldEvent, OutOfFold, out_of_fold};
pub use self::review::csv;
pub use self::table::{Findings, LabelIssue, LabeledRows};
use crate::{ReportFolder, TrainError};

/// The label issues of rows, with the names of the classes that are suggested.
#[must_use]
pub fn label_issues(
    learning: &ConfidentLearning,
    labels: &[String],
    filter: FilterBy,
    rank: RankBy,
) -> Vec<LabelIssue> {
    let quality = learning.quality(rank);
    let issue =
        |row: usize| LabelIssue { row, suggested: labels[learning.likeliest(row)].clone(), quality: quality[row] };
    learning.issues(filter, rank).into_iter().map(issue).collect()
}

/// What a report of a cleaning shows.
#[derive(Debug, Clone, Copy)]
pub struct CleanReport<'a> {
    /// The settings of the run: names and values, the first of them the name of the table.
    pub facts: &'a [(&'a str, String)],
    /// What is wrong.
    pub findings: &'a Findings,
    /// The given classes and their probabilities, if labels were judged.
    pub learning: Option<&'a ConfidentLearning>,
    /// The labels of the classes.
    pub labels: &'a [String],
}

/// How much is wrong with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CleanSummary {
    /// Rows with a text and a label.
    pub rows: usize,
    /// Rows without.
    pub left_out: u64,
    /// Labels that are probably wrong.
    pub label_issues: usize,
    /// Texts that are nearly the same as an earlier one.
    pub near_duplicates: usize,
    /// Groups of texts that are nearly the same and have different labels.
    pub conflicting_groups: usize,
    /// Texts that are nearly one of the test set.
    pub in_test: usize,
}

impl CleanReport<'_> {
    /// The name of the table to correct in the folder of a report.
    pub const REVIEW: &'static str = "review.csv";

    /// The numbers.
    #[must_use]
    pub fn summary(&self) -> CleanSummary {
        let findings = self.findings;
        CleanSummary {
            rows: findings.rows().len(),
            left_out: findings.rows().skipped(),
            label_issues: findings.issues().len(),
            near_duplicates: findings.repetitions(),
            conflicting_groups: findings.duplicates().iter().filter(|group| findings.is_conflicting(group)).count(),
            in_test: findings.in_test().len(),
        }
    }

    /// A self-contained HTML page without scripts.
    #[must_use]
    pub fn page(&self) -> String {
        page::page(self)
    }

    /// Writes the page and the table to correct.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub fn save(&self, folder: ReportFolder) -> Result<(), TrainError> {
        folder.write(&[(Self::REVIEW, csv(self.findings)), (ReportFolder::PAGE, self.page())])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_report_shows_what_was_found_and_runs_none_of_it() {
        let mut rows = LabeledRows::default();
        for (text, label) in
            [("<script>alert(1)</script>", "a<b"), ("some text", "c"), ("Some text.", "a<b"), ("", "c")]
        {
            rows.push(Some(text), Some(label));
        }
        let labels = ["a<b", "c"].map(str::to_owned);
        let learning = ConfidentLearning::new(2, vec![0, 1, 0], vec![0.1, 0.9, 0.2, 0.8, 0.9, 0.1]).unwrap();
        let issues = label_issues(&learning, &labels, FilterBy::PredictedNeqGiven, RankBy::SelfConfidence);
        let mut findings = Findings::new(rows).with_label_issues(issues);
        findings.find_near_duplicates(&[(1, "SOME TEXT".into())], SIMILARITY);
        let facts = [("input", "x&y.csv".to_owned())];
        let report = CleanReport { facts: &facts, findings: &findings, learning: Some(&learning), labels: &labels };
        let page = report.page();
        for shown in
            ["<title>x&amp;y.csv</title>", "&lt;script&gt;alert", "a&lt;b", "2<br>3", "Confident joint", "skipped: 1."]
        {
            assert!(page.contains(shown), "{shown} is missing in {page}");
        }
        assert!(!page.contains("<script") && !page.contains("http"), "nothing is run and nothing fetched");
        let expected = CleanSummary {
            rows: 3,
            left_out: 1,
            label_issues: 1,
            near_duplicates: 1,
            conflicting_groups: 1,
            in_test: 2,
        };
        assert_eq!(report.summary(), expected);
        let folder = tempfile::tempdir().unwrap();
        report.save(ReportFolder::create(folder.path()).unwrap()).unwrap();
        assert!(std::fs::read_to_string(folder.path().join("review.csv")).unwrap().starts_with("row,issue,label"));
    }
}
