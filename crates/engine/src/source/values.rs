//! The JSON values of a text in turn: those of each line, the elements of one array, or objects spread over lines.

use memchr::memmem;

use super::bytes::Text;
use super::records::ROW_LIMIT;
use super::window::Window;
use crate::EngineError;

/// A text's values.
pub(super) struct Values {
    window: Window,
    layout: Layout,
    /// The bytes of the value read last that are still in the window.
    used: usize,
    /// The line of the next byte of the window, and of the value read last, from 1.
    at_line: u64,
    line: u64,
}

/// How values follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Lines,
    /// Objects that go on over line ends.
    Spread,
    /// Within an array, before its first element or after another.
    Array {
        first: bool,
    },
    /// After the end of an array.
    Ended,
}

impl Values {
    /// Finds how values follow each other.
    pub(super) fn open(text: Text) -> Result<Self, EngineError> {
        let mut values = Self { window: Window::new(text), layout: Layout::Lines, used: 0, at_line: 1, line: 1 };
        if values.next_byte()? == Some(b'[') {
            values.take(1);
            values.layout = Layout::Array { first: true };
        } else if values.first_object_is_spread()? {
            values.layout = Layout::Spread;
        }
        Ok(values)
    }

    /// The file's name in messages.
    pub(super) fn path(&self) -> &str {
        self.window.path()
    }

    /// The line on which the value read last starts.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Whether the next value would have to be waited for, because a pipe's writer has nothing to say at the moment.
    pub(super) fn would_wait(&self) -> bool {
        let rest = &self.window.bytes()[self.used..];
        let complete = match self.layout {
            Layout::Lines => rest.contains(&b'\n'),
            Layout::Spread => extent(rest.trim_ascii_start()).is_some(),
            Layout::Array { .. } => extent(after_comma(rest)).is_some(),
            Layout::Ended => true,
        };
        !complete && self.window.is_idle()
    }

    /// The next value, or nothing at the end; blank lines are none. Whether it is JSON is not checked.
    pub(super) fn read(&mut self) -> Result<Option<&[u8]>, EngineError> {
        self.take(self.used);
        self.used = 0;
        let length = match self.layout {
            Layout::Lines => self.next_on_line()?,
            Layout::Spread => self.next_spread()?,
            Layout::Array { first } => self.next_element(first)?,
            Layout::Ended => return self.nothing_follows(),
        };
        let Some(length) = length else {
            return if self.layout == Layout::Ended { self.nothing_follows() } else { Ok(None) };
        };
        self.used = length;
        self.line = self.at_line;
        Ok(Some(self.window.bytes()[..length].trim_ascii_end()))
    }

    /// The length of the next line that is not blank, with its line end; or of the first object, if several follow each
    /// other on the line.
    fn next_on_line(&mut self) -> Result<Option<usize>, EngineError> {
        let length = self.next_line()?;
        Ok(length.map(|length| first_of_several(&self.window.bytes()[..length]).unwrap_or(length)))
    }

    /// The length of the next line that is not blank, with its line end.
    fn next_line(&mut self) -> Result<Option<usize>, EngineError> {
        if self.next_byte()?.is_none() {
            return Ok(None);
        }
        self.until(|bytes| memchr::memchr(b'\n', bytes).map(|end| end + 1)).map(Some)
    }

    /// The length of the next object. What is none goes to the end of its line.
    fn next_spread(&mut self) -> Result<Option<usize>, EngineError> {
        match self.next_byte()? {
            None => Ok(None),
            Some(b'{') => self.until(extent).map(Some),
            Some(_) => self.next_line(),
        }
    }

    /// The length of the next element of an array.
    fn next_element(&mut self, first: bool) -> Result<Option<usize>, EngineError> {
        if !first {
            match self.next_byte()? {
                Some(b',') => self.take(1),
                Some(b']') => {}
                Some(_) => return Err(self.fault("a comma or the end of the array is missing here")),
                None => return Err(self.fault("the file ends within its array")),
            }
        }
        match self.next_byte()? {
            Some(b']') => {
                self.take(1);
                self.layout = Layout::Ended;
                return Ok(None);
            }
            None => return Err(self.fault("the file ends within its array")),
            Some(_) => {}
        }
        self.layout = Layout::Array { first: false };
        let length = self.until(extent)?;
        if length == 0 {
            return Err(self.fault("an element of the array is missing here"));
        }
        Ok(Some(length))
    }

    fn nothing_follows(&mut self) -> Result<Option<&[u8]>, EngineError> {
        match self.next_byte()? {
            None => Ok(None),
            Some(_) => Err(self.fault("something follows the end of the array")),
        }
    }

    /// Whether the first object goes on after its first line. A damaged first line does not make it so: the line has to
    /// end where a pretty-printed object can have a line end.
    fn first_object_is_spread(&mut self) -> Result<bool, EngineError> {
        let Some(length) = self.next_line()? else { return Ok(false) };
        let line = self.window.bytes()[..length].trim_ascii_end();
        Ok(line.first() == Some(&b'{')
            && extent(line).is_none()
            && matches!(line.last(), Some(b'{' | b'[' | b',' | b':')))
    }

    /// The length that `find` finds, once enough of the text is in memory; all of it at the end of the text.
    fn until(&mut self, find: impl Fn(&[u8]) -> Option<usize>) -> Result<usize, EngineError> {
        loop {
            let bytes = self.window.bytes();
            if let Some(length) = find(bytes) {
                return Ok(length);
            }
            if self.window.is_last() {
                return Ok(bytes.len());
            }
            if bytes.len() > ROW_LIMIT {
                let (path, line) = (self.path().to_owned(), self.at_line);
                return Err(EngineError::RowTooLarge { path, line, limit: ROW_LIMIT });
            }
            self.window.grow()?;
        }
    }

