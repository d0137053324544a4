//! What words contribute to labels: invariants of both methods over heads and families.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use albertine::explain::{Explanation, Method, Settings, explain};
use albertine::hub::ModelSource;
use albertine::{Activation, CancellationToken, Classifier, ClassifierSettings, Error, LongTexts};
use proptest::prelude::*;

const METHODS: [Method; 2] = [Method::Shap, Method::LeaveOneOut];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden").join(name)
}

fn built_in() -> Classifier {
    Classifier::pretrained("ag_news", ClassifierSettings::default()).unwrap()
}

fn of(classifier: &Classifier, texts: &[Option<&str>], settings: &Settings) -> Vec<Option<Explanation>> {
    explain(classifier, texts, settings, &CancellationToken::default()).unwrap()
}

fn one(classifier: &Classifier, text: &str, settings: &Settings) -> Explanation {
    of(classifier, &[Some(text)], settings).pop().unwrap().unwrap()
}

fn by(method: Method, evaluations: usize) -> Settings {
    Settings { method, evaluations, ..Settings::default() }
}

/// The sum of the weights of each label over parts.
fn sums<'e>(parts: impl IntoIterator<Item = &'e albertine::explain::Part>, labels: usize) -> Vec<f32> {
    let mut sums = vec![0.0; labels];
    parts.into_iter().for_each(|part| sums.iter_mut().zip(&part.weights).for_each(|(sum, weight)| *sum += weight));
    sums
}

