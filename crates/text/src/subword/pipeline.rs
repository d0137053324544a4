//! A checked recipe in, piece ids out.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::error::TextError;
use crate::subword::added_tokens::AddedToken;
use crate::subword::added_tokens::{Added, Part};
use crate::subword::aligned::AlignedText;
use crate::subword::ascii::AsciiPath;
use crate::subword::cache::finish;
use crate::subword::files::recipe::PostProcessor;
use crate::subword::models::{Model, Word};
use crate::subword::normalizers::Flow;
use crate::subword::normalizers::Normalizer;
use crate::subword::pre_tokenizers::Words;
use crate::subword::pre_tokenizers::{PreTokenizer, Prepend};
use crate::subword::scratch::{Pool, Scratch};
use crate::subword::sink::Sink;

/// Cuts texts into pieces, without special pieces around them.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) model: Arc<Model>,
    steps: Vec<Normalizer>,
    words: Words,
    /// The tokens that are found as they are written, with their ids.
    pub(crate) tokens: Vec<(AddedToken, u32)>,
    split_special: bool,
    /// Those of them that are found in the raw text.
    raw: Arc<Added>,
    /// Those of them that are found in the normalised text.
    normalized: Arc<Added>,
    ascii: Option<AsciiPath>,
    /// The mark that words begin with, if they do.
    mark: String,
    pool: Pool,
}

impl Pipeline {
    /// For a vocabulary, everything done to a text before it, and the tokens that are found as they are written. Those
    /// that the vocabulary lacks get ids behind its last. Special ones are ordinary text if `split_special`.
    pub(crate) fn new(
        model: Model,
        steps: Vec<Normalizer>,
        pre_tokenizers: &[PreTokenizer],
        added: &[AddedToken],
        split_special: bool,
    ) -> Self {
        let mut tokens: Vec<(AddedToken, u32)> = Vec::new();
        let mut places = HashMap::new();
        let mut next = model.next_id() as u32;
        for token in added.iter().filter(|token| !token.content.is_empty()) {
            let place = *places.entry(token.content.as_str()).or_insert(tokens.len());
            // A later definition of a token replaces an earlier one, but once special is always special.
            if let Some((known, _)) = tokens.get_mut(place) {
                *known = AddedToken { special: known.special || token.special, ..token.clone() };
                continue;
            }
            let id = model.id(&token.content).unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            tokens.push((token.clone(), id));
        }
        let words = Words::new(pre_tokenizers);
        let raw = tokens.iter().filter(|(token, _)| !token.normalized);
        let raw = Added::new(raw.map(|(token, id)| (token, *id, token.content.clone())), split_special);
        let mut pipeline = Self {
            model: Arc::new(model),
            steps: Vec::new(),
            mark: words.prepended().map(String::from).unwrap_or_default(),
            words,
            normalized: Arc::new(Added::new(std::iter::empty(), split_special)),
            raw: Arc::new(raw),
            tokens,
            split_special,
            ascii: None,
            pool: Pool::default(),
        };
        pipeline.normalize_by(steps);
        pipeline
    }

    /// Puts other steps of normalisation in the place of those there are.
    pub(crate) fn normalize_by(&mut self, steps: Vec<Normalizer>) {
        let normalized = self.tokens.iter().filter(|(token, _)| token.normalized).map(|(token, id)| {
            let text = std::mem::take(Flow::default().push(&steps, &token.content, true));
            (token, *id, text)
        });
        self.normalized = Arc::new(Added::new(normalized, self.split_special));
        self.ascii = AsciiPath::new(&steps, &self.words, &self.raw, &self.normalized);
        self.steps = steps;
    }

    pub(crate) fn steps(&self) -> &[Normalizer] {
        &self.steps
    }

    /// Sends the piece ids of `text` to `sink`, without special pieces, as long as they count.
    pub(crate) fn encode(&self, text: &str, sink: &mut Sink<'_>) {
        // Where a marker is put depends on where a word stands in the raw text.
        if self.words.metaspace.is_some_and(|metaspace| metaspace.prepend == Prepend::First) {
            return self.place(text, |id, _| sink.push(id));
        }
        self.pool.with(|scratch| {
            if let Some(ascii) = &self.ascii {
                if ascii.encode(text.as_bytes(), &self.raw, &self.model, scratch, sink) {
                    return;
                }
                sink.clear();
                scratch.clear();
            }
            self.encode_any(text, scratch, sink);
        });
    }

    /// The same, whatever the text and the steps are.
    pub(crate) fn encode_any(&self, text: &str, scratch: &mut Scratch, sink: &mut Sink<'_>) {
        for part in self.raw.split(text) {
            let enough = match part {
                Part::Token { id, .. } => self.token(id, sink),
                Part::Text { text, last, .. } => self.section(text, last, scratch, sink),
            };
            if enough {
                return;
            }
        }
    }

