//! Texts in, logits and labels out: a loaded model with a session of its own.

use std::path::Path;
use std::sync::Arc;

use albertine_model::{CheckpointKind, HeldOutScores, ModelConfig, Precision, SequenceClassifier};
use albertine_text::Piece;

use crate::annotators::{AlbertForSequenceClassification, Stage};
use crate::category::{CategoryRule, THRESHOLD};
use crate::classified::Classified;
use crate::column;
use crate::documents::Documents;
use crate::hub::ModelSource;
use crate::loaded_model::LoadedModel;
use crate::scores::Activation;
use crate::session::{ClassifierSettings, Counts, Encoding, LongTexts, ReadText, Session};
use crate::spark_params::SparkParams;
use crate::{CancellationToken, Error};
use arrow_array::RecordBatch;
use serde_json::{Map, Value};

/// The label of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Index into [`Classifier::labels`]; `None` when the model scores each label by itself and none exceeds 0.5.
    pub label: Option<usize>,
    /// Its score under the model's own activation.
    pub score: f32,
}

/// A model that is ready to classify texts. It can be shared between threads.
///
/// ```
/// use albertine::{Classifier, ClassifierSettings};
///
/// let classifier = Classifier::pretrained("ag_news", ClassifierSettings::default())?;
/// let found = classifier.predict(&[Some("Stocks fell on Wall Street as oil prices rose."), None])?;
/// assert_eq!(found[0].and_then(|best| best.label).map(|label| &*classifier.labels()[label]), Some("Business"));
/// assert!(found[1].is_none());
/// # Ok::<(), albertine::Error>(())
/// ```
#[derive(Debug)]
pub struct Classifier {
    model: Arc<LoadedModel>,
    session: Session,
    activation: Activation,
    threshold: f32,
    preparation: Option<Arc<dyn Preparation>>,
}

/// What is done to texts before a classifier reads them: the first stages of a pipeline that the model was saved with.
pub(crate) trait Preparation: std::fmt::Debug + Send + Sync {
    /// The texts with annotation columns.
    fn annotate(&self, texts: &[Option<&str>], cancellation: &CancellationToken) -> Result<RecordBatch, Error>;

    /// The columns of documents and of tokens among those.
    fn columns(&self) -> (&str, &str);

    /// Whether a text with several documents gets one annotation.
    fn coalesces(&self) -> bool;
}

impl Classifier {
    /// A classifier of a model, with scores as the model was saved by Spark NLP, or as its configuration says.
    pub(crate) fn of_model(model: Arc<LoadedModel>, settings: &ClassifierSettings) -> Result<Self, Error> {
        Ok(Self {
            session: model.session(settings)?,
            activation: model.params().activation.unwrap_or_else(|| Activation::of(model.model().config())),
            threshold: model.params().threshold.unwrap_or(THRESHOLD),
            preparation: None,
            model,
        })
    }

    /// The same classifier behind a pipeline's first stages, scored as the pipeline was.
    pub(crate) fn prepared_by(
        self,
        preparation: Arc<dyn Preparation>,
        (activation, threshold): (Activation, f32),
    ) -> Self {
        Self { activation, threshold, preparation: Some(preparation), ..self }
    }

    /// Writes the model as a model directory in Hugging Face's layout, into an empty or new folder.
    ///
    /// # Errors
    /// When something is in the folder, when the model's files are no longer there, and when it cannot be written.
    pub fn save(&self, directory: &Path) -> Result<(), Error> {
        self.model.save(directory)
    }

    /// The same model under other settings; weights and vocabulary are shared.
    ///
    /// # Errors
    /// When `max_sentence_length` is not one that the model can read, for more than [`MAX_THREADS`](crate::MAX_THREADS)
    /// threads, or for another precision than that of the weights.
    pub fn with_settings(&self, settings: ClassifierSettings) -> Result<Self, Error> {
        Ok(Self {
            model: Arc::clone(&self.model),
            session: self.model.session(&settings)?,
            activation: self.activation,
            threshold: self.threshold,
            preparation: self.preparation.clone(),
        })
    }

