//! From documents and tokens to categories, with a model of any family.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde_json::{Map, Value};

use super::stage::Registration;
use super::{Annotator, Stage, with_annotations, with_column};
use crate::annotation::AnnotatorType;
use crate::category::CategoryRule;
use crate::classifier::Classifier;
use crate::column::{self, AnnotationColumnBuilder};
use crate::documents::Documents;
use crate::params::{ParamMap, Params};
use crate::scores::Activation;
use crate::session::{ClassifierSettings, Encoding, LongTexts};
use crate::spark_params::SparkParams;
use crate::{CancellationToken, Counts, Error, OutputSchema, hub};

/// Spark NLP's default for `maxSentenceLength`.
const MAX_SENTENCE_LENGTH: usize = 128;

/// What [`ForSequenceClassification::batch_size`] counts: texts of this many tokens.
const TOKENS_OF_A_TEXT: usize = 32;

/// A family of models, for which Spark NLP has an annotator of its own name.
pub trait Family: Debug + Clone + Send + Sync + 'static {
    /// The class of the annotator in Spark NLP, without the package.
    const ANNOTATOR: &'static str;
}

/// The ALBERT models.
#[derive(Debug, Clone)]
pub struct Albert;

impl Family for Albert {
    const ANNOTATOR: &'static str = "AlbertForSequenceClassification";
}

/// [`ForSequenceClassification`] with an ALBERT model.
pub type AlbertForSequenceClassification = ForSequenceClassification<Albert>;

/// The BERT models.
#[derive(Debug, Clone)]
pub struct Bert;

impl Family for Bert {
    const ANNOTATOR: &'static str = "BertForSequenceClassification";
}

/// [`ForSequenceClassification`] with a BERT model.
pub type BertForSequenceClassification = ForSequenceClassification<Bert>;

/// What any annotator that classifies sequences says of itself, whatever the family of its model.
pub trait SequenceClassification {
    /// The model.
    fn classifier(&self) -> &Arc<Classifier>;

    /// The document column and the token column among the inputs.
    ///
    /// # Errors
    /// When one of them is missing or of another kind.
    fn inputs(&self, schema: &SchemaRef) -> Result<(&str, &str), Error>;

    /// How logits become scores, and the threshold.
    fn scoring(&self) -> (Activation, f32);

    /// Whether the scores of a row are averaged.
    fn coalesces(&self) -> bool;

    /// What is asked for, and else what the annotator was set to.
    fn settings(&self, asked: &ClassifierSettings) -> ClassifierSettings;
}

/// Classifies each document (or sentence) that has at least one token.
///
/// With softmax every document gets one annotation of type `category`; with sigmoid one for each label over the
/// threshold. The metadata of each holds `sentence` and the score of every label.
///
/// How a text becomes pieces is its [encoding](Self::encoding): the whole document as Hugging Face's tokenizer for the
/// model does it, where the tokens only tell whether there is anything to classify, or each token by itself as Spark
/// NLP does it.
#[derive(Debug, Clone)]
pub struct ForSequenceClassification<F> {
    classifier: Arc<Classifier>,
    input_cols: Vec<String>,
    output_col: String,
    max_sentence_length: Option<usize>,
    case_sensitive: Option<bool>,
    encoding: Option<Encoding>,
    long_texts: LongTexts,
    batch_size: usize,
    threads: usize,
    coalesce_sentences: bool,
    activation: Option<Activation>,
    threshold: f32,
    family: PhantomData<F>,
}

impl<F: Family> ForSequenceClassification<F> {
    pub(super) const REGISTRATION: Registration = Registration {
        name: F::ANNOTATOR,
        from_params: |params, classifier| Ok(Self::from_params(classifier()?, params)?.into()),
    };

    /// A model by name or path. The language is part of the name on the models hub; the built-in models are English
    /// (`"en"`).
    ///
    /// # Errors
    /// When no model has the name, its files are wrong, or it is of another family ([`Error::ModelFamily`]).
    pub fn pretrained(name: &str, lang: &str) -> Result<Self, Error> {
        let source = hub::resolve_language(name, lang)?;
        Self::checked(Classifier::load(&source, ClassifierSettings::default())?)
    }

    /// A model directory.
    ///
    /// # Errors
    /// When a file of it is missing or wrong, or it is of another family ([`Error::ModelFamily`]).
    pub fn load(path: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        let source = hub::ModelSource::Directory(path.as_ref().to_owned());
        Self::checked(Classifier::load(&source, ClassifierSettings::default())?)
    }

