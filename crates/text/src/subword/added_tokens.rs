//! Tokens that are found in a text as they are written, before it is cut into words.
//!
//! Matches are the longest ones from left to right. A token can take the white space around it along, or be found only
//! where no word character touches it.

use crate::subword::models::trie::Trie;

/// Text is handed on in parts of this many bytes.
pub(crate) const PART_BYTES: usize = 4 << 10;

/// A piece that is found in the raw text as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AddedToken {
    pub(crate) content: String,
    /// Found only where no word character touches it.
    pub(crate) single_word: bool,
    /// Takes the white space before it along.
    pub(crate) lstrip: bool,
    /// Takes the white space behind it along.
    pub(crate) rstrip: bool,
    /// Found in the normalised text instead.
    pub(crate) normalized: bool,
    pub(crate) special: bool,
}

impl AddedToken {
    /// A special piece, found as it is written.
    pub(crate) fn special(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: true,
        }
    }
}

/// Tokens to look for.
#[derive(Debug)]
pub(crate) struct Added {
    tokens: Vec<Token>,
    trie: Trie,
    /// The bytes that tokens begin with.
    first: Vec<bool>,
    /// Whether some token takes the white space before it along.
    lstrip: bool,
}

/// What is known of a token that is found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) id: u32,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    /// Whether it is found, and is ordinary text all the same.
    ignored: bool,
}

impl Token {
    /// Whether it is always found, and takes nothing along.
    pub(crate) fn is_plain(self) -> bool {
        !(self.single_word || self.lstrip || self.rstrip || self.ignored)
    }
}

impl Added {
    /// Tokens with their ids and the texts that are looked for. One whose text is empty is never found. Special ones are ordinary text if `split_special`.
    pub(crate) fn new<'t>(found: impl Iterator<Item = (&'t AddedToken, u32, String)>, split_special: bool) -> Self {
        let mut found: Vec<_> = found.filter(|(.., text)| !text.is_empty()).collect();
        // Of two tokens with the same text the one with the smaller id is found, so it comes last.
        found.sort_by_key(|&(_, id, _)| std::cmp::Reverse(id));
        let texts: Vec<&str> = found.iter().map(|(.., text)| text.as_str()).collect();
        let mut first = vec![false; 256];
        texts.iter().filter_map(|text| text.bytes().next()).for_each(|byte| first[usize::from(byte)] = true);
        let token = |&(token, id, _): &(&AddedToken, u32, String)| Token {
            id,
            single_word: token.single_word,
            lstrip: token.lstrip,
            rstrip: token.rstrip,
            ignored: split_special && token.special,
        };
        Self {
            trie: Trie::new(&texts),
            first,
            lstrip: found.iter().any(|(token, ..)| token.lstrip),
            tokens: found.iter().map(token).collect(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Whether some token begins with this byte.
    pub(crate) fn begins(&self, byte: u8) -> bool {
        self.first[usize::from(byte)]
    }

    /// Whether some token takes the white space before it along.
    pub(crate) fn takes_along(&self) -> bool {
        self.lstrip
    }

    /// The longest token that `text` begins with, and its length.
    #[inline]
    pub(crate) fn longest(&self, text: &[u8]) -> Option<(Token, usize)> {
        let (at, length) = self.trie.longest(text)?;
        Some((self.tokens[at as usize], length))
    }

    /// The parts of a text, in order.
    pub(crate) fn split<'a>(&'a self, text: &'a str) -> Parts<'a> {
        Parts { added: self, text, from: 0, handed_on: 0, at: 0, open: false, next: None }
    }
}

/// A part of a text.
#[derive(Debug, PartialEq)]
pub(crate) enum Part<'a> {
    /// Text between tokens, which begins at this byte and may go on in the next part unless this is its last.
    Text { text: &'a str, at: usize, last: bool },
    /// A token and where it stands, with what it takes along.
    Token { id: u32, start: usize, end: usize },
}

/// Walks a text.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    added: &'a Added,
    text: &'a str,
    /// Where the last token ends.
    from: usize,
    /// Up to here the text has been handed on.
    handed_on: usize,
    /// Here the search goes on.
    at: usize,
    /// Whether some of the text before the next token has been handed on.
    open: bool,
    /// A token that waits for the text before it.
    next: Option<(u32, usize, usize)>,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        if let Some((id, start, end)) = self.next.take() {
            return Some(Part::Token { id, start, end });
        }
        let mut size = PART_BYTES;
        loop {
            let end = self.text.floor_char_boundary(self.at.saturating_add(size).min(self.text.len()));
            if let Some((id, start, end)) = self.search(end) {
                let (text, at) = (self.text.get(self.handed_on..start).unwrap_or_default(), self.handed_on);
                (self.from, self.handed_on) = (end, end);
                if text.is_empty() && !self.open {
                    return Some(Part::Token { id, start, end });
                }
                self.open = false;
                self.next = Some((id, start, end));
                return Some(Part::Text { text, at, last: true });
            }
            if self.at == self.text.len() {
                let (text, at) = (self.text.get(self.handed_on..).unwrap_or_default(), self.handed_on);
                self.handed_on = self.text.len();
                let open = std::mem::take(&mut self.open);
                return (open || !text.is_empty()).then_some(Part::Text { text, at, last: true });
            }
            let mut text = self.text.get(self.handed_on..self.at).unwrap_or_default();
            if self.added.lstrip {
                // The next token may take this white space along.
                text = text.trim_end();
            }
            if !text.is_empty() {
                let at = self.handed_on;
                self.handed_on += text.len();
                self.open = true;
                return Some(Part::Text { text, at, last: false });
            }
            // Growing steps keep the work linear where white space has no end.
            size *= 2;
        }
    }
}

