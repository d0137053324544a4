//! Exports and saved annotators that must be refused, and the words they are refused with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/archive.rs"]
mod archive;

use std::path::{Path, PathBuf};

use albertine_model::{Checkpoint, Folder, ModelError};

use crate::archive::{Files, file, open, unzip, walk, zip};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/spark_nlp/models")
}

fn zipped(name: &str) -> Files {
    unzip(&std::fs::read(models().join(name)).unwrap())
}

fn onnx() -> Files {
    walk(&models().join("onnx"))
}

fn annotator() -> Files {
    walk(&models().join("annotator_onnx"))
}

const PIPELINE: &str = "albert_tiny_sequence_classifier_news_pipeline_en_5.5.3_3.0_1700000000000.zip";

#[track_caller]
fn refused(files: &Files, expected: &str) {
    let error = open(files).expect_err("the model was read").to_string();
    assert!(error.contains(expected), "{error}");
}

fn config() -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(models().join("huggingface/config.json")).unwrap()).unwrap()
}

/// Replaces bytes by as many others, wherever they are.
fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let mut found = false;
    for place in 0..=bytes.len() - old.len() {
        if bytes[place..].starts_with(old) {
            bytes[place..place + old.len()].copy_from_slice(new);
            found = true;
        }
    }
    assert!(found, "{:?} is nowhere", String::from_utf8_lossy(old));
}

#[test]
fn a_configuration_beside_must_agree() {
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut json = config();
        change(&mut json);
        let mut files = onnx();
        files.push(("config.json".to_owned(), json.to_string().into_bytes()));
        files
    };
    open(&with(&|_| ())).unwrap();
    // The tanh approximation has two names.
    open(&with(&|json| json["hidden_act"] = "gelu_pytorch_tanh".into())).unwrap();
    open(&with(&|json| json["id2label"] = serde_json::json!(null))).unwrap_err();
    let computes = "which is what m.zip/model.onnx computes";
    for (field, value, expected) in [
        ("num_attention_heads", serde_json::json!(2), "`num_attention_heads` in m.zip/config.json is 2, expected 4, "),
        ("hidden_act", "gelu".into(), "`hidden_act` in m.zip/config.json is gelu, expected gelu_new, "),
        ("layer_norm_eps", 1e-5.into(), "`layer_norm_eps` in m.zip/config.json is 1e-5, expected 1e-12, "),
        ("num_hidden_layers", 7.into(), "`num_hidden_layers` in m.zip/config.json is 7, expected "),
    ] {
        let files = with(&|json| json[field] = value.clone());
        refused(&files, expected);
        refused(&files, computes);
    }
    let files = with(&|json| json["id2label"]["1"] = "Sport".into());
    refused(
        &files,
        "the labels in m.zip/assets/labels.txt do not fit the model: label 1 is \"Sports\" there and \"Sport\"",
    );
}

#[test]
fn labels_must_fit() {
    let with = |list: &[u8]| {
        let mut files = onnx();
        *file(&mut files, "assets/labels.txt") = list.to_vec();
        files
    };
    let found = open(&with("\u{feff}Welt\r\nSport\r\nGeschäft\r\nTechnik".as_bytes())).unwrap();
    assert_eq!(found.config().labels(), ["Welt", "Sport", "Geschäft", "Technik"]);
    let list = "m.zip/assets/labels.txt is not a list of labels: ";
    refused(&with(b"a\nb\n"), "m.zip/assets/labels.txt do not fit the model: there are 2, and the model has 4 logits");
    refused(&with(b"a\nb\n\nc\n"), &format!("{list}label 2 has 0 bytes, expected 1 to 1024"));
    refused(&with(b"a\nb\nc\na\n"), &format!("{list}labels 0 and 3 are both \"a\""));
    refused(&with(b"a\xFF"), &format!("{list}it is not UTF-8"));
    // Without a list they are numbered.
    let mut files = onnx();
    files.retain(|(name, _)| name != "assets/labels.txt");
    assert_eq!(open(&files).unwrap().config().labels()[3], "LABEL_3");
}

