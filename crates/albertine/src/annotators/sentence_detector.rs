//! From documents to sentences.

use std::sync::Arc;

use albertine_text::{BoundsStrategy, SentenceDetectorSettings};
use arrow_array::RecordBatch;
use arrow_array::UInt32Array;
use arrow_schema::SchemaRef;
use serde_json::{Map, Value};

use super::stage::Registration;
use super::{Annotator, Stage, one_input, with_annotations, with_column};
use crate::annotation::AnnotatorType;
use crate::column::{self, AnnotationColumnBuilder};
use crate::params::{ParamMap, Params};
use crate::{CancellationToken, Counts, Error, Origin, OutputSchema};

const STAGE: &str = "SentenceDetector";

pub(super) const REGISTRATION: Registration =
    Registration { name: STAGE, from_params: |params, _| Ok(SentenceDetector::from_params(params)?.into()) };

/// Cuts documents into sentences by Spark NLP's rules. A sentence is an annotation of type `document`, so that it can
/// stand wherever a document can; `sentence` in its metadata counts the sentences of a row.
///
/// ```
/// use albertine::prelude::*;
/// # use std::sync::Arc;
/// # use arrow_array::{RecordBatch, StringArray};
/// # let texts = StringArray::from(vec!["Dr. Who is in. Is he?"]);
/// # let batch = RecordBatch::try_from_iter([("text", Arc::new(texts) as _)])?;
/// let stages = [DocumentAssembler::new().into(), SentenceDetector::new().into()];
/// let model = Pipeline::new().stages(stages).fit(&batch.schema())?;
/// let found = LightPipeline::new(&model).annotate("Dr. Who is in. Is he?")?;
/// assert_eq!(found["sentence"], ["Dr. Who is in.", "Is he?"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SentenceDetector {
    input_cols: Vec<String>,
    output_col: String,
    settings: SentenceDetectorSettings,
    explode_sentences: bool,
    /// Made from the settings by `fit`.
    rules: albertine_text::SentenceDetector,
}

impl Default for SentenceDetector {
    fn default() -> Self {
        Self {
            input_cols: vec!["document".to_owned()],
            output_col: "sentence".to_owned(),
            settings: SentenceDetectorSettings::default(),
            explode_sentences: false,
            rules: albertine_text::SentenceDetector::default(),
        }
    }
}

impl SentenceDetector {
    /// Reads column `document`, writes column `sentence`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The column of documents to read: exactly one.
    #[must_use]
    pub fn input_cols<I: Into<String>>(mut self, columns: impl IntoIterator<Item = I>) -> Self {
        self.input_cols = columns.into_iter().map(Into::into).collect();
        self
    }

    /// The annotation column to write.
    #[must_use]
    pub fn output_col(mut self, column: impl Into<String>) -> Self {
        self.output_col = column.into();
        self
    }

    /// Whether abbreviations end no sentence; true unless said otherwise.
    #[must_use]
    pub fn use_abbreviations(mut self, on: bool) -> Self {
        self.settings.use_abbreviations = on;
        self
    }

    /// Whether the items of a list are sentences; true unless said otherwise.
    #[must_use]
    pub fn detect_lists(mut self, on: bool) -> Self {
        self.settings.detect_lists = on;
        self
    }

    /// Whether nothing but the custom bounds ends a sentence; false unless said otherwise.
    #[must_use]
    pub fn use_custom_bounds_only(mut self, on: bool) -> Self {
        self.settings.use_custom_bounds_only = on;
        self
    }

    /// Further ends of sentences, as Java regular expressions.
    #[must_use]
    pub fn custom_bounds<I: Into<String>>(mut self, bounds: impl IntoIterator<Item = I>) -> Self {
        self.settings.custom_bounds = bounds.into_iter().map(Into::into).collect();
        self
    }

    /// What becomes of the text that a custom bound matches; it belongs to no sentence unless said otherwise.
    #[must_use]
    pub fn custom_bounds_strategy(mut self, strategy: BoundsStrategy) -> Self {
        self.settings.custom_bounds_strategy = strategy;
        self
    }

    /// Whether each sentence gets a row of its own; false unless said otherwise. This is the one setting under which a
    /// pipeline gives another number of rows than it was given; a row without sentences has none.
    #[must_use]
    pub fn explode_sentences(mut self, on: bool) -> Self {
        self.explode_sentences = on;
        self
    }

    /// The length in UTF-16 code units at which longer sentences are cut, at spaces.
    #[must_use]
    pub fn split_length(mut self, length: usize) -> Self {
        self.settings.split_length = Some(length);
        self
    }

    /// The shortest sentence that is kept, in UTF-16 code units: 0 unless said otherwise.
    #[must_use]
    pub fn min_length(mut self, length: usize) -> Self {
        self.settings.min_length = length;
        self
    }

    /// The longest sentence that is kept, in UTF-16 code units: any unless said otherwise.
    #[must_use]
    pub fn max_length(mut self, length: usize) -> Self {
        self.settings.max_length = Some(length);
        self
    }

    /// The columns that it reads.
    #[must_use]
    pub fn get_input_cols(&self) -> &[String] {
        &self.input_cols
    }

    /// The annotation column that it writes.
    #[must_use]
    pub fn get_output_col(&self) -> &str {
        &self.output_col
    }

