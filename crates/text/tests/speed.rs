//! How fast texts become pieces and tokens: `cargo test --release -p albertine-text --test speed -- --ignored --nocapture`.
//!
//! `ALBERTINE_VOCABULARY` names a larger vocabulary than the small one of the test data, of any kind: a `.json`, a
//! `.model` or a `.txt`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use albertine_text::{SentenceDetector, SubwordTokenizer, Tokenizer, Vocabulary};

const WORDS: [&str; 24] = [
    "oil",
    "prices",
    "rose",
    "on",
    "Monday",
    "after",
    "the",
    "ministers",
    "met",
    "in",
    "London,",
    "and",
    "traders",
    "said",
    "(Reuters)",
    "-",
    "that",
    "supply",
    "1,250",
    "would",
    "stay",
    "tight.",
    "\"Growth\"",
    "Café",
];

/// Headline-like texts from a fixed seed, some 250 bytes each.
fn texts(count: usize) -> Vec<String> {
    let mut state = 7_u64;
    let mut word = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        WORDS[(state >> 33) as usize % WORDS.len()]
    };
    (0..count).map(|_| (0..40).map(|_| word()).collect::<Vec<_>>().join(" ")).collect()
}

/// A vocabulary file and what opens it.
fn vocabulary() -> (PathBuf, Vec<u8>) {
    let small = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/pieces/spiece.model");
    let path = std::env::var_os("ALBERTINE_VOCABULARY").map_or(small, PathBuf::from);
    let bytes = std::fs::read(&path).unwrap();
    (path, bytes)
}

fn open((path, bytes): &(PathBuf, Vec<u8>)) -> SubwordTokenizer {
    let vocabulary = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Vocabulary::TokenizerJson(bytes),
        Some("txt") => Vocabulary::VocabTxt(bytes),
        _ => Vocabulary::Spiece(bytes),
    };
    SubwordTokenizer::from_bytes(vocabulary, None).unwrap()
}

#[test]
#[ignore = "a measurement"]
fn loading() {
    let file = vocabulary();
    let mut times: Vec<_> = (0..11)
        .map(|_| {
            let start = Instant::now();
            let pieces = open(&file);
            (start.elapsed(), pieces.vocabulary())
        })
        .collect();
    times.sort();
    println!("loading {} pieces from {}: {:?} (median of 11)", times[5].1, file.0.display(), times[5].0);
}

#[test]
#[ignore = "a measurement"]
fn rows_a_second() {
    let pieces = open(&vocabulary());
    let texts = texts(20_000);
    let (mut ids, mut tokens) = (Vec::new(), Vec::new());
    for run in 0..3 {
        let start = Instant::now();
        for text in &texts {
            ids.clear();
            pieces.encode(text, 512, &mut ids).unwrap();
        }
        let rate = texts.len() as f64 / start.elapsed().as_secs_f64();
        println!("pieces, run {run}: {rate:.0} rows/s on one thread");
    }
    let start = Instant::now();
    for text in &texts {
        tokens.clear();
        Tokenizer::default().tokenize(text, 0, &mut tokens).unwrap();
    }
    println!("tokens: {:.0} rows/s on one thread", texts.len() as f64 / start.elapsed().as_secs_f64());
    let (detector, mut sentences) = (SentenceDetector::default(), Vec::new());
    let bytes: usize = texts.iter().map(String::len).sum();
    let start = Instant::now();
    for text in &texts {
        sentences.clear();
        detector.detect(text, &mut sentences).unwrap();
    }
    let seconds = start.elapsed().as_secs_f64();
    let (rows, megabytes) = (texts.len() as f64 / seconds, bytes as f64 / 1e6 / seconds);
    println!("sentences: {rows:.0} rows/s, {megabytes:.0} MB/s on one thread");
}

#[test]
#[ignore = "a measurement"]
fn huge_texts() {
    let pieces = open(&vocabulary());
    let long = |unit: &str| unit.repeat((10 << 20) / unit.len());
    let cases = [
        ("English", texts(1)[0].clone() + " "),
        ("punctuation", "a, b. ".into()),
        ("one word", "abc".into()),
        ("spaces", " ".into()),
        ("[MASK]", "[MASK]".into()),
        ("space and [MASK]", " [MASK] ".into()),
        ("combining marks", "\u{301}\u{323}".into()),
        ("Han", "新聞記事".into()),
        ("Cyrillic", "новости дня ".into()),
        ("a Cyrillic word", "новости".into()),
        ("flags", "🇫🇷".into()),
        ("joined emoji", "👨\u{200d}".into()),
        ("back-quotes", "``".into()),
        ("open quotations", " 'a".into()),
        ("letters and full stops", "a.".into()),
        ("marks that combine", "a\u{301}a.".into()),
    ];
    let mut ids = Vec::with_capacity(10 << 20);
    for (name, unit) in cases {
        let text = long(&unit);
        ids.clear();
        let start = Instant::now();
        let encoded = pieces.encode(&text, 512, &mut ids).unwrap();
        println!("10 MiB of {name}: {:?}, truncated: {}, peak so far {}", start.elapsed(), encoded.truncated, peak());
        assert!(ids.len() <= 512);
        ids.clear();
        let start = Instant::now();
        pieces.encode(&text, usize::MAX, &mut ids).unwrap();
        println!("    to its end: {:?}, {} pieces, peak so far {}", start.elapsed(), ids.len(), peak());
        let (mut tokens, mut sentences) = (Vec::new(), Vec::new());
        let start = Instant::now();
        Tokenizer::default().tokenize(&text, 0, &mut tokens).unwrap();
        println!("    tokens: {:?}, {} of them", start.elapsed(), tokens.len());
        let start = Instant::now();
        SentenceDetector::default().detect(&text, &mut sentences).unwrap();
        println!("    sentences: {:?}, {} of them", start.elapsed(), sentences.len());
    }
}

/// The largest resident memory of this process so far, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown".into(), |line| line.trim().to_owned())
}