    /// The annotator around a classifier that was loaded with settings of its own, such as its
    /// [precision](ClassifierSettings::precision). Its limit, case, budget and threads are set by the annotator's
    /// params. Whether it is of the right family is looked at when a pipeline is made of it.
    #[must_use]
    pub fn of(classifier: Classifier) -> Self {
        Self::new(classifier)
    }

    fn checked(classifier: Classifier) -> Result<Self, Error> {
        check_family::<F>(&classifier)?;
        Ok(Self::new(classifier))
    }

    fn new(classifier: Classifier) -> Self {
        let saved = classifier.params().clone();
        let usual = || vec!["document".to_owned(), "token".to_owned()];
        let positions = classifier.config().architecture().max_tokens();
        Self {
            input_cols: saved.input_cols.unwrap_or_else(usual),
            output_col: saved.output_col.unwrap_or_else(|| "class".to_owned()),
            // Spark NLP saves a limit that the model may not have positions for.
            max_sentence_length: saved.max_sentence_length.map(|limit| limit.min(positions)),
            case_sensitive: saved.case_sensitive,
            encoding: None,
            long_texts: LongTexts::Truncate,
            batch_size: saved.batch_size.unwrap_or(8),
            threads: 0,
            coalesce_sentences: saved.coalesce_sentences.unwrap_or(false),
            activation: None,
            threshold: classifier.threshold(),
            classifier: Arc::new(classifier),
            family: PhantomData,
        }
    }

    /// The column of documents and the column of tokens, in any order.
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

    /// The most pieces of a document that are read, `[CLS]` and `[SEP]` counted: 128, or the model's positions if there
    /// are fewer, by default.
    #[must_use]
    pub fn max_sentence_length(mut self, pieces: usize) -> Self {
        self.max_sentence_length = Some(pieces);
        self
    }

    /// Whether case matters. False lower-cases the text first; by default the model's own tokenizer decides.
    #[must_use]
    pub fn case_sensitive(mut self, sensitive: bool) -> Self {
        self.case_sensitive = Some(sensitive);
        self
    }