    /// How sentences are found.
    #[must_use]
    pub fn get_settings(&self) -> &SentenceDetectorSettings {
        &self.settings
    }

    /// Whether each sentence gets a row of its own.
    #[must_use]
    pub fn get_explode_sentences(&self) -> bool {
        self.explode_sentences
    }

    fn from_params(map: &Map<String, Value>) -> Result<Self, Error> {
        let params = Params::new(STAGE, map);
        let usual = Self::default();
        let strategy = params.text("customBoundsStrategy")?;
        Ok(Self {
            input_cols: params.texts("inputCols")?.unwrap_or(usual.input_cols),
            output_col: params.text("outputCol")?.unwrap_or(usual.output_col),
            settings: SentenceDetectorSettings {
                use_abbreviations: params.flag("useAbbreviations")?.unwrap_or(usual.settings.use_abbreviations),
                detect_lists: params.flag("detectLists")?.unwrap_or(usual.settings.detect_lists),
                use_custom_bounds_only: params.flag("useCustomBoundsOnly")?.unwrap_or(false),
                custom_bounds: params.texts("customBounds")?.unwrap_or_default(),
                custom_bounds_strategy: match strategy {
                    Some(name) => BoundsStrategy::named(&name)?,
                    None => usual.settings.custom_bounds_strategy,
                },
                split_length: params.count("splitLength")?,
                min_length: params.count("minLength")?.unwrap_or(0),
                max_length: params.count("maxLength")?,
            },
            explode_sentences: params.flag("explodeSentences")?.unwrap_or(false),
            rules: usual.rules,
        })
    }
}

impl Annotator for SentenceDetector {
    fn name(&self) -> &'static str {
        STAGE
    }

    fn params(&self) -> Map<String, Value> {
        let SentenceDetectorSettings { custom_bounds, custom_bounds_strategy, .. } = &self.settings;
        ParamMap::default()
            .with("inputCols", self.input_cols.clone())
            .with("outputCol", self.output_col.as_str())
            .with("useAbbreviations", self.settings.use_abbreviations)
            .with("detectLists", self.settings.detect_lists)
            .with("useCustomBoundsOnly", self.settings.use_custom_bounds_only)
            .with("customBounds", custom_bounds.clone())
            .with("customBoundsStrategy", custom_bounds_strategy.name())
            .with("explodeSentences", self.explode_sentences)
            .with_some("splitLength", self.settings.split_length)
            .with("minLength", self.settings.min_length)
            .with_some("maxLength", self.settings.max_length)
            .into_map()
    }

    fn fit(&self) -> Result<Option<Stage>, Error> {
        let rules = albertine_text::SentenceDetector::new(self.settings.clone())?;
        Ok(Some(Self { rules, ..self.clone() }.into()))
    }

    fn on_texts_alone(&self) -> Option<Stage> {
        Some(self.clone().explode_sentences(false).into())
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        column::require(input, STAGE, one_input(STAGE, &self.input_cols)?, AnnotatorType::Document)?;
        let output = with_annotations(input, STAGE, &self.output_col, AnnotatorType::Document)?;
        match output.origins().iter().position(|origin| matches!(origin, Origin::Stage(_))) {
            Some(index) if self.explode_sentences => {
                // a row is there for its sentence, and Spark NLP says so
                let field = output.schema().field(index).clone().with_nullable(false);
                Ok(output.replacing(index, Arc::new(field)).multiplying_rows())
            }
            _ => Ok(output),
        }
    }

    fn run(&self, batch: &RecordBatch, _: &CancellationToken) -> Result<(RecordBatch, Option<Counts>), Error> {
        let schema = self.output_schema(&batch.schema())?;
        let documents = column::read(batch, STAGE, one_input(STAGE, &self.input_cols)?)?;
        let mut sentences = AnnotationColumnBuilder::default();
        let mut found = Vec::new();
        let mut rows = Vec::new();
        for row in 0..documents.rows() {
            let mut index = 0;
            for document in documents.row(row) {
                found.clear();
                self.rules.detect(document.result, &mut found).map_err(|source| Error::Row { row, source })?;
                let own: Vec<_> = document.metadata().filter(|(key, _)| *key != "sentence").collect();
                for sentence in &found {
                    let number = index.to_string();
                    let metadata = own.iter().copied().chain([("sentence", Some(number.as_str()))]);
                    let (begin, end) = (sentence.begin as i32, sentence.end as i32);
                    let text = sentence.text(document.result);
                    sentences.push(AnnotatorType::Document, begin, end, text, metadata);
                    index += 1;
                    if self.explode_sentences {
                        sentences.end_row();
                        rows.push(row as u32);
                    }
                }
            }
            if !self.explode_sentences {
                sentences.end_row();
            }
        }
        let sentences = sentences.finish()?;
        if self.explode_sentences {
            let rows = UInt32Array::from(rows);
            let repeated = batch.columns().iter().map(|column| arrow_select::take::take(column, &rows, None));
            let repeated = repeated.collect::<Result<Vec<_>, _>>()?;
            let batch = RecordBatch::try_new(batch.schema(), repeated)?;
            return Ok((with_column(&batch, &schema, sentences)?, None));
        }
        Ok((with_column(batch, &schema, sentences)?, None))
    }
}