    fn token(&self, id: u32, sink: &mut Sink<'_>) -> bool {
        sink.push(id);
        sink.is_full()
    }

    /// Works on a part of the raw text between two tokens. Says whether that is enough.
    fn section(&self, part: &str, last: bool, scratch: &mut Scratch, sink: &mut Sink<'_>) -> bool {
        let Scratch { flow, word, cache, inside } = scratch;
        let normalized = flow.push(&self.steps, part, last);
        let mut walk = |part: &str, last: bool, sink: &mut Sink<'_>| {
            let enough = self.words.walk(part, inside, |part| {
                match part {
                    Some(part) => {
                        word.text.extend_from_slice(part.as_bytes());
                        word.advance(&self.model, |ids, _| sink.extend(ids));
                    }
                    None => finish(word, cache, &self.model, self.mark.as_bytes(), sink),
                }
                sink.is_full()
            });
            if !enough && last {
                *inside = false;
                finish(word, cache, &self.model, self.mark.as_bytes(), sink);
            }
            enough || sink.is_full()
        };
        let mut enough = false;
        if self.normalized.is_empty() {
            enough = walk(normalized, last, sink);
            normalized.clear();
        } else if last {
            // Tokens that may be anywhere in the normalised text need all of it.
            enough = self.normalized.split(normalized).any(|part| match part {
                Part::Token { id, .. } => self.token(id, sink),
                Part::Text { text, last, .. } => walk(text, last, sink),
            });
        }
        if last {
            flow.clear();
        }
        enough
    }

    /// Hands on the pieces of `text` with the bytes that they stand for.
    pub(crate) fn place(&self, text: &str, mut to: impl FnMut(u32, (usize, usize))) {
        let mut word = Word::new();
        for section in sections(&self.raw, text) {
            let Section { token: None, start, end } = section else {
                section.token.into_iter().for_each(|id| to(id, (section.start, section.end)));
                continue;
            };
            let mut aligned = AlignedText::new(&text[start..end], start);
            self.steps.iter().for_each(|step| aligned.normalize(step));
            let slice = aligned.slicer();
            for section in sections(&self.normalized, &aligned.text()) {
                let part = slice(section.start, section.end);
                if let Some(id) = section.token {
                    to(id, part.raw());
                    continue;
                }
                for aligned in part.words(&self.words) {
                    word.text.extend_from_slice(aligned.text().as_bytes());
                    let (slice, mut at) = (aligned.slicer(), 0);
                    word.finish(&self.model, |ids, length| {
                        let raw = slice(at, at + length).raw();
                        at += length;
                        ids.iter().for_each(|&id| to(id, raw));
                    });
                }
            }
        }
    }

    /// The ids of what is put before a text and behind it; `path` is the vocabulary file, for errors.
    pub(crate) fn around(&self, post: PostProcessor, path: &Path) -> Result<(Vec<u32>, Vec<u32>), TextError> {
        let malformed = |reason| TextError::Malformed { path: path.to_owned(), reason };
        let id = |piece: &str| match self.id(piece) {
            Some(id) => Ok(vec![id]),
            None => Err(malformed(format!("it has no piece {piece}"))),
        };
        let (before, after) = match post {
            PostProcessor::Ids { before, after } => (before, after),
            PostProcessor::Named { before, after } => (id(&before)?, id(&after)?),
        };
        if before.iter().chain(&after).any(|&id| id as usize >= self.vocabulary()) {
            return Err(malformed("it puts a piece around a text that it does not have".into()));
        }
        Ok((before, after))
    }

    /// The number of ids, added tokens included.
    pub(crate) fn vocabulary(&self) -> usize {
        let behind = self.tokens.iter().map(|&(_, id)| id as usize + 1).max().unwrap_or(0);
        behind.max(self.model.len())
    }

    /// The piece with this id.
    pub(crate) fn piece(&self, id: u32) -> Option<&str> {
        let added = || self.tokens.iter().find(|&&(_, other)| other == id).map(|(token, _)| token.content.as_str());
        self.model.piece(id).or_else(added)
    }

    /// The id of a piece.
    pub(crate) fn id(&self, piece: &str) -> Option<u32> {
        let added = || self.tokens.iter().find(|(token, _)| token.content == piece).map(|&(_, id)| id);
        self.model.id(piece).or_else(added)
    }
}

/// A token, or the whole of the text between two.
struct Section {
    token: Option<u32>,
    start: usize,
    end: usize,
}

/// All sections of `text`, in order.
fn sections(added: &Added, text: &str) -> Vec<Section> {
    let (mut sections, mut start) = (Vec::new(), None);
    for part in added.split(text) {
        match part {
            Part::Token { id, start, end } => sections.push(Section { token: Some(id), start, end }),
            Part::Text { text, at, last } => {
                let first = *start.get_or_insert(at);
                if last {
                    sections.push(Section { token: None, start: first, end: at + text.len() });
                    start = None;
                }
            }
        }
    }
    sections
}
