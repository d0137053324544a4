//! How a normalised text is broken into words, each of which is cut into pieces alone.

use crate::subword::characters::CharClass;

/// One way of breaking a text into words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PreTokenizer {
    Whitespace,
    /// BERT's: at white space, which goes, and around every character of punctuation.
    Bert,
    /// Spaces become `replacement`, and a word begins at each of them if `split`.
    Metaspace {
        replacement: char,
        prepend: Prepend,
        split: bool,
    },
}

/// Where a metaspace puts a marker that the text does not have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Prepend {
    Always,
    First,
    Never,
}

/// The steps in one. There is at most one metaspace among them, and none beside BERT's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Words {
    /// Whether the text is broken at white space before anything else, which goes.
    pub(crate) broken: bool,
    pub(crate) metaspace: Option<Metaspace>,
    /// Whether words are broken at white space once more, behind the metaspace.
    pub(crate) broken_again: bool,
    /// Whether the text is broken at white space and punctuation characters are words.
    pub(crate) isolated: bool,
}

/// Spaces become `mark`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Metaspace {
    pub(crate) mark: char,
    pub(crate) prepend: Prepend,
    /// Whether a word begins at every mark.
    pub(crate) split: bool,
}

impl Words {
    pub(crate) fn new(steps: &[PreTokenizer]) -> Self {
        let mut words = Self { broken: false, metaspace: None, broken_again: false, isolated: false };
        for step in steps {
            match *step {
                PreTokenizer::Whitespace if words.metaspace.is_none() => words.broken = true,
                PreTokenizer::Whitespace => words.broken_again = true,
                PreTokenizer::Bert => (words.broken, words.isolated) = (true, true),
                PreTokenizer::Metaspace { replacement: mark, prepend, split } => {
                    words.metaspace = Some(Metaspace { mark, prepend, split });
                }
            }
        }
        words
    }

    /// The mark that is put before a stretch of text that does not begin with it, if one is.
    pub(crate) fn prepended(&self) -> Option<char> {
        self.metaspace.filter(|metaspace| metaspace.prepend != Prepend::Never).map(|metaspace| metaspace.mark)
    }

    /// Walks the next part of a normalised text. `inside` says whether the stretch it continues has begun, and is
    /// false at the beginning of a text.
    ///
    /// `word` is handed the parts of words, and nothing where a word ends if it has begun; it says whether that is
    /// enough.
    pub(crate) fn walk(&self, text: &str, inside: &mut bool, mut word: impl FnMut(Option<&str>) -> bool) -> bool {
        if self.isolated {
            return isolate(text, word);
        }
        let (mark, split) = match self.metaspace {
            Some(metaspace) => (metaspace.mark, metaspace.split),
            None => (' ', false),
        };
        let mut buffer = [0; 4];
        let mark_text: &str = mark.encode_utf8(&mut buffer);
        // Up to here the text has been handed on.
        let mut done = 0;
        for (at, c) in text.char_indices() {
            let special = c == ' ' || c == mark || (self.broken || self.broken_again) && c.is_whitespace();
            if *inside && !special {
                continue;
            }
            if word(Some(&text[done..at])) {
                return true;
            }
            done = at + c.len_utf8();
            if self.broken && c.is_whitespace() {
                *inside = false;
                if word(None) {
                    return true;
                }
                continue;
            }
            let c = if c == ' ' { mark } else { c };
            let mut put = |c: char, text: &str| {
                if split && c == mark && word(None) {
                    return true;
                }
                if self.broken_again && c.is_whitespace() { word(None) } else { word(Some(text)) }
            };
            if !*inside {
                *inside = true;
                if self.prepended().is_some_and(|mark| c != mark) && put(mark, mark_text) {
                    return true;
                }
            }
            let text = if c == mark { mark_text } else { &text[at..done] };
            if put(c, text) {
                return true;
            }
        }
        word(Some(&text[done..]))
    }
}

/// Walks the next part of a text whose words end at white space and at punctuation.
fn isolate(text: &str, mut word: impl FnMut(Option<&str>) -> bool) -> bool {
    let mut done = 0;
    for (at, c) in text.char_indices() {
        let class = CharClass::of(c);
        if !class.is_space() && !class.is_punctuation() {
            continue;
        }
        if word(Some(&text[done..at])) || word(None) {
            return true;
        }
        done = at + c.len_utf8();
        if class.is_punctuation() && (word(Some(&text[at..done])) || word(None)) {
            return true;
        }
    }
    word(Some(&text[done..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(steps: &[PreTokenizer], parts: &[&str]) -> Vec<String> {
        let (words, mut inside, mut found) = (Words::new(steps), false, vec![String::new()]);
        for part in parts {
            words.walk(part, &mut inside, |word| {
                match word {
                    Some(part) => found.last_mut().into_iter().for_each(|word| word.push_str(part)),
                    None => found.push(String::new()),
                }
                false
            });
        }
        found.retain(|word| !word.is_empty());
        found
    }

    #[test]
    fn words_begin_at_marks() {
        let metaspace = |prepend, split| PreTokenizer::Metaspace { replacement: '▁', prepend, split };
        let always = metaspace(Prepend::Always, true);
        assert_eq!(words(&[always], &["ab c", "d  e▁f "]), ["▁ab", "▁cd", "▁", "▁e", "▁f", "▁"]);
        assert_eq!(words(&[always], &[" ab\tc"]), ["▁ab\tc"]);
        assert_eq!(words(&[metaspace(Prepend::Never, true)], &["ab c"]), ["ab", "▁c"]);
        assert_eq!(words(&[metaspace(Prepend::Always, false)], &["ab c"]), ["▁ab▁c"]);
        assert_eq!(words(&[PreTokenizer::Whitespace, always], &[" ab \u{3000}", "c▁d"]), ["▁ab", "▁c", "▁d"]);
        assert_eq!(words(&[always, PreTokenizer::Whitespace], &["ab\tc d"]), ["▁ab", "c", "▁d"]);
        assert_eq!(words(&[PreTokenizer::Whitespace], &["ab\tc d"]), ["ab", "c", "d"]);
        assert_eq!(words(&[], &["ab c"]), ["ab c"]);
        let bert = words(&[PreTokenizer::Bert], &["a.b\t", "c", "d$«e»\u{3000}", "…\u{301}新"]);
        assert_eq!(bert, ["a", ".", "b", "cd", "$", "«", "e", "»", "…", "\u{301}新"]);
    }
}
