//! The page of a report: one file that needs nothing else.

use std::fmt::Write;

use super::{Report, TaskReport, chart};
use crate::{ClassMetrics, Curves, TaskMetrics};

/// The most classes that a page shows each, and as a matrix.
const MOST_CLASSES: usize = 200;
const MOST_IN_MATRIX: usize = 40;

/// The confusions of many classes that are listed.
const MOST_CONFUSIONS: usize = 50;

pub(crate) const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--mark:37,99,235}\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}\
table{border-collapse:collapse}th,td{padding:.3rem .7rem;border-bottom:1px solid var(--line);text-align:right}\
tbody th,.text{text-align:left;font-weight:inherit}thead th{font-weight:600}\
td{font-variant-numeric:tabular-nums}.big{font-size:2.2rem;font-weight:600}\
.wide{overflow-x:auto}.text{max-width:28rem}svg{max-width:100%;height:auto}";

/// The page of a model that does not give a text one class.
pub(super) fn task_page(report: &TaskReport<'_>) -> String {
    let mut page = beginning(report.facts);
    page.push_str("<h2>Metrics and settings</h2>\n");
    let metrics = report.metrics.summary().into_iter().map(|(name, value)| (name.replace('_', " "), decimal(value)));
    let facts = report.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    table(
        &mut page,
        &["name", "value"],
        metrics.chain(facts).map(|(name, value)| vec![escaped(&name), escaped(&value)]),
    );
    curves(&mut page, report.curves);
    if let TaskMetrics::Labels(metrics) = report.metrics {
        page.push_str("<h2>Classes</h2>\n");
        class_table(&mut page, &metrics.per_class);
    }
    page.push_str("</body>\n</html>\n");
    page
}

/// The head of a page, and its title: the first fact.
fn beginning(facts: &[(&str, String)]) -> String {
    let model = escaped(facts.first().map_or("model", |(_, name)| name));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{model}</title><style>{STYLE}</style></head>\n<body>\n\
         <h1>{model}</h1>\n"
    )
}

/// The whole page.
pub(super) fn page(report: &Report<'_>) -> String {
    let metrics = report.metrics;
    let mut page = beginning(report.facts);
    let _ = writeln!(
        page,
        "<p><span class=\"big\">{:.2} %</span> of {} texts correct</p>",
        metrics.accuracy * 100.0,
        metrics.samples,
    );
    if metrics.left_out > 0 {
        let _ = writeln!(page, "<p>{} rows without a text or a label were skipped.</p>", metrics.left_out);
    }
    if metrics.truncated > 0 {
        let _ = writeln!(page, "<p>{} texts were longer than the limit and were truncated.</p>", metrics.truncated);
    }
    numbers(&mut page, report);
    if let Some(losses) = report.curves {
        curves(&mut page, losses);
    }
    classes(&mut page, report);
    confusion(&mut page, report);
    calibration(&mut page, report);
    errors(&mut page, report);
    page.push_str("</body>\n</html>\n");
    page
}

fn curves(page: &mut String, curves: &Curves) {
    if curves.training.len() < 2 {
        return;
    }
    page.push_str(
        "<h2>Learning curves</h2>\n<p>The loss by step: the line is that of the training texts as they were seen, the dots \
         are that of the validation set after each epoch.</p>\n",
    );
    page.push_str(&chart::learning_curves(curves));
}

fn numbers(page: &mut String, report: &Report<'_>) {
    let metrics = report.metrics;
    let mut rows: Vec<(&str, String)> = vec![
        ("loss", decimal(metrics.loss)),
        ("accuracy", decimal(metrics.accuracy)),
        ("macro F1", decimal(metrics.macro_f1)),
        ("macro precision", decimal(metrics.macro_precision)),
        ("macro recall", decimal(metrics.macro_recall)),
        ("expected calibration error", decimal(metrics.calibration_error)),
        ("seconds", metrics.runtime.to_string()),
        ("texts per second", metrics.samples_per_second.to_string()),
    ];
    rows.extend(metrics.epoch.map(|epoch| ("epochs trained", epoch.to_string())));
    rows.extend(report.facts.iter().cloned());
    page.push_str("<h2>Metrics and settings</h2>\n");
    let body = rows.iter().map(|(name, value)| vec![escaped(name), escaped(value)]);
    table(page, &["name", "value"], body);
}

fn classes(page: &mut String, report: &Report<'_>) {
    let classes = &report.metrics.per_class;
    page.push_str("<h2>Classes</h2>\n");
    if classes.len() > MOST_CLASSES {
        let _ = writeln!(page, "<p>The first {MOST_CLASSES} of {}.</p>", classes.len());
    }
    class_table(page, classes);
}

