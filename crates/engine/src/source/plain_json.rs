//! JSON as programs write it beyond the standard, as plain JSON: Python's `NaN` and `Infinity` are null, halves of
//! surrogate pairs are U+FFFD, and whole numbers of more digits than 64 bits hold are strings of their digits.

use std::borrow::Cow;

use memchr::memchr2;

/// What was not plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Changes {
    /// A `NaN` or an infinity.
    pub(super) not_a_number: bool,
    /// Half of a surrogate pair.
    pub(super) surrogate: bool,
}

impl Changes {
    pub(super) fn add(&mut self, other: Self) {
        self.not_a_number |= other.not_a_number;
        self.surrogate |= other.surrogate;
    }

    /// What a person should know of them.
    pub(super) fn notes(self) -> Vec<String> {
        let not_a_number = self.not_a_number.then(|| "NaN and infinities read as null".to_owned());
        let surrogate = self.surrogate.then(|| "lone surrogates replaced with U+FFFD".to_owned());
        not_a_number.into_iter().chain(surrogate).collect()
    }
}

/// The plain form of `value`. Whether it is JSON at all is not checked.
pub(super) fn plain(value: &[u8]) -> (Cow<'_, [u8]>, Changes) {
    let mut rewrite = Rewrite { value, copied: 0, plain: Vec::new() };
    let mut changes = Changes::default();
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        at = match byte {
            b'"' => string(&mut rewrite, at, &mut changes),
            b'-' | b'N' | b'I' if let Some(length) = word(&value[at..]) => {
                changes.not_a_number = true;
                rewrite.replace(at, at + length, b"null");
                at + length
            }
            b'-' | b'0'..=b'9' => number(&mut rewrite, at, &mut changes),
            _ => at + 1,
        };
    }
    (rewrite.finish(), changes)
}

/// A value of which some parts are replaced.
struct Rewrite<'a> {
    value: &'a [u8],
    copied: usize,
    plain: Vec<u8>,
}

impl<'a> Rewrite<'a> {
    fn replace(&mut self, start: usize, end: usize, with: &[u8]) {
        self.plain.extend_from_slice(&self.value[self.copied..start]);
        self.plain.extend_from_slice(with);
        self.copied = end;
    }

    fn finish(mut self) -> Cow<'a, [u8]> {
        if self.copied == 0 {
            return Cow::Borrowed(self.value);
        }
        self.plain.extend_from_slice(&self.value[self.copied..]);
        Cow::Owned(self.plain)
    }
}

/// The length of the word that stands for no number at the start of `rest`.
fn word(rest: &[u8]) -> Option<usize> {
    [&b"NaN"[..], b"Infinity", b"-Infinity", b"-NaN"]
        .into_iter()
        .find(|word| rest.starts_with(word))
        .filter(|word| !rest.get(word.len()).is_some_and(u8::is_ascii_alphanumeric))
        .map(<[u8]>::len)
}

/// Moves over the number at `at`.
fn number(rewrite: &mut Rewrite<'_>, at: usize, changes: &mut Changes) -> usize {
    let rest = &rewrite.value[at..];
    let length = rest
        .iter()
        .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        .unwrap_or(rest.len());
    let digits = &rest[..length];
    // 18 digits fit, whatever they are.
    if length > 18
        && digits.iter().skip(usize::from(digits[0] == b'-')).all(u8::is_ascii_digit)
        && std::str::from_utf8(digits).is_ok_and(|text| text.parse::<i64>().is_err() && text.parse::<u64>().is_err())
    {
        rewrite.replace(at, at + length, &[b"\"", digits, b"\""].concat());
    } else if digits.contains(&b'e') || digits.contains(&b'E') {
        let value = std::str::from_utf8(digits).ok().and_then(|text| text.parse::<f64>().ok());
        if value.is_some_and(f64::is_infinite) {
            changes.not_a_number = true;
            rewrite.replace(at, at + length, b"null");
        }
    }
    at + length
}

/// Moves over the string at `at`.
fn string(rewrite: &mut Rewrite<'_>, at: usize, changes: &mut Changes) -> usize {
    let value = rewrite.value;
    let mut at = at + 1;
    while let Some(found) = value.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if value[at] == b'"' {
            return at + 1;
        }
        let Some(unit) = escaped_unit(&value[at..]) else {
            at += 2;
            continue;
        };
        at += 6;
        let low = |unit: u16| (0xdc00..0xe000).contains(&unit);
        if (0xd800..0xdc00).contains(&unit) && escaped_unit(&value[at..]).is_some_and(low) {
            at += 6;
        } else if (0xd800..0xe000).contains(&unit) {
            changes.surrogate = true;
            rewrite.replace(at - 6, at, b"\\ufffd");
        }
    }
    value.len()
}

/// The UTF-16 code unit that is written as `\uXXXX` at the start of `rest`.
fn escaped_unit(rest: &[u8]) -> Option<u16> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit: u16, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(unit * 16 + u16::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn of(value: &str) -> (String, bool, bool) {
        let (plain, changes) = plain(value.as_bytes());
        (String::from_utf8(plain.into_owned()).unwrap(), changes.not_a_number, changes.surrogate)
    }

    #[test]
    fn what_is_plain_stays() {
        for value in [
            r#"{"a":"NaN Infinity \" NaN","b":-1.5e300,"c":[18446744073709551615,-9223372036854775808]}"#,
            r#"{"a":"\ud83d\ude00 \u00e9 \\ud83d"}"#,
            "",
            "\"",
            "{\"a\\",
            "\"\\u",
            "NaNs",
            "1.00000000000000000000000000001",
        ] {
            assert_eq!(of(value), (value.to_owned(), false, false));
        }
    }

    #[test]
    fn what_python_writes_is_read() {
        assert_eq!(
            of(r#"{"a":NaN,"b":[-Infinity, Infinity]}"#),
            (r#"{"a":null,"b":[null, null]}"#.into(), true, false)
        );
        assert_eq!(
            of(r#"{"a":"x\ud83d","\udc00":"\ud83d\u0041"}"#),
            (r#"{"a":"x\ufffd","\ufffd":"\ufffd\u0041"}"#.into(), false, true)
        );
        assert_eq!(of(r#"{"a":1e400,"b":1e-400}"#), (r#"{"a":null,"b":1e-400}"#.into(), true, false));
        let long = r#"{"a":123456789012345678901234567890,"b":-18446744073709551615}"#;
        let quoted = r#"{"a":"123456789012345678901234567890","b":"-18446744073709551615"}"#;
        assert_eq!(of(long), (quoted.into(), false, false));
    }
}