    /// How a text becomes pieces; by default as the model was saved: `Token` where Spark NLP saved it, else
    /// `Document`.
    #[must_use]
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = Some(encoding);
        self
    }

    /// What becomes of documents that are too long: by default their end is not read.
    #[must_use]
    pub fn long_texts(mut self, long_texts: LongTexts) -> Self {
        self.long_texts = long_texts;
        self
    }

    /// How many texts of 32 tokens go through the encoder together on one thread: 8 by default. It changes
    /// the speed, never a score.
    #[must_use]
    pub fn batch_size(mut self, texts: usize) -> Self {
        self.batch_size = texts;
        self
    }

    /// Threads to work with; 0, the default, means one for each core.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Whether the scores of all documents (sentences) of a row are averaged into one annotation; false by
    /// default.
    #[must_use]
    pub fn coalesce_sentences(mut self, coalesce: bool) -> Self {
        self.coalesce_sentences = coalesce;
        self
    }

    /// How logits become scores; by default as the model's `problem_type` says.
    #[must_use]
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = Some(activation);
        self
    }

    /// True is [`Activation::Sigmoid`]: several labels, or none, for one text.
    #[must_use]
    pub fn multilabel(mut self, multilabel: bool) -> Self {
        self.activation = multilabel.then_some(Activation::Sigmoid);
        self
    }

    /// With sigmoid, the score that a label must exceed: 0.5 by default.
    #[must_use]
    pub fn threshold(mut self, threshold: f32) -> Self {
        self.threshold = threshold;
        self
    }

    /// The labels, in id order.
    #[must_use]
    pub fn get_classes(&self) -> &[String] {
        self.classifier.labels()
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

    /// The most pieces of a document that are read.
    #[must_use]
    pub fn get_max_sentence_length(&self) -> usize {
        let positions = self.classifier.config().architecture().max_tokens();
        self.max_sentence_length.unwrap_or(MAX_SENTENCE_LENGTH.min(positions))
    }

    /// How logits become scores.
    #[must_use]
    pub fn get_activation(&self) -> Activation {
        self.activation.unwrap_or_else(|| self.classifier.activation())
    }

    /// Whether case matters, if that is said.
    #[must_use]
    pub fn get_case_sensitive(&self) -> Option<bool> {
        self.case_sensitive
    }

    /// How a text becomes pieces.
    #[must_use]
    pub fn get_encoding(&self) -> Encoding {
        self.encoding.unwrap_or_else(|| self.classifier.encoding())
    }

    /// What becomes of documents that are too long.
    #[must_use]
    pub fn get_long_texts(&self) -> LongTexts {
        self.long_texts
    }

    /// How many texts of 32 tokens go through the encoder together.
    #[must_use]
    pub fn get_batch_size(&self) -> usize {
        self.batch_size
    }

    /// Whether the scores of a row are averaged.
    #[must_use]
    pub fn get_coalesce_sentences(&self) -> bool {
        self.coalesce_sentences
    }

    /// With sigmoid, the score that a label must exceed.
    #[must_use]
    pub fn get_threshold(&self) -> f32 {
        self.threshold
    }

    /// The model.
    #[must_use]
    pub fn classifier(&self) -> &Arc<Classifier> {
        &self.classifier
    }

    fn rule(&self) -> Result<CategoryRule, Error> {
        CategoryRule::new(self.get_activation(), self.threshold)
    }

    /// The annotator around a loaded model, with parameters as Spark NLP spells them over those that the model was
    /// saved with.
    fn from_params(classifier: Classifier, map: &Map<String, Value>) -> Result<Self, Error> {
        let saved = SparkParams::read(F::ANNOTATOR, map)?;
        let params = Params::new(F::ANNOTATOR, map);
        let mut stage = Self::checked(classifier)?;
        stage.input_cols = saved.input_cols.unwrap_or(stage.input_cols);
        stage.output_col = saved.output_col.unwrap_or(stage.output_col);
        let positions = stage.classifier.config().architecture().max_tokens();
        stage.max_sentence_length =
            saved.max_sentence_length.map(|limit| limit.min(positions)).or(stage.max_sentence_length);
        stage.case_sensitive = saved.case_sensitive.or(stage.case_sensitive);
        stage.batch_size = saved.batch_size.unwrap_or(stage.batch_size);
        stage.coalesce_sentences = saved.coalesce_sentences.unwrap_or(stage.coalesce_sentences);
        stage.activation = saved.activation;
        stage.threshold = saved.threshold.unwrap_or(stage.threshold);
        stage.encoding = params.named("encoding", "document or token", |name| match name {
            "document" => Some(Encoding::Document),
            "token" => Some(Encoding::Token),
            _ => None,
        })?;
        if let Some(overlap) = params.count("windowOverlap")? {
            stage.long_texts = LongTexts::Windows { overlap };
        }
        Ok(stage)
    }
}

impl<F: Family> SequenceClassification for ForSequenceClassification<F> {
    fn classifier(&self) -> &Arc<Classifier> {
        &self.classifier
    }

    fn inputs(&self, schema: &SchemaRef) -> Result<(&str, &str), Error> {
        let [first, second] = self.input_cols.as_slice() else {
            let (stage, found) = (F::ANNOTATOR, self.input_cols.len());
            return Err(Error::InputColumns { stage, expected: 2, kinds: "document, token", found });
        };
        let require = |name: &str, kind| column::require(schema, F::ANNOTATOR, name, kind);
        let fits = require(first, AnnotatorType::Document).and_then(|()| require(second, AnnotatorType::Token)).is_ok();
        let is_reversed = !fits && require(first, AnnotatorType::Token).is_ok();
        let (document, token) = if is_reversed { (second, first) } else { (first, second) };
        require(document, AnnotatorType::Document)?;
        require(token, AnnotatorType::Token)?;
        Ok((document, token))
    }

    fn scoring(&self) -> (Activation, f32) {
        (self.get_activation(), self.threshold)
    }

    fn coalesces(&self) -> bool {
        self.coalesce_sentences
    }

    fn settings(&self, asked: &ClassifierSettings) -> ClassifierSettings {
        ClassifierSettings {
            max_sentence_length: asked.max_sentence_length.or(Some(self.get_max_sentence_length())),
            case_sensitive: asked.case_sensitive.or(self.case_sensitive),
            encoding: asked.encoding.or(Some(self.get_encoding())),
            long_texts: match asked.long_texts {
                LongTexts::Truncate => self.long_texts,
                windows => windows,
            },
            ..asked.clone()
        }
    }
}

