//! The table to correct: CSV with all rows, those with something wrong first.

use std::fmt::Write;

use super::Findings;

/// What each row is told of.
const HEADER: &str = "row,issue,label,suggested_label,quality,duplicate_of,test_row,text\n";

/// The table as CSV: `row` (its number, from 1), `issue` (`label`, `conflict`, `duplicate`, `in test`, several with a
/// semicolon between them), `label`, `suggested_label`, `quality` of the label, `duplicate_of` (the first row with nearly
/// the same text), `test_row` and `text`. Rows with a label issue come first, the worst before; then conflicting labels of
/// near-duplicates, texts of the test set, near-duplicates, and the rest in its order. Whoever corrects labels and deletes
/// rows in it can train on it as it is.
#[must_use]
pub fn csv(findings: &Findings) -> String {
    let rows = findings.rows();
    let mut lines: Vec<Line<'_>> = vec![Line::default(); rows.len()];
    for (place, issue) in findings.issues().iter().enumerate() {
        lines[issue.row].issue = Some((place, &issue.suggested, issue.quality));
    }
    for group in findings.duplicates() {
        let conflicts = findings.is_conflicting(group);
        for &row in group {
            lines[row].conflicts = conflicts;
            lines[row].duplicate_of = group.first().copied().filter(|&first| first != row);
        }
    }
    findings.in_test().iter().for_each(|(&row, &number)| lines[row].test_row = Some(number));
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&row| lines[row].urgency());

    let mut csv = HEADER.to_owned();
    for row in order {
        let line = lines[row];
        let (_, suggested, quality) = line.issue.unwrap_or_default();
        let quality = if line.issue.is_some() { format!("{quality:.6}") } else { String::new() };
        let number = |row: Option<u64>| row.map(|row| row.to_string()).unwrap_or_default();
        let duplicate_of = number(line.duplicate_of.map(|first| rows.number(first)));
        let cells = [
            rows.number(row).to_string(),
            line.names(),
            field(&rows.labels()[row]),
            field(suggested),
            quality,
            duplicate_of,
            number(line.test_row),
            field(&rows.texts()[row]),
        ];
        let _ = writeln!(csv, "{}", cells.join(","));
    }
    csv
}

/// What is wrong with a row.
#[derive(Clone, Copy, Default)]
struct Line<'a> {
    /// The place among the label issues, the suggested label and the quality of the given one.
    issue: Option<(usize, &'a str, f64)>,
    conflicts: bool,
    duplicate_of: Option<usize>,
    test_row: Option<u64>,
}

impl Line<'_> {
    /// Where it stands: the lower the earlier.
    fn urgency(&self) -> (u8, usize) {
        match self {
            Self { issue: Some((place, ..)), .. } => (0, *place),
            Self { conflicts: true, .. } => (1, 0),
            Self { test_row: Some(_), .. } => (2, 0),
            Self { duplicate_of: Some(_), .. } => (3, 0),
            _ => (4, 0),
        }
    }

    fn names(&self) -> String {
        let all = [
            (self.issue.is_some(), "label"),
            (self.conflicts, "conflict"),
            (self.duplicate_of.is_some(), "duplicate"),
            (self.test_row.is_some(), "in test"),
        ];
        all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, name)| name).collect::<Vec<_>>().join(";")
    }
}

/// A cell, quoted where it must be.
fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::{LabelIssue, LabeledRows, SIMILARITY};

    #[test]
    fn what_is_wrong_comes_first_and_nothing_is_lost() {
        let mut rows = LabeledRows::default();
        let text = "The committee will decide about the budget on Thursday";
        for (text, label) in [
            ("a \"fine\" text", "a"),
            (text, "a"),
            ("something of the test set, word for word", "b"),
            (text, "b"),
            ("nothing is wrong with me", "a"),
        ] {
            rows.push(Some(text), Some(label));
        }
        let issue = LabelIssue { row: 4, suggested: "b, or c".to_owned(), quality: 0.03125 };
        let mut findings = Findings::new(rows).with_label_issues(vec![issue]);
        findings.find_near_duplicates(&[(7, "Something of the test set: word for word".into())], SIMILARITY);
        let expected = format!(
            "{HEADER}5,label,a,\"b, or c\",0.031250,,,nothing is wrong with me\n2,conflict,a,,,,,{text}\n\
             4,conflict;duplicate,b,,,2,,{text}\n3,in test,b,,,,7,\"something of the test set, word for word\"\n\
             1,,a,,,,,\"a \"\"fine\"\" text\"\n"
        );
        assert_eq!(csv(&findings), expected);
    }
}
