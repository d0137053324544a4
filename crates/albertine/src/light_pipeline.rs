//! A pipeline over texts in hand, without a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::{ArrayRef, StringArray};

use crate::annotation::Annotation;
use crate::annotators::{DocumentAssembler, Finisher, Stage};
use crate::column::{self, AnnotationColumn, annotator_type};
use crate::pipeline::{PipelineModel, run_stages};
use crate::{CancellationToken, Counts, Error};

/// Runs a [`PipelineModel`] on single texts and gives back plain values.
///
/// A `Finisher` in the pipeline does not rename anything here: it only limits the result to its input columns, as in
/// Spark NLP. Columns that a table would bring beside the text (`id_col`, `metadata_col`) are not there, and a text is
/// one row whatever `explode_sentences` says.
#[derive(Debug, Clone)]
pub struct LightPipeline {
    stages: Vec<Stage>,
    text_column: Option<String>,
    wanted: Option<Vec<String>>,
}

impl LightPipeline {
    /// A light pipeline over a model, whose first stage must be a `DocumentAssembler`.
    #[must_use]
    pub fn new(model: &PipelineModel) -> Self {
        let first = model.stages().first().and_then(Stage::downcast_ref::<DocumentAssembler>);
        let text_column = first.map(|first| first.get_input_col().to_owned());
        let finisher = |stage: &Stage| Some(stage.downcast_ref::<Finisher>()?.get_input_cols().to_vec());
        let wanted = model.stages().iter().find_map(finisher);
        let stages = model.stages().iter().filter(|stage| stage.downcast_ref::<Finisher>().is_none());
        let stages = stages.map(Stage::on_texts_alone).collect();
        Self { stages, text_column, wanted }
    }

    /// The results of each annotation column for one text.
    ///
    /// # Errors
    /// As [`PipelineModel::transform`].
    pub fn annotate(&self, text: &str) -> Result<BTreeMap<String, Vec<String>>, Error> {
        Ok(self.annotate_all(&[text])?.pop().unwrap_or_default())
    }

    /// As [`annotate`](Self::annotate), for many texts at once.
    ///
    /// # Errors
    /// As [`PipelineModel::transform`].
    pub fn annotate_all(&self, texts: &[&str]) -> Result<Vec<BTreeMap<String, Vec<String>>>, Error> {
        let results =
            |annotations: Vec<Annotation>| annotations.into_iter().map(|annotation| annotation.result).collect();
        let rows = self.full_annotate_all(texts)?;
        Ok(rows
            .into_iter()
            .map(|row| row.into_iter().map(|(column, found)| (column, results(found))).collect())
            .collect())
    }

    /// The annotations of each annotation column for one text.
    ///
    /// # Errors
    /// As [`PipelineModel::transform`].
    pub fn full_annotate(&self, text: &str) -> Result<BTreeMap<String, Vec<Annotation>>, Error> {
        Ok(self.full_annotate_all(&[text])?.pop().unwrap_or_default())
    }

    /// As [`full_annotate`](Self::full_annotate), for many texts at once.
    ///
    /// # Errors
    /// As [`PipelineModel::transform`], and [`Error::NoDocumentAssembler`].
    pub fn full_annotate_all(&self, texts: &[&str]) -> Result<Vec<BTreeMap<String, Vec<Annotation>>>, Error> {
        Ok(self.run(texts, &CancellationToken::default())?.0)
    }

    /// As [`full_annotate_all`](Self::full_annotate_all), and the counts of each classifier, in the order of the
    /// stages.
    ///
    /// # Errors
    /// As `full_annotate_all`, and [`Error::Cancelled`] soon after `cancellation` is asked for.
    #[expect(clippy::type_complexity, reason = "annotations by column are what a text has")]
    pub fn run(
        &self,
        texts: &[&str],
        cancellation: &CancellationToken,
    ) -> Result<(Vec<BTreeMap<String, Vec<Annotation>>>, Vec<Counts>), Error> {
        let column: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
        let text_column = self.text_column.as_ref().ok_or(Error::NoDocumentAssembler)?;
        let batch = RecordBatch::try_from_iter([(text_column, column)])?;
        let (annotated, counts) = run_stages(&self.stages, batch, cancellation)?;
        let fields = annotated.schema_ref().fields().iter().filter(|field| annotator_type(field).is_some());
        let names = fields.map(|field| field.name()).filter(|name| self.is_wanted(name));
        let columns: Vec<(&String, AnnotationColumn<'_>)> = names
            .map(|name| Ok((name, column::read(&annotated, "LightPipeline", name)?)))
            .collect::<Result<_, Error>>()?;
        let row = |row: usize| {
            let cells = columns
                .iter()
                .map(|(name, column)| ((*name).clone(), column.row(row).map(|a| a.to_annotation()).collect()));
            cells.collect()
        };
        Ok(((0..texts.len()).map(row).collect(), counts))
    }

    fn is_wanted(&self, column: &str) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|name| name == column))
    }
}
