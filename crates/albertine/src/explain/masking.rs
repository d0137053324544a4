//! A text in parts that can be hidden.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

use super::Part;
use super::coalition::Coalition;
use super::game::Credits;
use crate::session::ReadText;
use crate::{Classifier, Error};

/// The most of a text that is explained, in bytes. What a model reads without windows is far shorter.
const MAX_BYTES: usize = 64 << 10;

/// What stands for hidden parts where the vocabulary has no mask token: once for parts in a row.
///
/// Source: `maskers.Text` of the `shap` package.
const ELLIPSIS: &str = "...";

/// The parts of a text, which are the pieces that its tokenizer cuts it into, and the words that they form.
///
/// Source: `maskers.Text.token_segments` of the `shap` package. Only pieces that share characters are one part here.
#[derive(Debug)]
pub(super) struct Masking<'t> {
    text: &'t str,
    /// Where each part lies in the text, in bytes, in order and without gaps: from where its piece begins to where the
    /// next one does. Special tokens around the text are parts as well, which are empty but for the white space before
    /// the text.
    parts: Vec<Range<usize>>,
    words: Vec<Word>,
    kept: Coalition,
    separator: Option<String>,
    mask: Option<String>,
    truncated: bool,
    /// Where each character begins, in bytes.
    characters: Vec<usize>,
}

/// Parts that form a word.
#[derive(Debug)]
struct Word {
    /// Where it lies in the text, in bytes.
    bytes: Range<usize>,
    parts: Range<usize>,
}

impl<'t> Masking<'t> {
    /// The parts that a classifier reads of a text.
    pub(super) fn new(classifier: &Classifier, text: &'t str) -> Result<Self, Error> {
        let window = match classifier.session().truncates_left() {
            false => 0..text.floor_char_boundary(MAX_BYTES),
            true => text.ceil_char_boundary(text.len().saturating_sub(MAX_BYTES))..text.len(),
        };
        let read = classifier.read(&text[window.clone()])?;
        Ok(Self::of(text, window, read))
    }

    /// `read` is what is read of the part `window` of the text.
    fn of(text: &'t str, window: Range<usize>, read: ReadText) -> Self {
        let characters: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let before = characters.partition_point(|&at| at < window.start);
        let byte = |character: usize| characters.get(before + character).copied().unwrap_or(text.len());

        let mut parts: Vec<Range<usize>> = Vec::with_capacity(read.pieces.len() + read.around.0 + read.around.1);
        for piece in &read.pieces {
            let bytes = byte(piece.begin)..byte(piece.end).max(byte(piece.begin));
            match parts.last_mut() {
                Some(last) if bytes.start < last.end || bytes.start == last.start => last.end = last.end.max(bytes.end),
                Some(last) => {
                    last.end = bytes.start;
                    parts.push(bytes);
                }
                None => parts.push(bytes),
            }
        }
        let first = parts.first().map_or(window.start, |part| part.start);
        let last = parts.last().map_or(first, |part| part.end);
        // what is before the first piece was read, and only white space came of it, unless the start was cut away
        let start = if read.truncated || window.start > 0 { first } else { 0 };
        let pieces = read.around.0..read.around.0 + parts.len();
        parts.splice(..0, (0..read.around.0).map(|special| if special == 0 { start..first } else { first..first }));
        parts.extend(std::iter::repeat_n(last..last, read.around.1));
        let kept = Coalition::none(parts.len()).with(0..pieces.start).with(pieces.end..parts.len());
        Self {
            truncated: read.truncated || window.len() < text.len(),
            words: words(text, &parts, pieces),
            text,
            parts,
            kept,
            separator: read.separator,
            mask: read.mask,
            characters,
        }
    }

    /// Whether the text goes on behind the parts, or begins before them.
    pub(super) fn truncated(&self) -> bool {
        self.truncated
    }

    /// The parts that are never hidden: special tokens around the text.
    pub(super) fn kept(&self) -> &Coalition {
        &self.kept
    }

