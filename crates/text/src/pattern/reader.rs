//! A pattern in Java's syntax, character by character, with the flags that hold at each.

/// How deep groups and classes may be nested.
const DEEPEST: usize = 100;

/// What embedded flags say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    /// `i`: case does not count, among ASCII letters.
    pub(super) ignore_case: bool,
    /// `u`: nor among any others.
    pub(super) unicode_case: bool,
    /// `U`: `\w` and its kind know all scripts.
    pub(super) unicode_classes: bool,
    /// `x`: white space and comments are no part of the pattern.
    pub(super) comments: bool,
    /// `d`: only a line feed ends a line.
    pub(super) unix_lines: bool,
    /// `m`: `^` and `$` match at every line.
    pub(super) multiline: bool,
    /// `s`: `.` matches everything.
    pub(super) dot_all: bool,
}

/// Reads a pattern from left to right.
pub(super) struct Translator {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    pub(super) depth: usize,
    pub(super) groups: usize,
    /// Groups that are complete, so that they can be referred to.
    pub(super) closed: Vec<usize>,
    pub(super) names: Vec<(String, usize)>,
    pub(super) flags: Flags,
    /// Whether `\Q` is open.
    pub(super) quoting: bool,
    /// How much longer the translation would be if repetitions with a count were written out, in bytes.
    pub(super) unrolled: usize,
}

impl Translator {
    pub(super) fn new(pattern: &str) -> Self {
        Self {
            chars: pattern.chars().collect(),
            at: 0,
            depth: 0,
            groups: 0,
            closed: Vec::new(),
            names: Vec::new(),
            flags: Flags::default(),
            quoting: false,
            unrolled: 0,
        }
    }

    /// The next character; quotation marks, comments and the space between are passed over.
    pub(super) fn peek(&mut self) -> Option<char> {
        loop {
            let c = *self.chars.get(self.at)?;
            if self.quoting {
                if !self.looking_at("\\E") {
                    return Some(c);
                }
                self.quoting = false;
                self.at += 2;
            } else if self.looking_at("\\Q") {
                self.quoting = true;
                self.at += 2;
            } else if self.flags.comments && (c == ' ' || ('\t'..='\r').contains(&c)) {
                self.at += 1;
            } else if self.flags.comments && c == '#' {
                let ends = |c: &char| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
                let length = self.chars[self.at..].iter().position(ends);
                self.at = length.map_or(self.chars.len(), |length| self.at + length);
            } else {
                return Some(c);
            }
        }
    }

    /// Whether the next character is a sign and not a quoted character.
    pub(super) fn at_sign(&mut self, sign: char) -> bool {
        self.peek() == Some(sign) && !self.quoting
    }

    /// Whether the next character is quoted.
    pub(super) fn is_quoting(&self) -> bool {
        self.quoting
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    /// Takes a sign if it is next.
    pub(super) fn take(&mut self, sign: char) -> bool {
        let there = self.at_sign(sign);
        self.at += usize::from(there);
        there
    }

    /// Whether the pattern goes on with exactly these characters.
    pub(super) fn looking_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(offset, c)| self.chars.get(self.at + offset) == Some(&c))
    }

    /// The next character, whatever it is.
    pub(super) fn raw(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    pub(super) fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth == DEEPEST {
            return Err(format!("groups and classes are nested more than {DEEPEST} deep"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }
}
