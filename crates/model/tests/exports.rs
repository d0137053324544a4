//! Models of every kind that Spark NLP saves and reads, made from one Hugging Face model by `tools/oracle`: what is read
//! is that model, bit for bit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use albertine_model::{
    Checkpoint, CheckpointKind, Folder, FormatError, Kernels, ModelConfig, ModelError, Precision, RaggedBatch, Runtime,
    Scratch, SequenceClassifier, SparkPipeline, SparkStage, Weights,
};
use serde_json::json;

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/spark_nlp/models")
}

const TENSORFLOW: CheckpointKind = CheckpointKind::SparkNlp { runtime: Runtime::TensorFlow };
const ONNX: CheckpointKind = CheckpointKind::SparkNlp { runtime: Runtime::Onnx };

const EVERY: [(&str, CheckpointKind); 11] = [
    ("huggingface", CheckpointKind::HuggingFace),
    ("tensorflow.zip", CheckpointKind::TensorFlow),
    ("tensorflow_module.zip", CheckpointKind::TensorFlow),
    ("onnx", CheckpointKind::Onnx),
    ("onnx_dynamo.zip", CheckpointKind::Onnx),
    ("annotator_onnx", ONNX),
    ("albert_tiny_sequence_classifier_news_en_3.4.4_3.0_1700000000000.zip", TENSORFLOW),
    ("albert_tiny_sequence_classifier_news_en_5.5.3_3.0_1700000000000.zip", TENSORFLOW),
    ("albert_tiny_sequence_classifier_news_pipeline_en_3.4.4_3.0_1700000000000.zip", TENSORFLOW),
    ("albert_tiny_sequence_classifier_news_pipeline_en_5.5.3_3.0_1700000000000.zip", TENSORFLOW),
    ("albert_tiny_sequence_classifier_news_sentence_pipeline_en_5.5.3_3.0_1700000000000.zip", ONNX),
];

/// Fails unless a model has the configuration and the weights of the one that all were made from.
fn must_be_the_same(found: &Checkpoint, name: &str) {
    let config = ModelConfig::open(&models().join("huggingface")).unwrap();
    let weights = Weights::open(&models().join("huggingface")).unwrap();
    assert_eq!(*found.config(), config, "{name}");
    for spec in config.tensors().iter() {
        let expected = weights.get(&spec.name, &spec.shape).unwrap();
        assert_eq!(found.weights().get(&spec.name, &spec.shape).unwrap(), expected, "{} of {name}", spec.name);
    }
}

#[test]
fn every_kind_is_the_same_model() {
    let spiece = std::fs::read(models().join("huggingface/spiece.model")).unwrap();
    for (name, kind) in EVERY {
        let found = Checkpoint::open(&models().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.kind(), kind, "{name}");
        must_be_the_same(&found, name);
        assert_eq!(found.file("spiece.model"), Some(&spiece[..]), "{name}");
    }
}

#[test]
fn every_kind_gives_the_same_logits() {
    let logits = |name: &str| {
        let model = SequenceClassifier::open(&models().join(name), Kernels::detect().unwrap(), Precision::F32).unwrap();
        let mut batch = RaggedBatch::new();
        batch.push(&[2, 17, 230, 9, 41, 3]);
        let mut logits = Vec::new();
        model.logits(&batch, 1, &mut Scratch::new(), &mut logits).unwrap();
        logits
    };
    let expected = logits("huggingface");
    for (name, _) in EVERY {
        assert_eq!(logits(name), expected, "{name}");
    }
}

#[test]
fn a_saved_directory_is_the_same_model_again() {
    let place = tempfile::tempdir().unwrap();
    for (name, _) in EVERY {
        let found = Checkpoint::open(&models().join(name)).unwrap();
        let directory = place.path().join(name).join("deep/model");
        found.save(&directory).unwrap();
        let again = Checkpoint::open(&directory).unwrap();
        assert_eq!(again.kind(), CheckpointKind::HuggingFace);
        must_be_the_same(&again, name);
        assert_eq!(again.params(), found.params(), "{name}");
        assert_eq!(again.file("spiece.model"), found.file("spiece.model"));
        let card = std::fs::read_to_string(directory.join("README.md")).unwrap();
        let origin = models().join(name).file_name().unwrap().to_string_lossy().into_owned();
        assert!(card.contains(&found.kind().to_string()), "{origin}: {card}");
        // Nothing is written over, and nothing is left beside.
        assert!(matches!(found.save(&directory), Err(ModelError::Format(FormatError::Exists { .. }))));
        let beside: Vec<_> = std::fs::read_dir(directory.parent().unwrap()).unwrap().collect();
        assert_eq!(beside.len(), 1);
    }
}

#[test]
fn parameters_are_defaults_and_what_was_set() {
    let found = Checkpoint::open(&models().join("annotator_onnx")).unwrap();
    for (name, value) in [
        ("batchSize", json!(4)),
        ("maxSentenceLength", json!(64)),
        ("threshold", json!(0.25)),
        ("caseSensitive", json!(true)),
        ("activation", json!("sigmoid")),
        ("engine", json!("onnx")),
        ("inputCols", json!(["document", "token"])),
        ("coalesceSentences", json!(false)),
        ("multilabel", json!(false)),
    ] {
        assert_eq!(found.params()[name], value, "{name}");
    }
    // Old versions know fewer.
    let old = Checkpoint::open(&models().join(EVERY[6].0)).unwrap();
    assert_eq!(old.params().get("engine"), None);
    assert_eq!(old.params()["activation"], "softmax");
}

