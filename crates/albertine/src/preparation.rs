//! The stages of a saved pipeline in front of its classifier.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::{ArrayRef, StringArray};

use crate::annotators::{DocumentAssembler, Finisher, Stage};
use crate::classifier::Preparation;
use crate::pipeline::run_stages;
use crate::{CancellationToken, Error};

/// Stages that turn a text into documents and tokens.
#[derive(Debug)]
pub(crate) struct Stages {
    stages: Vec<Stage>,
    /// The column of texts that the first stage reads.
    text: String,
    document: String,
    token: String,
    coalesce: bool,
}

impl Stages {
    /// Takes a pipeline apart: what comes before its one classifier, and the classifier. What comes after it, which can
    /// only be a `Finisher`, has nothing to do with labels.
    pub(crate) fn before_classifier(stages: Vec<Stage>) -> Result<(Self, Stage), Error> {
        let mut before = Vec::new();
        let mut found: Option<Stage> = None;
        for stage in stages {
            let stage = stage.fit()?;
            if stage.classifier().is_some() {
                if found.replace(stage).is_some() {
                    return Err(Error::ClassifiersOfPipeline);
                }
            } else if found.is_none() && stage.downcast_ref::<Finisher>().is_none() {
                before.push(stage);
            }
        }
        let annotator = found.ok_or(Error::ClassifiersOfPipeline)?;
        let class = annotator.sequence_classification().ok_or(Error::ClassifiersOfPipeline)?;
        let first = before.first().and_then(Stage::downcast_ref::<DocumentAssembler>);
        let text = first.ok_or(Error::NoDocumentAssembler)?.get_input_col().to_owned();
        let stages: Vec<Stage> = before.iter().map(Stage::on_texts_alone).collect();
        let schema = table(&text, &[])?.schema();
        let schema = stages
            .iter()
            .try_fold(schema, |schema, stage| Ok::<_, Error>(stage.output_schema(&schema)?.into_schema()))?;
        let (document, token) = class.inputs(&schema)?;
        let (document, token) = (document.to_owned(), token.to_owned());
        let coalesce = class.coalesces();
        Ok((Self { stages, text, document, token, coalesce }, annotator))
    }
}

fn table(column: &str, texts: &[Option<&str>]) -> Result<RecordBatch, Error> {
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    Ok(RecordBatch::try_from_iter_with_nullable([(column, texts, true)])?)
}

impl Preparation for Stages {
    fn annotate(&self, texts: &[Option<&str>], cancellation: &CancellationToken) -> Result<RecordBatch, Error> {
        Ok(run_stages(&self.stages, table(&self.text, texts)?, cancellation)?.0)
    }

    fn columns(&self) -> (&str, &str) {
        (&self.document, &self.token)
    }

    fn coalesces(&self) -> bool {
        self.coalesce
    }
}
