//! Piece ids are those of Hugging Face's fast tokenizer (`tools/golden_pieces` makes the expectations).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::explicit_write)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use albertine_text::{SubwordTokenizer, TokenEncoder, Vocabulary};
use serde::Deserialize;

/// How many pieces the `cut_left` and `cut_right` ids have at most.
const CUT_TO: usize = 8;
const CASED: &[u8] = br#"{"do_lower_case": false}"#;
const ACCENTS: &[u8] = br#"{"do_lower_case": false, "keep_accents": true}"#;
const LEFT: &[u8] = br#"{"truncation_side": "left"}"#;

/// One text with its ids; those that equal the ids before them are left out.
#[derive(Deserialize)]
struct Case {
    text: String,
    uncased: Vec<u32>,
    cased: Option<Vec<u32>>,
    accents: Option<Vec<u32>>,
    cut_left: Option<Vec<u32>>,
    cut_right: Option<Vec<u32>>,
}

impl Case {
    fn cased(&self) -> &[u32] {
        self.cased.as_deref().unwrap_or(&self.uncased)
    }

    fn accents(&self) -> &[u32] {
        self.accents.as_deref().unwrap_or(self.cased())
    }
}

fn cases(path: &Path) -> impl Iterator<Item = Case> {
    let file = fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    BufReader::new(file).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

/// Words with the ids that SentencePiece's own library gives each of them alone.
#[derive(Deserialize)]
struct Words {
    words: Vec<String>,
    ids: Vec<u32>,
}

/// How many rows of words there are; the ids of each must be those expected.
fn compare_words(pieces: &TokenEncoder, path: &Path) -> usize {
    let file = fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rows = BufReader::new(file).lines().map(|line| serde_json::from_str::<Words>(&line.unwrap()).unwrap());
    let mut count = 0;
    for row in rows {
        let mut ids = Vec::new();
        pieces.encode(row.words.iter().map(String::as_str), true, usize::MAX, &mut ids).unwrap();
        assert_eq!(ids[1..ids.len() - 1], row.ids, "{:?}", row.words);
        count += 1;
    }
    count
}

fn token_encoder(spiece: &[u8]) -> TokenEncoder {
    TokenEncoder::from_files(Path::new(""), |name| (name == "spiece.model").then_some(spiece)).unwrap()
}

#[test]
fn words_alone() {
    let pieces = TokenEncoder::open(&fixture("")).unwrap();
    assert_eq!(compare_words(&pieces, &fixture("words.jsonl")), 1000);
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/pieces").join(name)
}

fn ids(pieces: &SubwordTokenizer, text: &str, limit: usize) -> Vec<u32> {
    let mut ids = vec![u32::MAX];
    let encoded = pieces.encode(text, limit, &mut ids).unwrap();
    assert_eq!(ids.remove(0), u32::MAX, "what was there before stays");
    assert!(ids.len() <= limit);
    assert!(!encoded.truncated || ids.len() == limit, "a text that is cut fills its limit");
    assert!(!encoded.truncated || limit < usize::MAX);
    ids
}

/// The two ways of loading the small vocabulary, both without and with a configuration.
fn both(config: Option<&[u8]>) -> [SubwordTokenizer; 2] {
    let (json, spiece) = (fs::read(fixture("tokenizer.json")).unwrap(), fs::read(fixture("spiece.model")).unwrap());
    [Vocabulary::TokenizerJson(&json), Vocabulary::Spiece(&spiece)]
        .map(|vocabulary| SubwordTokenizer::from_bytes(vocabulary, config).unwrap())
}

#[test]
fn awkward_strings_uncased() {
    let pieces = both(None);
    let mut count = 0;
    for case in cases(&fixture("cases.jsonl")) {
        for pieces in &pieces {
            assert_eq!(ids(pieces, &case.text, usize::MAX), case.uncased, "{:?}", case.text);
        }
        count += 1;
    }
    assert_eq!(count, 1000);
}

#[test]
fn awkward_strings_cased() {
    // The setting counts for a spiece.model only; the override counts for both.
    let [_, configured] = both(Some(CASED));
    let overridden = both(None).map(|pieces| pieces.with_case_sensitive(true).unwrap());
    let [back, forth] = both(Some(CASED)).map(|pieces| pieces.with_case_sensitive(false).unwrap());
    for case in cases(&fixture("cases.jsonl")) {
        for pieces in overridden.iter().chain([&configured]) {
            assert_eq!(ids(pieces, &case.text, usize::MAX), case.cased(), "{:?}", case.text);
        }
        for pieces in [&back, &forth] {
            assert_eq!(ids(pieces, &case.text, usize::MAX), case.uncased, "{:?}", case.text);
        }
    }
}

#[test]
fn awkward_strings_with_accents() {
    let [json, spiece] = both(Some(ACCENTS));
    for case in cases(&fixture("cases.jsonl")) {
        assert_eq!(ids(&spiece, &case.text, usize::MAX), case.accents(), "{:?}", case.text);
        assert_eq!(ids(&json, &case.text, usize::MAX), case.uncased, "tokenizer.json has its own normalisation");
    }
}

#[test]
fn texts_are_cut_as_transformers_cuts_them() {
    let (right, left) = (both(None), both(Some(LEFT)));
    let mut count = 0;
    for case in cases(&fixture("cases.jsonl")).take_while(|case| case.cut_left.is_some()) {
        for (pieces, expected) in [(&right, &case.cut_right), (&left, &case.cut_left)] {
            for pieces in pieces {
                assert_eq!(Some(ids(pieces, &case.text, CUT_TO)), *expected, "{:?}", case.text);
            }
        }
        count += 1;
    }
    assert!(count >= 50, "{count} cases");
}

/// Writes a line to standard error past the test harness, which hides what passing tests print.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").unwrap();
}

