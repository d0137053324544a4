//! A way through ASCII texts on which all steps of normalisation are one look into a table.
//!
//! [`AsciiPath::new`] walks the steps of a vocabulary and finds what they make of each ASCII character, whatever
//! stands around it. Characters for which that cannot be said are left to the general way, and with them every text
//! that has one of them; so are vocabularies with steps that look further than one character, other than these:
//!
//! - a text that is replaced and is longer than a character: only where its first two characters meet;
//! - runs of spaces that become one.
//!
//! A word is handed on when the space or the punctuation behind it has been seen. Nothing that follows can change it then: no
//! replacement has a space in it, a run of spaces stays a space, a mark that would join the space is not ASCII, and a
//! token takes nothing along but white space, with which no word ends.

use crate::subword::added_tokens::Added;
use crate::subword::ascii_set::AsciiSet;
use crate::subword::cache::finish;
use crate::subword::models::Model;
use crate::subword::normalizers::nmt;
use crate::subword::normalizers::{Normalizer, Pattern};
use crate::subword::pre_tokenizers::Prepend;
use crate::subword::pre_tokenizers::Words;
use crate::subword::scratch::Scratch;
use crate::subword::sink::Sink;

/// A character that begins a word or ends one.
const SPACE: u16 = 1 << 8;
/// A character that begins an added token.
const TOKEN: u16 = 1 << 9;
/// A character that may begin something that is replaced.
const PAIR: u16 = 1 << 10;
/// A character that is a word.
const ALONE: u16 = 1 << 12;
/// A character for the general way.
const ODD: u16 = 1 << 11;

/// Longer words, in bytes, are for the general way, which hands on their beginnings.
const MAX_WORD: usize = 1 << 10;

/// What becomes of ASCII characters.
#[derive(Debug, Clone)]
pub(crate) struct AsciiPath {
    /// For every byte what takes its place, and the flags above.
    table: Box<[u16; 256]>,
    /// Characters that do not keep to themselves where they meet in this order.
    pairs: Vec<(u8, u8)>,
    /// Whether many spaces are one.
    single: bool,
    /// Whether spaces go, rather than become the marks of words.
    broken: bool,
    /// What words begin with.
    mark: String,
}

impl AsciiPath {
    /// The way for these steps, if there is one. `raw` and `normalized` are the tokens that are found in the text
    /// before and after it is normalised.
    pub(crate) fn new(steps: &[Normalizer], words: &Words, raw: &Added, normalized: &Added) -> Option<Self> {
        let mark = match words.metaspace {
            Some(metaspace) if metaspace.split && metaspace.prepend == Prepend::Always => String::from(metaspace.mark),
            None if words.isolated => String::new(),
            _ => return None,
        };
        if words.broken_again || mark.bytes().any(|byte| byte.is_ascii()) || normalized.begins(b' ') {
            return None;
        }
        let mut images = Images::new();
        steps.iter().try_for_each(|step| images.follow(step))?;
        if images.single.is_some_and(|spaces| spaces != images.spaces()) {
            return None;
        }
        let mut table = Box::new([ODD; 256]);
        for (byte, &image) in (0_u8..).zip(&images.of) {
            let Some(image) = image.filter(|&image| !normalized.begins(image)) else { continue };
            let space = image == b' ' || words.broken && char::from(image).is_whitespace();
            // Tokens take white space along from the end of what would be a word.
            let white = char::from(byte).is_whitespace() || char::from(image).is_whitespace();
            if white && !space && (raw.takes_along() || normalized.takes_along()) {
                continue;
            }
            let pair = images.pairs.iter().any(|&(first, _)| first == byte);
            let alone = words.isolated && image.is_ascii_punctuation();
            let flags = [(space, SPACE), (pair, PAIR), (alone, ALONE), (raw.begins(byte), TOKEN)];
            let flags = flags.iter().filter(|(set, _)| *set).fold(0, |sum, (_, flag)| sum | flag);
            table[usize::from(byte)] = flags | u16::from(image);
        }
        Some(Self { table, pairs: images.pairs, single: images.single.is_some(), broken: words.broken, mark })
    }

