//! From Java's syntax to that of the engine.
//!
//! The translation says everything in the simplest terms that both share: flags are resolved where they apply, every
//! class of characters becomes a list of ranges, every anchor says which characters it looks at. So no default of the
//! engine can give a pattern another meaning than Java gives it.

use super::char_set::CharSet;
use super::class;
use super::reader::{Flags, Translator};

/// The longest translation, in bytes: some four hundred sets of letters. What a repetition with a count repeats is
/// counted as often as it is repeated, since the engine compiles it as often.
const LONGEST: usize = 4 << 20;
/// The largest count of a repetition.
const LARGEST_COUNT: u32 = 10_000;

/// The end of input, or what is before its last line terminator.
const BEFORE_LAST_LINE_END: &str = r"(?:\z|(?=\r\n\z)|(?<!\r)(?=\n\z)|(?=[\r\x{85}\x{2028}\x{2029}]\z))";
/// The end of any line.
const LINE_END: &str = r"(?:\z|(?=[\r\x{85}\x{2028}\x{2029}])|(?<!\r)(?=\n))";
/// The start of any line, but not the end of input.
const LINE_START: &str = r"(?:(?!\z)(?:\A|(?<=[\n\x{85}\x{2028}\x{2029}])|(?<=\r)(?!\n)))";
/// Any line terminator.
const LINE_BREAK: &str = r"(?:\r\n|[\n\x{b}\f\r\x{85}\x{2028}\x{2029}])";

/// The pattern for the engine, and how many groups it captures.
pub(super) fn translate(pattern: &str) -> Result<(String, usize), String> {
    let mut translator = Translator::new(pattern);
    let translated = translator.alternatives()?;
    match translator.peek() {
        None => Ok((translated, translator.groups)),
        Some(c) => Err(format!("there is a {c:?} without its opening at character {}", translator.at)),
    }
}

impl Translator {
    /// Refuses a translation before it fills the memory, here or in the engine.
    fn check_length(&self, translated: &str) -> Result<(), String> {
        if translated.len().saturating_add(self.unrolled) > LONGEST {
            return Err("it names too many large sets of characters, or repeats what it names too often".to_owned());
        }
        Ok(())
    }

    fn alternatives(&mut self) -> Result<String, String> {
        let mut out = self.sequence()?;
        while self.take('|') {
            out.push('|');
            out += &self.sequence()?;
            self.check_length(&out)?;
        }
        Ok(out)
    }

    fn sequence(&mut self) -> Result<String, String> {
        let mut out = String::new();
        while let Some(c) = self.peek() {
            if !self.quoting && (c == '|' || c == ')') {
                break;
            }
            let unrolled = self.unrolled;
            let atom = self.atom()?;
            out += &self.repeated(atom, unrolled)?;
            self.check_length(&out)?;
        }
        Ok(out)
    }

    /// One thing that can be repeated.
    fn atom(&mut self) -> Result<String, String> {
        let quoted = self.peek().is_some() && self.quoting;
        let Some(c) = self.next() else { return Ok(String::new()) };
        if quoted {
            return Ok(self.literal(c));
        }
        match c {
            '(' => self.deeper(Self::group),
            '[' => Ok(class::parse(self)?.to_class()),
            '.' => Ok(self.dot()),
            '^' => Ok(if self.flags.multiline { LINE_START.to_owned() } else { r"\A".to_owned() }),
            '$' => Ok(if self.flags.multiline { LINE_END } else { BEFORE_LAST_LINE_END }.to_owned()),
            '\\' => self.escape(),
            '*' | '+' | '?' => Err(format!("there is nothing to repeat before the {c:?} at character {}", self.at - 1)),
            '{' => Err(format!("the repetition at character {} is none", self.at - 1)),
            c => Ok(self.literal(c)),
        }
    }

