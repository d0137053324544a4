//! Vocabularies trained on the corpus of the golden models.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::{SubwordTokenizer, Vocabulary};

const CORPUS: &str = include_str!("../../../../tools/golden_pieces/corpus.txt");

fn trained(size: usize) -> Result<UnigramVocabulary, TextError> {
    let mut trainer = UnigramTrainer::new();
    CORPUS.lines().for_each(|line| trainer.add(line));
    trainer.train(size)
}

fn tokenizer(vocabulary: &UnigramVocabulary) -> SubwordTokenizer {
    let (json, config) = (vocabulary.tokenizer_json(), UnigramVocabulary::tokenizer_config_json(128));
    SubwordTokenizer::from_bytes(Vocabulary::TokenizerJson(json.as_bytes()), Some(config.as_bytes())).unwrap()
}

#[test]
fn a_vocabulary_has_as_many_pieces_as_asked_for_and_cuts_its_texts_into_few() {
    let pieces = |size: usize| {
        let tokenizer = tokenizer(&trained(size).unwrap());
        assert_eq!(tokenizer.vocabulary(), size);
        assert_eq!(tokenizer.mask_token(), Some("[MASK]"));
        let mut ids = Vec::new();
        for line in CORPUS.lines() {
            tokenizer.encode(line, usize::MAX, &mut ids).unwrap();
        }
        (ids.iter().filter(|&&id| id == 1).count(), ids.len())
    };
    let ((few_unknown, few), (_, more), (_, most)) = (pieces(150), pieces(250), pieces(400));
    assert!(few > more && more > most, "{few} {more} {most}");
    assert!(few_unknown * 200 < few, "{few_unknown} of {few}");
}

#[test]
fn the_same_texts_give_the_same_vocabulary() {
    assert_eq!(trained(300).unwrap(), trained(300).unwrap());
    let mut turned = UnigramTrainer::new();
    CORPUS.lines().rev().for_each(|line| turned.add(line));
    assert_eq!(turned.train(300).unwrap(), trained(300).unwrap(), "their order does not matter");
}

#[test]
fn a_word_that_is_frequent_is_a_piece() {
    let vocabulary = trained(400).unwrap();
    let scores: Vec<f64> = vocabulary.pieces()[5..].iter().map(|(_, score)| *score).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores.iter().all(|score| *score < 0.0));
    assert!(vocabulary.pieces().iter().any(|(piece, _)| piece == "▁the"));
    for (piece, _) in &vocabulary.pieces()[5..] {
        assert!(piece.chars().count() <= 16 && !piece.chars().skip(1).any(|c| c == '▁'), "{piece}");
    }
}

#[test]
fn sizes_that_cannot_be_are_told() {
    let error = trained(20).unwrap_err().to_string();
    assert!(
        error.starts_with("a vocabulary of 20 pieces is too small for the texts: their characters alone need "),
        "{error}"
    );
    let error = trained(1 << 20).unwrap_err().to_string();
    assert!(
        error.starts_with("a vocabulary of 1048576 pieces is too large for the texts, which have only "),
        "{error}"
    );
    assert!(matches!(UnigramTrainer::new().train(100), Err(TextError::VocabularySize { .. })));
}

#[test]
fn a_line_without_an_end_is_read_like_any_other() {
    let mut trainer = UnigramTrainer::new();
    trainer.add(&"Oil prices rose on Monday. ".repeat(200_000));
    trainer.add(&"qwertyuiopasdfghjklzxcvbnm0123456789".repeat(100_000));
    assert_eq!(trainer.train(45).unwrap().pieces().len(), 45);
}

/// `testdata/vocabulary/cases.jsonl` is what Hugging Face's `tokenizers` makes of the vocabulary beside it
/// (`tools/golden_training/pieces.py`), which is the one that is trained here.
#[test]
fn a_trained_vocabulary_cuts_texts_as_tokenizers_does() {
    let golden = include_str!("../../../../testdata/vocabulary/tokenizer.json");
    let json: serde_json::Value = serde_json::from_str(golden).unwrap();
    let pieces: Vec<(String, f64)> = serde_json::from_value(json["model"]["vocab"].clone()).unwrap();
    let vocabulary = trained(300).unwrap();
    for ((piece, score), (expected, number)) in vocabulary.pieces().iter().zip(&pieces) {
        // Logarithms differ in their last digit from one machine to the next.
        assert!(piece == expected && (score - number).abs() < 1e-9, "{piece} {score} for {expected} {number}");
    }
    assert_eq!(vocabulary.pieces().len(), pieces.len());
    let tokenizer = tokenizer(&vocabulary);
    let mut cases = 0;
    for case in include_str!("../../../../testdata/vocabulary/cases.jsonl").lines() {
        let case: serde_json::Value = serde_json::from_str(case).unwrap();
        let (expected, mut ids): (Vec<u32>, _) = (serde_json::from_value(case["ids"].clone()).unwrap(), Vec::new());
        tokenizer.encode(case["text"].as_str().unwrap(), usize::MAX, &mut ids).unwrap();
        assert_eq!(ids, expected, "{case}");
        cases += 1;
    }
    assert!(cases > 50, "{cases}");
}