#[test]
fn onnx_models_that_are_none() {
    let with = |bytes: Vec<u8>| vec![("model.onnx".to_owned(), bytes), ("x".to_owned(), b"x".to_vec())];
    let form = "m.zip/model.onnx is not a valid ONNX model: ";
    refused(&with(b"\x08\x08".to_vec()), &format!("{form}it has no graph"));
    refused(&with(b"\x3A\x7F".to_vec()), &format!("{form}it is cut short: byte 2 begins 127 bytes and 0 are left"));
    refused(&with(b"\x3A\x00".to_vec()), "its graph has no output; put its config.json beside it");
    // An input that is an output.
    let graph = b"\x3A\x0A\x5A\x03\x0A\x01x\x62\x03\x0A\x01x";
    refused(
        &with(graph.to_vec()),
        "the output \"x\" is not computed as an ALBERT or a BERT does: no linear layer gives it",
    );
    refused(&with(b"\x3A\x05\x62\x03\x0A\x01y".to_vec()), &format!("{form}its output \"y\" is computed nowhere"));
    let mut files = onnx();
    replace(file(&mut files, "model.onnx"), b"Softmax", b"Hardmax");
    refused(
        &files,
        "cannot tell the configuration of the model in m.zip/model.onnx: the output \"logits\" is not computed as",
    );
    refused(&files, "in layer 0 from the end the attention has no softmax; put its config.json beside it");
    // With one, names tell; but not of those that the exporter has renamed.
    files.push(("config.json".to_owned(), config().to_string().into_bytes()));
    refused(&files, "cannot tell which tensor in m.zip/model.onnx is `");
    refused(&files, "the attention has no softmax, and none has a known name");
}

/// A model whose only initializer keeps its four bytes in a file beside it.
fn external(location: &str, offset: &str, length: &str) -> Vec<u8> {
    let message = |field: u8, bytes: &[u8]| [&[field << 3 | 2, bytes.len() as u8], bytes].concat();
    let pair =
        |key: &str, value: &str| message(13, &[message(1, key.as_bytes()), message(2, value.as_bytes())].concat());
    let entries = [("location", location), ("offset", offset), ("length", length)];
    let tensor =
        [&[0x08, 1, 0x10, 1, 0x70, 1][..], &message(8, b"w"), &entries.map(|(key, value)| pair(key, value)).concat()]
            .concat();
    message(7, &message(5, &tensor))
}

#[test]
fn data_beside_an_onnx_model_stays_in_its_folder() {
    let with = |location: &str, offset: &str, length: &str| {
        let model = external(location, offset, length);
        vec![("model.onnx".to_owned(), model), ("data".to_owned(), vec![0; 8])]
    };
    let sound = "its graph has no output";
    refused(&with("data", "4", "4"), sound);
    refused(&with("./data", "0", "4"), sound);
    for name in ["../data", "/etc/passwd", "a/../../x", "C:data", "a\\b", ""] {
        let fault = format!("the data of \"w\" is in {name:?}, which is outside its folder");
        refused(&with(name, "0", "4"), &fault);
    }
    refused(&with("other", "0", "4"), "m.zip/other is missing");
    refused(&with("data", "0", "5"), "the tensor `w` in m.zip/data is truncated: it needs 4 bytes but has 5");
    refused(&with("data", "6", "4"), "the tensor `w` in m.zip/data is truncated: it needs 10 bytes but has 8");
    refused(&with("data", "18446744073709551615", "4"), "the tensor `w` in m.zip/data is truncated");
    refused(&with("data", "x", "4"), "`offset` of a tensor's data is \"x\", no number");
}

#[test]
fn tensorflow_models_that_are_none() {
    let sound = zipped("tensorflow_module.zip");
    let variables = |files: &Files, part: &str| {
        let found = files.iter().find(|(name, _)| name.contains(part)).unwrap();
        found.0.clone()
    };
    let (index, data) = (variables(&sound, ".index"), variables(&sound, ".data"));
    let mut files = sound.clone();
    file(&mut files, &data)[100] ^= 1;
    refused(&files, "does not have its checksum in m.zip/variables/variables.data-00000-of-00001");
    let mut files = sound.clone();
    file(&mut files, &data).truncate(1000);
    refused(
        &files,
        "m.zip/variables/variables.index is not a valid index of a TensorFlow checkpoint: its tensors take",
    );
    let mut files = sound.clone();
    file(&mut files, &index)[10] ^= 1;
    refused(
        &files,
        "m.zip/variables/variables.index is not a valid index of a TensorFlow checkpoint: the block at byte 0",
    );
    let mut files = sound.clone();
    files.retain(|(name, _)| *name != data);
    refused(&files, "m.zip/variables/variables.data-00000-of-00001 is missing");
    // Without a checkpoint nothing is known of the variables.
    let mut files = sound.clone();
    files.retain(|(name, _)| *name != index);
    refused(&files, "no linear layer gives it; put its config.json beside it");
    let mut files = sound;
    *file(&mut files, "saved_model.pb") = b"\x08\x01".to_vec();
    refused(&files, "m.zip/saved_model.pb is not a valid TensorFlow graph: it has no graph to serve");
}

