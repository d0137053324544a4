//! Clean-up, sentences and tokens are those of Spark NLP 5.5.3 (`tools/oracle` makes the expectations).
//!
//! What differs is counted below, case by case, and explained in `docs/spark-nlp.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::explicit_write)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use albertine_text::{
    BoundsStrategy, CleanupMode, ContextChars, SentenceDetector, SentenceDetectorSettings, TextError, Tokenizer,
    TokenizerSettings,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// `begin, end, sentence` and, where that is not what stands there, the text of the annotation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Annotation {
    Slice(i64, i64, u32),
    Other(i64, i64, u32, String),
}

use Annotation::{Other, Slice};

#[derive(Deserialize)]
struct Row {
    text: String,
    sentences: Vec<Annotation>,
    tokens: Vec<Annotation>,
    sentence_tokens: Option<Vec<Annotation>>,
    /// What the modes of clean-up make of the text, those that change it; not in every file.
    cleanup: Option<BTreeMap<String, String>>,
}

/// The annotations that are not the default's, or an error in their place.
#[derive(Deserialize)]
struct Variant {
    params: Map<String, Value>,
    texts: usize,
    differ: Vec<(usize, Found)>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Found {
    Annotations(Vec<Annotation>),
    /// What Spark NLP said in their place.
    Error(#[expect(dead_code, reason = "it is only told in what a failing test prints")] String),
}

fn read<T: DeserializeOwned>(path: &Path) -> Vec<T> {
    let file = fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    BufReader::new(file).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/spark_nlp").join(name)
}

fn sentences(detector: &SentenceDetector, text: &str) -> Result<Vec<Annotation>, TextError> {
    let mut found = Vec::new();
    detector.detect(text, &mut found)?;
    Ok((0..).zip(found).map(|(number, s)| Slice(s.begin as i64, s.end as i64, number)).collect())
}

fn tokens(tokenizer: &Tokenizer, text: &str) -> Result<Vec<Annotation>, TextError> {
    let mut found = Vec::new();
    tokenizer.tokenize(text, 0, &mut found)?;
    Ok(found.into_iter().map(|token| Slice(token.begin as i64, token.end as i64, 0)).collect())
}

/// What annotations say.
fn results(text: &str, annotations: &[Annotation]) -> Vec<String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let result = |annotation: &Annotation| match annotation {
        Slice(begin, end, _) => String::from_utf16_lossy(&units[*begin as usize..=*end as usize]),
        Other(_, _, _, result) => result.clone(),
    };
    annotations.iter().map(result).collect()
}

/// How Spark NLP's annotations may differ from ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// It ends in an error.
    Error,
    /// The same texts; some of its offsets are those of something else.
    Offsets,
    /// It has halves of characters.
    Halves,
    /// Not explained.
    Unknown,
}

