//! An explanation as HTML.

use std::fmt::Write as _;
use std::ops::Range;

use super::Explanation;

/// The color of words that speak for a label, and of those that speak against it: told apart by everybody, and light
/// enough behind black and behind white letters.
const FOR: &str = "37,99,235";
const AGAINST: &str = "234,88,12";

/// How opaque the color of the strongest word is.
const OPACITY: f32 = 0.55;

/// The text with its words on a colored ground, as one HTML paragraph that needs nothing else and fits light and dark
/// pages: the stronger a word speaks for the label the bluer, against it the more orange and with a dotted line below.
/// The weight of a word is its title.
///
/// `text` is the text that was explained, `label` the index of a label.
///
/// ```
/// use albertine::explain::{Settings, explain, html};
/// use albertine::{CancellationToken, Classifier, ClassifierSettings};
///
/// let classifier = Classifier::pretrained("ag_news", ClassifierSettings::default())?;
/// let text = "Oil prices rose & fell.";
/// let found = explain(&classifier, &[Some(text)], &Settings::default(), &CancellationToken::default())?;
/// let explanation = found[0].as_ref().unwrap();
/// let paragraph = html(text, explanation, explanation.best());
/// assert!(paragraph.starts_with("<p") && paragraph.contains(">Oil</span>") && paragraph.contains("&amp;"));
/// # Ok::<(), albertine::Error>(())
/// ```
#[must_use]
pub fn html(text: &str, explanation: &Explanation, label: usize) -> String {
    let words = explanation.words.iter().map(|word| (word.bytes.clone(), word.weights[label]));
    colored(text, &words.collect::<Vec<_>>(), explanation.truncated)
}

/// As [`html`], from words alone: where each lies in the text, in bytes and in order, and its weight. If the text is
/// `truncated`, what follows the last word was not read.
#[must_use]
pub fn colored(text: &str, words: &[(Range<usize>, f32)], truncated: bool) -> String {
    let strongest = words.iter().map(|(_, weight)| weight.abs()).fold(0.0, f32::max);
    let mut page = "<p style=\"line-height:1.9;white-space:pre-wrap;overflow-wrap:anywhere\">".to_owned();
    let mut from = 0;
    for (bytes, weight) in words {
        page.push_str(&escape(&text[from..bytes.start]));
        span(&mut page, &text[bytes.clone()], *weight, strongest);
        from = bytes.end;
    }
    let rest = &text[from..];
    if truncated && !rest.trim().is_empty() {
        let _ = write!(page, "<span style=\"opacity:.5\" title=\"not read\">{}</span>", escape(rest));
    } else {
        page.push_str(&escape(rest));
    }
    page + "</p>"
}

fn span(page: &mut String, text: &str, weight: f32, strongest: f32) {
    let (color, line) = if weight < 0.0 { (AGAINST, ";border-bottom:2px dotted") } else { (FOR, "") };
    let opacity = if strongest > 0.0 { OPACITY * weight.abs() / strongest } else { 0.0 };
    // a word that hardly counts looks like any other text
    let line = if opacity < 0.05 { "" } else { line };
    let _ = write!(
        page,
        "<span style=\"background:rgba({color},{opacity:.2});border-radius:3px{line}\" title=\"{weight:+.4}\">{}</span>",
        escape(text)
    );
}

/// A text as HTML shows it, also within an attribute.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\0' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
