//! Texts to piece ids in the plainest way there is, for tests: whole strings, one step after the other.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use unicode_normalization_alignments::UnicodeNormalization as _;
use unicode_normalization_alignments::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{SubwordTokenizer, Vocabulary};
use crate::subword::added_tokens::AddedToken;
use crate::subword::characters::CharClass;
use crate::subword::models::Model;
use crate::subword::models::unigram::Unigram;
use crate::subword::models::wordpiece::WordPiece;
use crate::subword::normalizers::{Normalizer, Pattern};
use crate::subword::pipeline::Pipeline;
use crate::subword::pre_tokenizers::{PreTokenizer, Prepend};
use crate::subword::scratch::Scratch;
use crate::subword::sink::Sink;
use crate::subword::tests::{open, spiece, tokenizer_json};

/// What a pipeline does, written down once more.
pub(crate) struct Reference<'e> {
    pipeline: &'e Pipeline,
    pre_tokenizers: &'e [PreTokenizer],
    ids: HashMap<&'e str, u32>,
}

impl<'e> Reference<'e> {
    pub(crate) fn new(pipeline: &'e Pipeline, pre_tokenizers: &'e [PreTokenizer]) -> Self {
        let ids = (0..pipeline.model.len() as u32).map(|id| (pipeline.model.piece(id).unwrap(), id)).collect();
        Self { pipeline, pre_tokenizers, ids }
    }

    /// The pieces of a text.
    pub(crate) fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut rest = text;
        let mut begin = 0;
        while !rest.is_empty() {
            let Some((at, token, id)) = self.first_token(text, begin) else {
                ids.extend(self.section(rest, begin == 0));
                break;
            };
            let stop = at + token.content.len();
            let before = if token.lstrip { text[begin..at].trim_end() } else { &text[begin..at] };
            ids.extend(self.section(before, begin == 0));
            ids.push(id);
            rest = if token.rstrip { text[stop..].trim_start() } else { &text[stop..] };
            begin = text.len() - rest.len();
        }
        ids
    }

    /// The first token of the text behind `begin`, the longest of those at its place.
    fn first_token(&self, text: &str, begin: usize) -> Option<(usize, &AddedToken, u32)> {
        let mut at = begin;
        while at < text.len() {
            let here = self.pipeline.tokens.iter().filter(|(token, _)| text[at..].starts_with(&token.content));
            if let Some((token, id)) = here.max_by_key(|(token, _)| token.content.len()) {
                let (before, behind) =
                    (text[..at].chars().next_back(), text[at + token.content.len()..].chars().next());
                let word = |c: Option<char>| c.is_some_and(regex_syntax::is_word_character);
                if !(token.single_word && (word(before) || word(behind))) {
                    return Some((at, token, *id));
                }
                at += token.content.len();
            } else {
                at += text[at..].chars().next().unwrap().len_utf8();
            }
        }
        None
    }

    fn section(&self, text: &str, first: bool) -> Vec<u32> {
        let normalized = self.pipeline.steps().iter().fold(text.to_owned(), |text, step| normalized(step, &text));
        let words = self.pre_tokenizers.iter().fold(vec![normalized], |words, step| {
            words
                .iter()
                .filter(|word| !word.is_empty())
                .enumerate()
                .flat_map(|(at, word)| broken(*step, word, first && at == 0))
                .collect()
        });
        words.iter().flat_map(|word| self.cut(word)).collect()
    }

    fn cut(&self, word: &str) -> Vec<u32> {
        match &*self.pipeline.model {
            Model::Unigram(model) => self.best(model, word),
            Model::WordPiece(model) => self.longest_first(model, word).unwrap_or(vec![model.unknown]),
        }
    }

    /// The longest piece from left to right, the prefix being `##`; nothing for a word that is unknown.
    fn longest_first(&self, model: &WordPiece, word: &str) -> Option<Vec<u32>> {
        let chars: Vec<char> = word.chars().collect();
        let (mut ids, mut start) = (Vec::new(), 0);
        if chars.len() > model.max_chars {
            return None;
        }
        while start < chars.len() {
            let prefix = if start > 0 { "##" } else { "" };
            let piece = |end: usize| {
                let text = prefix.chars().chain(chars[start..end].iter().copied()).collect::<String>();
                self.ids.get(text.as_str()).map(|&id| (id, end))
            };
            let (id, end) = (start + 1..=chars.len()).rev().find_map(piece)?;
            ids.push(id);
            start = end;
        }
        Some(ids)
    }

    /// The best way through a word: every start with every end.
    fn best(&self, model: &Unigram, word: &str) -> Vec<u32> {
        let mut best: HashMap<usize, (f64, u32, usize)> = HashMap::new();
        for (start, c) in word.char_indices() {
            let score = best.get(&start).map_or(0.0, |&(score, ..)| score);
            let mut offer = |end: usize, id: u32, more: f64| {
                let way = (more + score, id, start);
                if best.get(&end).is_none_or(|&(score, ..)| way.0 > score) {
                    best.insert(end, way);
                }
            };
            let single = start + c.len_utf8();
            for end in single..=word.len().min(start + model.longest) {
                if let Some(&id) = word.get(start..end).and_then(|piece| self.ids.get(piece)) {
                    offer(end, id, model.scores[id as usize]);
                }
            }
            if !self.ids.contains_key(&word[start..single]) {
                offer(single, model.unknown, model.unknown_score);
            }
        }
        let (mut at, mut parts) = (word.len(), Vec::new());
        while at > 0 {
            let (_, id, start) = best[&at];
            match parts.last_mut() {
                Some((last, from, _)) if *last == model.unknown && id == model.unknown => *from = start,
                _ => parts.push((id, start, at)),
            }
            at = start;
        }
        parts
            .iter()
            .rev()
            .flat_map(|&(id, start, end)| {
                if id != model.unknown {
                    return vec![id];
                }
                let run = &word[start..end];
                let bytes: Option<Vec<u32>> = run
                    .bytes()
                    .map(|byte| {
                        model.bytes.as_ref()?;
                        self.ids.get(format!("<0x{byte:02X}>").as_str()).copied()
                    })
                    .collect();
                self.ids.get(run).map(|&id| vec![id]).or(bytes).unwrap_or(vec![model.unknown])
            })
            .collect()
    }
}