impl<F: Family> Annotator for ForSequenceClassification<F> {
    fn name(&self) -> &'static str {
        F::ANNOTATOR
    }

    fn params(&self) -> Map<String, Value> {
        let overlap = match self.long_texts {
            LongTexts::Truncate => None,
            LongTexts::Windows { overlap } => Some(overlap),
        };
        let activation = match self.activation {
            Some(Activation::Softmax) => Some("softmax"),
            Some(Activation::Sigmoid) => Some("sigmoid"),
            // Spark NLP has no other: the model itself asks for it.
            Some(Activation::Identity) | None => None,
        };
        ParamMap::default()
            .with("inputCols", self.input_cols.clone())
            .with("outputCol", self.output_col.as_str())
            .with_some("maxSentenceLength", self.max_sentence_length)
            .with_some("caseSensitive", self.case_sensitive)
            .with("batchSize", self.batch_size)
            .with("coalesceSentences", self.coalesce_sentences)
            .with_some("activation", activation)
            .with("threshold", self.threshold)
            .with_some("encoding", self.encoding.map(Encoding::name))
            .with_some("windowOverlap", overlap)
            .into_map()
    }

    fn fit(&self) -> Result<Option<Stage>, Error> {
        check_family::<F>(&self.classifier)?;
        self.rule()?;
        if self.batch_size == 0 {
            let (name, value, expected) = ("batchSize", "0".to_owned(), "a whole number from 1 up");
            return Err(Error::Param { stage: F::ANNOTATOR, name, value, expected });
        }
        let settings = ClassifierSettings {
            max_sentence_length: Some(self.get_max_sentence_length()),
            case_sensitive: self.case_sensitive,
            encoding: self.encoding,
            long_texts: self.long_texts,
            precision: self.classifier.model().precision(),
            batch_tokens: self.batch_size.saturating_mul(TOKENS_OF_A_TEXT),
            threads: self.threads,
            measure_stages: false,
        };
        let classifier = Arc::new(self.classifier.with_settings(settings)?);
        Ok(Some(Self { classifier, ..self.clone() }.into()))
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        self.inputs(input)?;
        with_annotations(input, F::ANNOTATOR, &self.output_col, AnnotatorType::Category)
    }

    fn run(
        &self,
        batch: &RecordBatch,
        cancellation: &CancellationToken,
    ) -> Result<(RecordBatch, Option<Counts>), Error> {
        let schema = self.output_schema(&batch.schema())?;
        let (documents, tokens) = self.inputs(&batch.schema())?;
        let read = |name: &str| column::read(batch, F::ANNOTATOR, name);
        let documents = Documents::with_tokens(&read(documents)?, &read(tokens)?);
        let (classified, counts) =
            self.classifier.classify_documents(documents, self.coalesce_sentences, cancellation)?;
        let mut categories = AnnotationColumnBuilder::default();
        classified.annotate(self.rule()?, self.get_classes(), &mut categories);
        Ok((with_column(batch, &schema, categories.finish()?)?, Some(counts)))
    }

    fn with_threads(&self, threads: usize) -> Option<Stage> {
        Some(self.clone().threads(threads).into())
    }

    fn sequence_classification(&self) -> Option<&dyn SequenceClassification> {
        Some(self)
    }
}

/// Whether a model is of the family.
fn check_family<F: Family>(classifier: &Classifier) -> Result<(), Error> {
    let (annotator, asked) = (classifier.annotator(), F::ANNOTATOR);
    if annotator == asked {
        return Ok(());
    }
    Err(Error::ModelFamily { model: classifier.source().to_string(), annotator, asked })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, Clone)]
    struct Other;

    impl Family for Other {
        const ANNOTATOR: &'static str = "OtherForSequenceClassification";
    }

    #[test]
    fn a_model_of_another_family_is_refused() {
        let said = "ag_news is a model for AlbertForSequenceClassification, not for OtherForSequenceClassification";
        let error = ForSequenceClassification::<Other>::pretrained("ag_news", "en").unwrap_err();
        assert_eq!(error.to_string(), said);
        let albert = Classifier::pretrained("ag_news", ClassifierSettings::default()).unwrap();
        let stage = Stage::from(ForSequenceClassification::<Other>::of(albert));
        assert_eq!(stage.fit().unwrap_err().to_string(), said);
    }
}
