//! A score never depends on company: the same text has the same logits, bit for bit, in every batch, order and number of threads.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::LazyLock;

use albertine::{Classifier, ClassifierSettings};
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

static ONE: LazyLock<Classifier> = LazyLock::new(|| classifier(1, 64));

fn classifier(threads: usize, batch_tokens: usize) -> Classifier {
    let settings = ClassifierSettings { threads, batch_tokens, ..Default::default() };
    Classifier::pretrained("ag_news", settings).unwrap()
}

fn all() -> Vec<&'static str> {
    TEXTS.iter().copied().chain(LONG.iter().map(String::as_str)).collect()
}

fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|logit| logit.to_bits()).collect()
}

/// The logits of each text when nothing else is around.
static ALONE: LazyLock<Vec<Vec<u32>>> =
    LazyLock::new(|| all().iter().map(|text| bits(ONE.logits(&[Some(text)]).unwrap()[0].as_ref().unwrap())).collect());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn logits_are_the_same_alone_and_in_company(
        picks in prop::collection::vec(0..TEXTS.len() + 39, 1..60),
        nulls in prop::collection::vec(any::<bool>(), 60),
        threads in 1..4_usize,
        batch_tokens in prop::sample::select(vec![1_usize, 33, 512, 4096]),
    ) {
        let texts = all();
        let rows: Vec<Option<&str>> = picks.iter().zip(&nulls).map(|(&pick, &null)| (!null).then_some(texts[pick])).collect();
        let found = classifier(threads, batch_tokens).logits(&rows).unwrap();
        prop_assert_eq!(found.len(), rows.len());
        for ((pick, row), logits) in picks.iter().zip(&rows).zip(&found) {
            prop_assert_eq!(row.is_some(), logits.is_some());
            if let Some(logits) = logits {
                prop_assert_eq!(&bits(logits), &ALONE[*pick]);
            }
        }
    }
}

#[test]
fn the_texts_differ_so_that_a_mix_up_would_show() {
    let mut distinct: Vec<&Vec<u32>> = ALONE.iter().collect();
    distinct.sort();
    distinct.dedup();
    // everything over the limit reads the same, and so may equal beginnings
    assert!(distinct.len() > 30, "only {} different results", distinct.len());
}
