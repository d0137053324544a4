//! JSON that a person can read: a line for each key, and one for each element of a list of lists or objects.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// How deep lines are broken: keys, and the elements of their lists.
const DEPTH: usize = 2;

/// The JSON of a value, with a line break at its end.
pub(crate) fn lines(value: &impl Serialize) -> serde_json::Result<String> {
    let mut out = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut out, Lines { depth: 0 }))?;
    out.push(b'\n');
    String::from_utf8(out).map_err(serde::ser::Error::custom)
}

/// An object on one line, its keys in this order; they need no escapes.
pub(crate) fn object(pairs: &[(&str, Value)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", pairs.join(","))
}

struct Lines {
    depth: usize,
}

impl Lines {
    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        out.write_all(bracket)
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.depth < DEPTH {
            write!(out, "\n{:width$}", "", width = 2 * self.depth)?;
        }
        out.write_all(bracket)
    }

    fn next<W: ?Sized + Write>(&self, out: &mut W, first: bool) -> io::Result<()> {
        match (self.depth <= DEPTH, first) {
            (true, _) => write!(out, "{}\n{:width$}", if first { "" } else { "," }, "", width = 2 * self.depth),
            (false, true) => Ok(()),
            (false, false) => out.write_all(b", "),
        }
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    #[test]
    fn rows_of_a_matrix_are_lines() {
        let text = super::lines(&json!({"a": 1.5, "b": [[1, 2], [3, 4]], "c": [{"d": [1, 2], "e": "x"}]})).unwrap();
        let expected = "{\n  \"a\": 1.5,\n  \"b\": [\n    [1, 2],\n    [3, 4]\n  ],\n  \"c\": [\n    {\"d\": [1, 2], \"e\": \"x\"}\n  ]\n}\n";
        assert_eq!(text, expected);
    }
}