impl Parts<'_> {
    /// The next token that begins before `end`, and where it stands.
    fn search(&mut self, end: usize) -> Option<(u32, usize, usize)> {
        let bytes = self.text.as_bytes();
        while self.at < end {
            if !self.added.begins(bytes[self.at]) {
                self.at += 1;
                continue;
            }
            let Some((token, length)) = self.added.longest(&bytes[self.at..]) else {
                self.at += 1;
                continue;
            };
            let (mut start, mut stop) = (self.at, self.at + length);
            self.at = stop;
            let (before, behind) = (&self.text[..start], &self.text[stop..]);
            let touched =
                || before.chars().next_back().is_some_and(is_word) || behind.chars().next().is_some_and(is_word);
            if token.ignored || token.single_word && touched() {
                continue;
            }
            if token.lstrip {
                start = before.trim_end().len().max(self.from);
            }
            if token.rstrip {
                stop += behind.len() - behind.trim_start().len();
            }
            // The token before may have taken all of it along.
            if start < stop {
                return Some((token.id, start, stop));
            }
        }
        None
    }
}

/// Whether regular expressions call this a word character (`\w`).
fn is_word(c: char) -> bool {
    regex_syntax::try_is_word_character(c).unwrap_or_else(|_| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(tokens: &[AddedToken], text: &str) -> Vec<(Option<u32>, String)> {
        let added = Added::new(tokens.iter().zip(0..).map(|(token, id)| (token, id, token.content.clone())), false);
        let part = |part: Part<'_>| match part {
            Part::Token { id, start, end } => (Some(id), text[start..end].to_owned()),
            Part::Text { text, .. } => (None, text.to_owned()),
        };
        added.split(text).map(part).collect()
    }

    fn text(text: &str) -> (Option<u32>, String) {
        (None, text.into())
    }

    #[test]
    fn the_longest_at_the_first_place() {
        let tokens = [AddedToken::special("a"), AddedToken::special("ab"), AddedToken::special("bc")];
        let found = [text("x"), (Some(1), "ab".into()), text("c"), (Some(2), "bc".into()), (Some(0), "a".into())];
        assert_eq!(parts(&tokens, "xabcbca"), found);
        assert_eq!(parts(&tokens, ""), []);
        assert_eq!(parts(&[], "xy"), [text("xy")]);
    }

    #[test]
    fn white_space_is_taken_along() {
        let left = AddedToken { lstrip: true, ..AddedToken::special("<l>") };
        let right = AddedToken { rstrip: true, ..AddedToken::special("<r>") };
        let tokens = [left, right];
        let found =
            [text("a"), (Some(0), " \t<l>".into()), text(" b"), (Some(1), "<r>  ".into()), (Some(0), "<l>".into())];
        assert_eq!(parts(&tokens, "a \t<l> b<r>  <l>"), found);
        let spaces = " ".repeat(3 * PART_BYTES) + "<l>";
        assert_eq!(parts(&tokens, &spaces), [(Some(0), spaces.clone())]);
    }

    #[test]
    fn single_words_stand_alone() {
        let tokens = [AddedToken { single_word: true, ..AddedToken::special("ab") }];
        assert_eq!(parts(&tokens, "ab,xab"), [(Some(0), "ab".into()), text(",xab")]);
    }
}
