//! Pipelines on disk: what is saved comes back, and what is wrong is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use albertine::Precision;
use albertine::annotators::Stage;
use albertine::prelude::*;
use arrow_array::RecordBatch;
use arrow_array::{ArrayRef, StringArray};

fn table() -> RecordBatch {
    let texts = ["Stocks fell (sharply) on Wall Street. Oil rose!", "", "The team won the final; New York cheered."];
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    RecordBatch::try_from_iter([("body", texts), ("key", ids)]).unwrap()
}

fn everything() -> Vec<Stage> {
    let class = AlbertForSequenceClassification::pretrained("ag_news", "en").unwrap();
    vec![
        DocumentAssembler::new()
            .input_col("body")
            .output_col("doc")
            .id_col("key")
            .cleanup_mode(CleanupMode::ShrinkFull)
            .into(),
        SentenceDetector::new()
            .input_cols(["doc"])
            .output_col("part")
            .use_abbreviations(false)
            .detect_lists(false)
            .custom_bounds([";"])
            .custom_bounds_strategy(BoundsStrategy::Append)
            .split_length(40)
            .min_length(2)
            .max_length(400)
            .into(),
        Tokenizer::new()
            .input_cols(["part"])
            .output_col("word")
            .context_chars(['.', '(', ')', '!'])
            .add_exception("New York")
            .case_sensitive_exceptions(false)
            .split_chars(["-"])
            .min_length(1)
            .max_length(99)
            .into(),
        class
            .input_cols(["word", "part"])
            .output_col("label")
            .max_sentence_length(64)
            .case_sensitive(false)
            .encoding(Encoding::Token)
            .long_texts(LongTexts::Windows { overlap: 5 })
            .batch_size(3)
            .coalesce_sentences(true)
            .activation(Activation::Sigmoid)
            .threshold(0.25)
            .into(),
        Finisher::new()
            .input_cols(["label"])
            .output_cols(["answer"])
            .output_as_array(false)
            .include_metadata(true)
            .clean_annotations(false)
            .value_split_symbol("|")
            .annotation_split_symbol(";")
            .into(),
    ]
}

fn fitted() -> PipelineModel {
    Pipeline::new().stages(everything()).fit(&table().schema()).unwrap()
}

