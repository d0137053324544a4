//! The steps of normalisation, on a text that comes in parts.
//!
//! A step is handed what has come and says how much of it is settled: what that becomes does not depend on what
//! follows. The rest waits for the next part. So a text of any length goes through all steps in a few kilobytes, and
//! nobody has to read behind the last piece that counts. Only what belongs together without an end (spaces, combining
//! marks, a grapheme) waits as a whole.

pub(crate) mod bert;
pub(crate) mod charsmap;
pub(crate) mod growth;

use unicode_normalization_alignments::UnicodeNormalization as _;
use unicode_normalization_alignments::char::{
    canonical_combining_class, decompose_canonical, decompose_compatible, is_combining_mark,
};

use self::bert::BertNormalizer;
use self::charsmap::Charsmap;

/// One step of normalisation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Normalizer {
    Replace {
        pattern: Pattern,
        content: String,
    },
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
    Nmt,
    StripAccents,
    Lowercase,
    Strip {
        left: bool,
        right: bool,
    },
    Prepend(String),
    /// A SentencePiece character map.
    Charsmap(Charsmap),
    Bert(BertNormalizer),
}

/// The same steps with or without regard to case. To disregard it, lower-casing is put before a character map or to the
/// end, unless it is there. BERT's own normalisation is set to it, and takes accents along where nothing else is said.
pub(crate) fn with_case(steps: &[Normalizer], case_sensitive: bool) -> Vec<Normalizer> {
    let mut steps = steps.to_vec();
    let mut lowers = steps.contains(&Normalizer::Lowercase);
    for step in &mut steps {
        if let Normalizer::Bert(bert) = step {
            bert.lowercase = !case_sensitive;
            lowers = true;
        }
    }
    if case_sensitive {
        steps.retain(|step| *step != Normalizer::Lowercase);
    } else if !lowers {
        let map = steps.iter().position(|step| matches!(step, Normalizer::Charsmap(_)));
        steps.insert(map.unwrap_or(steps.len()), Normalizer::Lowercase);
    }
    steps
}

/// The one regular expression that ALBERT's converter writes, in all its versions. What others mean differs
/// from one dialect to the next.
pub(crate) const SPACES: &str = " {2,}";

/// What a replacement looks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pattern {
    Text(String),
    /// Two spaces or more, as long a run of them as there is.
    Spaces,
}

/// The parts of one text on their way through the steps.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// What waits before every step; behind the last one lies what has come through.
    waiting: Vec<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    text: String,
    /// It is of no use to try again with less than this many bytes: nothing was settled, or little.
    enough: usize,
    /// Whether the step has let anything through.
    begun: bool,
}

impl Flow {
    /// Forgets the text.
    pub(crate) fn clear(&mut self) {
        self.waiting.iter_mut().for_each(|waiting| {
            waiting.text.clear();
            waiting.enough = 0;
            waiting.begun = false;
        });
    }

    /// How much memory it holds, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.waiting.iter().map(|waiting| waiting.text.capacity()).sum()
    }

    /// Sends the next part of a text through `steps`, or its `last` one. What comes out is added to what came before.
    pub(crate) fn push(&mut self, steps: &[Normalizer], part: &str, last: bool) -> &mut String {
        self.waiting.resize_with(steps.len() + 1, Waiting::default);
        self.waiting[0].text.push_str(part);
        for (at, step) in steps.iter().enumerate() {
            let (before, behind) = self.waiting.split_at_mut(at + 1);
            let (waiting, out) = (&mut before[at], &mut behind[0].text);
            if !last && waiting.text.len() < waiting.enough {
                continue;
            }
            let settled = step.apply(&waiting.text, last, &mut waiting.begun, out);
            waiting.text.drain(..settled);
            // Trying again only when there is twice as much keeps the work linear in the length of the text.
            waiting.enough = 2 * waiting.text.len();
        }
        &mut self.waiting[steps.len()].text
    }
}