    /// Cuts a text into pieces, and says whether that could be done; if not, some ids may have gone to `sink`.
    pub(crate) fn encode(
        &self,
        text: &[u8],
        raw: &Added,
        model: &Model,
        scratch: &mut Scratch,
        sink: &mut Sink<'_>,
    ) -> bool {
        let Scratch { word, cache, .. } = scratch;
        let mark = self.mark.as_bytes();
        let (mut at, mut inside, mut spaced) = (0, false, false);
        while let Some(&byte) = text.get(at) {
            let entry = self.table[usize::from(byte)];
            if entry & ODD != 0 {
                return false;
            }
            if entry & TOKEN != 0
                && let Some((token, length)) = raw.longest(&text[at..])
            {
                if !token.is_plain() {
                    return false;
                }
                if inside {
                    finish(word, cache, model, mark, sink);
                }
                sink.push(token.id);
                (inside, spaced) = (false, false);
                at += length;
                if sink.is_full() {
                    return true;
                }
                continue;
            }
            let next = text.get(at + 1).copied();
            if entry & PAIR != 0 && next.is_some_and(|next| self.pairs.contains(&(byte, next))) {
                return false;
            }
            if entry & SPACE != 0 {
                if next.is_some_and(|next| !next.is_ascii()) {
                    return false;
                }
                at += 1;
                if self.single && spaced {
                    continue;
                }
                if inside {
                    finish(word, cache, model, mark, sink);
                    // A space alone is no word yet: a token that follows may take it along.
                    if !spaced && sink.is_full() {
                        return true;
                    }
                }
                inside = !self.broken;
                spaced = true;
                if inside {
                    word.text.extend_from_slice(mark);
                }
                continue;
            }
            if entry & ALONE != 0 {
                if next.is_some_and(|next| !next.is_ascii()) {
                    return false;
                }
                if inside {
                    finish(word, cache, model, mark, sink);
                }
                word.text.push(entry as u8);
                finish(word, cache, model, mark, sink);
                (inside, spaced) = (false, false);
                at += 1;
                if sink.is_full() {
                    return true;
                }
                continue;
            }
            if !inside {
                word.text.extend_from_slice(mark);
                inside = true;
            }
            spaced = false;
            // This character, and those behind it that have no flags.
            let plain =
                text[at + 1..].iter().take(MAX_WORD).take_while(|&&byte| self.table[usize::from(byte)] < 256).count();
            let run = &text[at..=at + plain];
            word.text.extend(run.iter().map(|&byte| self.table[usize::from(byte)] as u8));
            if word.text.len() > MAX_WORD {
                return false;
            }
            at += run.len();
        }
        if inside {
            finish(word, cache, model, mark, sink);
        }
        true
    }
}

/// What has become of each ASCII character after some steps.
struct Images {
    /// One ASCII character, or something that depends on more.
    of: [Option<u8>; 128],
    pairs: Vec<(u8, u8)>,
    /// The characters that were spaces when many spaces became one.
    single: Option<AsciiSet>,
}

impl Images {
    fn new() -> Self {
        Self { of: std::array::from_fn(|byte| Some(byte as u8)), pairs: Vec::new(), single: None }
    }

    fn spaces(&self) -> AsciiSet {
        let mut spaces = AsciiSet::NONE;
        (0..).zip(&self.of).filter(|&(_, image)| *image == Some(b' ')).for_each(|(byte, _)| spaces.insert(byte));
        spaces
    }

    /// Replaces every image by what `step` makes of it.
    fn map(&mut self, step: impl Fn(u8) -> Option<u8>) {
        self.of.iter_mut().for_each(|image| *image = image.and_then(&step));
    }

