//! `--model`: names, and directories that are not what they should be.

use std::fs;
use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::support::{BUSINESS, Sandbox, assert_conversation, golden_model};

/// A sandbox with a sound model in `model`; tests then spoil a file of it.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.model("model", &golden_model("gelu"));
    sandbox
}

/// What the command says when it is to use `model`.
fn classify(sandbox: &Sandbox) -> String {
    sandbox.run(&["classify", BUSINESS, "--model", "./model"])
}

/// A safetensors file: the length of the header, the header, the data.
fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.resize(file.len() + data, 0);
    file
}

#[test]
fn a_sound_model_directory_works() {
    let said = classify(&sandbox());
    assert!(said.starts_with("exit code: 0") && said.contains("\"label\":\""), "{said}");
}

#[test]
fn a_model_is_converted_to_fewer_bits_and_back() {
    let sandbox = sandbox();
    let size = |folder: &str| fs::metadata(sandbox.path(folder).join("model.safetensors")).unwrap().len();
    for (from, to, weights) in [("./model", "small", "int8"), ("./small", "plain", "f32"), ("./model", "half", "bf16")]
    {
        assert_eq!(
            sandbox.run(&["models", "convert", from, to, "--weights", weights]),
            format!("exit code: 0\n----- stdout -----\n{to}\n----- stderr -----\n")
        );
    }
    assert!(size("small") * 2 < size("plain") && size("half") * 4 < size("plain") * 3);
    let of = |model: &str| sandbox.run(&["classify", BUSINESS, "--model", model]);
    assert_eq!(of("./small"), of("./plain"), "the same numbers");
    assert!(of("./small").starts_with("exit code: 0"));
    assert_conversation!(sandbox.run(&["models", "convert", "./model", "small"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: small already exists
    hint: choose another folder, or remove this one
    ");
    // A tensor of whole numbers whose scales are gone.
    let file = sandbox.path("small").join("model.safetensors");
    let bytes = fs::read(&file).unwrap();
    let scales = bytes.windows(19).position(|name| name == b"pooler.weight_scale");
    let mut spoiled = bytes.clone();
    spoiled[scales.unwrap() + 18] = b'f';
    fs::write(&file, spoiled).unwrap();
    assert_conversation!(sandbox.run(&["classify", BUSINESS, "--model", "./small"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the tensor `pooler.weight_scale` is missing from ./small/model.safetensors
    ");
}

#[test]
fn an_unknown_name_offers_the_nearest() {
    assert_conversation!(Sandbox::new().run(&["classify", BUSINESS, "--model", "ag_mews"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: there is no model named `ag_mews`; the nearest are `ag_news`, `albert_base_sequence_classifier_imdb`, `albert_base_sequence_classifier_ag_news`
    hint: `albertine models list` shows the known names; a path starts with `./`, and `org/repo` is a repository on the Hugging Face hub
    "#);
}

#[test]
fn a_path_to_nothing_and_a_file_are_told() {
    let sandbox = Sandbox::new();
    sandbox.file("model.safetensors", "");
    assert_conversation!(sandbox.run(&["classify", BUSINESS, "--model", "./missing"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./missing is not a model directory: nothing is there
    hint: a model directory contains config.json, model.safetensors, and tokenizer.json, spiece.model or vocab.txt
    "#);
    assert_conversation!(sandbox.run(&["classify", BUSINESS, "--model", "./model.safetensors"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model.safetensors is not a model directory: it is a file, and no zip or tar archive
    hint: a model directory contains config.json, model.safetensors, and tokenizer.json, spiece.model or vocab.txt
    "#);
}

#[test]
fn a_directory_without_config_json_says_what_it_holds() {
    let sandbox = sandbox();
    fs::remove_file(sandbox.path("model/config.json")).expect("a file of the model");
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: no config.json in ./model: a model directory holds config.json, model.safetensors or pytorch_model.bin, and tokenizer.json, spiece.model or vocab.txt, and this one holds expected.json, model.safetensors, pairs.json, special_tokens_map.json, spiece.model, tokenizer.json, tokenizer_config.json
    "#);
}

#[test]
fn a_directory_without_weights_or_vocabulary_is_told() {
    let sandbox = sandbox();
    fs::remove_file(sandbox.path("model/model.safetensors")).expect("a file of the model");
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: no weights in ./model: they are read from model.safetensors, model.safetensors.index.json, pytorch_model.bin or pytorch_model.bin.index.json, and this directory holds config.json, expected.json, pairs.json, special_tokens_map.json, spiece.model, tokenizer.json, tokenizer_config.json
    "#);
    let sandbox = self::sandbox();
    fs::remove_file(sandbox.path("model/spiece.model")).expect("a file of the model");
    fs::remove_file(sandbox.path("model/tokenizer.json")).expect("a file of the model");
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model has neither tokenizer.json nor spiece.model nor vocab.txt
    "#);
}

#[test]
fn an_unknown_value_in_the_configuration_is_told() {
    let sandbox = sandbox();
    let config = sandbox.read("model/config.json").replace("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"elu\"");
    sandbox.file("model/config.json", config);
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: `hidden_act` in ./model/config.json is "elu", expected one of gelu, gelu_10, gelu_accurate, gelu_fast, gelu_new, gelu_python, gelu_python_tanh, gelu_pytorch_tanh, laplace, leaky_relu, linear, mish, quick_gelu, relu, relu2, relu6, sigmoid, silu, swish, tanh
    "#);
    sandbox.file("model/config.json", "{\"hidden_size\": ");
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot read ./model/config.json as JSON: EOF while parsing a value at line 1 column 16
    "#);
}

#[test]
fn truncated_safetensors_are_told() {
    let sandbox = sandbox();
    let whole = fs::read(sandbox.path("model/model.safetensors")).expect("a file of the model");
    sandbox.file("model/model.safetensors", &whole[..whole.len() - 100]);
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the tensor `classifier.weight` in ./model/model.safetensors is truncated: it needs 640 bytes but has 540
    "#);
    sandbox.file("model/model.safetensors", &whole[..4]);
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model/model.safetensors is not a valid safetensors file: header too small
    "#);
    sandbox.file("model/model.safetensors", "");
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model/model.safetensors is empty
    "#);
}

#[test]
fn corrupt_safetensors_are_told() {
    let sandbox = sandbox();
    sandbox.file("model/model.safetensors", safetensors("{\"pooler.weight\": oops}", 0));
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model/model.safetensors is not a valid safetensors file: invalid JSON in header: expected value at line 1 column 19
    "#);
    sandbox.file("model/model.safetensors", [0xff; 64]);
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model/model.safetensors is not a valid safetensors file: header too large
    "#);
}

#[test]
fn hostile_safetensors_are_told() {
    let sandbox = sandbox();
    let huge = r#"{"pooler.weight":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,16]}}"#;
    sandbox.file("model/model.safetensors", safetensors(huge, 16));
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model/model.safetensors is not a valid safetensors file: overflow computing buffer size from shape and/or element type
    "#);
    let overlapping = r#"{"pooler.bias":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"classifier.bias":{"dtype":"F32","shape":[4],"data_offsets":[8,24]}}"#;
    sandbox.file("model/model.safetensors", safetensors(overlapping, 24));
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model/model.safetensors is not a valid safetensors file: invalid offset for tensor `classifier.bias`
    "#);
    let mut header_of_an_exabyte = (1_u64 << 60).to_le_bytes().to_vec();
    header_of_an_exabyte.extend_from_slice(b"{}");
    sandbox.file("model/model.safetensors", header_of_an_exabyte);
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model/model.safetensors is not a valid safetensors file: header too large
    "#);
}

#[test]
fn a_tensor_that_is_missing_is_named() {
    let sandbox = sandbox();
    sandbox.file("model/model.safetensors", safetensors("{}", 0));
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model is not a sequence classifier: the tensor `pooler.weight` of its head is missing
    "#);
}

#[test]
fn a_pickle_that_names_a_foreign_global_is_refused() {
    let sandbox = sandbox();
    fs::remove_file(sandbox.path("model/model.safetensors")).expect("a file of the model");
    // Protocol 2: posix.system("touch pwned").
    let pickle = b"\x80\x02cposix\nsystem\nX\x0b\x00\x00\x00touch pwned\x85R.";
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    archive.start_file("archive/data.pkl", stored).expect("a vector takes everything");
    archive.write_all(pickle).expect("a vector takes everything");
    let archive = archive.finish().expect("a vector takes everything").into_inner();
    sandbox.file("model/pytorch_model.bin", archive);
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot read the pickle in ./model/pytorch_model.bin at byte 16: it names `posix.system`, which is not among what a checkpoint may name
    "#);
    assert_eq!(sandbox.names("."), ["model"], "the pickle was executed");
}

#[test]
fn a_vocabulary_cut_short_is_told() {
    let sandbox = sandbox();
    fs::remove_file(sandbox.path("model/tokenizer.json")).expect("a file of the model");
    let whole = fs::read(sandbox.path("model/spiece.model")).expect("a file of the model");
    sandbox.file("model/spiece.model", &whole[..whole.len() / 2]);
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model/spiece.model is truncated: the field at byte 3546 needs 10 bytes, but only 7 are left
    "#);
    sandbox.file("model/spiece.model", "");
    assert_conversation!(classify(&sandbox), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./model/spiece.model is empty
    "#);
}

#[test]
fn a_limit_that_the_model_cannot_read_is_told() {
    let sandbox = Sandbox::new();
    assert_conversation!(sandbox.run(&["classify", BUSINESS, "--max-sentence-length", "0"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the maximum sentence length must lie between 2 and 512 for this model, but 0 was asked for
    hint: omit `--max-sentence-length` to use the model's limit
    "#);
    assert_conversation!(sandbox.run(&["classify", BUSINESS, "--max-sentence-length", "513"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the maximum sentence length must lie between 2 and 512 for this model, but 513 was asked for
    hint: omit `--max-sentence-length` to use the model's limit
    "#);
    assert!(sandbox.run(&["classify", BUSINESS, "--max-sentence-length", "512"]).starts_with("exit code: 0"));
}
