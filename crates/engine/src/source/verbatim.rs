//! JSON values that are kept as they are written: put in quotes, the decoder takes them for texts.

use std::collections::HashSet;

/// The columns whose values a decoder cannot read as they are, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Verbatim {
    /// Every value is kept as it is written.
    pub(super) all: HashSet<String>,
    /// Lists and objects are; other values are texts, or numbers that become texts.
    pub(super) nested: HashSet<String>,
}

impl Verbatim {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.nested.is_empty()
    }

    fn keeps(&self, name: &str, value: &[u8]) -> bool {
        value != b"null"
            && (self.all.contains(name)
                || (self.nested.contains(name) && value.starts_with(b"[") | value.starts_with(b"{")))
    }
}

/// The JSON object `line` with the values that `verbatim` keeps turned into JSON strings of their text; null stays null.
/// Nothing if `line` is not an object; what is within its values is not checked.
pub(super) fn quote(line: &[u8], verbatim: &Verbatim) -> Option<Vec<u8>> {
    let mut quoted = Vec::with_capacity(line.len() + line.len() / 4);
    let mut rest = Scanner { line, at: 0 };
    rest.skip(b'{')?;
    quoted.push(b'{');
    while rest.peek()? != b'}' {
        let key = rest.value()?;
        let name: String = serde_json::from_slice(key).ok()?;
        rest.skip(b':')?;
        let value = rest.value()?;
        quoted.extend_from_slice(key);
        quoted.push(b':');
        if verbatim.keeps(&name, value) {
            serde_json::to_writer(&mut quoted, std::str::from_utf8(value).ok()?).ok()?;
        } else {
            quoted.extend_from_slice(value);
        }
        if rest.peek()? == b',' {
            rest.skip(b',')?;
            quoted.push(b',');
        }
    }
    rest.skip(b'}')?;
    quoted.push(b'}');
    rest.peek().is_none().then_some(quoted)
}

/// A place in a line of JSON.
struct Scanner<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        while self.line.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        self.line.get(self.at).copied()
    }

    fn skip(&mut self, expected: u8) -> Option<()> {
        (self.peek()? == expected).then(|| self.at += 1)
    }

    /// The next value, from its first byte to its last.
    fn value(&mut self) -> Option<&'a [u8]> {
        self.peek()?;
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match *self.line.get(self.at)? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                // The end of what the value is in.
                b'}' | b']' | b',' | b':' if depth == 0 => break,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
        let value = self.line.get(start..self.at)?.trim_ascii_end();
        (!value.is_empty()).then_some(value)
    }

    /// Moves over a string.
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match *self.line.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn quoted(line: &str) -> Option<String> {
        let verbatim = Verbatim { all: ["c", "d\"e"].map(str::to_owned).into(), nested: ["m".to_owned()].into() };
        quote(line.as_bytes(), &verbatim).map(|line| String::from_utf8(line).unwrap())
    }

    #[test]
    fn only_the_named_values_are_quoted() {
        let line = r#" { "a" : [1, {"c":2}] , "c" : { "x": "}\"", "y" : [1 ,2] } , "d\"e":1.50,"\u0063":null } "#;
        let expected = r#"{"a":[1, {"c":2}],"c":"{ \"x\": \"}\\\"\", \"y\" : [1 ,2] }","d\"e":"1.50","\u0063":null}"#;
        assert_eq!(quoted(line).unwrap(), expected);
        assert_eq!(quoted("{}").unwrap(), "{}");
        assert_eq!(quoted(r#"{"m":[1],"m":"[1]","m":2}"#).unwrap(), r#"{"m":"[1]","m":"[1]","m":2}"#);
    }

    #[test]
    fn what_is_no_object_is_nothing() {
        for line in
            ["", "{", "[1]", "7", "{\"c\"", "{\"c\":", "{\"c\":1", "{\"c\":1}{}", "{\"c\":\"", "{\"c\\", "{,}", "{:}"]
        {
            assert_eq!(quoted(line), None, "{line}");
        }
    }
}