    /// Takes one more step, or finds that it looks too far.
    fn follow(&mut self, step: &Normalizer) -> Option<()> {
        let single = |text: &str| text.bytes().next().filter(|byte| text.len() == 1 && byte.is_ascii());
        match step {
            Normalizer::Replace { pattern: Pattern::Text(pattern), content } => match *pattern.as_bytes() {
                // It is not found in ASCII.
                _ if !pattern.is_ascii() => {}
                _ if pattern.contains(' ') => return None,
                [from] => self.map(|image| if image == from { single(content) } else { Some(image) }),
                [first, second, ..] => {
                    let from = |wanted| {
                        (0_u8..).zip(&self.of).filter(move |(_, image)| **image == Some(wanted)).map(|(byte, _)| byte)
                    };
                    let pairs: Vec<_> = from(first).flat_map(|a| from(second).map(move |b| (a, b))).collect();
                    self.pairs.extend(pairs);
                }
                [] => return None,
            },
            Normalizer::Replace { pattern: Pattern::Spaces, content } => {
                if content != " " || self.single.is_some_and(|spaces| spaces != self.spaces()) {
                    return None;
                }
                self.single = Some(self.spaces());
            }
            // None of these changes an ASCII character among others.
            Normalizer::Nfc | Normalizer::Nfd | Normalizer::Nfkc | Normalizer::Nfkd | Normalizer::StripAccents => {}
            Normalizer::Lowercase => self.map(|image| Some(image.to_ascii_lowercase())),
            Normalizer::Nmt => self.map(|image| nmt(char::from(image)).map(|c| c as u8)),
            // Accents and Chinese characters are not ASCII.
            Normalizer::Bert(bert) => self.map(|image| {
                let image = bert.clean(char::from(image))? as u8;
                Some(if bert.lowercase { image.to_ascii_lowercase() } else { image })
            }),
            // Of two ASCII characters only a line end is one grapheme.
            Normalizer::Charsmap(map) => self.map(|image| match map.of(&[image]) {
                _ if image == b'\r' => None,
                Some(text) => single(text),
                None => Some(image),
            }),
            // These look at the ends of a text.
            Normalizer::Strip { .. } | Normalizer::Prepend(_) => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subword::added_tokens::AddedToken;
    use crate::subword::models::unigram::Unigram;
    use crate::subword::pre_tokenizers::PreTokenizer;

    fn replace(pattern: &str, content: &str) -> Normalizer {
        Normalizer::Replace { pattern: Pattern::Text(pattern.into()), content: content.into() }
    }

    fn spaces(content: &str) -> Normalizer {
        Normalizer::Replace { pattern: Pattern::Spaces, content: content.into() }
    }

    fn added(tokens: &[AddedToken]) -> Added {
        Added::new(tokens.iter().zip(7..).map(|(token, id)| (token, id, token.content.clone())), false)
    }

    fn path(steps: &[Normalizer], tokens: &[AddedToken]) -> Option<AsciiPath> {
        let metaspace = PreTokenizer::Metaspace { replacement: '▁', prepend: Prepend::Always, split: true };
        AsciiPath::new(steps, &Words::new(&[metaspace]), &added(tokens), &added(&[]))
    }

    /// Whether a text goes this way, with the usual steps and tokens.
    fn goes(text: &str) -> bool {
        let steps = [replace("''", "\""), Normalizer::Nfkd, Normalizer::Lowercase, Normalizer::Nmt, spaces(" ")];
        let mask = AddedToken { lstrip: true, ..AddedToken::special("[MASK]") };
        let tokens = [mask, AddedToken::special("<pad>")];
        let model = Model::Unigram(Unigram::new(vec![("?".into(), 0.0)], 0, false));
        path(&steps, &tokens).is_some_and(|path| {
            let mut ids = Vec::new();
            let mut sink = Sink::new(&mut ids, usize::MAX, false);
            path.encode(text.as_bytes(), &added(&tokens), &model, &mut Scratch::new(), &mut sink)
        })
    }

    #[test]
    fn plain_texts_go_this_way() {
        for text in ["", "Oil prices, it's said.", "  a  b ", "<pad><pa", "[mask]", "a\tb"] {
            assert!(goes(text), "{text:?}");
        }
    }

    #[test]
    fn odd_texts_do_not() {
        for text in ["é", "a \u{301}", "''", "x [MASK]", "a\x01b", &"a".repeat(MAX_WORD + 1)] {
            assert!(!goes(text), "{text:?}");
        }
    }

    #[test]
    fn steps_that_look_further_have_no_such_way() {
        assert!(path(&[], &[]).is_some());
        assert!(path(&[replace("ab", " "), replace("é", "a b")], &[]).is_some());
        for step in [replace("a ", "b"), replace(" ", "b"), spaces(""), Normalizer::Prepend("x".into())] {
            assert!(path(std::slice::from_ref(&step), &[]).is_none(), "{step:?}");
        }
        assert!(path(&[spaces(" "), Normalizer::Nmt], &[]).is_none(), "new spaces would not be one");
        assert!(path(&[spaces(" "), Normalizer::Nmt, spaces(" ")], &[]).is_none());
        assert!(path(&[Normalizer::Nmt, spaces(" ")], &[]).is_some());
    }
}