#[test]
fn names_tell_where_a_graph_does_not() {
    let mut files = zipped("tensorflow.zip");
    replace(file(&mut files, "saved_model.pb"), b"Softmax", b"Hardmax");
    refused(&files, "the attention has no softmax; put its config.json beside it");
    files.push(("config.json".to_owned(), config().to_string().into_bytes()));
    let (found, expected) = (open(&files).unwrap(), Checkpoint::open(&models().join("huggingface")).unwrap());
    assert_eq!(found.config(), expected.config());
    for spec in found.config().tensors().iter() {
        let numbers = |model: &Checkpoint| model.weights().get(&spec.name, &spec.shape).unwrap();
        assert_eq!(numbers(&found), numbers(&expected), "{}", spec.name);
    }
}

#[test]
fn a_vocabulary_stands_beside_the_labels() {
    // Spark NLP keeps a WordPiece vocabulary in the form of the labels.
    let mut files = annotator();
    let parts: Files = files.iter().filter(|(name, _)| name.starts_with("fields/labels/")).cloned().collect();
    files.extend(parts.iter().map(|(name, bytes)| (name.replace("labels", "vocabulary"), bytes.clone())));
    assert_eq!(open(&files).unwrap().file("vocab.txt"), Some(&b"World\nSports\nBusiness\nSci/Tech\n"[..]));
    replace(file(&mut files, "fields/vocabulary/part-00000"), b"World", b"Wo\nld");
    refused(&files, "m.zip/fields/vocabulary is not a vocabulary: the piece 0 has several lines");
}

#[test]
fn annotators_that_are_none() {
    let metadata = "metadata/part-00000";
    let mut files = annotator();
    replace(file(&mut files, metadata), b"dl.AlbertForSequence", b"dl.AlbertForTokenXXX");
    refused(
        &files,
        "m.zip has AlbertForTokenXXXClassification, expected one AlbertForSequenceClassification or BertForSequenceClassification",
    );
    let mut files = annotator();
    *file(&mut files, metadata) = b"{\"paramMap\": 1}".to_vec();
    refused(&files, "m.zip/metadata/part-00000 is not the metadata of a saved stage: `paramMap` is no object");
    *file(&mut files, metadata) = b"[]".to_vec();
    refused(&files, "cannot read m.zip/metadata/part-00000 as JSON: ");
    files.retain(|(name, _)| name != metadata);
    refused(&files, "m.zip/metadata/part-00000 ");

    let mut files = annotator();
    for (name, _) in files.iter_mut().filter(|(name, _)| name == "albert_classification_onnx") {
        *name = "albert_classification_openvino".to_owned();
    }
    refused(&files, "m.zip/albert_classification_openvino is not a model of TensorFlow or ONNX: it is one of OpenVINO");
    files.retain(|(name, _)| !name.contains("openvino"));
    refused(&files, "m.zip/albert_classification_tensorflow is missing");
    let mut files = annotator();
    *file(&mut files, "albert_classification_onnx") = b"no archive".to_vec();
    refused(&files, "m.zip/albert_classification_onnx is not a valid zip archive: ");
    let escaping = zip(&[("../model.onnx".to_owned(), b"x".to_vec())]);
    *file(&mut files, "albert_classification_onnx") = escaping;
    refused(&files, "the entry \"../model.onnx\" of m.zip/albert_classification_onnx has a name that leads out");
}