fn normalized(step: &Normalizer, text: &str) -> String {
    match step {
        Normalizer::Replace { pattern: Pattern::Text(pattern), content } => text.replace(pattern.as_str(), content),
        Normalizer::Replace { pattern: Pattern::Spaces, content } => {
            let runs = text.as_bytes().chunk_by(|a, b| (*a == b' ') == (*b == b' '));
            let run = |run: &[u8]| {
                if run.len() > 1 && run[0] == b' ' {
                    content.clone()
                } else {
                    String::from_utf8_lossy(run).into_owned()
                }
            };
            runs.map(run).collect()
        }
        Normalizer::Nfc => text.nfc().map(|(c, _)| c).collect(),
        Normalizer::Nfd => text.nfd().map(|(c, _)| c).collect(),
        Normalizer::Nfkc => text.nfkc().map(|(c, _)| c).collect(),
        Normalizer::Nfkd => text.nfkd().map(|(c, _)| c).collect(),
        Normalizer::Nmt => text.chars().filter_map(crate::subword::normalizers::nmt).collect(),
        Normalizer::StripAccents => text.chars().filter(|&c| !is_combining_mark(c)).collect(),
        Normalizer::Lowercase => text.chars().flat_map(char::to_lowercase).collect(),
        Normalizer::Strip { left, right } => {
            let text = if *left { text.trim_start() } else { text };
            if *right { text.trim_end() } else { text }.to_owned()
        }
        Normalizer::Bert(bert) => {
            let cleaned = text.chars().filter_map(|c| bert.clean(c));
            let apart = |c: char| if bert.sets_apart(c) { format!(" {c} ") } else { c.to_string() };
            let mut text: String = cleaned.map(apart).collect();
            if bert.strips_accents() {
                text = text.nfd().map(|(c, _)| c).filter(|&c| !CharClass::of(c).is_mark()).collect();
            }
            if bert.lowercase { text.chars().flat_map(char::to_lowercase).collect() } else { text }
        }
        Normalizer::Prepend(content) if !text.is_empty() => format!("{content}{text}"),
        Normalizer::Prepend(_) => String::new(),
        Normalizer::Charsmap(map) => text
            .graphemes(true)
            .map(|grapheme| {
                let whole = map.of(grapheme.as_bytes()).filter(|_| grapheme.len() < 6).map(str::to_owned);
                whole.unwrap_or_else(|| {
                    let each = |c: char| map.of(c.to_string().as_bytes()).map_or(c.to_string(), str::to_owned);
                    grapheme.chars().map(each).collect()
                })
            })
            .collect(),
    }
}