/// Runs with `ALBERTINE_SPIECE`, a `spiece.model`, and `ALBERTINE_PIECES`, what `make.py --spiece` wrote for it.
#[test]
fn large_file() {
    let (Some(spiece), Some(expected)) = (std::env::var_os("ALBERTINE_SPIECE"), std::env::var_os("ALBERTINE_PIECES"))
    else {
        say("golden_pieces: large_file is skipped: ALBERTINE_SPIECE and ALBERTINE_PIECES are not set");
        return;
    };
    let spiece = fs::read(spiece).unwrap();
    let open = |config| SubwordTokenizer::from_bytes(Vocabulary::Spiece(&spiece), config).unwrap();
    let (uncased, cased, accents) = (open(None), open(Some(CASED)), open(Some(ACCENTS)));
    let overridden = open(None).with_case_sensitive(true).unwrap();
    let (mut rows, mut mismatches) = (0, 0);
    for case in cases(Path::new(&expected)) {
        let same = ids(&uncased, &case.text, usize::MAX) == case.uncased
            && ids(&cased, &case.text, usize::MAX) == case.cased()
            && ids(&overridden, &case.text, usize::MAX) == case.cased()
            && ids(&accents, &case.text, usize::MAX) == case.accents();
        if !same {
            mismatches += 1;
            if mismatches <= 10 {
                say(&format!("row {rows}: {:?}", case.text));
            }
        }
        rows += 1;
    }
    say(&format!("{rows} rows, {mismatches} mismatches"));
    let words = compare_words(&token_encoder(&spiece), &Path::new(&expected).with_file_name("words.jsonl"));
    say(&format!("{words} rows word by word, 0 mismatches"));
    assert_eq!(mismatches, 0);
    assert!(rows > 0);
}

/// What the published vocabulary of English ALBERT makes of a few texts, word by word as Spark NLP does and whole. Runs with
/// `ALBERTINE_SPIECE`, that vocabulary.
#[test]
fn published_vocabulary() {
    let Some(spiece) = std::env::var_os("ALBERTINE_SPIECE") else {
        say("golden_pieces: published_vocabulary is skipped: ALBERTINE_SPIECE is not set");
        return;
    };
    let spiece = fs::read(spiece).unwrap();
    let words = token_encoder(&spiece);
    let whole = SubwordTokenizer::from_bytes(Vocabulary::Spiece(&spiece), None).unwrap();
    let inner = |ids: Vec<u32>| ids[1..ids.len() - 1].to_vec();
    let by_words = |tokens: &[&str]| {
        let mut ids = Vec::new();
        words.encode(tokens.iter().copied(), false, 512, &mut ids).unwrap();
        inner(ids)
    };
    let tokens = |text: &str| {
        let mut tokens = Vec::new();
        albertine_text::Tokenizer::default().tokenize(text, 0, &mut tokens).unwrap();
        by_words(&tokens.iter().map(|token| &text[token.range.clone()]).collect::<Vec<_>>())
    };
    let comics = "Disney Comics was a comic book publishing company operated by The Walt Disney Company which ran from 1990 to 1993.";
    let comics_ids =
        [5243, 4806, 23, 21, 3225, 360, 3107, 237, 1783, 34, 14, 10226, 5243, 237, 56, 717, 37, 961, 20, 1609, 9];
    let texts: [(&str, &[u32], &[u32]); 5] = [
        (comics, &comics_ids, &comics_ids),
        ("Hello, world!", &[10975, 15, 126, 187], &[10975, 15, 126, 187]),
        ("It's $100.", &[32, 22, 18, 18162, 9], &[32, 22, 18, 18162, 9]),
        ("(Reuters) - Oil 😀 up", &[5, 27853, 6, 8, 1585, 1, 71], &[5, 27853, 6, 13, 8, 1585, 13, 1, 71]),
        ("He said \"go.\"", &[24, 87, 7, 162, 9, 7], &[24, 87, 13, 7, 162, 9, 7]),
    ];
    for (text, spark, hugging_face) in texts {
        assert_eq!(tokens(text), spark, "{text}");
        assert_eq!(inner(ids(&whole, text, usize::MAX)), hugging_face, "{text}");
    }
    let single: [(&str, &[u32]); 16] = [
        (",", &[15]),
        ("don't", &[221, 22, 38]),
        ("U.S.A", &[287, 9, 18, 9, 58]),
        ("...", &[9, 9, 9]),
        ("a)(b", &[21, 6, 5, 220]),
        ("www.google.com", &[6483, 9, 16111, 4875, 9, 960]),
        ("#39;s", &[11489, 518, 73, 18]),
        ("&lt;b&gt;", &[279, 255, 38, 73, 220, 1569, 263, 38, 73]),
        ("dwindling\\band", &[43, 7809, 802, 1, 5238]),
        ("“Smart”", &[1, 18, 9534, 1]),
        ("héroe", &[746, 1, 661, 62]),
        ("日本", &[1]),
        ("½", &[137, 1, 135]),
        ("[CLS]", &[636, 5316, 18, 500]),
        ("\u{a0}", &[]),
        ("a\u{a0}b", &[21, 334]),
    ];
    for (token, ids) in single {
        assert_eq!(by_words(&[token]), ids, "{token}");
    }
}
