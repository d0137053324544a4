//! Defaults, and a table of every field that may be wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use super::*;

fn read(json: &str) -> Result<ModelConfig, String> {
    ModelConfig::from_slice(json.as_bytes(), Path::new("m/config.json")).map_err(|error| error.to_string())
}

#[test]
fn defaults_are_those_of_transformers() {
    let config = read("{}").unwrap();
    let architecture = config.architecture();
    let sizes = [
        (architecture.vocab_size(), 30_000),
        (architecture.embedding_size(), 128),
        (architecture.hidden_size(), 4096),
        (architecture.hidden_layers(), 12),
        (architecture.hidden_groups(), 1),
        (architecture.attention_heads(), 64),
        (architecture.intermediate_size(), 16_384),
        (architecture.inner_groups(), 1),
        (architecture.max_tokens(), 512),
        (architecture.token_types(), 2),
    ];
    assert!(sizes.iter().all(|(found, expected)| found == expected), "{sizes:?}");
    assert_eq!(architecture.model_type(), "albert");
    assert_eq!((architecture.activation(), architecture.layer_norm_eps()), (HiddenActivation::GeluNew, 1e-12));
    assert_eq!((config.labels(), config.problem_type()), (&["LABEL_0", "LABEL_1"].map(str::to_owned)[..], None));
    // `null` is what transformers writes for a value that is not set.
    assert_eq!(read(r#"{"problem_type": null, "num_labels": null, "model_type": "albert"}"#).unwrap(), config);
}

#[test]
fn defaults_of_bert_are_those_of_transformers() {
    let config = read(r#"{"model_type": "bert", "is_decoder": false}"#).unwrap();
    let architecture = config.architecture();
    let widths = [architecture.embedding_size(), architecture.hidden_size(), architecture.intermediate_size()];
    assert_eq!((architecture.vocab_size(), widths), (30_522, [768, 768, 3072]));
    assert_eq!((architecture.max_tokens(), architecture.token_types()), (512, 2));
    assert_eq!(architecture.layer_order(), (0..12).collect::<Vec<_>>());
    assert_eq!((architecture.activation(), architecture.layer_norm_eps()), (HiddenActivation::Gelu, 1e-12));
    assert!(!architecture.has_embedding_projection());
    // As transformers counts `BertForSequenceClassification` of the base shape with two labels.
    assert_eq!(config.parameters(), 109_483_778);
    let tensors = config.tensors();
    assert_eq!(tensors.layers[11].output_norm.bias.stored_name, "bert.encoder.layer.11.output.LayerNorm.bias");
    assert_eq!(tensors.classifier.weight.stored_name, "classifier.weight");
}

#[test]
fn activations_have_their_names() {
    let cases = [
        ("gelu", HiddenActivation::Gelu),
        ("gelu_python", HiddenActivation::Gelu),
        ("gelu_10", HiddenActivation::Gelu10),
        ("gelu_new", HiddenActivation::GeluNew),
        ("gelu_fast", HiddenActivation::GeluNew),
        ("gelu_accurate", HiddenActivation::GeluNew),
        ("gelu_python_tanh", HiddenActivation::GeluNew),
        ("gelu_pytorch_tanh", HiddenActivation::GeluPytorchTanh),
        ("laplace", HiddenActivation::Laplace),
        ("leaky_relu", HiddenActivation::LeakyRelu),
        ("linear", HiddenActivation::Linear),
        ("mish", HiddenActivation::Mish),
        ("quick_gelu", HiddenActivation::QuickGelu),
        ("relu", HiddenActivation::Relu),
        ("relu2", HiddenActivation::Relu2),
        ("relu6", HiddenActivation::Relu6),
        ("sigmoid", HiddenActivation::Sigmoid),
        ("silu", HiddenActivation::Silu),
        ("swish", HiddenActivation::Silu),
        ("tanh", HiddenActivation::Tanh),
    ];
    for (name, activation) in cases {
        assert_eq!(read(&format!(r#"{{"hidden_act": "{name}"}}"#)).unwrap().architecture().activation(), activation);
        assert_eq!(HiddenActivation::from_name(activation.name()), Some(activation));
    }
}

#[test]
fn the_problem_type_is_what_the_file_says_whatever_the_labels() {
    let cases = [
        (r#"{"num_labels": 1}"#, &["LABEL_0"][..], None),
        (r#"{"id2label": {"0": "stars"}}"#, &["stars"], None),
        (
            r#"{"id2label": {"0": "spam"}, "problem_type": "multi_label_classification"}"#,
            &["spam"],
            Some(ProblemType::MultiLabel),
        ),
        (r#"{"id2label": {"1": "b", "0": "sentence"}, "num_labels": 7}"#, &["sentence", "b"], None),
        (
            r#"{"num_labels": 1, "problem_type": "single_label_classification"}"#,
            &["LABEL_0"],
            Some(ProblemType::SingleLabel),
        ),
        (r#"{"problem_type": "regression"}"#, &["LABEL_0", "LABEL_1"], Some(ProblemType::Regression)),
    ];
    for (json, labels, problem) in cases {
        let config = read(json).unwrap();
        assert_eq!(config.labels(), labels, "{json}");
        assert_eq!(config.problem_type(), problem, "{json}");
        if let Some(problem) = problem {
            assert_eq!(ProblemType::from_name(problem.name()), Some(problem));
        }
    }
}

#[test]
fn labels_that_are_no_texts_are_what_json_writes_for_them() {
    let cases = [
        (r#"{"0": 0, "1": 1, "2": 2, "3": 3}"#, &["0", "1", "2", "3"][..]),
        (r#"{"0": -1, "1": 0.5, "2": 1.0, "3": 1e16}"#, &["-1", "0.5", "1.0", "1e+16"]),
        (r#"{"0": false, "1": true}"#, &["false", "true"]),
        (r#"{"0": null, "1": "spam"}"#, &["null", "spam"]),
        (r#"{"1": 18446744073709551615, "0": "small"}"#, &["small", "18446744073709551615"]),
        (r#"["World", 2, null]"#, &["World", "2", "null"]),
    ];
    for (labels, expected) in cases {
        assert_eq!(read(&format!(r#"{{"id2label": {labels}}}"#)).unwrap().labels(), expected, "{labels}");
    }
}

#[test]
fn labels_are_many_and_long_up_to_a_limit() {
    let long = |length: usize| read(&format!(r#"{{"id2label": {{"0": "{}"}}}}"#, "x".repeat(length)));
    assert_eq!(long(1024).unwrap().labels()[0].len(), 1024);
    let error = long(1025).unwrap_err();
    assert!(error.starts_with(r#"`id2label` in m/config.json is {"0": "xxx"#), "{error}");
    assert!(error.ends_with("x…, expected labels of at most 1024 bytes"), "{error}");

    let many = |count: usize| {
        let labels: Vec<String> = (0..count).map(|id| format!(r#""{id}": "label {id}""#)).collect();
        read(&format!(r#"{{"id2label": {{{}}}}}"#, labels.join(", ")))
    };
    let many_labels = many(65_536).unwrap();
    let labels = many_labels.labels();
    assert_eq!((labels.len(), labels[40_000].as_str()), (65_536, "label 40000"));
    assert_eq!(
        many(65_537).unwrap_err(),
        "`id2label` in m/config.json is an object of 65537 labels, expected at most 65536"
    );
}

#[test]
fn wrong_fields_are_named_with_their_values() {
    let labels = "an object from the numbers 0, 1, 2 … to labels";
    let (elu, prelu) = (HiddenActivation::expected("elu"), HiddenActivation::expected("prelu"));
    assert!(elu.starts_with("one of gelu, gelu_10, ") && elu.ends_with(", silu, swish, tanh"), "{elu}");
    assert!(prelu.starts_with("one without weights of its own, which are not read: one of gelu, "), "{prelu}");
    let cases = [
        (r#"{"hidden_act": "elu"}"#, "hidden_act", r#""elu""#, elu.as_str()),
        (r#"{"hidden_act": "prelu"}"#, "hidden_act", r#""prelu""#, prelu.as_str()),
        (r#"{"hidden_act": 7}"#, "hidden_act", "7", "a string"),
        (r#"{"model_type": "roberta"}"#, "model_type", r#""roberta""#, r#""albert" or "bert""#),
        (r#"{"model_type": "bert", "is_decoder": true}"#, "is_decoder", "true", "false"),
        (
            r#"{"position_embedding_type": "relative_key"}"#,
            "position_embedding_type",
            r#""relative_key""#,
            r#""absolute""#,
        ),
        (r#"{"problem_type": 7}"#, "problem_type", "7", "a string"),
        (r#"{"problem_type": ""}"#, "problem_type", r#""""#, ProblemType::NAMES),
        (r#"{"problem_type": "ranking"}"#, "problem_type", r#""ranking""#, ProblemType::NAMES),
        (r#"{"vocab_size": 0}"#, "vocab_size", "0", "a whole number from 1 to 16777216"),
        (r#"{"vocab_size": -1}"#, "vocab_size", "-1", "a whole number from 1 to 16777216"),
        (r#"{"hidden_size": 1e300}"#, "hidden_size", "1e+300", "a whole number from 1 to 65536"),
        (
            r#"{"hidden_size": 18446744073709551615}"#,
            "hidden_size",
            "18446744073709551615",
            "a whole number from 1 to 65536",
        ),
        (r#"{"hidden_size": 12.5}"#, "hidden_size", "12.5", "a whole number from 1 to 65536"),
        (r#"{"num_hidden_layers": "12"}"#, "num_hidden_layers", r#""12""#, "a whole number from 1 to 256"),
        (r#"{"num_attention_heads": 60}"#, "num_attention_heads", "60", "a divisor of hidden_size, 4096"),
        (r#"{"num_hidden_groups": 13}"#, "num_hidden_groups", "13", "at most num_hidden_layers, 12"),
        (r#"{"layer_norm_eps": -1}"#, "layer_norm_eps", "-1", "a number from 0 to 1"),
        (r#"{"num_labels": 0}"#, "num_labels", "0", "a whole number from 1 to 65536"),
        (r#"{"id2label": {}}"#, "id2label", "{}", labels),
        (r#"{"id2label": []}"#, "id2label", "[]", labels),
        (r#"{"id2label": "a"}"#, "id2label", r#""a""#, labels),
        (r#"{"id2label": {"0": "a", "2": "b"}}"#, "id2label", r#"{"2": "b"}"#, labels),
        (r#"{"id2label": {"0": "a", "00": "b"}}"#, "id2label", r#"{"00": "b"}"#, labels),
        (r#"{"id2label": {"0": [1]}}"#, "id2label", r#"{"0": [1]}"#, labels),
        (r#"{"id2label": [{"name": "a"}]}"#, "id2label", r#"{"0": {"name":"a"}}"#, labels),
        // Texts in results: one and the same.
        (r#"{"id2label": {"0": 1, "1": "1"}}"#, "id2label", r#"{"1": "1"}"#, "another label than that of 0"),
        (
            r#"{"id2label": {"0": "a", "1": "b", "2": "a"}}"#,
            "id2label",
            r#"{"2": "a"}"#,
            "another label than that of 0",
        ),
        (
            r#"{"hidden_size": 65536, "intermediate_size": 1048576}"#,
            "hidden_size",
            "65536",
            "a shape of at most 4294967296 weights with the other sizes",
        ),
    ];
    for (json, field, value, expected) in cases {
        assert_eq!(read(json).unwrap_err(), format!("`{field}` in m/config.json is {value}, expected {expected}"));
    }
}

#[test]
fn long_values_are_shortened() {
    let error = read(&format!(r#"{{"hidden_act": "{}"}}"#, "ä".repeat(1000))).unwrap_err();
    assert!(error.contains("ä…") && error.len() < 400, "{error}");
}

#[test]
fn what_is_not_a_json_object_is_refused() {
    for (json, message) in [
        ("", "cannot read m/config.json as JSON: EOF while parsing a value at line 1 column 0"),
        ("[1]", "cannot read m/config.json as JSON: not an object"),
        ("{\"a\": ", "cannot read m/config.json as JSON: EOF while parsing a value at line 1 column 6"),
    ] {
        assert_eq!(read(json).unwrap_err(), message);
    }
    assert!(read(&"[".repeat(100_000)).is_err());
}

#[test]
fn parameters_are_counted() {
    let config = read(r#"{"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072}"#).unwrap();
    // ALBERT-base with two labels, as transformers counts it.
    assert_eq!(config.parameters(), 11_685_122);
}

#[test]
fn another_classifier_has_labels_of_its_own() {
    let config = read(r#"{"problem_type": "regression", "num_labels": 1}"#).unwrap();
    let labels = |labels: &[&str]| labels.iter().map(|&label| label.to_owned()).collect::<Vec<_>>();
    let other = config.with_labels(labels(&["a", "b", "c"]), Some(ProblemType::SingleLabel)).unwrap();
    assert_eq!((other.labels().len(), other.problem_type()), (3, Some(ProblemType::SingleLabel)));
    assert_eq!(other.architecture(), config.architecture());
    for (wrong, fault) in
        [(&[][..], "it has 0 labels"), (&["a", "a"], "labels 0 and 1 are both \"a\""), (&[""], "label 0 has")]
    {
        let error = config.with_labels(labels(wrong), None).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the list of labels is not one of a classifier: {fault}")), "{error}");
    }
}