#[test]
fn every_stage_comes_back_with_every_parameter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipeline");
    let model = fitted();
    model.save(&path).unwrap();
    let again = PipelineModel::load(&path).unwrap();
    assert_eq!(again.transform(&table()).unwrap(), model.transform(&table()).unwrap());

    // and what comes back is saved as it was
    let twice = folder.path().join("again");
    again.save(&twice).unwrap();
    let listing = |path: &Path| fs::read_to_string(path.join("pipeline.json")).unwrap();
    assert_eq!(listing(&path), listing(&twice));
    let weights = |path: &Path| fs::read(path.join("models/3/model.safetensors")).unwrap();
    assert_eq!(
        Classifier::pretrained(path.join("models/3").to_str().unwrap(), ClassifierSettings::default())
            .unwrap()
            .labels()
            .len(),
        4
    );
    assert!(!weights(&path).is_empty() && !weights(&twice).is_empty());
    // nothing is left beside them
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn nothing_is_overwritten_unless_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipeline");
    let model = fitted();
    fs::create_dir(&path).unwrap();
    model.save(&path).unwrap();
    let error = model.save(&path).unwrap_err();
    assert!(matches!(error, Error::Exists { .. }), "{error}");
    let small = Pipeline::new().stages([DocumentAssembler::new().input_col("body").into()]);
    small.fit(&table().schema()).unwrap().overwrite(&path).unwrap();
    assert_eq!(PipelineModel::load(&path).unwrap().stages().len(), 1);
    assert!(!path.join("models").exists());

    // something that is no pipeline is never removed
    let other = folder.path().join("precious");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("file"), "x").unwrap();
    assert!(matches!(model.overwrite(&other), Err(Error::Exists { .. })));
    assert!(other.join("file").exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn what_is_wrong_with_a_saved_pipeline_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = |listing: &str| {
        fs::write(folder.path().join("pipeline.json"), listing).unwrap();
        let text = PipelineModel::load(folder.path()).unwrap_err().to_string();
        text.replace(folder.path().to_str().unwrap(), "F")
    };
    assert_eq!(error("{}"), "F is not a saved pipeline: its pipeline.json is of another format");
    assert!(error("[").starts_with("cannot read F/pipeline.json as JSON: "));
    let of = |version: &str, stages: &str| {
        format!(r#"{{"format": "albertine-pipeline", "version": {version}, "stages": {stages}}}"#)
    };
    assert_eq!(error(&of("2", "[]")), "F/pipeline.json has version 2, but the newest supported version is 1");
    assert_eq!(error(&of("1", "7")), "F is not a saved pipeline: its pipeline.json has no list of stages");
    assert_eq!(
        error(&of("1", r#"[{"class": "Embedder"}]"#)),
        "F/pipeline.json has the stage `Embedder`, which is not supported"
    );
    let escape = r#"[{"class": "AlbertForSequenceClassification", "model": "../../etc"}]"#;
    assert_eq!(error(&of("1", escape)), "F is not a saved pipeline: a stage names no folder for its model");
    let mode = r#"[{"class": "DocumentAssembler", "params": {"cleanupMode": "polish"}}]"#;
    assert!(error(&of("1", mode)).contains("polish"));
    let count = r#"[{"class": "Tokenizer", "params": {"minLength": -1}}]"#;
    assert_eq!(
        error(&of("1", count)),
        "Tokenizer has the parameter minLength set to -1, expected a whole number from 0 up"
    );
    assert!(PipelineModel::load(folder.path().join("nothing")).unwrap_err().to_string().contains("nothing"));
    fs::remove_file(folder.path().join("pipeline.json")).unwrap();
    let empty = PipelineModel::load(folder.path()).unwrap_err().to_string();
    assert!(empty.ends_with("it has neither pipeline.json nor Spark's metadata"), "{empty}");
}

#[test]
fn a_pretrained_pipeline_is_a_saved_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipeline");
    let model = fitted();
    model.save(&path).unwrap();
    for pipeline in
        [PretrainedPipeline::from_disk(&path).unwrap(), PretrainedPipeline::new(path.to_str().unwrap(), "en").unwrap()]
    {
        assert_eq!(pipeline.model().stages().len(), model.stages().len());
        assert_eq!(pipeline.transform(&table()).unwrap(), model.transform(&table()).unwrap());
        let light = LightPipeline::new(&model);
        let text = "The team won the final; New York cheered.";
        assert_eq!(pipeline.annotate(text).unwrap(), light.annotate(text).unwrap());
        assert_eq!(pipeline.full_annotate(text).unwrap(), light.full_annotate(text).unwrap());
        assert_eq!(pipeline.full_annotate(text).unwrap().keys().collect::<Vec<_>>(), ["label"]);
    }
    let error = PretrainedPipeline::new("ag_news", "en").unwrap_err().to_string();
    assert_eq!(
        error,
        "ag_news is not a saved pipeline: it is a model: put it behind a DocumentAssembler and a Tokenizer"
    );
}

#[test]
fn a_stage_saved_by_the_python_package_is_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stage");
    fs::create_dir_all(path.join("metadata")).unwrap();
    let metadata = r#"{"class": "albertine.annotator.AlbertForSequenceClassification", "uid": "a_0123456789ab",
        "paramMap": {"inputCols": ["token", "document"], "outputCol": "class", "maxSentenceLength": 64}}"#
        .replace('\n', " ");
    fs::write(path.join("metadata/part-00000"), metadata).unwrap();
    let whole = Classifier::pretrained("ag_news", ClassifierSettings::default()).unwrap();
    whole.save(&path.join("model")).unwrap();
    let text = [Some("Oil prices rose as OPEC cut output.")];
    for precision in [Precision::F32, Precision::Int8] {
        let settings = ClassifierSettings { precision, ..ClassifierSettings::default() };
        let saved = Classifier::pretrained(path.to_str().unwrap(), settings).unwrap();
        assert_eq!(saved.max_sentence_length(), 64);
        let whole = whole.in_precision(precision).unwrap();
        assert_eq!(saved.predict(&text).unwrap(), whole.predict(&text).unwrap());
    }
    fs::write(path.join("metadata/part-00000"), r#"{"class": "albertine.base.DocumentAssembler", "uid": "d"}"#)
        .unwrap();
    fs::remove_dir_all(path.join("model")).unwrap();
    let error = Classifier::pretrained(path.to_str().unwrap(), ClassifierSettings::default()).unwrap_err();
    assert!(matches!(error, Error::Model(_)), "{error}");
}
