//! Models that the hub finds, through the library.
#![cfg(feature = "hub")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use albertine::hub::{Hub, HubError, ModelSource, Origin};
use albertine::prelude::{PipelineModel, PretrainedPipeline};
use albertine::{Classifier, ClassifierSettings, Error};
use tempfile::TempDir;

/// Archives as Spark NLP's hub has them.
fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/spark_nlp/models")
}

fn hub() -> (TempDir, Hub) {
    let cache = tempfile::tempdir().unwrap();
    let hub = Hub::new(cache.path()).places([models().to_str().unwrap()]).unwrap().offline(true);
    (cache, hub)
}

fn logits(source: &ModelSource) -> Vec<Option<Vec<f32>>> {
    let classifier = Classifier::load(source, ClassifierSettings::default()).unwrap();
    classifier.logits(&[Some("Oil prices rose on Monday")]).unwrap()
}

#[test]
fn a_built_in_model_is_found_and_kept() {
    let (_cache, hub) = hub();
    let source = hub.resolve("ag_news").unwrap();
    assert!(matches!(source, ModelSource::BuiltIn(_)));
    assert!(logits(&source)[0].is_some());
    assert_eq!(hub.known().unwrap()[0].origin, Origin::BuiltIn);
    assert!(matches!(hub.import("ag_news", "mine"), Err(Error::Hub(HubError::BuiltIn { .. }))));
    assert!(matches!(hub.remove("ag_news"), Err(HubError::BuiltIn { .. })));
}

#[test]
fn a_pipeline_keeps_its_stages_when_it_is_imported() {
    let (cache, hub) = hub();
    let name = "albert_tiny_sequence_classifier_news_pipeline";
    let found = hub.resolve(name).unwrap();
    assert!(PretrainedPipeline::from_disk(found.path().unwrap()).is_ok());
    let imported = hub.import(name, "mine").unwrap();
    assert_eq!(imported, cache.path().join("models/mine"));
    let stages = |path: &Path| {
        let model = PipelineModel::load(path).unwrap();
        model.stages().iter().map(|stage| stage.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(stages(&imported), stages(found.path().unwrap()));
    assert_eq!(logits(&hub.resolve("mine").unwrap()), logits(&found));
}

#[test]
fn an_imported_classifier_answers_as_its_archive_does() {
    let (_cache, hub) = hub();
    let source = hub.resolve_language("albert_tiny_sequence_classifier_news", "en").unwrap();
    hub.import("albert_tiny_sequence_classifier_news", "tiny").unwrap();
    assert_eq!(logits(&hub.resolve("tiny").unwrap()), logits(&source));
}