    fn dot(&self) -> String {
        let excluded = match (self.flags.dot_all, self.flags.unix_lines) {
            (true, _) => return CharSet::all().to_class(),
            (false, true) => CharSet::of(['\n']),
            (false, false) => CharSet::of(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']),
        };
        excluded.negated().to_class()
    }

    fn literal(&self, c: char) -> String {
        CharSet::of([c]).folded(self.flags).to_class()
    }

    /// What a quantifier behind `atom` makes of it. Before it, repetitions had added `unrolled` bytes.
    fn repeated(&mut self, atom: String, unrolled: usize) -> Result<String, String> {
        let Some(sign) = self.sign() else { return Ok(atom) };
        let (count, times) = match sign {
            '*' | '+' | '?' => {
                self.at += 1;
                (sign.to_string(), 1)
            }
            '{' => self.count()?,
            _ => return Ok(atom),
        };
        let once = atom.len() + (self.unrolled - unrolled);
        self.unrolled = self.unrolled.saturating_add(once.saturating_mul(times - 1));
        let kind = self.sign().filter(|sign| matches!(sign, '?' | '+'));
        self.at += usize::from(kind.is_some());
        if let Some(again @ ('*' | '+' | '?')) = self.sign() {
            return Err(format!("there is nothing to repeat before the {again:?} at character {}", self.at));
        }
        Ok(match kind {
            Some('?') => format!("(?:{atom}){count}?"),
            Some(_) => format!("(?>(?:{atom}){count})"),
            None => format!("(?:{atom}){count}"),
        })
    }

    /// The next character, unless it is quoted.
    fn sign(&mut self) -> Option<char> {
        let c = self.peek();
        c.filter(|_| !self.quoting)
    }

    /// `{n}`, `{n,}` or `{n,m}`, and how often the engine writes out what is repeated, at least 1.
    fn count(&mut self) -> Result<(String, usize), String> {
        let start = self.at;
        let bad = || format!("the repetition at character {start} is none");
        self.at += 1;
        let least = self.number()?.ok_or_else(bad)?;
        let most = if self.looking_at(",") {
            self.at += 1;
            self.number()?
        } else {
            Some(least)
        };
        if self.raw() != Some('}') || most.is_some_and(|most| most < least) {
            return Err(bad());
        }
        let written = match most {
            Some(most) if most == least => format!("{{{least}}}"),
            Some(most) => format!("{{{least},{most}}}"),
            None => format!("{{{least},}}"),
        };
        Ok((written, most.unwrap_or(least).max(1) as usize))
    }

    fn number(&mut self) -> Result<Option<u32>, String> {
        let mut number = None;
        while let Some(digit) = self.chars.get(self.at).and_then(|c| c.to_digit(10)) {
            let value = number.unwrap_or(0_u32) * 10 + digit;
            if value > LARGEST_COUNT {
                return Err(format!("a repetition of more than {LARGEST_COUNT} is not supported"));
            }
            number = Some(value);
            self.at += 1;
        }
        Ok(number)
    }

    /// What follows an opening bracket, up to its closing one.
    fn group(&mut self) -> Result<String, String> {
        let outer = self.flags;
        let kinds = ["?:", "?=", "?!", "?>", "?<=", "?<!"];
        if let Some(kind) = kinds.into_iter().find(|kind| self.looking_at(kind)) {
            self.at += kind.len();
            let inner = self.alternatives()?;
            return self.close(outer, format!("({kind}{inner})"));
        }
        if !self.looking_at("?") || self.quoting {
            return self.capture(outer);
        }
        self.at += 1;
        if self.looking_at("<") {
            self.at += 1;
            let name = self.name('>')?;
            if self.names.iter().any(|(known, _)| *known == name) {
                return Err(format!("there are two groups {name:?}"));
            }
            self.names.push((name, self.groups + 1));
            return self.capture(outer);
        }
        self.embedded_flags()?;
        match self.raw() {
            // Flags alone hold up to the end of the group around them.
            Some(')') => Ok(String::new()),
            Some(':') => {
                let inner = self.alternatives()?;
                self.close(outer, format!("(?:{inner})"))
            }
            _ => Err(format!("the group at character {} is of no known kind", self.at)),
        }
    }

    fn capture(&mut self, outer: Flags) -> Result<String, String> {
        self.groups += 1;
        let group = self.groups;
        let inner = self.alternatives()?;
        self.closed.push(group);
        self.close(outer, format!("({inner})"))
    }

    fn close(&mut self, outer: Flags, group: String) -> Result<String, String> {
        if !self.take(')') {
            return Err("a group is not closed".to_owned());
        }
        self.flags = outer;
        Ok(group)
    }

    /// The name of a group, up to `end`.
    fn name(&mut self, end: char) -> Result<String, String> {
        let mut name = String::new();
        loop {
            match self.raw() {
                Some(c) if c == end && !name.is_empty() => return Ok(name),
                Some(c) if c.is_ascii_alphabetic() || c.is_ascii_digit() && !name.is_empty() => name.push(c),
                _ => return Err("the name of a group is none".to_owned()),
            }
        }
    }

    fn embedded_flags(&mut self) -> Result<(), String> {
        let mut on = true;
        while let Some(c) = self.chars.get(self.at).copied() {
            match c {
                'i' => self.flags.ignore_case = on,
                'u' => self.flags.unicode_case = on,
                'x' => self.flags.comments = on,
                'd' => self.flags.unix_lines = on,
                'm' => self.flags.multiline = on,
                's' => self.flags.dot_all = on,
                'U' => {
                    self.flags.unicode_classes = on;
                    self.flags.unicode_case = on || self.flags.unicode_case;
                }
                '-' if on => on = false,
                ')' | ':' => return Ok(()),
                c => return Err(format!("there is no flag {c:?}")),
            }
            self.at += 1;
        }
        Err("a group is not closed".to_owned())
    }

    /// What follows a backslash outside of a class.
    fn escape(&mut self) -> Result<String, String> {
        let Some(c) = self.chars.get(self.at).copied() else { return Err("it ends in a backslash".to_owned()) };
        let simple = match c {
            'A' => r"\A".to_owned(),
            'z' => r"\z".to_owned(),
            'Z' => BEFORE_LAST_LINE_END.to_owned(),
            'G' => r"\G".to_owned(),
            'R' => LINE_BREAK.to_owned(),
            'b' if !self.looking_at("b{") => class::word_boundary(self.flags, true),
            'B' => class::word_boundary(self.flags, false),
            '1'..='9' => return self.reference(),
            'k' => return self.named_reference(),
            'E' => return Err(r"there is a \E without its \Q".to_owned()),
            _ => return Ok(class::escape(self)?.to_class()),
        };
        self.at += 1;
        Ok(simple)
    }

    /// `\1`, of as many digits as there are groups for.
    fn reference(&mut self) -> Result<String, String> {
        let mut group = 0;
        while let Some(digit) = self.chars.get(self.at).and_then(|c| c.to_digit(10)) {
            let longer = group * 10 + digit as usize;
            if group > 0 && longer > self.groups {
                break;
            }
            group = longer;
            self.at += 1;
        }
        self.refer(group, &format!("\\{group}"))
    }

    fn named_reference(&mut self) -> Result<String, String> {
        self.at += 1;
        if self.raw() != Some('<') {
            return Err(r"\k is not followed by the name of a group".to_owned());
        }
        let name = self.name('>')?;
        match self.names.iter().find(|(known, _)| *known == name) {
            Some((_, group)) => self.refer(*group, &format!("\\k<{name}>")),
            None => Err(format!("there is no group {name:?}")),
        }
    }

    fn refer(&self, group: usize, written: &str) -> Result<String, String> {
        if !self.closed.contains(&group) {
            return Err(format!("{written} refers to a group that is not complete before it"));
        }
        if self.flags.ignore_case {
            return Err(format!("{written} with the flag i is not supported"));
        }
        // In a group of its own, so that no digit behind it is taken for its own.
        Ok(format!("(?:\\{group})"))
    }
}
