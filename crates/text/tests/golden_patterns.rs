//! Patterns match what Java's do (`tools/java_regex` makes the expectations).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::ops::Range;
use std::path::Path;

use albertine_text::Pattern;
use serde::Deserialize;

#[derive(Deserialize)]
struct Texts {
    texts: Vec<String>,
}

/// A pattern, and for each text in which Java finds it the number of the text with what follows.
#[derive(Deserialize)]
struct Case {
    pattern: String,
    #[serde(default)]
    error: bool,
    #[serde(default)]
    found: Vec<Vec<serde_json::Value>>,
    #[serde(default)]
    split: Vec<(usize, Vec<String>)>,
}

/// What Java takes and we refuse, by name.
const REFUSED: [&str; 8] =
    [r"\X", r"\N{SPACE}", r"\p{javaMirrored}", r"\uD83D", r"\2", r"\1(a)", r"(?i)(a)\1", "a?{2}"];

/// Where a group is repeated and its last turn matches nothing, Java has that nothing, and we have the turn before.
const EMPTY_TURNS: [&str; 4] = ["(a|b|)+", "(a*)*", "(a*)+", "(a?)*b"];

fn cases() -> (Vec<String>, Vec<Case>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/java_regex/cases.jsonl");
    let mut lines = BufReader::new(fs::File::open(path).unwrap()).lines().map(Result::unwrap);
    let texts: Texts = serde_json::from_str(&lines.next().unwrap()).unwrap();
    (texts.texts, lines.map(|line| serde_json::from_str(&line).unwrap()).collect())
}

/// The byte of each UTF-16 offset of a text; none inside of a character.
fn bytes(text: &str) -> Vec<Option<usize>> {
    let mut bytes = Vec::new();
    for (byte, c) in text.char_indices() {
        bytes.push(Some(byte));
        bytes.extend((1..c.len_utf16()).map(|_| None));
    }
    bytes.push(Some(text.len()));
    bytes
}

/// What Java found in a text: each match with its groups. Java also finds nothing in the middle of characters.
fn expected(case: &Case, number: usize, text: &str) -> Vec<Vec<Option<Range<usize>>>> {
    let bytes = bytes(text);
    let Some(found) = case.found.iter().find(|found| found[0].as_u64() == Some(number as u64)) else {
        return Vec::new();
    };
    let offsets = found[1..].iter().map(|found| serde_json::from_value::<Vec<i64>>(found.clone()).unwrap());
    let whole = offsets.filter(|offsets| offsets[0] != offsets[1] || bytes[offsets[0] as usize].is_some());
    let range = |pair: &[i64]| match pair {
        [-1, -1] => None,
        [start, end] => Some(bytes[*start as usize].unwrap()..bytes[*end as usize].unwrap()),
        _ => panic!("offsets come in pairs"),
    };
    whole.map(|offsets| offsets.chunks(2).map(range).collect()).collect()
}

#[test]
fn patterns_find_what_java_finds() {
    let (texts, cases) = cases();
    assert!(cases.len() > 200, "{} patterns", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let pattern = match Pattern::new(&case.pattern) {
            Ok(pattern) => pattern,
            Err(_) if case.error || REFUSED.contains(&case.pattern.as_str()) => continue,
            Err(error) => {
                wrong.push(error.to_string());
                continue;
            }
        };
        if case.error || REFUSED.contains(&case.pattern.as_str()) {
            wrong.push(format!("{:?} is taken", case.pattern));
            continue;
        }
        for (number, text) in texts.iter().enumerate() {
            let expected = expected(case, number, text);
            let matches: Vec<_> = expected.iter().map(|groups| groups[0].clone().unwrap()).collect();
            let found = pattern.find_all(text).unwrap();
            if found != matches {
                wrong.push(format!("{:?} in {text:?}: {found:?}, and Java has {matches:?}", case.pattern));
                continue;
            }
            let groups = pattern.captures(text).unwrap();
            let first = expected.first().map(|groups| groups[1..].to_vec());
            if groups != first && !EMPTY_TURNS.contains(&case.pattern.as_str()) {
                wrong.push(format!("groups of {:?} in {text:?}: {groups:?}, and Java has {first:?}", case.pattern));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} patterns:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn texts_are_split_as_java_splits_them() {
    let (texts, cases) = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let Ok(pattern) = Pattern::new(&case.pattern) else { continue };
        for (number, text) in texts.iter().enumerate() {
            let split = pattern.split(text).unwrap();
            let parts: Vec<_> = split.into_iter().map(|part| &text[part]).collect();
            let whole = [text.clone()];
            let expected = case.split.iter().find(|(split, _)| *split == number).map_or(&whole[..], |(_, parts)| parts);
            // Java cuts characters beyond the basic plane in two where a pattern matches nothing.
            if parts != expected && !expected.iter().any(|part| part.contains('\u{fffd}')) {
                wrong.push(format!("{:?} splits {text:?} into {parts:?}, and Java into {expected:?}", case.pattern));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
