//! An explanation for a person at a terminal.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::Explained;

/// Words that are listed below the text.
const LISTED: usize = 8;

/// The longest bar, in columns.
const BAR: f32 = 20.0;

/// Backgrounds of words that speak for the class and against it, of the 256 colors, from weak to strong. All are light:
/// words on them are black.
const FOR: [u8; 4] = [195, 153, 117, 75];
const AGAINST: [u8; 4] = [230, 223, 216, 208];

/// The class with its score, the text with its words colored, and the strongest words.
pub(super) fn lines(explained: &Explained<'_>, labels: &[String], color: bool) -> String {
    let Explained { text, explanation, label } = explained;
    let (words, label) = (&explanation.words, *label);
    let strongest = words.iter().map(|word| word.weights[label].abs()).fold(0.0, f32::max);
    let mut lines = String::new();
    let (value, base) = (explanation.values[label], explanation.base[label]);
    let title = if color { format!("\x1b[1m{}\x1b[0m", plain(&labels[label])) } else { plain(&labels[label]) };
    let _ = writeln!(lines, "{title} {value:.4} ({base:.4} with every word hidden)");

    let mut from = 0;
    for word in words {
        let shown = plain(&text[word.bytes.clone()]);
        lines.push_str(&plain(&text[from..word.bytes.start]));
        match background(word.weights[label], strongest).filter(|_| color) {
            Some(background) => _ = write!(lines, "\x1b[38;5;16;48;5;{background}m{shown}\x1b[0m"),
            None => lines.push_str(&shown),
        }
        from = word.bytes.end;
    }
    let _ = writeln!(lines, "{}", plain(&text[from..]).trim_end());

    let mut order: Vec<_> = words.iter().filter(|word| word.weights[label] != 0.0).collect();
    order.sort_by(|a, b| b.weights[label].abs().total_cmp(&a.weights[label].abs()));
    order.truncate(LISTED);
    let names: Vec<String> = order.iter().map(|word| plain(&text[word.bytes.clone()])).collect();
    let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    for (word, name) in order.iter().zip(&names) {
        let weight = word.weights[label];
        let bar = "█".repeat((BAR * weight.abs() / strongest).round() as usize);
        let bar = match background(weight, strongest).filter(|_| color) {
            Some(background) => format!("\x1b[38;5;{background}m{bar}\x1b[0m"),
            None => bar,
        };
        let line = format!("  {weight:+.4}  {name}{}  {bar}", " ".repeat(width - name.width()));
        let _ = writeln!(lines, "{}", line.trim_end());
    }
    lines
}

/// The color behind a word; none where it hardly counts.
fn background(weight: f32, strongest: f32) -> Option<u8> {
    let colors = if weight < 0.0 { AGAINST } else { FOR };
    let step = (weight.abs() / strongest * colors.len() as f32).round() as usize;
    colors.get(step.checked_sub(1)?).copied()
}

/// The text without what would steer the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use albertine::Activation;
    use albertine::explain::{Explanation, Method, Part};

    use super::*;

    fn shown(color: bool) -> String {
        let part =
            |begin: usize, end: usize, weight: f32| Part { bytes: begin..end, begin, end, weights: vec![weight] };
        let explanation = Explanation {
            method: Method::Shap,
            activation: Activation::Softmax,
            base: vec![0.25],
            values: vec![0.75],
            words: vec![part(0, 3, 0.6), part(4, 8, -0.11), part(10, 13, 0.01)],
            parts: Vec::new(),
            evaluations: 9,
            truncated: false,
        };
        lines(&Explained { text: "Oil rose\t\u{1b}now\n", explanation, label: 0 }, &["Business".to_owned()], color)
    }

    #[test]
    fn words_are_listed_by_their_weight() {
        insta::assert_snapshot!(shown(false), @r"
        Business 0.7500 (0.2500 with every word hidden)
        Oil rose  now
          +0.6000  Oil   ████████████████████
          -0.1100  rose  ████
          +0.0100  now
        ");
    }

    #[test]
    fn words_are_colored_by_their_weight() {
        let shown = shown(true);
        assert!(shown.contains("\u{1b}[38;5;16;48;5;75mOil\u{1b}[0m \u{1b}[38;5;16;48;5;230mrose\u{1b}[0m  now\n"));
    }
}