fn broken(step: PreTokenizer, text: &str, first: bool) -> Vec<String> {
    if step == PreTokenizer::Bert {
        let mut words: Vec<String> = vec![String::new()];
        for c in text.chars() {
            match CharClass::of(c) {
                class if class.is_punctuation() => words.extend([c.to_string(), String::new()]),
                _ if c.is_whitespace() => words.push(String::new()),
                _ => words.last_mut().unwrap().push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        return words;
    }
    let PreTokenizer::Metaspace { replacement, prepend, split } = step else {
        return text.split_whitespace().map(str::to_owned).collect();
    };
    let mut text = text.replace(' ', &replacement.to_string());
    if (prepend == Prepend::Always || prepend == Prepend::First && first) && !text.starts_with(replacement) {
        text.insert(0, replacement);
    }
    if !split {
        return vec![text];
    }
    let mut words: Vec<String> = vec![String::new()];
    for c in text.chars() {
        if c == replacement {
            words.push(String::new());
        }
        words.last_mut().unwrap().push(c);
    }
    words.retain(|word| !word.is_empty());
    words
}

const FIRST: PreTokenizer = PreTokenizer::Metaspace { replacement: '▁', prepend: Prepend::First, split: true };

/// Vocabularies with every kind of step, and what breaks texts into words in them.
fn vocabularies() -> Vec<(SubwordTokenizer, Vec<PreTokenizer>)> {
    let metaspace = |prepend, split| PreTokenizer::Metaspace { replacement: '▁', prepend, split };
    let usual = vec![metaspace(Prepend::Always, true)];
    let spiece =
        |config: &str| SubwordTokenizer::from_bytes(Vocabulary::Spiece(&spiece()), Some(config.as_bytes())).unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut file = tokenizer_json();
        file["added_tokens"][3] = json!({ "content": "[MASK]", "special": true, "normalized": false, "lstrip": true });
        change(&mut file);
        open(&file, None).unwrap()
    };
    let steps = |steps: Value| json!({ "type": "Sequence", "normalizers": steps });
    let replace = |from: &str, to: &str| json!({ "type": "Replace", "pattern": { "String": from }, "content": to });
    let wordpiece = |config: &str| {
        let pieces = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nab\n##a\n##b\n##ab\ncd\nx\n##y\n##1\n1\nx\né\n##é\ne\n\
                      ##e\n'\n`\n,\n(\n.\n~\n新\n##新\n聞\noil\nprices\nthe\n가\n##가\nя\n▁\n[\n]\n##\u{301}\n";
        SubwordTokenizer::from_bytes(Vocabulary::VocabTxt(pieces.as_bytes()), Some(config.as_bytes())).unwrap()
    };
    let bert = vec![PreTokenizer::Bert];
    let mask = r#"{"do_lower_case": false, "strip_accents": true,
        "added_tokens_decoder": {"4": {"content": "[MASK]", "special": true, "lstrip": true}}}"#;
    vec![
        (wordpiece("{}"), bert.clone()),
        (wordpiece(r#"{"strip_accents": false, "tokenize_chinese_chars": false}"#), bert.clone()),
        (wordpiece(mask), bert),
        (spiece("{}"), usual.clone()),
        (spiece(r#"{"do_lower_case": false, "keep_accents": true}"#), usual.clone()),
        (changed(&|_| ()), usual.clone()),
        (
            changed(&|f| f["normalizer"] = steps(json!([replace("a", "x"), replace("x", "ab"), { "type": "Nmt" }]))),
            usual,
        ),
        (
            changed(&|f| {
                f["normalizer"] =
                    steps(json!([{ "type": "NFKC" }, { "type": "Strip", "strip_left": true, "strip_right": true }]));
                f["pre_tokenizer"] = json!({ "type": "Sequence", "pretokenizers": [
                    { "type": "WhitespaceSplit" }, { "type": "Metaspace", "replacement": "▁" },
                ] });
                f["added_tokens"][0] = json!({ "content": "cd", "rstrip": true, "single_word": true });
            }),
            vec![PreTokenizer::Whitespace, metaspace(Prepend::Always, true)],
        ),
        (
            changed(&|f| {
                f["normalizer"] =
                    steps(json!([{ "type": "NFD" }, { "type": "Prepend", "prepend": "b" }, { "type": "NFC" }]));
                f["pre_tokenizer"]["split"] = json!(false);
                f["pre_tokenizer"]["prepend_scheme"] = json!("never");
                f["model"]["byte_fallback"] = json!(true);
                let bytes = ["<0x78>", "<0xC3>", "<0xA9>", "▁a", "b▁"].map(|piece| json!([piece, -6.0]));
                f["model"]["vocab"].as_array_mut().unwrap().extend(bytes);
            }),
            vec![metaspace(Prepend::Never, false)],
        ),
        (
            changed(&|f| {
                // Nothing goes from the start of a text, which would not be the first place any more.
                f["normalizer"] = steps(json!([{ "type": "NFKD" }, { "type": "Lowercase" }]));
                f["pre_tokenizer"]["prepend_scheme"] = json!("first");
            }),
            vec![FIRST],
        ),
    ]
}

proptest! {
    /// The quick ways give what the plain one gives.
    #[test]
    fn pieces_are_those_of_the_reference(
        bits in prop::collection::vec(
            "(ab|cd|xy1|a|b|X|é|e\u{301}|``|''|'|\\[MASK\\]|\\[CLS\\]|<pad>|\u{301}|\u{323}|ﬁ|\u{ff9e}|\u{ff07}|👍🏽|🇫🇷|\u{200d}|\u{600}|\r|\n|\r\n|\t|\0|\x01|,|\\(a|b\\.|~|the|oil prices| | | |  |\u{a0}|▁|新聞|가|я)",
            0..30,
        ),
        other in "\\PC{0,3}",
        repeat in prop_oneof![4 => Just(1_usize), 1 => 1_usize..300],
        limit in prop_oneof![Just(usize::MAX), 2_usize..40],
    ) {
        thread_local! {
            static ALL: Vec<(SubwordTokenizer, Vec<PreTokenizer>)> = vocabularies();
        }
        let text = format!("{}{other}", bits.concat()).repeat(repeat);
        ALL.with(|all| {
            for (number, (pieces, pre_tokenizers)) in all.iter().enumerate() {
                let expected = Reference::new(&pieces.pipeline, pre_tokenizers).encode(&text);
                let pipeline = &pieces.pipeline;
                let found = |work: &dyn Fn(&mut Sink<'_>)| {
                    let mut ids = Vec::new();
                    work(&mut Sink::new(&mut ids, usize::MAX, false));
                    ids
                };
                prop_assert_eq!(found(&|sink| pipeline.encode(&text, sink)), &expected[..], "vocabulary {}", number);
                prop_assert_eq!(found(&|sink| pipeline.place(&text, |id, _| sink.push(id))), &expected[..]);
                if !pre_tokenizers.contains(&FIRST) {
                    let any = found(&|sink| pipeline.encode_any(&text, &mut Scratch::new(), sink));
                    prop_assert_eq!(any, &expected[..]);
                }
                let room = limit.saturating_sub(2).min(expected.len());
                for (left, kept) in [(false, &expected[..room]), (true, &expected[expected.len() - room..])] {
                    let mut ids = Vec::new();
                    let mut sink = Sink::new(&mut ids, room, left);
                    pipeline.encode(&text, &mut sink);
                    prop_assert_eq!(sink.finish().truncated, room < expected.len());
                    prop_assert_eq!(ids, kept);
                }
            }
            Ok(())
        })?;
    }
}
