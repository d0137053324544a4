//! The page of a report: one file that needs nothing else.

use std::fmt::Write;

use super::{Report, chart};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--mark:37,99,235}\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}\
table{border-collapse:collapse}th,td{padding:.3rem .7rem;border-bottom:1px solid var(--line);text-align:right}\
th:first-child,td:first-child,.text{text-align:left}thead th{font-weight:600}\
td{font-variant-numeric:tabular-nums}.big{font-size:2.2rem;font-weight:600}\
.wide{overflow-x:auto}.text{max-width:28rem}svg{max-width:100%;height:auto}";

/// The whole page.
pub(super) fn page(report: &Report<'_>) -> String {
    let model = escaped(report.model);
    let metrics = report.metrics;
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{model}</title><style>{STYLE}</style></head>\n<body>\n\
         <h1>{model}</h1>\n<p><span class=\"big\">{:.2} %</span> of {} texts got their class</p>\n",
        metrics.accuracy * 100.0,
        metrics.samples,
    );
    numbers(&mut page, report);
    classes(&mut page, report);
    confusion(&mut page, report);
    page.push_str("<h2>Confidence and accuracy</h2>\n<p>Texts by the score of their answer; on the dotted line a score of 0.9 is right nine times of ten.</p>\n");
    page.push_str(&chart::reliability(metrics.calibration.bins()));
    mistakes(&mut page, report);
    page.push_str("</body>\n</html>\n");
    page
}

fn numbers(page: &mut String, report: &Report<'_>) {
    let metrics = report.metrics;
    let mut rows: Vec<(&str, String)> = vec![
        ("loss", decimal(metrics.loss)),
        ("accuracy", decimal(metrics.accuracy)),
        ("macro F1", decimal(metrics.macro_f1)),
        ("macro precision", decimal(metrics.macro_precision)),
        ("macro recall", decimal(metrics.macro_recall)),
        ("calibration error", decimal(metrics.calibration_error)),
        ("seconds", metrics.runtime.to_string()),
        ("texts a second", metrics.samples_per_second.to_string()),
    ];
    rows.extend(metrics.epoch.map(|epoch| ("epochs trained", epoch.to_string())));
    rows.extend(report.facts.iter().cloned());
    page.push_str("<h2>Numbers</h2>\n");
    let body = rows.iter().map(|(name, value)| vec![escaped(name), escaped(value)]);
    table(page, &[], body);
}

fn classes(page: &mut String, report: &Report<'_>) {
    page.push_str("<h2>Classes</h2>\n");
    let head = ["class", "precision", "recall", "F1", "texts"];
    let body = report.metrics.per_class.iter().map(|class| {
        let numbers = [class.precision, class.recall, class.f1].map(decimal);
        [vec![escaped(&class.label)], numbers.to_vec(), vec![class.support.to_string()]].concat()
    });
    table(page, &head, body);
}

/// Texts by true class and the class they got, each row shaded by its shares.
fn confusion(page: &mut String, report: &Report<'_>) {
    let labels: Vec<String> = report.metrics.per_class.iter().map(|class| escaped(&class.label)).collect();
    page.push_str("<h2>Confusion</h2>\n<p>A row for each true class, a column for each class that was given.</p>\n<div class=\"wide\"><table><thead><tr><th></th>");
    for label in &labels {
        let _ = write!(page, "<th>{label}</th>");
    }
    page.push_str("</tr></thead><tbody>\n");
    for (label, row) in labels.iter().zip(&report.metrics.confusion_matrix) {
        let all = row.iter().sum::<u64>().max(1) as f64;
        let _ = write!(page, "<tr><th>{label}</th>");
        for count in row {
            let shade = 0.7 * *count as f64 / all;
            let _ = write!(page, "<td style=\"background:rgba(var(--mark),{shade:.3})\">{count}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}

fn mistakes(page: &mut String, report: &Report<'_>) {
    if report.mistakes.is_empty() {
        return;
    }
    page.push_str(
        "<h2>The surest mistakes</h2>\n<p>Either the model has not learned these, or their labels are wrong.</p>\n",
    );
    let label =
        |class: usize| report.metrics.per_class.get(class).map(|class| escaped(&class.label)).unwrap_or_default();
    page.push_str("<div class=\"wide\">");
    let head = ["text", "row", "label", "got", "score"];
    let body = report.mistakes.iter().map(|mistake| {
        let (label, got) = (label(mistake.expected), label(mistake.predicted));
        vec![escaped(&mistake.text), mistake.row.to_string(), label, got, decimal(mistake.confidence)]
    });
    table(page, &head, body);
    page.push_str("</div>\n");
}

/// A table of cells that are HTML already.
fn table(page: &mut String, head: &[&str], body: impl Iterator<Item = Vec<String>>) {
    page.push_str("<table>");
    if !head.is_empty() {
        page.push_str("<thead><tr>");
        head.iter().for_each(|name| _ = write!(page, "<th>{name}</th>"));
        page.push_str("</tr></thead>");
    }
    page.push_str("<tbody>\n");
    for row in body {
        page.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let class = if column == 0 { " class=\"text\"" } else { "" };
            let _ = write!(page, "<td{class}>{cell}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table>\n");
}

fn decimal(value: f64) -> String {
    format!("{value:.4}")
}

/// Text as HTML shows it, in an element or in a quoted attribute.
fn escaped(text: &str) -> String {
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