    /// Moves to the next byte that is not white space.
    fn next_byte(&mut self) -> Result<Option<u8>, EngineError> {
        loop {
            let bytes = self.window.bytes();
            let white = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let found = bytes.get(white).copied();
            self.take(white);
            if found.is_some() || self.window.is_last() {
                return Ok(found);
            }
            self.window.grow()?;
        }
    }

    /// Moves on by `count` bytes of the window.
    fn take(&mut self, count: usize) {
        self.at_line += memchr::memchr_iter(b'\n', &self.window.bytes()[..count]).count() as u64;
        self.window.consume(count);
    }

    fn fault(&self, reason: &str) -> EngineError {
        EngineError::Json { path: self.path().to_owned(), line: self.at_line, reason: reason.to_owned() }
    }
}

/// What follows the comma before an element.
fn after_comma(rest: &[u8]) -> &[u8] {
    let rest = rest.trim_ascii_start();
    rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start()
}

/// The length of the first of several objects on a line. Objects that follow each other look as nothing else does in
/// JSON, so that most lines need not be parsed.
fn first_of_several(line: &[u8]) -> Option<usize> {
    if memmem::find(line, b"}{").or_else(|| memmem::find(line, b"} {")).is_none() || line.first() != Some(&b'{') {
        return None;
    }
    extent(line).filter(|length| line[*length..].trim_ascii_start().first() == Some(&b'{'))
}

/// The length of the JSON value at the start of `bytes`; nothing if it does not end in them.
fn extent(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' => {
                at += 1;
                loop {
                    at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
                    if bytes[at] == b'"' {
                        break;
                    }
                    at += 2;
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return Some(at + 1),
            b'}' | b']' if depth > 1 => depth -= 1,
            // The end of a value that is neither an object nor an array.
            b'}' | b']' | b',' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn values(text: &str) -> Result<Vec<(u64, String)>, String> {
        let mut values = Values::open(Text::of_bytes("t.json", text.into())).map_err(|error| error.to_string())?;
        let mut all = Vec::new();
        while let Some(value) = values.read().map_err(|error| error.to_string())? {
            let value = String::from_utf8(value.to_vec()).unwrap();
            all.push((values.line(), value));
        }
        Ok(all)
    }

    fn found(values: &[(u64, &str)]) -> Result<Vec<(u64, String)>, String> {
        Ok(values.iter().map(|(line, value)| (*line, (*value).to_owned())).collect())
    }

    #[test]
    fn lines_are_values() {
        assert_eq!(values("{\"a\":1}\n\n  \r\n{\"a\":2}\r\n{"), found(&[(1, "{\"a\":1}"), (4, "{\"a\":2}"), (5, "{")]));
        assert_eq!(values("{\"a\":\n7}\n"), found(&[(1, "{\"a\":\n7}")]));
        assert_eq!(values("{\"a\"\n{\"b\":1}\n"), found(&[(1, "{\"a\""), (2, "{\"b\":1}")]), "a damaged line");
        assert_eq!(values(" \n"), found(&[]));
    }

    #[test]
    fn several_objects_on_a_line_are_several_values() {
        let text = "{\"a\":1}{\"a\":\"}{\"} {}\n{\"a\":2}\n{\"a\":3} \t{\"b\n";
        let expected = [(1, "{\"a\":1}"), (1, "{\"a\":\"}{\"}"), (1, "{}"), (2, "{\"a\":2}")];
        let damaged = [(3, "{\"a\":3} \t{\"b")];
        assert_eq!(values(text), found(&[&expected[..], &damaged[..]].concat()), "a tab is between no objects");
        assert_eq!(values("{\"a\":1}} {\"a\":2}\n"), found(&[(1, "{\"a\":1}} {\"a\":2}")]), "a damaged line");
        assert_eq!(values("{\"a\":1}{\"a\""), found(&[(1, "{\"a\":1}"), (1, "{\"a\"")]));
    }

    #[test]
    fn elements_of_an_array_are_values() {
        let text = "\n[\n  {\"a\": \"],\\\"[\"},\n  {\n \"a\": [1, {}]\n  }, 7 ,null\n]\n";
        let expected = [(3, "{\"a\": \"],\\\"[\"}"), (4, "{\n \"a\": [1, {}]\n  }"), (6, "7"), (6, "null")];
        assert_eq!(values(text), found(&expected));
        assert_eq!(values("[]"), found(&[]));
        assert_eq!(values("[{}]"), found(&[(1, "{}")]));
    }

    #[test]
    fn objects_may_be_spread_over_lines() {
        let text = "{\n  \"a\": 1\n}\n{\n  \"a\": \"}\"\n}\n{\"a\":3}\n";
        let expected = [(1, "{\n  \"a\": 1\n}"), (4, "{\n  \"a\": \"}\"\n}"), (7, "{\"a\":3}")];
        assert_eq!(values(text), found(&expected));
    }

    #[test]
    fn a_broken_array_is_said() {
        for (text, message) in [
            ("[{}\n{}]", "t.json, line 2: a comma or the end of the array is missing here"),
            ("[{},,{}]", "t.json, line 1: an element of the array is missing here"),
            ("[{}", "t.json, line 1: the file ends within its array"),
            ("[{},", "t.json, line 1: the file ends within its array"),
            ("[{}]{}", "t.json, line 1: something follows the end of the array"),
        ] {
            assert_eq!(values(text).unwrap_err(), message);
        }
    }
}
