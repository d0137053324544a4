//! Texts that know where their characters come from: the plain way to pieces, for people to look at.
//!
//! Every step works on the whole of a text, and a character remembers which bytes of the raw text it stands for, as
//! Hugging Face's `tokenizers` has it.

use unicode_normalization_alignments::UnicodeNormalization as _;
use unicode_normalization_alignments::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::subword::characters::CharClass;
use crate::subword::normalizers::charsmap::Charsmap;
use crate::subword::normalizers::nmt;
use crate::subword::normalizers::{Normalizer, Pattern};
use crate::subword::pre_tokenizers::Prepend;
use crate::subword::pre_tokenizers::Words;

/// A character with the bytes of the raw text that it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Aligned {
    c: char,
    start: usize,
    end: usize,
}

/// A text of such characters.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AlignedText(Vec<Aligned>);

/// A new character and how it relates to the old ones: 0 takes the place of one, 1 is added behind it, and -n takes
/// the place of one and of the n behind it.
type Change = (char, isize);

impl AlignedText {
    /// A stretch of a raw text, which begins there at byte `start`.
    pub(crate) fn new(text: &str, start: usize) -> Self {
        let aligned = |(at, c): (usize, char)| Aligned { c, start: start + at, end: start + at + c.len_utf8() };
        Self(text.char_indices().map(aligned).collect())
    }

    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|aligned| aligned.c).collect()
    }

    /// The bytes that it stands for in the raw text.
    pub(crate) fn raw(&self) -> (usize, usize) {
        let first = self.0.first().map_or(0, |aligned| aligned.start);
        (first, self.0.last().map_or(first, |aligned| aligned.end))
    }

    /// Gives parts of the text for the bytes where they begin and end.
    pub(crate) fn slicer(&self) -> impl Fn(usize, usize) -> Self {
        let lengths = self.0.iter().map(|aligned| aligned.c.len_utf8());
        let starts: Vec<usize> = lengths.scan(0, |at, length| Some(std::mem::replace(at, *at + length))).collect();
        move |start, end| {
            let place = |at| starts.partition_point(|&start| start < at);
            Self(self.0.get(place(start)..place(end)).unwrap_or_default().to_vec())
        }
    }

    /// Takes one step of normalisation.
    pub(crate) fn normalize(&mut self, step: &Normalizer) {
        let text = self.text();
        let each = |c: char| (c, 0);
        match step {
            Normalizer::Replace { pattern: Pattern::Text(pattern), content } => {
                let found: Vec<_> =
                    text.match_indices(pattern.as_str()).map(|(at, _)| (at, at + pattern.len())).collect();
                self.replace(&found, content);
            }
            Normalizer::Replace { pattern: Pattern::Spaces, content } => {
                let (mut found, mut at) = (Vec::new(), 0);
                while let Some(start) = text[at..].find("  ").map(|start| at + start) {
                    at = start + (text.len() - start) - text[start..].trim_start_matches(' ').len();
                    found.push((start, at));
                }
                self.replace(&found, content);
            }
            Normalizer::Nfc => self.change(text.nfc().collect(), 0),
            Normalizer::Nfd => self.change(text.nfd().collect(), 0),
            Normalizer::Nfkc => self.change(text.nfkc().collect(), 0),
            Normalizer::Nfkd => self.change(text.nfkd().collect(), 0),
            Normalizer::Nmt => {
                self.filter(|c| nmt(c).is_some());
                self.0.iter_mut().for_each(|aligned| aligned.c = nmt(aligned.c).unwrap_or(aligned.c));
            }
            Normalizer::StripAccents => self.filter(|c| !is_combining_mark(c)),
            Normalizer::Lowercase => {
                let lower = |c: char| c.to_lowercase().enumerate().map(|(at, c)| (c, isize::from(at > 0)));
                self.change(text.chars().flat_map(lower).collect(), 0);
            }
            Normalizer::Strip { left, right } => {
                let rest = if *left { text.trim_start() } else { &text };
                let kept = if *right { rest.trim_end() } else { rest };
                let before = text[..text.len() - rest.len()].chars().count();
                self.change(kept.chars().map(each).collect(), before);
            }
            Normalizer::Prepend(content) => self.prepend(content),
            Normalizer::Charsmap(map) => self.change(changes_by(map, &text), 0),
            Normalizer::Bert(bert) => {
                self.filter(|c| bert.clean(c).is_some());
                self.0.iter_mut().for_each(|aligned| aligned.c = bert.clean(aligned.c).unwrap_or(aligned.c));
                let apart = |c: char| match bert.sets_apart(c) {
                    true => vec![(' ', 0), (c, 1), (' ', 1)],
                    false => vec![each(c)],
                };
                self.change(self.text().chars().flat_map(apart).collect(), 0);
                if bert.strips_accents() {
                    self.normalize(&Normalizer::Nfd);
                    self.filter(|c| !CharClass::of(c).is_mark());
                }
                if bert.lowercase {
                    self.normalize(&Normalizer::Lowercase);
                }
            }
        }
    }

    /// Breaks the text into words.
    pub(crate) fn words(mut self, rule: &Words) -> Vec<Self> {
        let white = |aligned: &Aligned| aligned.c.is_whitespace();
        let broken_at_white =
            |text: &Self| -> Vec<Self> { text.0.split(white).map(|word| Self(word.to_vec())).collect() };
        if rule.isolated {
            let alone = |aligned: &Aligned| CharClass::of(aligned.c).is_punctuation();
            let words = broken_at_white(&self);
            let words = words.iter().flat_map(|word| word.0.chunk_by(|a, b| !alone(a) && !alone(b)));
            return words.map(|word| Self(word.to_vec())).collect();
        }
        let Some(metaspace) = rule.metaspace else {
            return if rule.broken { broken_at_white(&self) } else { vec![self] };
        };
        let mark = metaspace.mark;
        let spans = if rule.broken { broken_at_white(&self) } else { vec![std::mem::take(&mut self)] };
        let mut words = Vec::new();
        for mut span in spans.into_iter().filter(|span| !span.0.is_empty()) {
            span.0.iter_mut().filter(|aligned| aligned.c == ' ').for_each(|aligned| aligned.c = mark);
            let first = span.0[0];
            let marked = match metaspace.prepend {
                Prepend::Always => true,
                Prepend::First => first.start == 0,
                Prepend::Never => false,
            };
            if marked && first.c != mark {
                span.prepend(mark.encode_utf8(&mut [0; 4]));
            }
            if metaspace.split {
                words.extend(span.0.chunk_by(|_, next| next.c != mark).map(|word| Self(word.to_vec())));
            } else {
                words.push(span);
            }
        }
        if rule.broken_again { words.iter().flat_map(broken_at_white).collect() } else { words }
    }

    /// Puts these characters in the place of all, behind `gone` that have none in theirs.
    fn change(&mut self, changes: Vec<Change>, gone: usize) {
        let old = std::mem::take(&mut self.0);
        let mut at = gone;
        for (c, change) in changes {
            // What is added stands for what the character before it stands for.
            let from = if change > 0 { at.saturating_sub(1) } else { at };
            let Some(&from) = old.get(from).or(old.last()) else { return };
            self.0.push(Aligned { c, ..from });
            if change <= 0 {
                at += 1 + change.unsigned_abs();
            }
        }
    }

    fn filter(&mut self, keep: impl Fn(char) -> bool) {
        self.0.retain(|aligned| keep(aligned.c));
    }

    fn prepend(&mut self, text: &str) {
        if let Some(&first) = self.0.first() {
            self.0.splice(..0, text.chars().map(|c| Aligned { c, ..first }));
        }
    }

    /// Puts `content` in the place of these ranges of bytes. It stands for the last character of each.
    fn replace(&mut self, found: &[(usize, usize)], content: &str) {
        let (mut at, mut found) = (0, found.iter().peekable());
        let mut new = Vec::with_capacity(self.0.len());
        for &aligned in &self.0 {
            let end = at + aligned.c.len_utf8();
            match found.peek() {
                Some(&&(start, stop)) if at >= start => {
                    if end == stop {
                        new.extend(content.chars().map(|c| Aligned { c, ..aligned }));
                        found.next();
                    }
                }
                _ => new.push(aligned),
            }
            at = end;
        }
        self.0 = new;
    }
}

/// What a character map does to a text.
fn changes_by(map: &Charsmap, text: &str) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for grapheme in text.graphemes(true) {
        map.apply_grapheme(grapheme, |old, new| {
            let (old, count) = (old.chars().count(), new.chars().count());
            // Characters that are too many are added; too few take the place of more.
            changes.extend(new.chars().enumerate().map(|(at, c)| (c, isize::from(at >= old.min(count)))));
            if let Some((_, change)) = changes.last_mut().filter(|_| count < old) {
                *change -= (old - count) as isize;
            }
        });
    }
    changes
}