fn difference(text: &str, spark: &Found, ours: &[Annotation]) -> Option<Difference> {
    let spark = match spark {
        Found::Error(_) => return Some(Difference::Error),
        Found::Annotations(spark) if spark == ours => return None,
        Found::Annotations(spark) => spark,
    };
    let (theirs, mine) = (results(text, spark), results(text, ours));
    // Half a character is written as a question mark.
    let halves = |result: &String| result.chars().any(|c| c == '\u{fffd}' || c == '?');
    Some(match theirs == mine {
        true => Difference::Offsets,
        false if theirs.iter().any(halves) && theirs.len() > mine.len() => Difference::Halves,
        false => Difference::Unknown,
    })
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn texts_of(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(text_of).collect()
}

fn length_of(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn tokenizer(params: &Map<String, Value>) -> Tokenizer {
    let mut settings = TokenizerSettings::default();
    for (name, value) in params {
        match name.as_str() {
            "targetPattern" => settings.target_pattern = Some(text_of(value)),
            "prefixPattern" => settings.prefix_pattern = Some(text_of(value)),
            "suffixPattern" => settings.suffix_pattern = Some(text_of(value)),
            "infixPatterns" => settings.infix_patterns = texts_of(value),
            "exceptions" => settings.exceptions = texts_of(value),
            "caseSensitiveExceptions" => settings.case_sensitive_exceptions = value.as_bool().unwrap(),
            "contextChars" => settings.context_chars = ContextChars::new(chars_of(value)),
            "splitPattern" => settings.split_pattern = Some(text_of(value)),
            "splitChars" => settings.split_chars = texts_of(value),
            "minLength" => settings.min_length = length_of(value),
            "maxLength" => settings.max_length = Some(length_of(value)),
            other => panic!("Tokenizer has no {other}"),
        }
    }
    Tokenizer::new(settings).unwrap()
}

fn chars_of(value: &Value) -> Vec<char> {
    texts_of(value).iter().map(|text| text.chars().next().unwrap()).collect()
}

fn detector(params: &Map<String, Value>) -> SentenceDetector {
    let mut settings = SentenceDetectorSettings::default();
    for (name, value) in params {
        match name.as_str() {
            "useAbbreviations" => settings.use_abbreviations = value.as_bool().unwrap(),
            "detectLists" => settings.detect_lists = value.as_bool().unwrap(),
            "useCustomBoundsOnly" => settings.use_custom_bounds_only = value.as_bool().unwrap(),
            "customBounds" => settings.custom_bounds = texts_of(value),
            "customBoundsStrategy" => {
                settings.custom_bounds_strategy = BoundsStrategy::named(&text_of(value)).unwrap();
            }
            "splitLength" => settings.split_length = Some(length_of(value)),
            "minLength" => settings.min_length = length_of(value),
            "maxLength" => settings.max_length = Some(length_of(value)),
            other => panic!("SentenceDetector has no {other}"),
        }
    }
    SentenceDetector::new(settings).unwrap()
}

#[test]
fn clean_up() {
    let mut count = 0;
    for row in read::<BTreeMap<String, String>>(&fixture("cleanup.jsonl")) {
        compare_clean_up(&row["text"], &row);
        count += 1;
    }
    assert_eq!(count, 2000);
}

/// Compares all modes; one that `changed` does not name leaves the text as it is.
fn compare_clean_up(text: &str, changed: &BTreeMap<String, String>) {
    for mode in CleanupMode::ALL {
        let expected = changed.get(mode.name()).map_or(text, String::as_str);
        assert_eq!(mode.apply(text), expected, "{} of {text:?}", mode.name());
    }
}

/// Compares every row, and says how many there are.
fn compare_rows(rows: impl IntoIterator<Item = Row>) -> usize {
    let (detector, tokenizer) = (SentenceDetector::default(), Tokenizer::default());
    let mut count = 0;
    for row in rows {
        let text = &row.text;
        if let Some(changed) = &row.cleanup {
            compare_clean_up(text, changed);
        }
        assert_eq!(sentences(&detector, text).unwrap(), row.sentences, "{text:?}");
        assert_eq!(tokens(&tokenizer, text).unwrap(), row.tokens, "{text:?}");
        let mut found = Vec::new();
        detector.detect(text, &mut found).unwrap();
        let mut sentence_tokens = Vec::new();
        for (number, sentence) in (0..).zip(found) {
            let mut tokens = Vec::new();
            tokenizer.tokenize(sentence.text(text), sentence.begin, &mut tokens).unwrap();
            sentence_tokens.extend(tokens.into_iter().map(|t| Slice(t.begin as i64, t.end as i64, number)));
        }
        assert_eq!(&sentence_tokens, row.sentence_tokens.as_ref().unwrap_or(&row.tokens), "{text:?}");
        count += 1;
    }
    count
}

#[test]
fn awkward_texts() {
    assert_eq!(compare_rows(read(&fixture("annotators.jsonl"))), 2000);
}

/// Runs with `ALBERTINE_SPARK_NLP`, what `annotators.py --csv` wrote for a table.
#[test]
fn large_file() {
    let Some(path) = std::env::var_os("ALBERTINE_SPARK_NLP") else {
        writeln!(std::io::stderr(), "golden_spark_nlp: large_file is skipped: ALBERTINE_SPARK_NLP is not set").unwrap();
        return;
    };
    let rows: Vec<Row> = read(Path::new(&path));
    assert!(rows.iter().all(|row| row.cleanup.is_some()), "an older annotators.py wrote that file");
    let count = compare_rows(rows);
    writeln!(std::io::stderr(), "{count} rows the same").unwrap();
    assert!(count > 0);
}

/// How many rows with other parameters there are, and how many of them differ, by kind of difference.
fn compare_variants(
    name: &str,
    by_default: impl Fn(&Row) -> &[Annotation],
    annotate: impl Fn(&Map<String, Value>) -> Box<dyn Fn(&str) -> Vec<Annotation>>,
) -> (usize, BTreeMap<Difference, usize>) {
    let rows: Vec<Row> = read(&fixture("annotators.jsonl"));
    let (mut count, mut differences) = (0, BTreeMap::new());
    let variants: Vec<Variant> = read(&fixture(name));
    assert!(variants.len() >= 20);
    for variant in variants {
        let annotate = annotate(&variant.params);
        let params = Value::Object(variant.params).to_string();
        let differ: BTreeMap<usize, Found> = variant.differ.into_iter().collect();
        for (number, row) in rows[..variant.texts].iter().enumerate() {
            let spark = differ.get(&number).cloned().unwrap_or_else(|| Found::Annotations(by_default(row).to_vec()));
            let ours = annotate(&row.text);
            count += 1;
            if let Some(kind) = difference(&row.text, &spark, &ours) {
                assert!(kind != Difference::Unknown, "{params}, {:?}: {ours:?}, Spark NLP: {spark:?}", row.text);
                *differences.entry(kind).or_default() += 1;
            }
        }
    }
    (count, differences)
}

#[test]
fn tokenizer_parameters() {
    use Difference::{Error, Halves, Offsets};
    let (count, differences) = compare_variants(
        "tokenizer.jsonl",
        |row| &row.tokens,
        |params| {
            let tokenizer = tokenizer(params);
            Box::new(move |text| tokens(&tokenizer, text).unwrap())
        },
    );
    assert_eq!(count, 34 * 280);
    assert_eq!(differences, BTreeMap::from([(Error, 2), (Offsets, 117), (Halves, 7)]));
}

#[test]
fn sentence_detector_parameters() {
    let (count, differences) = compare_variants(
        "sentence_detector.jsonl",
        |row| &row.sentences,
        |params| {
            let detector = detector(params);
            Box::new(move |text| sentences(&detector, text).unwrap())
        },
    );
    assert_eq!(count, 23 * 400);
    assert_eq!(differences, BTreeMap::from([(Difference::Offsets, 333)]));
}