impl Normalizer {
    /// Appends what the beginning of `text` becomes to `out` and says how long that beginning is, in bytes: all of
    /// it if this is the `last` part. `begun` is the step's memory, false at the beginning of a text.
    fn apply(&self, text: &str, last: bool, begun: &mut bool, out: &mut String) -> usize {
        match self {
            Self::Replace { pattern: Pattern::Text(pattern), content } => replace(text, pattern, content, last, out),
            Self::Replace { pattern: Pattern::Spaces, content } => spaces(text, content, last, out),
            Self::Nfc => compose(text, last, out, |text, out| out.extend(text.nfc().map(|(c, _)| c))),
            Self::Nfkc => compose(text, last, out, |text, out| out.extend(text.nfkc().map(|(c, _)| c))),
            Self::Nfd => {
                let begins = |c| class_of_first(c, |c, each| decompose_canonical(c, each)) == 0;
                decompose(text, last, out, begins, |text, out| out.extend(text.nfd().map(|(c, _)| c)))
            }
            Self::Nfkd => {
                let begins = |c| class_of_first(c, |c, each| decompose_compatible(c, each)) == 0;
                decompose(text, last, out, begins, |text, out| out.extend(text.nfkd().map(|(c, _)| c)))
            }
            Self::Nmt => {
                out.extend(text.chars().filter_map(nmt));
                text.len()
            }
            Self::StripAccents => {
                by_runs(text, out, |others, out| out.extend(others.chars().filter(|&c| !is_combining_mark(c))));
                text.len()
            }
            Self::Lowercase => {
                let start = out.len();
                by_runs(text, out, |others, out| out.extend(others.chars().flat_map(char::to_lowercase)));
                out[start..].make_ascii_lowercase();
                text.len()
            }
            Self::Strip { left, right } => {
                let rest = if *left && !*begun { text.trim_start() } else { text };
                let settled = if *right { rest.trim_end() } else { rest };
                *begun |= !rest.is_empty();
                out.push_str(settled);
                let waits = if last { 0 } else { rest.len() - settled.len() };
                text.len() - waits
            }
            Self::Prepend(content) => {
                if !*begun && !text.is_empty() {
                    *begun = true;
                    out.push_str(content);
                }
                out.push_str(text);
                text.len()
            }
            Self::Charsmap(map) => map.apply(text, last, out),
            Self::Bert(bert) => bert.apply(text, last, out),
        }
    }
}

/// What Nmt makes of a character, if anything: control characters go, and odd kinds of space become spaces.
pub(crate) fn nmt(c: char) -> Option<char> {
    match c {
        '\u{1}'..='\u{8}' | '\u{B}' | '\u{E}'..='\u{1F}' | '\u{7F}' | '\u{8F}' | '\u{9F}' => None,
        '\t'
        | '\n'
        | '\u{C}'
        | '\r'
        | '\u{1680}'
        | '\u{200B}'..='\u{200F}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{2581}'
        | '\u{FEFF}'
        | '\u{FFFD}' => Some(' '),
        _ => Some(c),
    }
}

/// Puts `content` in the place of every `pattern`, which is not empty.
fn replace(text: &str, pattern: &str, content: &str, last: bool, out: &mut String) -> usize {
    let mut at = 0;
    for (start, _) in text.match_indices(pattern) {
        out.push_str(&text[at..start]);
        out.push_str(content);
        at = start + pattern.len();
    }
    // The last characters may begin a pattern.
    let settled =
        if last { text.len() } else { text.floor_char_boundary((text.len() + 1).saturating_sub(pattern.len())) };
    let settled = settled.max(at);
    out.push_str(&text[at..settled]);
    settled
}

/// Puts `content` in the place of two spaces or more.
fn spaces(text: &str, content: &str, last: bool, out: &mut String) -> usize {
    let mut at = 0;
    while let Some(found) = text[at..].find("  ") {
        let start = at + found;
        let end = start + text[start..].bytes().take_while(|&byte| byte == b' ').count();
        out.push_str(&text[at..start]);
        at = start;
        if end == text.len() && !last {
            return at;
        }
        out.push_str(content);
        at = end;
    }
    let waits = !last && text[at..].ends_with(' ');
    let settled = text.len() - usize::from(waits);
    out.push_str(&text[at..settled]);
    settled
}

/// Appends ASCII characters as they are, and what `apply` makes of the runs of others between them.
fn by_runs(text: &str, out: &mut String, apply: impl Fn(&str, &mut String)) {
    let mut rest = text;
    while !rest.is_empty() {
        let (ascii, others) = rest.split_at(ascii_length(rest));
        out.push_str(ascii);
        let length = others.bytes().take_while(|&byte| byte >= 128).count();
        apply(&others[..length], out);
        rest = &others[length..];
    }
}

