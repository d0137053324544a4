//! WordPiece ids are those of Hugging Face's fast BERT tokenizer (`tools/golden_pieces/wordpiece.py` makes the
//! expectations).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::explicit_write)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use albertine_text::{SubwordTokenizer, TokenEncoder, Vocabulary};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// How many pieces the `cut_left` and `cut_right` ids have at most.
const CUT_TO: usize = 8;
const UNCASED: &[u8] = b"{}";
const CASED: &[u8] = br#"{"do_lower_case": false}"#;
const ACCENTS: &[u8] = br#"{"strip_accents": false}"#;
const STRIPPED: &[u8] = br#"{"do_lower_case": false, "strip_accents": true}"#;
const TOGETHER: &[u8] = br#"{"tokenize_chinese_chars": false}"#;
const LEFT: &[u8] = br#"{"truncation_side": "left"}"#;

/// One text with its ids under each of the settings; those that equal the first ones are left out.
#[derive(Deserialize)]
struct Case {
    text: String,
    uncased: Vec<u32>,
    cased: Option<Vec<u32>>,
    accents: Option<Vec<u32>>,
    stripped: Option<Vec<u32>>,
    together: Option<Vec<u32>>,
    offsets: Option<Vec<(usize, usize)>>,
    cut_left: Option<Vec<u32>>,
    cut_right: Option<Vec<u32>>,
}

impl Case {
    fn or_uncased<'c>(&'c self, ids: &'c Option<Vec<u32>>) -> &'c [u32] {
        ids.as_deref().unwrap_or(&self.uncased)
    }
}

/// The objects of a file, one a line.
fn lines<T: DeserializeOwned>(path: &Path) -> impl Iterator<Item = T> {
    let file = fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    BufReader::new(file).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/wordpiece").join(name)
}

fn ids(tokenizer: &SubwordTokenizer, text: &str, limit: usize) -> Vec<u32> {
    let mut ids = vec![u32::MAX];
    let encoded = tokenizer.encode(text, limit, &mut ids).unwrap();
    assert_eq!(ids.remove(0), u32::MAX, "what was there before stays");
    assert!(ids.len() <= limit);
    assert!(!encoded.truncated || ids.len() == limit, "a text that is cut fills its limit");
    ids
}

/// The two ways of loading the small vocabulary.
fn both(config: &[u8]) -> [SubwordTokenizer; 2] {
    let (json, vocab) = (fs::read(fixture("tokenizer.json")).unwrap(), fs::read(fixture("vocab.txt")).unwrap());
    [Vocabulary::TokenizerJson(&json), Vocabulary::VocabTxt(&vocab)]
        .map(|vocabulary| SubwordTokenizer::from_bytes(vocabulary, Some(config)).unwrap())
}

#[test]
fn awkward_strings_under_every_setting() {
    let [uncased, cased, accents, stripped, together] = [UNCASED, CASED, ACCENTS, STRIPPED, TOGETHER].map(both);
    let mut count = 0;
    for case in lines::<Case>(&fixture("cases.jsonl")) {
        for (tokenizers, expected) in [
            (&uncased, &case.uncased[..]),
            (&cased, case.or_uncased(&case.cased)),
            (&accents, case.or_uncased(&case.accents)),
            (&stripped, case.or_uncased(&case.stripped)),
            (&together, case.or_uncased(&case.together)),
        ] {
            for tokenizer in tokenizers {
                assert_eq!(ids(tokenizer, &case.text, usize::MAX), expected, "{:?}", case.text);
            }
        }
        count += 1;
    }
    assert_eq!(count, 1000);
}

#[test]
fn pieces_stand_where_transformers_says() {
    let [tokenizer, _] = both(UNCASED);
    let mut count = 0;
    for case in lines::<Case>(&fixture("cases.jsonl")).take_while(|case| case.offsets.is_some()) {
        let shown = tokenizer.inspect(&case.text).unwrap();
        assert_eq!(shown.iter().map(|piece| piece.id).collect::<Vec<_>>(), case.uncased, "{:?}", case.text);
        let offsets: Vec<_> = shown.iter().map(|piece| (piece.begin, piece.end)).collect();
        assert_eq!(Some(offsets), case.offsets, "{:?}", case.text);
        count += 1;
    }
    assert_eq!(count, 300);
}

