//! What a saved pipeline does to a text before its classifier reads it.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::record_batch::RecordBatch;

use super::settings::{ClassifierSettings, LongTexts};
use crate::Error;
use crate::annotators::{AlbertForSequenceClassification, Stage};
use crate::scores::Activation;

/// The stages before the classifier, and what the classifier was set to.
#[derive(Debug)]
pub(super) struct Before {
    stages: Vec<Stage>,
    /// The column of texts that the first stage reads.
    text: String,
    pub(super) document: String,
    pub(super) token: String,
    /// Whether the scores of a row are averaged into one annotation.
    pub(super) coalesce: bool,
    pub(super) activation: Activation,
    pub(super) threshold: f32,
}

impl Before {
    /// Takes a pipeline apart: what comes before its one classifier, and the classifier. What comes after it, which can only be a
    /// `Finisher`, has nothing to do with labels.
    pub(super) fn of(stages: Vec<Stage>) -> Result<(Self, Box<AlbertForSequenceClassification>), Error> {
        let mut before = Vec::new();
        let mut found = None;
        for stage in stages {
            match (stage.fit()?, &found) {
                (Stage::AlbertForSequenceClassification(class), None) => found = Some(class),
                (Stage::AlbertForSequenceClassification(_), Some(_)) => return Err(Error::ClassifiersOfPipeline),
                (Stage::Finisher(_), _) | (_, Some(_)) => {}
                (stage, None) => before.push(stage),
            }
        }
        let class = found.ok_or(Error::ClassifiersOfPipeline)?;
        let text = match before.first() {
            Some(Stage::DocumentAssembler(first)) => first.get_input_col().to_owned(),
            _ => return Err(Error::NoDocumentAssembler),
        };
        let stages: Vec<Stage> = before.into_iter().map(Stage::of_text_alone).collect();
        let schema = Self::table(&text, &[])?.schema();
        let schema = stages.iter().try_fold(schema, |schema, stage| stage.output_schema(&schema))?;
        let (document, token) = class.inputs(&schema)?;
        let (document, token) = (document.to_owned(), token.to_owned());
        let (activation, threshold) = class.scoring();
        let coalesce = class.get_coalesce_sentences();
        Ok((Self { stages, text, document, token, coalesce, activation, threshold }, class))
    }

    fn table(text: &str, texts: &[Option<&str>]) -> Result<RecordBatch, Error> {
        let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
        Ok(RecordBatch::try_from_iter_with_nullable([(text, texts, true)])?)
    }

    /// The texts with the annotations that the classifier reads.
    pub(super) fn run(&self, texts: &[Option<&str>]) -> Result<RecordBatch, Error> {
        let table = Self::table(&self.text, texts)?;
        self.stages.iter().try_fold(table, |table, stage| stage.transform(&table))
    }
}

/// What is asked for, and else what the pipeline's classifier was set to.
pub(super) fn settings(asked: &ClassifierSettings, class: &AlbertForSequenceClassification) -> ClassifierSettings {
    ClassifierSettings {
        max_sentence_length: asked.max_sentence_length.or(Some(class.get_max_sentence_length())),
        case_sensitive: asked.case_sensitive.or(class.get_case_sensitive()),
        encoding: asked.encoding.or(Some(class.get_encoding())),
        long_texts: match asked.long_texts {
            LongTexts::Truncate => class.get_long_texts(),
            windows => windows,
        },
        ..asked.clone()
    }
}
