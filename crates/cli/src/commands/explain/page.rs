//! Explanations as a page for a browser: one file that needs nothing else.

use std::fmt::Write;

use albertine::explain::{escape, html};

use super::Explained;

/// The most classes that a text is shown for.
const MOST_CLASSES: usize = 20;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--mark:37,99,235}\
body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}article{border:1px solid var(--line);border-radius:12px;padding:1rem 1.25rem;margin:1.25rem 0}\
fieldset{border:0;margin:0;padding:0}legend{font-size:.85rem;opacity:.75;padding:0}\
label{display:grid;grid-template-columns:1.4rem minmax(5rem,12rem) 1fr 4rem;gap:.5rem;align-items:center;padding:.15rem 0;cursor:pointer}\
meter{width:100%;height:.9rem}td,output{font-variant-numeric:tabular-nums;text-align:right}\
section{display:none;border-top:1px solid var(--line);margin-top:.75rem}\
table{border-collapse:collapse}th,td{padding:.1rem .8rem .1rem 0;text-align:left;font-weight:inherit}\
details{margin-top:.5rem}summary{cursor:pointer}small{opacity:.75}\
.key span{padding:0 .4rem;border-radius:3px}";

/// The whole page.
pub(super) fn page(explained: &[Explained<'_>], labels: &[String]) -> String {
    let mut rules = String::new();
    let mut body = String::new();
    for (index, text) in explained.iter().enumerate() {
        article(&mut body, &mut rules, index, text, labels);
    }
    let method = explained.first().map_or("", |text| text.explanation.method.name());
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Words that decide</title>\
         <style>{STYLE}{rules}</style></head>\n<body>\n<h1>Words that decide</h1>\n\
         <p class=\"key\"><span style=\"background:rgba(37,99,235,.5)\">for the class</span> \
         <span style=\"background:rgba(234,88,12,.5);border-bottom:2px dotted\">against it</span> \
         <small>Point at a word for its weight. Method: {method}.</small></p>\n{body}</body>\n</html>\n"
    )
}

/// A text with a choice of classes; without a script, the chosen one shows its section.
fn article(body: &mut String, rules: &mut String, index: usize, explained: &Explained<'_>, labels: &[String]) {
    let explanation = &explained.explanation;
    let mut classes: Vec<usize> = (0..labels.len()).collect();
    classes.sort_by(|&a, &b| explanation.values[b].total_cmp(&explanation.values[a]));
    classes.sort_by_key(|&class| class != explained.label);
    classes.truncate(MOST_CLASSES);
    classes.sort_by(|&a, &b| explanation.values[b].total_cmp(&explanation.values[a]));

    body.push_str("<article><fieldset><legend>Class to explain</legend>\n");
    for &class in &classes {
        let value = explanation.values[class];
        let checked = if class == explained.label { " checked" } else { "" };
        let _ = writeln!(
            body,
            "<label><input type=\"radio\" name=\"t{index}\" id=\"t{index}c{class}\"{checked}><span>{}</span>\
             <meter value=\"{value:.4}\">{value:.4}</meter><output>{value:.4}</output></label>",
            escape(&labels[class])
        );
        let _ = write!(rules, "article:has(#t{index}c{class}:checked) .c{class}{{display:block}}");
    }
    body.push_str("</fieldset>\n");
    for &class in &classes {
        section(body, explained, class);
    }
    body.push_str("</article>\n");
}

/// The words for one class.
fn section(body: &mut String, explained: &Explained<'_>, class: usize) {
    let Explained { text, explanation, .. } = explained;
    let _ = write!(
        body,
        "<section class=\"c{class}\">{}<small>{:.4} with every word hidden, {:.4} with the text; {} evaluations.</small>",
        html(text, explanation, class),
        explanation.base[class],
        explanation.values[class],
        explanation.evaluations,
    );
    body.push_str("<details><summary>Weights</summary><table><thead><tr><th>word<th>weight</thead><tbody>");
    for word in &explanation.words {
        let weight = word.weights[class];
        let _ = write!(body, "<tr><th scope=\"row\">{}<td>{weight:+.4}", escape(&text[word.bytes.clone()]));
    }
    body.push_str("</tbody></table></details></section>\n");
}

#[cfg(test)]
mod tests {
    use albertine::Activation;
    use albertine::explain::{Explanation, Method, Part};

    use super::*;

    #[test]
    fn a_page_cannot_be_broken_by_a_text_or_a_label() {
        let hostile = "<script>alert(1)</script> & \"quotes\"";
        let words = vec![Part { bytes: 0..8, begin: 0, end: 8, weights: vec![0.5, -0.5] }];
        let explanation = Explanation {
            method: Method::LeaveOneOut,
            activation: Activation::Softmax,
            base: vec![0.5, 0.5],
            values: vec![0.9, 0.1],
            words,
            parts: Vec::new(),
            evaluations: 3,
            truncated: false,
        };
        let page = page(&[Explained { text: hostile, explanation, label: 1 }], &["<b>".to_owned(), "a\"b".to_owned()]);
        assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains("a\"b"));
        assert!(page.contains("id=\"t0c1\" checked") && page.contains(".c1{display:block}"));
        assert!(!page.contains("http") && page.contains("&lt;script&gt;</span>"));
    }
}
