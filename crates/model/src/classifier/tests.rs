//! Every shape against the f64 model, and the independence of a document from its company.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::reference::RandomModel;
use crate::{Kernels, ModelError, Phase, Precision, Profile, RaggedBatch, Reads, Scratch, SequenceClassifier};

/// A model of a few odd sizes; `fields` come first and end in a comma.
fn json(fields: &str) -> String {
    let defaults = [
        ("vocab_size", "37"),
        ("embedding_size", "9"),
        ("hidden_size", "30"),
        ("num_attention_heads", "3"),
        ("num_hidden_layers", "3"),
        ("intermediate_size", "41"),
        ("max_position_embeddings", "24"),
        ("hidden_act", "\"gelu_new\""),
    ];
    let rest = defaults.iter().filter(|(name, _)| !fields.contains(name));
    let rest: Vec<String> = rest.map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{fields} {}}}", rest.join(", "))
}

const SHAPES: [&str; 12] = [
    r#""hidden_act": "gelu","#,
    r#""hidden_act": "gelu_new","#,
    r#""hidden_act": "gelu_pytorch_tanh","#,
    r#""hidden_act": "relu", "layer_norm_eps": 1e-5,"#,
    r#""hidden_act": "silu", "type_vocab_size": 1,"#,
    r#""hidden_act": "tanh", "num_labels": 1,"#,
    r#""num_hidden_layers": 7, "num_hidden_groups": 3, "inner_group_num": 2,"#,
    r#""num_hidden_layers": 1, "num_attention_heads": 1, "embedding_size": 33,"#,
    r#""hidden_size": 5, "num_attention_heads": 5, "intermediate_size": 1, "embedding_size": 1,"#,
    r#""hidden_size": 128, "num_attention_heads": 2, "intermediate_size": 512, "num_hidden_groups": 3,"#,
    r#""model_type": "bert", "hidden_act": "gelu","#,
    r#""model_type": "bert", "hidden_size": 64, "num_attention_heads": 2, "num_hidden_layers": 5, "num_labels": 3,"#,
];

fn documents(model: &RandomModel) -> Vec<Vec<u32>> {
    let (vocabulary, limit) = (model.architecture().vocab_size() as u32, model.architecture().max_tokens());
    [1, limit, 2, 7, 1, 13].map(|len| (0..len as u32).map(|i| (i * i * 7 + len as u32) % vocabulary).collect()).into()
}

fn classifier(model: &RandomModel, json: &str, kernels: Kernels) -> SequenceClassifier {
    at_precision(model, json, kernels, Precision::F32).unwrap()
}

fn at_precision(
    model: &RandomModel,
    json: &str,
    kernels: Kernels,
    precision: Precision,
) -> Result<SequenceClassifier, ModelError> {
    SequenceClassifier::from_bytes(json.as_bytes(), &model.safetensors(), kernels, precision)
}

fn all_kernels() -> impl Iterator<Item = Kernels> {
    Kernels::available().into_iter().map(|level| Kernels::at(level).unwrap())
}

fn logits(classifier: &SequenceClassifier, documents: &[Vec<u32>], scratch: &mut Scratch) -> Vec<f32> {
    let mut batch = RaggedBatch::new();
    documents.iter().for_each(|document| batch.push(document));
    let mut out = Vec::new();
    classifier.logits(&batch, 1, scratch, &mut out).unwrap();
    out
}

#[test]
fn every_shape_agrees_with_the_reference() {
    for (seed, shape) in SHAPES.into_iter().enumerate() {
        let json = json(shape);
        let model = RandomModel::new(&json, seed as u64);
        let documents = documents(&model);
        let expected: Vec<f64> = documents.iter().flat_map(|document| model.logits(document)).collect();
        let spread = expected.iter().fold(0.0_f64, |spread, x| spread.max((x - expected[0]).abs()));
        assert!(spread > 1e-2, "the documents tell the weights apart: {expected:?}");
        for kernels in all_kernels() {
            let found = logits(&classifier(&model, &json, kernels), &documents, &mut Scratch::new());
            assert_eq!(found.len(), expected.len());
            for (index, (&found, &expected)) in found.iter().zip(&expected).enumerate() {
                let error = (f64::from(found) - expected).abs();
                assert!(error < 2e-5, "{} {shape} logit {index}: {found} for {expected}", kernels.level());
            }
        }
    }
}