    /// A classifier that no other shares, over the same weights, with the settings that the model has of itself.
    pub(crate) fn with_own_session(&self) -> Result<Self, Error> {
        let precision = self.model().precision();
        self.with_settings(ClassifierSettings { precision, ..ClassifierSettings::default() })
    }

    /// The parameters of an annotator with this model when nothing is set, under Spark NLP's names; those too that
    /// follow from the model: its limit, encoding and activation.
    ///
    /// # Errors
    /// None for a model that could be loaded.
    pub fn annotator_params(&self) -> Result<Map<String, Value>, Error> {
        let annotator = AlbertForSequenceClassification::of(self.with_own_session()?);
        let activation = match annotator.get_activation() {
            Activation::Softmax => Some("softmax"),
            Activation::Sigmoid => Some("sigmoid"),
            // Spark NLP has no other
            _ => None,
        };
        let (length, encoding) = (annotator.get_max_sentence_length(), annotator.get_encoding().name());
        let mut params = Stage::from(annotator).params();
        params.insert("maxSentenceLength".to_owned(), length.into());
        params.insert("encoding".to_owned(), encoding.into());
        params.extend(activation.map(|name| ("activation".to_owned(), name.into())));
        Ok(params)
    }

    /// The same model in another precision, read again from its files.
    ///
    /// # Errors
    /// As [`Classifier::load`].
    pub fn in_precision(&self, precision: Precision) -> Result<Self, Error> {
        let settings = ClassifierSettings { precision, ..ClassifierSettings::default() };
        Self::of_model(Arc::new(self.model.in_precision(precision)?), &settings)
    }

    /// Where the files of the model are.
    #[must_use]
    pub fn source(&self) -> ModelSource {
        self.model.source()
    }