    /// The text of each part.
    pub(super) fn texts(&self) -> impl ExactSizeIterator<Item = &'t str> {
        self.parts.iter().map(|part| &self.text[part.clone()])
    }

    /// The special token that separates texts.
    pub(super) fn separator(&self) -> Option<&str> {
        self.separator.as_deref()
    }

    /// The parts of each word.
    pub(super) fn words(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        self.words.iter().map(|word| word.parts.clone())
    }

    /// The text with the parts of a coalition shown and the others hidden, with one blank for any white space.
    ///
    /// Source: `maskers.Text.__call__` of the `shap` package. Only a text that is all shown stays as it is here.
    pub(super) fn masked(&self, coalition: &Coalition) -> String {
        if coalition.is_all() {
            return self.text.to_owned();
        }
        let mut masked = Squeezed::default();
        let mut hidden = false;
        for (part, text) in self.texts().enumerate() {
            if coalition.shows(part) || Some(text) == self.separator() {
                masked.push(text);
                hidden = false;
                continue;
            }
            match &self.mask {
                Some(mask) => [" ", mask].into_iter().for_each(|text| masked.push(text)),
                None if !hidden => [" ", ELLIPSIS].into_iter().for_each(|text| masked.push(text)),
                None => {}
            }
            hidden = true;
        }
        masked.text
    }

    /// The words and the parts with what they are credited with.
    pub(super) fn credited(&self, credits: &Credits) -> (Vec<Part>, Vec<Part>) {
        match credits {
            Credits::OfWords(words) => {
                let part = |(word, credit): (&Word, &Vec<f64>)| self.part(&word.bytes, credit.iter().copied());
                (self.words.iter().zip(words).map(part).collect(), Vec::new())
            }
            Credits::OfParts(parts) => {
                let labels = parts.first().map_or(0, Vec::len);
                let mut from = 0;
                let word = |(index, word): (usize, &Word)| {
                    // the first and the last word take what special tokens beside them are credited with
                    let until = if index + 1 == self.words.len() { parts.len() } else { word.parts.end };
                    let credits = &parts[std::mem::replace(&mut from, until)..until];
                    let sum = |label: usize| credits.iter().map(|credit| credit[label]).sum();
                    self.part(&word.bytes, (0..labels).map(sum))
                };
                let words = self.words.iter().enumerate().map(word).collect();
                let part = |(part, credit): (&Range<usize>, &Vec<f64>)| self.part(part, credit.iter().copied());
                (words, self.parts.iter().zip(parts).map(part).collect())
            }
        }
    }

    fn part(&self, bytes: &Range<usize>, weights: impl Iterator<Item = f64>) -> Part {
        let character = |byte: usize| self.characters.partition_point(|&at| at < byte);
        let weights = weights.map(|weight| weight as f32).collect();
        Part { bytes: bytes.clone(), begin: character(bytes.start), end: character(bytes.end), weights }
    }
}

/// Parts that belong to one word by the rules of Unicode (UAX #29): a piece belongs to the word that its first visible
/// character is of.
fn words(text: &str, parts: &[Range<usize>], pieces: Range<usize>) -> Vec<Word> {
    let starts: Vec<usize> = match (parts[pieces.clone()].first(), parts[pieces.clone()].last()) {
        (Some(first), Some(last)) => {
            text[first.start..last.end].split_word_bound_indices().map(|(at, _)| first.start + at).collect()
        }
        _ => Vec::new(),
    };
    let mut words: Vec<(Option<usize>, Word)> = Vec::new();
    for part in pieces {
        let Range { start, end } = parts[part];
        let visible = start + (end - start - text[start..end].trim_start().len());
        let of = (visible < end).then(|| starts.partition_point(|&at| at <= visible));
        let bytes = visible..visible + text[visible..end].trim_end().len();
        match words.last_mut() {
            // what is invisible belongs to what is before it, or else to what is behind it
            Some((last, word)) if of.is_none() || *last == of || last.is_none() => {
                word.parts.end = part + 1;
                if last.is_none() {
                    (*last, word.bytes) = (of, bytes);
                } else if of.is_some() {
                    word.bytes.end = bytes.end;
                }
            }
            _ => words.push((of, Word { bytes, parts: part..part + 1 })),
        }
    }
    words.into_iter().map(|(_, word)| word).collect()
}

/// A text with one blank for any white space within it, and none around it.
#[derive(Default)]
struct Squeezed {
    text: String,
    space: bool,
}

impl Squeezed {
    fn push(&mut self, text: &str) {
        for character in text.chars() {
            if character.is_whitespace() {
                self.space = true;
                continue;
            }
            if std::mem::take(&mut self.space) && !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push(character);
        }
    }
}