/// Leaving a piece out and keeping the places of the others is what an attention mask does.
#[test]
fn pieces_left_out_are_masked_pieces() {
    const HIDDEN: u32 = 1;
    let json = json(r#""hidden_act": "gelu","#);
    let model = RandomModel::new(&json, 5);
    let documents: [&[u32]; 4] =
        [&[2, 1, 9, 3], &[2, 1, 1, 1, 3], &[2, 20, 1, 21, 1, 1, 22, 23, 1, 3], &[2, 30, 31, 3]];
    let expected: Vec<f64> =
        documents.iter().flat_map(|document| model.masked_logits(document, |id| id == HIDDEN)).collect();
    let unmasked: Vec<f64> = documents.iter().flat_map(|document| model.logits(document)).collect();
    let counts = expected.iter().zip(&unmasked).map(|(masked, not)| (masked - not).abs()).fold(0.0, f64::max);
    assert!(counts > 1e-3, "a mask counts, by {counts}");
    let mut batch = RaggedBatch::new();
    documents.iter().for_each(|document| batch.push_without(document, HIDDEN));
    for kernels in all_kernels() {
        let mut found = Vec::new();
        classifier(&model, &json, kernels).logits(&batch, 1, &mut Scratch::new(), &mut found).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert!((f64::from(*found) - expected).abs() < 2e-5, "{}: {found} for {expected}", kernels.level());
        }
    }
}

/// At every level and precision, with threads and without, alone and together.
#[test]
fn every_precision_agrees_with_the_reference_and_with_itself() {
    for (seed, shape) in SHAPES.into_iter().enumerate() {
        let json = json(shape);
        let model = RandomModel::new(&json, seed as u64);
        let documents = documents(&model);
        let expected: Vec<f64> = documents.iter().flat_map(|document| model.logits(document)).collect();
        let largest = expected.iter().fold(0.1_f64, |largest, x| largest.max(x.abs()));
        for kernels in all_kernels() {
            for precision in Precision::ALL.into_iter().filter(|&precision| kernels.elements(precision).is_ok()) {
                let what = format!("{} {precision} {shape}", kernels.level());
                let model = at_precision(&model, &json, kernels, precision).unwrap();
                let mut scratch = Scratch::new();
                let together = logits(&model, &documents, &mut scratch);
                for (found, expected) in together.iter().zip(&expected) {
                    assert!((f64::from(*found) - expected).abs() < 0.2 * largest, "{what}: {found} for {expected}");
                }
                let alone: Vec<f32> = documents
                    .iter()
                    .flat_map(|document| logits(&model, std::slice::from_ref(document), &mut scratch))
                    .collect();
                let mut batch = RaggedBatch::new();
                documents.iter().for_each(|document| batch.push(document));
                let mut threaded = Vec::new();
                model.logits(&batch, 3, &mut scratch, &mut threaded).unwrap();
                let bits = |logits: &[f32]| logits.iter().map(|logit| logit.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&alone), bits(&together), "{what}, alone");
                assert_eq!(bits(&threaded), bits(&together), "{what}, by threads");
            }
        }
    }
}

#[test]
fn what_the_model_cannot_read_is_an_error() {
    let json = json("");
    let model = classifier(&RandomModel::new(&json, 1), &json, Kernels::detect().unwrap());
    let of = |documents: &[&[u32]]| {
        let mut batch = RaggedBatch::new();
        documents.iter().for_each(|document| batch.push(document));
        let mut out = vec![7.0];
        let result = model.logits(&batch, 1, &mut Scratch::new(), &mut out);
        (result, out)
    };
    let (result, out) = of(&[&[1], &[]]);
    assert!(matches!(result, Err(ModelError::EmptyDocument { document: 1 })), "{result:?}");
    assert_eq!(out, [7.0]);
    let (result, _) = of(&[&[0; 25]]);
    assert!(matches!(result, Err(ModelError::DocumentTooLong { document: 0, pieces: 25, limit: 24 })), "{result:?}");
    let (result, _) = of(&[&[1], &[2], &[36, 37]]);
    assert!(matches!(result, Err(ModelError::UnknownPiece { document: 2, id: 37, vocabulary: 37 })), "{result:?}");
    let (result, out) = of(&[]);
    assert!(result.is_ok() && out.is_empty());
}