fn class_table(page: &mut String, classes: &[ClassMetrics]) {
    let body = classes.iter().take(MOST_CLASSES).map(|class| {
        let numbers = [class.precision, class.recall, class.f1].map(decimal);
        [vec![escaped(&class.label)], numbers.to_vec(), vec![class.support.to_string()]].concat()
    });
    table(page, &["class", "precision", "recall", "F1", "texts"], body);
}

/// Texts by true and predicted class, each row shaded by its fractions; with many classes, the most frequent
/// confusions.
fn confusion(page: &mut String, report: &Report<'_>) {
    let (confusion, label) = (&report.metrics.confusion, |class: usize| label(report, class));
    if confusion.classes() > MOST_IN_MATRIX {
        page.push_str("<h2>Most frequent confusions</h2>\n");
        let pairs = confusion.most_frequent().into_iter().take(MOST_CONFUSIONS);
        table(
            page,
            &["true class", "predicted", "texts"],
            pairs.map(|(one, two, rows)| vec![label(one), label(two), rows.to_string()]),
        );
        return;
    }
    page.push_str(
        "<h2>Confusion matrix</h2>\n<p>Rows are true classes, columns are predicted classes.</p>\n\
         <div class=\"wide\"><table><thead><tr><th scope=\"col\">true class</th>",
    );
    let classes = 0..confusion.classes();
    classes.clone().for_each(|class| _ = write!(page, "<th scope=\"col\">{}</th>", label(class)));
    page.push_str("</tr></thead><tbody>\n");
    for expected in classes.clone() {
        let all = report.metrics.per_class[expected].support.max(1) as f64;
        let _ = write!(page, "<tr><th scope=\"row\">{}</th>", label(expected));
        for predicted in classes.clone() {
            let rows = confusion.rows(expected, predicted);
            let shade = 0.7 * rows as f64 / all;
            let _ = write!(page, "<td style=\"background:rgba(var(--mark),{shade:.3})\">{rows}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

fn calibration(page: &mut String, report: &Report<'_>) {
    let bins = report.metrics.calibration.bins();
    page.push_str(
        "<h2>Calibration</h2>\n<p>Predictions grouped by their score. The height of a bar is their accuracy, the dot is their \
         mean score. On the dashed diagonal, predictions with a score of 0.9 are correct nine times out of ten.</p>\n",
    );
    page.push_str(&chart::reliability(bins));
    page.push_str("<details><summary>Show as a table</summary>\n");
    let body = bins.iter().filter_map(|bin| {
        let (confidence, accuracy) = (bin.confidence()?, bin.accuracy()?);
        Some(vec![decimal(confidence), decimal(accuracy), bin.right.to_string(), bin.rows.to_string()])
    });
    table(page, &["mean score", "accuracy", "correct", "texts"], body);
    page.push_str("</details>\n");
}

fn errors(page: &mut String, report: &Report<'_>) {
    if report.errors.is_empty() {
        return;
    }
    page.push_str(
        "<h2>Most confident errors</h2>\n<p>Either the model has not learned these, or their labels are wrong.</p>\n\
         <div class=\"wide\">",
    );
    let body = report.errors.iter().map(|error| {
        let text = format!("<span dir=\"auto\">{}</span>", escaped(&error.text));
        let (label, got) = (label(report, error.expected), label(report, error.predicted));
        vec![text, error.row.to_string(), label, got, decimal(error.confidence)]
    });
    table(page, &["text", "row", "label", "predicted", "score"], body);
    page.push_str("</div>\n");
}

fn label(report: &Report<'_>, class: usize) -> String {
    report.metrics.per_class.get(class).map(|class| escaped(&class.label)).unwrap_or_default()
}

/// A table of cells that are HTML already; the first of a row says what it is about.
pub(crate) fn table(page: &mut String, head: &[&str], body: impl Iterator<Item = Vec<String>>) {
    page.push_str("<table><thead><tr>");
    for (column, name) in head.iter().enumerate() {
        let class = if column == 0 { " class=\"text\"" } else { "" };
        let _ = write!(page, "<th scope=\"col\"{class}>{name}</th>");
    }
    page.push_str("</tr></thead><tbody>\n");
    for row in body {
        page.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let _ = match column {
                0 => write!(page, "<th scope=\"row\" class=\"text\">{cell}</th>"),
                _ => write!(page, "<td>{cell}</td>"),
            };
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table>\n");
}

pub(crate) fn decimal(value: f64) -> String {
    format!("{value:.4}")
}

/// Text as HTML shows it, in an element or in a quoted attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            letter => html.push(letter),
        }
    }
    html
}
