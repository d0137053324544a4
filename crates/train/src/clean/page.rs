//! The page of a cleaning: what is wrong with a table, to read.

use std::fmt::Write;

use super::{CleanReport, ConfidentLearning};
use crate::report::html::{STYLE, decimal, escaped, table};

/// The most label issues, groups and rows of the test set that are shown; the table to correct has all.
const MOST: usize = 200;

/// The most classes of a matrix, and the most rows of a group that are shown.
const MOST_IN_MATRIX: usize = 40;
const MOST_IN_GROUP: usize = 10;

/// How much of a text is shown, in characters.
const CHARACTERS: usize = 300;

pub(super) fn page(report: &CleanReport<'_>) -> String {
    let (findings, rows) = (report.findings, report.findings.rows());
    let conflicts = findings.duplicates().iter().filter(|group| findings.is_conflicting(group)).count();
    let title = escaped(report.facts.first().map_or("table", |(_, name)| name));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\n<body>\n\
         <h1>{title}</h1>\n<p><span class=\"big\">{}</span> of {} labels are probably wrong</p>\n",
        findings.issues().len(),
        rows.len(),
    );
    let _ = writeln!(
        page,
        "<p>{} texts are nearly the same as an earlier one, in {} groups, of which {conflicts} have different labels; {} \
         texts are in the test set too. Rows are counted from 1, without a header.</p>",
        findings.repetitions(),
        findings.duplicates().len(),
        findings.in_test().len(),
    );
    if rows.skipped() > 0 {
        let _ = writeln!(page, "<p>Rows without a text or a label, which were skipped: {}.</p>", rows.skipped());
    }
    issues(&mut page, report);
    if let Some(learning) = report.learning {
        joint(&mut page, learning, report.labels);
    }
    groups(&mut page, report);
    in_test(&mut page, report);
    page.push_str("<h2>Settings</h2>\n");
    table(&mut page, &["name", "value"], report.facts.iter().map(|(name, value)| vec![escaped(name), escaped(value)]));
    page.push_str("</body>\n</html>\n");
    page
}

/// A heading, and how many of them are shown.
fn heading(page: &mut String, title: &str, count: usize) {
    let _ = writeln!(page, "<h2>{title}</h2>");
    if count > MOST {
        let _ = writeln!(page, "<p>The first {MOST} of {count}; review.csv has all.</p>");
    }
}

fn issues(page: &mut String, report: &CleanReport<'_>) {
    let (issues, rows) = (report.findings.issues(), report.findings.rows());
    if issues.is_empty() {
        return;
    }
    heading(page, "Labels that are probably wrong", issues.len());
    page.push_str("<div class=\"wide\">");
    let body = issues.iter().take(MOST).map(|issue| {
        let (label, number) = (&rows.labels()[issue.row], rows.number(issue.row).to_string());
        vec![text(&rows.texts()[issue.row]), number, escaped(label), escaped(&issue.suggested), decimal(issue.quality)]
    });
    table(page, &["text", "row", "label", "suggested", "quality"], body);
    page.push_str("</div>\n");
}

/// How many rows have each given label and each true one, as far as the models can tell.
fn joint(page: &mut String, learning: &ConfidentLearning, labels: &[String]) {
    if labels.len() > MOST_IN_MATRIX {
        return;
    }
    page.push_str(
        "<h2>Confident joint</h2>\n<p>The estimated number of rows by given label (rows) and true label (columns).</p>\n\
         <div class=\"wide\">",
    );
    let names: Vec<String> = labels.iter().map(|label| escaped(label)).collect();
    let head: Vec<&str> = ["given label"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let joint = learning.confident_joint();
    let body = names
        .iter()
        .zip(&joint)
        .map(|(name, row)| [name.clone()].into_iter().chain(row.iter().map(ToString::to_string)).collect());
    table(page, &head, body);
    page.push_str("</div>\n");
}

fn groups(page: &mut String, report: &CleanReport<'_>) {
    let (findings, rows) = (report.findings, report.findings.rows());
    if findings.duplicates().is_empty() {
        return;
    }
    heading(page, "Texts that are nearly the same", findings.duplicates().len());
    // Those that contradict each other first.
    let mut groups: Vec<&Vec<usize>> = findings.duplicates().iter().collect();
    groups.sort_by_key(|group| !findings.is_conflicting(group));
    page.push_str("<div class=\"wide\">");
    let body = groups.into_iter().take(MOST).map(|group| {
        let shown = group.iter().take(MOST_IN_GROUP);
        let list = |of: &dyn Fn(usize) -> String| shown.clone().map(|&row| of(row)).collect::<Vec<_>>().join("<br>");
        let more = if group.len() > MOST_IN_GROUP { "<br>..." } else { "" };
        let numbers = list(&|row| rows.number(row).to_string());
        vec![text(&rows.texts()[group[0]]), format!("{numbers}{more}"), list(&|row| escaped(&rows.labels()[row]))]
    });
    table(page, &["text", "rows", "labels"], body);
    page.push_str("</div>\n");
}

fn in_test(page: &mut String, report: &CleanReport<'_>) {
    let (findings, rows) = (report.findings, report.findings.rows());
    if findings.in_test().is_empty() {
        return;
    }
    heading(page, "Texts that are in the test set too", findings.in_test().len());
    page.push_str("<div class=\"wide\">");
    let body = findings.in_test().iter().take(MOST).map(|(&row, number)| {
        vec![text(&rows.texts()[row]), rows.number(row).to_string(), number.to_string(), escaped(&rows.labels()[row])]
    });
    table(page, &["text", "row", "test row", "label"], body);
    page.push_str("</div>\n");
}

fn text(text: &str) -> String {
    let (beginning, rest) = text.char_indices().nth(CHARACTERS).map_or((text, ""), |(end, _)| (&text[..end], "..."));
    format!("<span dir=\"auto\">{}{rest}</span>", escaped(beginning))
}