#[test]
fn token_types_choose_their_embeddings() {
    let json = json(r#""type_vocab_size": 3,"#);
    let model = RandomModel::new(&json, 9);
    let (ids, token_types) = ([2, 9, 3, 11, 12, 3], [0, 0, 0, 1, 1, 2]);
    let expected = [model.logits(&[2, 9, 3]), model.typed_logits(&ids, &token_types)].concat();
    let untyped = model.logits(&ids);
    assert!((expected[2] - untyped[0]).abs() > 1e-3, "types count: {expected:?}, {untyped:?}");
    let mut batch = RaggedBatch::new();
    batch.push(&[2, 9, 3]);
    let alone = |classifier: &SequenceClassifier, batch: &RaggedBatch| {
        let mut out = Vec::new();
        classifier.logits(batch, 1, &mut Scratch::new(), &mut out).unwrap();
        out
    };
    for kernels in all_kernels() {
        let classifier = classifier(&model, &json, kernels);
        let single = alone(&classifier, &batch);
        let mut both = batch.clone();
        both.push_with_types(&ids, &token_types);
        let found = alone(&classifier, &both);
        for (found, expected) in found.iter().zip(&expected) {
            assert!((f64::from(*found) - expected).abs() < 2e-5, "{}: {found} for {expected}", kernels.level());
        }
        // A text alone is the same bit for bit beside a pair.
        assert_eq!(single, found[..single.len()]);
        both.push_with_types(&[2, 3], &[0, 3]);
        let result = classifier.logits(&both, 1, &mut Scratch::new(), &mut Vec::new());
        assert!(matches!(result, Err(ModelError::UnknownTokenType { document: 2, token_type: 3, token_types: 3 })));
    }
}

#[test]
fn first_tokens_alone_agree_with_those_where_all_are_read() {
    let json = json("");
    let model = RandomModel::new(&json, 4);
    let mut batch = RaggedBatch::new();
    documents(&model).iter().for_each(|document| batch.push(document));
    for kernels in all_kernels() {
        for precision in Precision::ALL.into_iter().filter(|&precision| kernels.elements(precision).is_ok()) {
            let model = at_precision(&model, &json, kernels, precision).unwrap();
            let rows = |reads| {
                let mut scratch = Scratch::new();
                let rows = model.encoder.forward(&batch, None, reads, 1, &mut scratch, &Profile::default()).unwrap();
                (0..rows.rows()).map(|row| rows.row(row).to_vec()).collect::<Vec<_>>()
            };
            let (first, all) = (rows(Reads::FirstToken), rows(Reads::AllTokens));
            assert_eq!((first.len(), all.len()), (batch.documents(), batch.tokens()));
            // hidden states are normalised: about 1
            let tolerance = if precision == Precision::F32 { 1e-5 } else { 0.1 };
            for (first, &start) in first.iter().zip(batch.starts()) {
                for (first, all) in first.iter().zip(&all[start]) {
                    assert!((first - all).abs() < tolerance, "{} {precision}: {first} and {all}", kernels.level());
                }
            }
        }
    }
}

#[test]
fn threads_share_a_model() {
    fn shared<T: Send + Sync>() {}
    shared::<SequenceClassifier>();
}

#[test]
fn operations_of_albert_base_are_those_of_its_products() {
    let json = r#"{"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072, "vocab_size": 1,
        "num_labels": 4}"#;
    let model = classifier(&RandomModel::new(json, 1), json, Kernels::detect().unwrap());
    // Eleven layers of 64 tokens at 14.2 MFLOP a token and their attention, and a twelfth of one token.
    let layer = 64 * 2 * (4 * 768 * 768 + 2 * 768 * 3072) + 4 * 64 * 64 * 768;
    let last = 2 * (4 * 768 * 768 + 2 * 768 * 3072) + 4 * 64 * 12 * 768;
    assert_eq!(model.flops(64), 64 * 2 * 128 * 768 + 11 * layer + last + 2 * (768 * 768 + 768 * 4));
}

