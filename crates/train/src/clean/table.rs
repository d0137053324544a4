//! A labeled table with what is wrong with it.

use std::collections::BTreeMap;

use super::near_duplicates;

/// The rows of a labeled table that have both a text and a label.
///
/// ```
/// use albertine_train::clean::{Findings, LabeledRows, SIMILARITY};
///
/// let mut rows = LabeledRows::default();
/// rows.push(Some("Oil prices rose on Monday as OPEC cut its output."), Some("Business"));
/// rows.push(None, Some("Sports"));
/// rows.push(Some("Oil prices rose on Monday, as OPEC cut its output"), Some("World"));
/// assert_eq!((rows.len(), rows.skipped(), rows.number(1)), (2, 1, 3));
///
/// let mut findings = Findings::new(rows);
/// findings.find_near_duplicates(&[], SIMILARITY);
/// assert_eq!(findings.duplicates(), [[0, 1]]);
/// assert!(findings.is_conflicting(&findings.duplicates()[0]));
/// ```
#[derive(Debug, Clone, Default)]
pub struct LabeledRows {
    texts: Vec<String>,
    labels: Vec<String>,
    numbers: Vec<u64>,
    rows: u64,
}

impl LabeledRows {
    /// Adds a row. One without a text or a label, or with a blank one, is skipped and counted; returns whether it was not.
    pub fn push(&mut self, text: Option<&str>, label: Option<&str>) -> bool {
        self.rows += 1;
        let filled = |value: Option<&str>| value.filter(|value| !value.trim().is_empty()).map(str::to_owned);
        let (Some(text), Some(label)) = (filled(text), filled(label)) else { return false };
        self.texts.push(text);
        self.labels.push(label);
        self.numbers.push(self.rows);
        true
    }

    /// The number of rows with a text and a label.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The rows without a text or a label.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.rows - self.len() as u64
    }

    /// The number that a row has in the table, from 1, skipped ones included.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn number(&self, row: usize) -> u64 {
        self.numbers[row]
    }

    /// The texts.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The labels as the table has them.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }
}

/// A label that is probably wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelIssue {
    /// The row, by its index among those with a text and a label.
    pub row: usize,
    /// The label that is the likeliest.
    pub suggested: String,
    /// How good the given label is, from 0 to 1.
    pub quality: f64,
}

/// What is wrong with a table. Rows are told by their index among those with a text and a label.
#[derive(Debug, Clone)]
pub struct Findings {
    rows: LabeledRows,
    issues: Vec<LabelIssue>,
    duplicates: Vec<Vec<usize>>,
    /// The rows whose text is nearly one of the test set, with its number there, from 1.
    in_test: BTreeMap<usize, u64>,
}

impl Findings {
    /// Nothing yet.
    #[must_use]
    pub fn new(rows: LabeledRows) -> Self {
        Self { rows, issues: Vec::new(), duplicates: Vec::new(), in_test: BTreeMap::new() }
    }

    /// Keeps the labels that are probably wrong, the worst first.
    #[must_use]
    pub fn with_label_issues(self, issues: Vec<LabelIssue>) -> Self {
        Self { issues, ..self }
    }

    /// Finds the texts that are nearly the same ([`near_duplicates`]), among the rows and in a test set, of which `test`
    /// has the texts with their numbers, from 1.
    pub fn find_near_duplicates(&mut self, test: &[(u64, String)], similarity: f64) {
        let rows = self.rows.len();
        let texts: Vec<&str> =
            self.rows.texts.iter().chain(test.iter().map(|(_, text)| text)).map(String::as_str).collect();
        for group in near_duplicates(&texts, similarity) {
            // Groups are sorted: the texts of the test set come last.
            let (own, of_test) = group.split_at(group.partition_point(|&text| text < rows));
            if let Some(&first) = of_test.first() {
                self.in_test.extend(own.iter().map(|&row| (row, test[first - rows].0)));
            }
            if own.len() > 1 {
                self.duplicates.push(own.to_vec());
            }
        }
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &LabeledRows {
        &self.rows
    }

    /// The labels that are probably wrong, the worst first.
    #[must_use]
    pub fn issues(&self) -> &[LabelIssue] {
        &self.issues
    }

    /// Groups of rows whose texts are nearly the same.
    #[must_use]
    pub fn duplicates(&self) -> &[Vec<usize>] {
        &self.duplicates
    }

    /// The rows that are not the first of their group.
    #[must_use]
    pub fn repetitions(&self) -> usize {
        self.duplicates.iter().map(|group| group.len() - 1).sum()
    }

    /// Whether the rows of a group have different labels, of which at most one is right.
    #[must_use]
    pub fn is_conflicting(&self, group: &[usize]) -> bool {
        group.iter().any(|&row| self.rows.labels[row] != self.rows.labels[group[0]])
    }

    /// The rows whose text is in the test set too, with its number there, from 1.
    #[must_use]
    pub fn in_test(&self) -> &BTreeMap<usize, u64> {
        &self.in_test
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::SIMILARITY;

    #[test]
    fn texts_of_the_test_set_are_no_duplicates_of_the_table() {
        let text = "The committee will decide about the budget on Thursday afternoon";
        let mut rows = LabeledRows::default();
        for text in
            ["", text, "Quite another text about a football match", "quite another text about a FOOTBALL match."]
        {
            rows.push(Some(text), Some("a"));
        }
        let mut findings = Findings::new(rows);
        findings.find_near_duplicates(&[(4, text.to_uppercase()), (9, text.to_owned()), (12, "no".into())], SIMILARITY);
        assert_eq!(findings.duplicates(), [[1, 2]]);
        assert_eq!(findings.in_test().iter().collect::<Vec<_>>(), [(&0, &4)]);
        assert_eq!(findings.repetitions(), 1);
        assert!(!findings.is_conflicting(&[1, 2]));
    }
}