#[test]
fn the_value_is_the_score_and_the_weights_add_up() {
    for model in ["regression", "multi_label", "bert_multi_label", "bert_regression", "bert_uncased", "spiece_only"] {
        let classifier =
            Classifier::load(&ModelSource::Directory(golden(model)), ClassifierSettings::default()).unwrap();
        let labels = classifier.labels().len();
        let text = "Oil prices (Brent) rose, and stocks didn't: \"a quiet day\", said the U.S. dealer.";
        let logits = classifier.logits(&[Some(text)]).unwrap().pop().unwrap().unwrap();
        for (activation, values) in [
            (None, classifier.activation().scores(&logits)),
            (Some(Activation::Identity), logits.clone()),
            (Some(Activation::Sigmoid), Activation::Sigmoid.scores(&logits)),
        ] {
            for method in METHODS {
                let found = one(&classifier, text, &Settings { activation, ..by(method, 200) });
                assert_eq!(found.values, values, "{model}");
                assert_eq!(found.activation, activation.unwrap_or(classifier.activation()));
                assert!(!found.truncated);
                if method == Method::Shap {
                    for sums in [sums(&found.words, labels), sums(&found.parts, labels)] {
                        for (label, sum) in sums.iter().enumerate() {
                            let whole = found.values[label] - found.base[label];
                            assert!((sum - whole).abs() < 1e-5, "{model} {label}: {sum} {whole}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn words_are_those_of_the_text() {
    let classifier = built_in();
    let text = "  Señor O'Neil said: \u{201c}U.S. stocks fell 3.5%\u{201d} — on Wall-Street.  ";
    for method in METHODS {
        let found = one(&classifier, text, &by(method, 50));
        let words: Vec<&str> = found.words.iter().map(|word| &text[word.bytes.clone()]).collect();
        assert_eq!(words[..4], ["Señor", "O'Neil", "said", ":"]);
        for word in &found.words {
            let characters: String = text.chars().skip(word.begin).take(word.end - word.begin).collect();
            assert_eq!(characters, &text[word.bytes.clone()]);
            assert_eq!(word.weights.len(), 4);
        }
        assert!(found.words.windows(2).all(|pair| pair[0].bytes.end <= pair[1].bytes.start));
    }
}

#[test]
fn null_blank_and_invisible_texts() {
    let classifier = built_in();
    for method in METHODS {
        let found = of(&classifier, &[None, Some(""), Some(" \t\n"), Some("\u{200b}"), Some("goal")], &by(method, 50));
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, false, true, true]);
        assert!(found[3].as_ref().unwrap().words.len() <= 1);
        assert_eq!(found[4].as_ref().unwrap().words.len(), 1);
    }
}

#[test]
fn a_long_text_is_explained_as_far_as_it_is_read() {
    let short = ClassifierSettings { max_sentence_length: Some(12), ..ClassifierSettings::default() };
    let classifier = built_in().with_settings(short.clone()).unwrap();
    let text = "Oil prices rose on Monday as OPEC cut its output by two million barrels a day until further notice.";
    for method in METHODS {
        let found = one(&classifier, text, &by(method, 100));
        assert!(found.truncated);
        assert!(found.words.len() <= 10);
        assert_eq!(
            found.values,
            classifier.activation().scores(&classifier.logits(&[Some(text)]).unwrap()[0].clone().unwrap())
        );
    }
    let windows = ClassifierSettings { long_texts: LongTexts::Windows { overlap: 2 }, ..short };
    let classifier = classifier.with_settings(windows).unwrap();
    let found = one(&classifier, text, &by(Method::LeaveOneOut, 0));
    assert!(!found.truncated);
    assert_eq!(&text[found.words.last().unwrap().bytes.clone()], ".");
}

#[test]
fn a_huge_text_does_not_need_huge_work() {
    let classifier = built_in();
    let text = "Oil prices rose. ".repeat(200_000);
    let found = one(&classifier, &text, &by(Method::Shap, 10));
    assert!(found.truncated);
    let spaces = format!("{}goal{}", " ".repeat(100_000), " ".repeat(100_000));
    assert!(one(&classifier, &spaces, &by(Method::Shap, 10)).truncated);
}

#[test]
fn few_evaluations_are_kept_to() {
    let classifier = built_in();
    let text = "Oil prices rose on Monday as OPEC cut its output, and the cup final went to penalties.";
    for evaluations in [0, 1, 2, 3, 10, 100, 500, 5000] {
        let found = one(&classifier, text, &by(Method::Shap, evaluations));
        assert!(found.evaluations <= evaluations.max(2) + 1, "{} for {evaluations}", found.evaluations);
        let sum = sums(&found.words, 4)[2];
        assert!((sum - (found.values[2] - found.base[2])).abs() < 1e-5);
    }
}

#[test]
fn the_strongest_words_come_first() {
    let classifier = built_in();
    let text = "The team won the cup final after extra time.";
    let found = one(&classifier, text, &Settings::default());
    assert_eq!(classifier.labels()[found.best()], "Sports");
    let strongest = found.strongest(found.best(), 3);
    assert!(strongest.len() <= 3 && strongest[0].weights[1] >= strongest[strongest.len() - 1].weights[1]);
    let words: Vec<&str> = strongest.iter().map(|word| &text[word.bytes.clone()]).collect();
    assert!(words.iter().any(|word| ["team", "cup", "final"].contains(word)), "{words:?}");
}

#[test]
fn cancelled_work_stops() {
    let token = CancellationToken::default();
    token.cancel();
    for method in METHODS {
        let outcome = explain(&built_in(), &[Some("Oil prices rose")], &by(method, 500), &token);
        assert!(matches!(outcome, Err(Error::Cancelled)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any text: parts slice it, weights add up, and the texts beside it change nothing.
    #[test]
    fn any_text_alone_and_among_others(text in "[a-zA-Z .,'()é½株😀\\n\\[\\]-]{1,60}", other in "\\PC{0,30}") {
        let classifier = built_in();
        for method in METHODS {
            let alone = of(&classifier, &[Some(&text)], &by(method, 60));
            let among = of(&classifier, &[Some(&other), Some(&text), Some("Oil prices rose"), None], &by(method, 60));
            prop_assert_eq!(&alone[0], &among[1]);
            let Some(found) = &alone[0] else { continue };
            for part in found.words.iter().chain(&found.parts) {
                let characters: String = text.chars().skip(part.begin).take(part.end - part.begin).collect();
                prop_assert_eq!(characters, &text[part.bytes.clone()]);
            }
            if method == Method::Shap {
                let sums = sums(&found.words, 4);
                for (label, sum) in sums.iter().enumerate() {
                    prop_assert!((sum - (found.values[label] - found.base[label])).abs() < 1e-5);
                }
            }
        }
    }
}