#[test]
fn case_can_be_told_apart_or_not() {
    let cased = both(UNCASED).map(|tokenizer| tokenizer.with_case_sensitive(true).unwrap());
    let uncased = both(CASED).map(|tokenizer| tokenizer.with_case_sensitive(false).unwrap());
    for case in lines::<Case>(&fixture("cases.jsonl")) {
        for (cased, uncased) in cased.iter().zip(&uncased) {
            assert_eq!(ids(cased, &case.text, usize::MAX), case.or_uncased(&case.cased), "{:?}", case.text);
            assert_eq!(ids(uncased, &case.text, usize::MAX), case.uncased, "{:?}", case.text);
        }
    }
}

#[test]
fn texts_are_cut_as_transformers_cuts_them() {
    let (right, left) = (both(UNCASED), both(LEFT));
    let mut count = 0;
    for case in lines::<Case>(&fixture("cases.jsonl")).take_while(|case| case.cut_left.is_some()) {
        for (tokenizers, expected) in [(&right, &case.cut_right), (&left, &case.cut_left)] {
            for tokenizer in tokenizers {
                assert_eq!(Some(ids(tokenizer, &case.text, CUT_TO)), *expected, "{:?}", case.text);
            }
        }
        count += 1;
    }
    assert!(count >= 50, "{count} cases");
}

/// Words with the ids of each of them alone.
#[derive(Deserialize)]
struct Words {
    words: Vec<String>,
    cased: Vec<u32>,
    uncased: Vec<u32>,
}

#[test]
fn words_alone() {
    let (json, vocab) = (fs::read(fixture("tokenizer.json")).unwrap(), fs::read(fixture("vocab.txt")).unwrap());
    let mut count = 0;
    for (name, file) in [("tokenizer.json", &json), ("vocab.txt", &vocab)] {
        let encoder = TokenEncoder::from_files(Path::new("m"), |wanted| (wanted == name).then_some(&file[..])).unwrap();
        for Words { words, cased, uncased } in lines::<Words>(&fixture("words.jsonl")) {
            for (case_sensitive, expected) in [(true, &cased), (false, &uncased)] {
                let mut ids = Vec::new();
                encoder.encode(words.iter().map(String::as_str), case_sensitive, usize::MAX, &mut ids).unwrap();
                assert_eq!(ids[1..ids.len() - 1], *expected, "{words:?}");
                assert_eq!((ids[0], ids[ids.len() - 1]), (2, 3), "[CLS] and [SEP] are around them");
            }
            count += 1;
        }
    }
    assert_eq!(count, 600);
}

/// Writes a line to standard error past the test harness, which hides what passing tests print.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").unwrap();
}

/// Runs with `ALBERTINE_WORDPIECE`, what `wordpiece.py --csv` wrote: a vocabulary, and texts with their ids.
#[test]
fn large_file() {
    let Some(folder) = std::env::var_os("ALBERTINE_WORDPIECE").map(PathBuf::from) else {
        say("golden_wordpiece: large_file is skipped: ALBERTINE_WORDPIECE is not set");
        return;
    };
    let vocab = fs::read(folder.join("vocab.txt")).unwrap();
    let open = |config| SubwordTokenizer::from_bytes(Vocabulary::VocabTxt(&vocab), Some(config)).unwrap();
    let (uncased, cased) = (open(UNCASED), open(CASED));
    let overridden = open(UNCASED).with_case_sensitive(true).unwrap();
    let (mut rows, mut mismatches) = (0, 0);
    for case in lines::<Case>(&folder.join("cases.jsonl")) {
        let expected = case.or_uncased(&case.cased);
        let placed = case.offsets.as_ref().is_none_or(|offsets| {
            let shown = uncased.inspect(&case.text).unwrap();
            shown.iter().map(|piece| (piece.begin, piece.end)).eq(offsets.iter().copied())
        });
        let same = ids(&uncased, &case.text, usize::MAX) == case.uncased
            && ids(&cased, &case.text, usize::MAX) == expected
            && ids(&overridden, &case.text, usize::MAX) == expected;
        if !(same && placed) {
            mismatches += 1;
            if mismatches <= 10 {
                say(&format!("row {rows}: {:?}", case.text));
            }
        }
        rows += 1;
    }
    say(&format!("{rows} rows of WordPiece, {mismatches} mismatches"));
    assert_eq!(mismatches, 0);
    assert!(rows > 0);
}