    /// The labels, in the order of the logits.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        self.config().labels()
    }

    /// The model's configuration.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        self.model().config()
    }

    /// The encoder and head.
    #[must_use]
    pub fn model(&self) -> &SequenceClassifier {
        self.model.model()
    }

    /// What computes the logits, for documents that are prepared otherwise.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The kind of files that the model was read from.
    #[must_use]
    pub fn kind(&self) -> CheckpointKind {
        self.model.kind()
    }

    /// The annotator for models of its family, by its name in Spark NLP: `AlbertForSequenceClassification`.
    #[must_use]
    pub fn annotator(&self) -> &'static str {
        self.config().architecture().class()
    }

    /// How texts become tokens.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.session.encoding()
    }

    /// As [`Session::inspect`].
    ///
    /// # Errors
    /// As [`Session::inspect`].
    pub fn inspect(&self, text: &str) -> Result<Vec<Piece>, Error> {
        self.session.inspect(text)
    }

    /// How logits become scores when nothing else is said: as the model was saved by Spark NLP, or as its configuration
    /// says.
    #[must_use]
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// How it computes, for a report: names and values.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let long_texts = match self.session().long_texts() {
            LongTexts::Windows { overlap } => format!("windows that overlap by {overlap} pieces"),
            LongTexts::Truncate => "truncated".to_owned(),
        };
        vec![
            ("precision", self.model().precision().to_string()),
            ("cpu level", self.model().kernels().level().to_string()),
            ("threads", self.threads().to_string()),
            ("max sentence length", self.max_sentence_length().to_string()),
            ("long texts", long_texts),
            ("encoding", self.encoding().name().to_owned()),
            ("albertine", env!("CARGO_PKG_VERSION").to_owned()),
        ]
    }

    /// The score that a label must exceed under sigmoid when nothing else is said.
    #[must_use]
    pub fn threshold(&self) -> f32 {
        self.threshold
    }

    /// The scores of texts that the model was not trained on, if it is calibrated.
    #[must_use]
    pub fn held_out(&self) -> Option<&HeldOutScores> {
        self.model.held_out()
    }

    /// Whether it stands behind the first stages of a saved pipeline.
    #[must_use]
    pub fn is_of_pipeline(&self) -> bool {
        self.preparation.is_some()
    }

    /// What is done to texts before the classifier reads them, if anything is.
    pub(crate) fn preparation(&self) -> Option<&dyn Preparation> {
        self.preparation.as_deref()
    }

    /// What Spark NLP saved the model with.
    pub(crate) fn params(&self) -> &SparkParams {
        self.model.params()
    }

    /// The most tokens of a text that are read.
    #[must_use]
    pub fn max_sentence_length(&self) -> usize {
        self.session.max_sentence_length()
    }

    /// Threads it works with.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.session.threads()
    }

    /// The best label of each text under the model's own activation; `None` for a null or blank text.
    ///
    /// # Errors
    /// As [`Classifier::run`].
    pub fn predict(&self, texts: &[Option<&str>]) -> Result<Vec<Option<Prediction>>, Error> {
        let rule = CategoryRule::new(self.activation, self.threshold)?;
        let best = |scores: Vec<f32>| {
            let (label, score) = rule.best(&scores);
            Prediction { label, score }
        };
        let (classified, _) = self.classify(texts, &CancellationToken::default())?;
        Ok(classified.scores(rule).map(|row| row.map(best)).collect())
    }

    /// The logits of each text: as [`Classifier::run`], without counts and cancellation.
    ///
    /// # Errors
    /// As [`Classifier::run`].
    pub fn logits(&self, texts: &[Option<&str>]) -> Result<Vec<Option<Vec<f32>>>, Error> {
        Ok(self.run(texts, &CancellationToken::default())?.0)
    }

    /// The logits of each text, one for each label, and what the call counted; `None` for a null or blank text. The
    /// same text has the same logits, bit for bit, whatever its company, the order and the number of threads.
    ///
    /// # Errors
    /// [`Error::Cancelled`] soon after `cancellation` is asked for; [`Error::NotFinite`] when the weights are so large
    /// that a logit is not a number; otherwise only when the tokenizer or the encoder refuses a text, which with a
    /// checked model does not happen.
    #[expect(clippy::type_complexity, reason = "a list of lists that may be missing is what it is")]
    pub fn run(
        &self,
        texts: &[Option<&str>],
        cancellation: &CancellationToken,
    ) -> Result<(Vec<Option<Vec<f32>>>, Counts), Error> {
        let (classified, counts) = self.classify(texts, cancellation)?;
        Ok((classified.logits().collect(), counts))
    }

    /// The tokens that are read of a text. A pipeline that divides it into documents reads each up to the limit: there
    /// all of its tokens are taken for read.
    pub(crate) fn read(&self, text: &str) -> Result<ReadText, Error> {
        let whole = LongTexts::Windows { overlap: 0 };
        self.session.read(text, if self.preparation.is_some() { whole } else { self.session.long_texts() })
    }

    /// Every document of every text with its logits: the text itself, or what the first stages of a pipeline make of
    /// it.
    pub(crate) fn classify(
        &self,
        texts: &[Option<&str>],
        cancellation: &CancellationToken,
    ) -> Result<(Classified, Counts), Error> {
        let Some(preparation) = &self.preparation else {
            return self.classify_documents(Documents::of_texts(texts), false, cancellation);
        };
        let table = preparation.annotate(texts, cancellation)?;
        let (document, token) = preparation.columns();
        let column = |name: &str| column::read(&table, "Classifier", name);
        let documents = Documents::with_tokens(&column(document)?, &column(token)?);
        self.classify_documents(documents, preparation.coalesces(), cancellation)
    }

    /// Documents with their logits; with `coalesce` those of a row get one annotation.
    pub(crate) fn classify_documents(
        &self,
        documents: Documents<'_>,
        coalesce: bool,
        cancellation: &CancellationToken,
    ) -> Result<(Classified, Counts), Error> {
        let outcome = self.session.run(documents.iter(), cancellation);
        let (outputs, mut counts) = outcome.map_err(|error| match error {
            Error::NotFinite { row, label } => Error::NotFinite { row: documents.row_of(row), label },
            other => other,
        })?;
        counts.documents += documents.blank_rows as u64;
        counts.blank += documents.blank_rows as u64;
        Ok((Classified::new(documents, outputs, coalesce), counts))
    }
}