#[test]
fn labels_of_annotators_that_are_none() {
    let (first, second) = ("fields/labels/part-00000", "fields/labels/part-00001");
    let java = |part: &str| format!("m.zip/{part} is not a valid file of Java objects: ");
    let mut files = annotator();
    *file(&mut files, second) = file(&mut files, first).clone();
    refused(&files, &format!("{}the labels \"World\" and \"World\" have the id 0", java(second)));
    let mut files = annotator();
    files.retain(|(name, _)| name != first);
    refused(&files, "the labels in m.zip/fields/labels do not fit the model: there is the id 2 and none of 0");
    let mut files = annotator();
    replace(file(&mut files, first), b"scala.Tuple2.", b"scala.Tuple3.");
    refused(&files, &format!("{}it holds an object of \"scala.Tuple3\", no pair of a label and an id", java(first)));
    let mut files = annotator();
    replace(file(&mut files, first), b"SEQ\x06", b"SEQ\x04");
    refused(&files, &format!("{}it is of version 4, only 6 is read", java(first)));
    let mut files = annotator();
    files.push(("fields/labels/part-00002.snappy.parquet".to_owned(), b"PAR1".to_vec()));
    refused(
        &files,
        "it is a Parquet file: save the model again without spark.jsl.settings.annotatorSerializationFormat",
    );
    // Without labels they are numbered.
    let mut files = annotator();
    files.retain(|(name, _)| !name.starts_with("fields/"));
    assert_eq!(open(&files).unwrap().config().labels()[0], "LABEL_0");
}

#[test]
fn pipelines_that_are_none() {
    let sound = zipped(PIPELINE);
    let stage = |files: &Files, number: &str| {
        let name = files.iter().find(|(name, _)| name.starts_with(&format!("stages/{number}_"))).unwrap().0.clone();
        name.splitn(3, '/').take(2).collect::<Vec<_>>().join("/") + "/"
    };
    let (tokenizer, albert) = (stage(&sound, "1"), stage(&sound, "2"));
    let pipeline = "m.zip is not a saved pipeline: ";
    let mut files = sound.clone();
    files.retain(|(name, _)| !name.starts_with(&albert));
    refused(&files, &format!("{pipeline}its metadata names other stages than there are folders"));
    files.retain(|(name, _)| !name.starts_with("metadata"));
    files.push(("metadata/part-00000".to_owned(), b"{}".to_vec()));
    refused(
        &files,
        "m.zip has DocumentAssembler, TokenizerModel, expected one AlbertForSequenceClassification or BertForSequenceClassification",
    );
    let mut files = sound.clone();
    files.retain(|(name, _)| !name.starts_with(&tokenizer));
    refused(&files, &format!("{pipeline}its stage 1 is missing or there twice"));
    let mut files = sound.clone();
    files.push(("stages/x/y".to_owned(), Vec::new()));
    refused(&files, &format!("{pipeline}a stage's folder is called \"x\""));
    // Twice the same classifier.
    let mut files = sound;
    for (name, bytes) in files.clone() {
        if let Some(rest) = name.strip_prefix(&albert) {
            files.push((format!("stages/3_AlbertForSequenceClassification_again/{rest}"), bytes));
        }
    }
    *file(&mut files, "metadata/part-00000") = b"{\"class\": \"org.apache.spark.ml.PipelineModel\"}".to_vec();
    let two = "AlbertForSequenceClassification, AlbertForSequenceClassification, expected one";
    refused(&files, &format!("m.zip has DocumentAssembler, TokenizerModel, {two}"));
}

#[test]
fn an_archive_of_a_hugging_face_model_is_one() {
    let files = walk(&models().join("huggingface"));
    let nested: Files = files.iter().map(|(name, bytes)| (format!("news/{name}"), bytes.clone())).collect();
    for files in [files, nested] {
        let found = open(&files).unwrap();
        assert_eq!(found.config(), Checkpoint::open(&models().join("huggingface")).unwrap().config());
        for spec in found.config().tensors().iter() {
            found.weights().get(&spec.name, &spec.shape).unwrap();
        }
        assert!(found.file("tokenizer.json").is_some() && found.file("README.md").is_none());
    }
    let empty = Folder::from_archive(zip(&[]), Path::new("m.zip")).unwrap();
    let error = Checkpoint::read(&empty).unwrap_err();
    assert!(matches!(error, ModelError::NoModel { .. }), "{error}");
}