/// How many ASCII characters a text begins with.
fn ascii_length(text: &str) -> usize {
    let chunks = text.as_bytes().as_chunks::<16>().0;
    let whole = 16 * chunks.iter().take_while(|chunk| chunk.is_ascii()).count();
    whole + text.as_bytes()[whole..].iter().take_while(|&&byte| byte < 128).count()
}

/// Takes characters apart. Marks are put in order among themselves, so a text can be cut before a character that
/// `begins` with none, such as any of ASCII.
fn decompose(
    text: &str,
    last: bool,
    out: &mut String,
    begins: impl Fn(char) -> bool,
    apply: impl Fn(&str, &mut String),
) -> usize {
    let settled =
        if last { text.len() } else { text.char_indices().rfind(|&(_, c)| begins(c)).map_or(0, |(at, _)| at) };
    by_runs(&text[..settled], out, apply);
    settled
}

/// Takes characters apart and puts them together. No ASCII character and none of these Han characters is ever put
/// together with one before it, so a text can be cut before them.
fn compose(text: &str, last: bool, out: &mut String, apply: impl Fn(&str, &mut String)) -> usize {
    let begins = |&(_, c): &(usize, char)| c.is_ascii() || matches!(c, '\u{4E00}'..='\u{9FFF}');
    let settled = if last { text.len() } else { text.char_indices().rfind(begins).map_or(0, |(at, _)| at) };
    let text = &text[..settled];
    let mut rest = text;
    while !rest.is_empty() {
        // The last ASCII character of a run may be put together with what follows.
        let ascii = ascii_length(rest);
        let alone = if ascii == rest.len() { ascii } else { ascii.saturating_sub(1) };
        out.push_str(&rest[..alone]);
        rest = &rest[alone..];
        let others = rest.bytes().skip(1).position(|byte| byte < 128).map_or(rest.len(), |at| at + 1);
        apply(&rest[..others], out);
        rest = &rest[others..];
    }
    settled
}

/// The combining class of the first character that `c` is taken apart into.
fn class_of_first(c: char, decompose: impl Fn(char, &mut dyn FnMut(char))) -> u8 {
    let mut first = None;
    decompose(c, &mut |part| {
        first.get_or_insert(part);
    });
    canonical_combining_class(first.unwrap_or(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(steps: &[Normalizer], text: &str) -> String {
        std::mem::take(Flow::default().push(steps, text, true))
    }

    proptest! {
        /// What comes out does not depend on how a text comes.
        #[test]
        fn parts_make_the_whole(
            parts in prop::collection::vec("[abX 'é\u{301}\u{323}\u{ff9e}가각\u{1161}\u{11a8}\u{9be}\u{302e}\0\u{ad}新İ\r\n👍🏽]{0,8}", 0..12),
            steps in prop::collection::vec(0_usize..13, 0..4),
        ) {
            let bert = BertNormalizer { clean_text: true, handle_chinese_chars: true, strip_accents: None, lowercase: true };
            let replace = |pattern: &str| Normalizer::Replace { pattern: Pattern::Text(pattern.into()), content: "a ".into() };
            let all = [
                replace("''"),
                replace("ba"),
                Normalizer::Replace { pattern: Pattern::Spaces, content: "b".into() },
                Normalizer::Nfc,
                Normalizer::Nfd,
                Normalizer::Nfkc,
                Normalizer::Nfkd,
                Normalizer::StripAccents,
                Normalizer::Lowercase,
                Normalizer::Strip { left: true, right: true },
                Normalizer::Prepend("é".into()),
                Normalizer::Bert(bert),
                Normalizer::Bert(BertNormalizer { clean_text: false, lowercase: false, strip_accents: Some(true), ..bert }),
            ];
            let steps: Vec<_> = steps.iter().map(|&at| all[at].clone()).collect();
            let mut flow = Flow::default();
            for part in &parts {
                flow.push(&steps, part, false);
            }
            prop_assert_eq!(flow.push(&steps, "", true).as_str(), whole(&steps, &parts.concat()));
        }
    }

    #[test]
    fn little_waits() {
        let steps = [Normalizer::Nfkd, Normalizer::Nfkc, Normalizer::Lowercase];
        let mut flow = Flow::default();
        for unit in ["新聞", "Ж ", "가a", "é"] {
            let out = flow.push(&steps, &unit.repeat(1000), false).len();
            assert!(out + 4 * unit.len() > unit.len() * 1000 / 2, "{unit}: {out}");
            flow.clear();
        }
    }
}