#[test]
fn pipelines_have_their_stages() {
    let folder = Folder::open(&models().join(EVERY[10].0)).unwrap();
    let pipeline = SparkPipeline::read(&folder).unwrap();
    let names: Vec<&str> = pipeline.stages.iter().map(SparkStage::name).collect();
    let classifier = "AlbertForSequenceClassification";
    assert_eq!(names, ["DocumentAssembler", "SentenceDetector", "TokenizerModel", classifier, "Finisher"]);
    assert!(pipeline.uid.starts_with("PipelineModel_"));
    assert_eq!(pipeline.stages[0].class, "com.johnsnowlabs.nlp.DocumentAssembler");
    assert_eq!(pipeline.stages[0].params["inputCol"], "text");
    assert_eq!(pipeline.stages[2].params["targetPattern"], "\\S+");
    assert_eq!(pipeline.stages[2].strings("exceptions").unwrap(), None);
}

#[test]
fn the_rules_of_tokenizers_tell_their_patterns() {
    let patterns = |name: &str| {
        let stage = SparkStage::read(&Folder::open(&models().join("tokenizers").join(name)).unwrap()).unwrap();
        stage.patterns("rules").unwrap().unwrap()
    };
    assert_eq!(patterns("context_chars"), [r"\A([\Q()?\E]*)([^\Q()?\E](?:.*[^\Q()?\E])*)([\Q()?\E]*)\z"]);
    let suffix = r#"([\Q.,;:!?*-()"'\E]*)\z"#;
    let prefix = r"\A([^\s\w\$\.]*)";
    assert_eq!(patterns("patterns"), [format!(r"{prefix}(\w+)('\w+){suffix}"), format!(r"{prefix}(\w+){suffix}")]);
}

#[test]
fn onnx_models_keep_numbers_in_other_ways() {
    // `tools/golden/onnx_files.py` makes them of the model of all other tests.
    let open = |name: &str| {
        let found = Checkpoint::open(&models().join("../../onnx").join(name)).unwrap();
        let labels = ModelConfig::open(&models().join("huggingface")).unwrap().labels().to_vec();
        (found.config().with_labels(labels, None).unwrap(), found)
    };
    let weights = Weights::open(&models().join("huggingface")).unwrap();
    for (name, rounded) in [("typed", false), ("f16", true)] {
        let (config, found) = open(name);
        assert_eq!(config, ModelConfig::open(&models().join("huggingface")).unwrap(), "{name}");
        for spec in config.tensors().iter() {
            let mut expected = weights.get(&spec.name, &spec.shape).unwrap();
            if rounded {
                expected.iter_mut().for_each(|number| *number = half::f16::from_f32(*number).to_f32());
            }
            assert_eq!(found.weights().get(&spec.name, &spec.shape).unwrap(), expected, "{} of {name}", spec.name);
        }
    }
}

#[test]
fn tensorflow_models_of_bert_are_the_model_they_were_made_from() {
    // By `tools/oracle/models/saved_model.py` of a golden checkpoint, with TensorFlow 2.19 and transformers 4.45.
    let golden = Checkpoint::open(&models().join("../../golden/bert_uncased")).unwrap();
    let vocabulary = std::fs::read(models().join("../../golden/bert_uncased/vocab.txt")).unwrap();
    for name in ["bert.zip", "bert_module.zip"] {
        let found = Checkpoint::open(&models().join("../../tensorflow").join(name)).unwrap();
        assert_eq!(found.kind(), CheckpointKind::TensorFlow);
        assert_eq!(found.config().architecture(), golden.config().architecture(), "{name}");
        assert_eq!(found.config().labels(), golden.config().labels(), "{name}");
        assert_eq!(found.file("vocab.txt"), Some(&vocabulary[..]), "{name}");
        for spec in golden.config().tensors().iter() {
            let (found, expected) = (found.weights().tensor(spec).unwrap(), golden.weights().tensor(spec).unwrap());
            assert_eq!(found, expected, "{} of {name}", spec.name);
        }
    }
}

#[test]
fn onnx_models_of_bert_are_the_model_they_were_made_from() {
    // By `tools/golden/onnx_bert.py` of a golden checkpoint, with both exporters of PyTorch.
    let golden = Checkpoint::open(&models().join("../../golden/bert_uncased")).unwrap();
    for name in ["bert", "bert_dynamo"] {
        let found = Checkpoint::open(&models().join("../../onnx").join(name)).unwrap();
        assert_eq!(found.kind(), CheckpointKind::Onnx);
        assert_eq!(found.config().architecture(), golden.config().architecture(), "{name}");
        for spec in golden.config().tensors().iter() {
            let (found, expected) = (found.weights().tensor(spec).unwrap(), golden.weights().tensor(spec).unwrap());
            assert_eq!(found, expected, "{} of {name}", spec.name);
        }
    }
}
