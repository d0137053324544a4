//! A score never depends on company: the same text has the same logits, bit for bit, in every batch, order and number
//! of threads, at every precision.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::LazyLock;

use albertine::{CancellationToken, Classifier, ClassifierSettings, Precision};
use proptest::prelude::*;

const TEXTS: &[&str] = &[
    "Oil",
    "Oil prices rose on Monday.",
    "The champions won the final 3-2 after extra time, their fourth title in five years.",
    "A new chip halves the power that a phone draws; the maker's shares rose 4.5 % in Tokyo.",
    "Talks between the two governments went on through the night without an agreement.",
    "\u{a0}",
    "ﬁne ÀÉÎ 日本 😀 a-b--c (d) \"e\" 1,000,000",
];

/// One text of every length from a few pieces to more than the limit.
static LONG: LazyLock<Vec<String>> =
    LazyLock::new(|| (1..40).map(|n| TEXTS[2..5].join(" ").repeat(n / 4 + 1)[..n * 20].to_owned()).collect());

fn load(precision: Precision, threads: usize, batch_tokens: usize) -> Result<Classifier, albertine::Error> {
    let settings = ClassifierSettings { precision, threads, batch_tokens, ..Default::default() };
    Classifier::pretrained("ag_news", settings)
}

/// The precisions that this CPU has.
fn precisions() -> Vec<Precision> {
    Precision::ALL.into_iter().filter(|&precision| load(precision, 1, 64).is_ok()).collect()
}

fn all() -> Vec<&'static str> {
    TEXTS.iter().copied().chain(LONG.iter().map(String::as_str)).collect()
}

fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|logit| logit.to_bits()).collect()
}

/// The logits of each text at each precision when nothing else is around.
static ALONE: LazyLock<Vec<(Precision, Vec<Vec<f32>>)>> = LazyLock::new(|| {
    let alone = |precision| {
        let one = load(precision, 1, 64).unwrap();
        all().iter().map(|text| one.logits(&[Some(text)]).unwrap().remove(0).unwrap()).collect()
    };
    precisions().into_iter().map(|precision| (precision, alone(precision))).collect()
});

#[test]
fn every_precision_says_the_same() {
    let (_, exact) = &ALONE[0];
    for (precision, found) in &ALONE[1..] {
        for (exact, found) in exact.iter().zip(found) {
            let largest = exact.iter().fold(1.0_f32, |largest, logit| largest.max(logit.abs()));
            let allowed = if *precision == Precision::Bf16 { 0.02 } else { 0.05 } * largest;
            assert!(
                exact.iter().zip(found).all(|(a, b)| (a - b).abs() <= allowed),
                "{precision}: {found:?} for {exact:?}"
            );
        }
    }
}

#[test]
fn a_lone_text_that_threads_share_has_the_same_logits() {
    for (precision, alone) in &*ALONE {
        let shared = load(*precision, 3, 512).unwrap();
        for (text, alone) in all().iter().zip(alone) {
            let found = shared.logits(&[Some(text)]).unwrap().remove(0).unwrap();
            assert_eq!(bits(&found), bits(alone), "{precision} {text:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn logits_are_the_same_alone_and_in_company(
        picks in prop::collection::vec(0..TEXTS.len() + 39, 1..60),
        nulls in prop::collection::vec(any::<bool>(), 60),
        precision in prop::sample::select(precisions()),
        threads in 1..4_usize,
        batch_tokens in prop::sample::select(vec![1_usize, 33, 512, 4096]),
    ) {
        let texts = all();
        let rows: Vec<Option<&str>> = picks.iter().zip(&nulls).map(|(&pick, &null)| (!null).then_some(texts[pick])).collect();
        let found = load(precision, threads, batch_tokens).unwrap().logits(&rows).unwrap();
        let (_, alone) = ALONE.iter().find(|(at, _)| *at == precision).unwrap();
        prop_assert_eq!(found.len(), rows.len());
        for ((pick, row), logits) in picks.iter().zip(&rows).zip(&found) {
            prop_assert_eq!(row.is_some(), logits.is_some());
            if let Some(logits) = logits {
                prop_assert_eq!(bits(logits), bits(&alone[*pick]));
            }
        }
    }
}

#[test]
fn the_texts_differ_so_that_a_mix_up_would_show() {
    let mut distinct: Vec<Vec<u32>> = ALONE[0].1.iter().map(|logits| bits(logits)).collect();
    distinct.sort();
    distinct.dedup();
    // everything over the limit reads the same, and so may equal beginnings
    assert!(distinct.len() > 30, "only {} different results", distinct.len());
}

#[test]
fn equal_texts_go_through_once_and_are_counted_each() {
    let settings = ClassifierSettings { max_sentence_length: Some(64), threads: 2, ..Default::default() };
    let one = Classifier::pretrained("ag_news", settings).unwrap();
    let long = LONG.last().unwrap().as_str();
    let once = [Some("Oil"), Some(long), None];
    let token = CancellationToken::default();
    let (expected, each) = one.run(&once, &token).unwrap();
    let often: Vec<_> = once.iter().cycle().copied().take(30).collect();
    let (found, all) = one.run(&often, &token).unwrap();
    assert!(found.chunks(3).all(|rows| rows == expected));
    assert_eq!((all.tokens, all.sequences, all.flops), (each.tokens, each.sequences, each.flops));
    assert_eq!([all.documents, all.blank], [30, 10]);
    assert_eq!(all.truncated, 10 * each.truncated);
    assert_eq!(each.truncated, 1, "the last text is longer than the limit");
}

#[test]
fn the_precision_of_loaded_weights_is_settled() {
    let loaded = load(Precision::Int8, 1, 64).unwrap();
    assert!(loaded.with_settings(ClassifierSettings { precision: Precision::Int8, ..Default::default() }).is_ok());
    let error = loaded.with_settings(ClassifierSettings::default()).unwrap_err().to_string();
    assert_eq!(error, "the model was loaded in int8 and cannot switch to f32: load it again");
}