#[test]
fn the_profile_is_counted_when_switched_on() {
    let json = json("");
    let model = classifier(&RandomModel::new(&json, 1), &json, Kernels::detect().unwrap());
    let mut batch = RaggedBatch::new();
    batch.push(&[1, 2, 3]);
    let profile = Profile::default();
    let (mut scratch, mut logits) = (Scratch::new(), Vec::new());
    model.logits_timed(&batch, None, 1, &mut scratch, &profile, &mut logits).unwrap();
    assert!(Phase::ALL.iter().all(|&phase| profile.time(phase).is_zero()));
    profile.switch(true);
    for _ in 0..100 {
        model.logits_timed(&batch, None, 1, &mut scratch, &profile, &mut logits).unwrap();
    }
    assert!(Phase::ALL.iter().all(|&phase| !profile.time(phase).is_zero()));
}

#[test]
fn tokens_that_documents_share_change_no_bit() {
    for shape in SHAPES {
        let json = json(shape);
        let model = RandomModel::new(&json, 3);
        // variants of one text, and a document that has a token of its own
        let variant =
            |hidden: u32| (0..20).map(|token| if hidden >> (token % 7) & 1 == 1 { 4 } else { token + 5 }).collect();
        let variants: Vec<Vec<u32>> = (0..128).map(variant).collect();
        let stranger = [variants[3].clone(), vec![36]].concat();
        for kernels in all_kernels() {
            for precision in Precision::ALL.into_iter().filter(|&precision| kernels.elements(precision).is_ok()) {
                let model = at_precision(&model, &json, kernels, precision).unwrap();
                let mut batch = RaggedBatch::new();
                variants.iter().for_each(|variant| batch.push(variant));
                let (mut scratch, profile) = (Scratch::new(), Profile::default());
                let documents = (0..batch.documents()).map(|index| (&batch, index));
                let shared = model.share(documents, 2, &mut scratch, &profile);
                let architecture = model.config().architecture();
                let layers = architecture.hidden_layers() * architecture.inner_groups();
                assert_eq!(shared.is_some(), layers > 1, "{shape}");
                for documents in [&variants[..], std::slice::from_ref(&stranger)] {
                    let mut batch = RaggedBatch::new();
                    documents.iter().for_each(|document| batch.push(document));
                    let mut found = [Vec::new(), Vec::new()];
                    for (shared, out) in [None, shared.as_ref()].into_iter().zip(&mut found) {
                        model.logits_timed(&batch, shared, 1, &mut scratch, &profile, out).unwrap();
                    }
                    let [without, with] = found.map(|logits| logits.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
                    assert_eq!(with, without, "{} {precision} {shape}", kernels.level());
                }
            }
        }
    }
    // documents that have little in common share nothing
    let json = json("");
    let model = classifier(&RandomModel::new(&json, 3), &json, Kernels::detect().unwrap());
    let mut batch = RaggedBatch::new();
    (0..100_u32).for_each(|document| {
        batch.push(&(0..20).map(|token| (document * 31 + token * token) % 37).collect::<Vec<_>>())
    });
    let documents = (0..100).map(|index| (&batch, index));
    assert!(model.share(documents, 1, &mut Scratch::new(), &Profile::default()).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn logits_never_depend_on_company(
        documents in prop::collection::vec(prop::collection::vec(0_u32..37, 1..=24), 1..20), shape in 0..SHAPES.len(),
    ) {
        let json = json(SHAPES[shape]);
        let model = RandomModel::new(&json, 3);
        for kernels in all_kernels() {
            let classifier = classifier(&model, &json, kernels);
            // One working memory for all, so that what a batch leaves behind would show.
            let mut scratch = Scratch::new();
            let together = logits(&classifier, &documents, &mut scratch);
            let labels = together.len() / documents.len();
            for (document, together) in documents.iter().zip(together.chunks(labels)) {
                let alone = logits(&classifier, std::slice::from_ref(document), &mut scratch);
                let bits = |logits: &[f32]| logits.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&alone), bits(together));
            }
        }
    }
}
