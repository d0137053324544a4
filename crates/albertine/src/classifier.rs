//! Texts in, logits out: pieces, ragged batches and the encoder behind one type.

mod answer;
mod before;
mod counts;
mod distinct;
mod reader;
mod settings;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use albertine_model::{
    AlbertClassifier, AlbertConfig, Checkpoint, CheckpointKind, Folder, Kernels, Precision, RaggedBatch, Scratch, Stage,
};
use albertine_text::Piece;

pub(crate) use self::answer::Answer;
use self::before::Before;
use self::counts::Counters;
pub use self::counts::{Counts, StageCost};
use self::distinct::{Distinct, Text};
pub(crate) use self::reader::Given;
use self::reader::{Reader, Vocabulary};
pub use self::settings::{ClassifierSettings, DEFAULT_MAX_SENTENCE_LENGTH, Encoding, LongTexts, MAX_THREADS};
use crate::builtin::BuiltIn;
use crate::category::{CategoryRule, THRESHOLD};
use crate::documents::Documents;
use crate::hub::ModelSource;
use crate::interrupt::Interrupt;
use crate::scores::Activation;
use crate::spark_params::SparkParams;
use crate::threads::Threads;
use crate::{Error, column, hub, saved};

/// Texts that one thread cuts into pieces at a time.
const TEXTS_PER_TASK: usize = 64;

/// The floating-point operations of a text from which on several threads share it: a millisecond or so of one with wide vectors.
const WORTH_SHARING: u64 = 200_000_000;

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
    model: Arc<AlbertClassifier>,
    origin: Origin,
    vocabulary: Arc<Vocabulary>,
    /// What a saved pipeline does first, if the model came out of one.
    before: Option<Arc<Before>>,
    reader: Reader,
    long_texts: LongTexts,
    limit: usize,
    batch_tokens: usize,
    threads: Threads,
    scratches: Mutex<Vec<Scratch>>,
    counters: Counters,
}

/// Where the files of a model are, to be read again when it is saved.
#[derive(Debug, Clone)]
enum Origin {
    BuiltIn(&'static BuiltIn),
    Folder(Folder),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn(model) => write!(f, "{}", model.name),
            Self::Folder(folder) => write!(f, "{}", folder.path().display()),
        }
    }
}

impl Classifier {
    /// Loads a model by name or path, as [`hub::resolve`] finds it.
    ///
    /// # Errors
    /// As [`hub::resolve`] and [`Classifier::load`].
    pub fn pretrained(name_or_path: &str, settings: ClassifierSettings) -> Result<Self, Error> {
        Self::load(&hub::resolve(name_or_path)?, settings)
    }

    /// Loads a model.
    ///
    /// # Errors
    /// When a file of the model is missing or wrong, when vocabulary and weights do not fit each other, when
    /// `max_sentence_length` is not one that the model can read, or for more than [`MAX_THREADS`] threads.
    pub fn load(source: &ModelSource, settings: ClassifierSettings) -> Result<Self, Error> {
        let (files, model, vocabulary) = match source {
            ModelSource::BuiltIn(built_in) => {
                let (files, kernels) = (*built_in, Kernels::detect()?);
                let model = AlbertClassifier::from_bytes(files.config, files.weights, kernels, settings.precision)?;
                let vocabulary = [("spiece.model", files.spiece), ("tokenizer_config.json", files.tokenizer_config)];
                let vocabulary = BTreeMap::from(vocabulary.map(|(name, bytes)| (name, Cow::Borrowed(bytes))));
                let (origin, params) = (PathBuf::from("built-in"), SparkParams::default());
                (files, model, Vocabulary::new(origin, vocabulary, params, CheckpointKind::HuggingFace))
            }
            ModelSource::Directory(path) => {
                let folder = Folder::open(path)?;
                if let Some(stages) = saved::stages_in(&folder, &settings)? {
                    let (before, class) = Before::of(stages)?;
                    let settings = before::settings(&settings, &class);
                    return Ok(Self { before: Some(Arc::new(before)), ..class.classifier().with_settings(settings)? });
                }
                if let Some(class) = saved::annotator_in(&folder, &settings)? {
                    return class.classifier().with_settings(before::settings(&settings, &class));
                }
                return Self::of_checkpoint(Checkpoint::read(&folder)?, folder, settings);
            }
        };
        Self::new(Arc::new(model), Origin::BuiltIn(files), Arc::new(vocabulary), settings)
    }

    /// The classifier of a checkpoint that was read from `folder`.
    pub(crate) fn of_checkpoint(
        checkpoint: Checkpoint,
        folder: Folder,
        settings: ClassifierSettings,
    ) -> Result<Self, Error> {
        let config = checkpoint.config().clone();
        let model = AlbertClassifier::new(config, checkpoint.weights(), Kernels::detect()?, settings.precision)?;
        let params = SparkParams::read(checkpoint.params())?;
        let (origin, kind) = (checkpoint.origin().to_owned(), checkpoint.kind());
        let files = checkpoint.into_files().into_iter().map(|(name, bytes)| (name, Cow::Owned(bytes)));
        let vocabulary = Vocabulary::new(origin, files.collect(), params, kind);
        Self::new(Arc::new(model), Origin::Folder(folder), Arc::new(vocabulary), settings)
    }

    /// Writes the model as a model directory in Hugging Face's layout, into an empty or new folder.
    ///
    /// # Errors
    /// When something is in the folder, when the model's files are no longer there, and when it cannot be written.
    pub fn save(&self, directory: &Path) -> Result<(), Error> {
        match &self.origin {
            Origin::Folder(folder) => {
                let checkpoint = Checkpoint::read(folder)?;
                if checkpoint.config() != self.config() {
                    return Err(Error::ModelChanged { path: folder.path().to_owned() });
                }
                Ok(checkpoint.save(directory)?)
            }
            Origin::BuiltIn(model) => {
                saved::must_be_free(directory)?;
                std::fs::create_dir_all(directory).map_err(saved::io(directory))?;
                for (name, bytes) in model.files() {
                    let path = directory.join(name);
                    std::fs::write(&path, bytes).map_err(saved::io(&path))?;
                }
                Ok(())
            }
        }
    }

    /// The same model under other settings, with counts of its own; weights and vocabulary are shared.
    ///
    /// # Errors
    /// When `max_sentence_length` is not one that the model can read, for more than [`MAX_THREADS`] threads, or for another
    /// precision than that of the weights.
    pub fn with_settings(&self, settings: ClassifierSettings) -> Result<Self, Error> {
        let loaded = self.model.precision();
        if settings.precision != loaded {
            return Err(Error::PrecisionIsSettled { asked: settings.precision, loaded });
        }
        let fresh = Self::new(self.model.clone(), self.origin.clone(), self.vocabulary.clone(), settings)?;
        Ok(Self { before: self.before.clone(), ..fresh })
    }

    /// The same model in another precision, read again from its files.
    ///
    /// # Errors
    /// As [`Classifier::load`].
    pub fn in_precision(&self, precision: Precision) -> Result<Self, Error> {
        let settings = ClassifierSettings { precision, ..ClassifierSettings::default() };
        match &self.origin {
            Origin::BuiltIn(_) => Self::load(&self.source(), settings),
            Origin::Folder(folder) => Self::of_checkpoint(Checkpoint::read(folder)?, folder.clone(), settings),
        }
    }

    fn new(
        model: Arc<AlbertClassifier>,
        origin: Origin,
        vocabulary: Arc<Vocabulary>,
        settings: ClassifierSettings,
    ) -> Result<Self, Error> {
        let reader = vocabulary.reader(&settings)?;
        let embeddings = model.config().vocab_size;
        if reader.vocabulary() > embeddings {
            let (origin, pieces) = (origin.to_string(), reader.vocabulary());
            return Err(Error::VocabularyTooLarge { origin, pieces, embeddings });
        }
        let own = vocabulary.params.max_sentence_length.or(reader.model_max_length());
        let (before, after) = reader.around();
        let limit = settings.limit(model.config(), own, before + after)?;
        if settings.threads > MAX_THREADS {
            return Err(Error::TooManyThreads { asked: settings.threads, most: MAX_THREADS });
        }
        Ok(Self {
            model,
            origin,
            vocabulary,
            before: None,
            reader,
            long_texts: settings.long_texts,
            limit,
            batch_tokens: settings.batch_tokens.max(1),
            threads: Threads::new(settings.threads),
            scratches: Mutex::new(Vec::new()),
            counters: Counters::default(),
        })
    }

    /// Where the files of the model are.
    #[must_use]
    pub fn source(&self) -> ModelSource {
        match &self.origin {
            Origin::BuiltIn(model) => ModelSource::BuiltIn(model),
            Origin::Folder(folder) => ModelSource::Directory(folder.path().to_owned()),
        }
    }

    /// The labels, in the order of the logits.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.model.config().labels
    }

    /// The model's configuration.
    #[must_use]
    pub fn config(&self) -> &AlbertConfig {
        self.model.config()
    }

    /// The encoder and head.
    #[must_use]
    pub fn model(&self) -> &AlbertClassifier {
        &self.model
    }

    /// The kind of files that the model was read from.
    #[must_use]
    pub fn kind(&self) -> CheckpointKind {
        self.vocabulary.kind
    }

    /// How texts become pieces.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.reader.encoding()
    }

    /// The pieces of the whole of a text, special pieces included, whatever the limit: a view for people.
    ///
    /// # Errors
    /// When the vocabulary refuses the text, which with a checked model does not happen.
    pub fn inspect(&self, text: &str) -> Result<Vec<Piece>, Error> {
        self.reader.inspect(text)
    }

    /// How logits become scores when nothing else is said: as the model was saved by Spark NLP, or as its configuration says.
    #[must_use]
    pub fn activation(&self) -> Activation {
        let saved = || self.params().activation.unwrap_or_else(|| Activation::of(self.config()));
        self.before.as_ref().map_or_else(saved, |before| before.activation)
    }

    /// The score that a label must exceed under sigmoid when nothing else is said.
    #[must_use]
    pub fn threshold(&self) -> f32 {
        let saved = || self.params().threshold.unwrap_or(THRESHOLD);
        self.before.as_ref().map_or_else(saved, |before| before.threshold)
    }

    /// What Spark NLP saved the model with.
    pub(crate) fn params(&self) -> &SparkParams {
        &self.vocabulary.params
    }

    /// The most pieces of a text that are read.
    #[must_use]
    pub fn max_sentence_length(&self) -> usize {
        self.limit
    }

    /// Threads it works with.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads.count()
    }

    /// What it has seen since it was loaded.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.counts()
    }

    /// Starts to count what each stage costs, from zero, or stops it.
    pub fn watch_stages(&self, on: bool) {
        let times = self.model.stage_times();
        if on {
            times.reset();
            self.counters.pieces.store(0, Ordering::Relaxed);
        }
        times.switch(on);
    }

    /// What each stage has cost while it was watched, in the order of the work. Models that are shared by classifiers
    /// ([`Classifier::with_settings`]) are watched together.
    #[must_use]
    pub fn stages(&self) -> Vec<StageCost> {
        let times = self.model.stage_times();
        let pieces = Duration::from_nanos(self.counters.pieces.load(Ordering::Relaxed));
        let encoder = Stage::ALL.map(|stage| StageCost {
            name: stage.name(),
            time: times.time(stage),
            flops: times.flops(stage),
        });
        [StageCost { name: "pieces", time: pieces, flops: 0 }].into_iter().chain(encoder).collect()
    }

    /// The best label of each text under the model's own activation; `None` for a null or blank text.
    ///
    /// # Errors
    /// As [`Classifier::logits`].
    pub fn predict(&self, texts: &[Option<&str>]) -> Result<Vec<Option<Prediction>>, Error> {
        let rule = CategoryRule::new(self.activation(), self.threshold())?;
        let best = |scores: Vec<f32>| {
            let (label, score) = rule.best(&scores);
            Prediction { label, score }
        };
        Ok(self.answer(texts)?.scores(rule).map(|row| row.map(best)).collect())
    }

    /// The logits of each text, one for each label; `None` for a null or blank text. The same text has the same logits, bit for
    /// bit, whatever its company, the order and the number of threads.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the weights are so large that a logit is not a number; otherwise only when the vocabulary or the
    /// encoder refuses a text, which with a checked model does not happen.
    pub fn logits(&self, texts: &[Option<&str>]) -> Result<Vec<Option<Vec<f32>>>, Error> {
        Ok(self.answer(texts)?.logits().collect())
    }

    /// The logits of every document of every text: the text itself, or what the stages of a pipeline make of it.
    pub(crate) fn answer(&self, texts: &[Option<&str>]) -> Result<Answer, Error> {
        let mut answer = Answer::default();
        let Some(before) = &self.before else {
            let given = texts.iter().map(|text| text.map(|text| Given { text, tokens: None }));
            for (text, logits) in texts.iter().zip(self.logits_of(given)?) {
                let end = text.map_or(0, albertine_text::utf16_len) as i32 - 1;
                answer.push_row(logits.map(|logits| ((0, end), "0".to_owned(), logits)));
            }
            return Ok(answer);
        };
        let table = before.run(texts)?;
        let column = |name: &str| column::read(&table, "Classifier", name);
        let (documents, tokens) = (column(&before.document)?, column(&before.token)?);
        let documents = Documents::with_tokens(&documents, &tokens);
        let mut logits = self.logits_of(documents.given())?.into_iter();
        for range in &documents.rows {
            let row = documents.all[range.clone()].iter().zip(logits.by_ref());
            let row = row.filter_map(|(document, logits)| Some((document.span, document.sentence.to_owned(), logits?)));
            answer.push_row(row);
        }
        answer.coalesce = before.coalesce;
        Ok(answer)
    }

    /// As [`Classifier::logits`], for texts that may have been cut into tokens before.
    pub(crate) fn logits_of<'a>(
        &self,
        given: impl ExactSizeIterator<Item = Option<Given<'a>>>,
    ) -> Result<Vec<Option<Vec<f32>>>, Error> {
        let distinct = Distinct::of(given);
        let blank = distinct.places.iter().filter(|place| place.is_none()).count();
        self.counters.rows.fetch_add(distinct.places.len() as u64, Ordering::Relaxed);
        self.counters.blank.fetch_add(blank as u64, Ordering::Relaxed);

        let tasks: Vec<&[Text<'_>]> = distinct.texts.chunks(TEXTS_PER_TASK).collect();
        let encoded = self.threads.map(&tasks, |texts| self.encode(texts))?;
        let mut documents = Vec::with_capacity(distinct.texts.len());
        for (task, (batch, counts)) in encoded.iter().enumerate() {
            let mut index = 0;
            for (place, &count) in (task * TEXTS_PER_TASK..).zip(counts) {
                for _ in 0..count {
                    documents.push(Document { place, batch, index });
                    index += 1;
                }
            }
        }
        // the longest first: short ones fill the gaps at the end, when threads run out of work
        documents.sort_by_key(|document| (std::cmp::Reverse(document.len()), document.place));

        let chunks = self.chunks(&documents);
        let first_row = |place: usize| distinct.texts[place].row;
        let logits = match &chunks[..] {
            // a single text has the threads to itself, if it is worth waking them
            [lone] if self.threads.count() > 1 && self.flops(lone) >= WORTH_SHARING => {
                Interrupt::current().check()?;
                vec![self.threads.run(|| self.run(lone, self.threads.count(), first_row))??]
            }
            _ => self.threads.map(&chunks, |chunk| self.run(chunk, 1, first_row))?,
        };
        let mut found = vec![Mean::default(); distinct.texts.len()];
        for (chunk, logits) in chunks.iter().zip(&logits) {
            for (document, row) in chunk.iter().zip(logits.chunks_exact(self.labels().len())) {
                found[document.place].add(document.index, row);
            }
        }
        let found: Vec<Vec<f32>> = found.into_iter().map(Mean::finish).collect();
        Ok(distinct.places.iter().map(|place| place.map(|place| found[place].clone())).collect())
    }

    /// The piece ids of some texts, laid end to end, and how many documents each text is.
    fn encode(&self, texts: &[Text<'_>]) -> Result<(RaggedBatch, Vec<usize>), Error> {
        let since = self.model.stage_times().is_on().then(Instant::now);
        let mut batch = RaggedBatch::new();
        let mut counts = Vec::with_capacity(texts.len());
        let mut ids = Vec::new();
        let mut truncated = 0;
        for text in texts {
            let read = self.reader.read(text.given, self.limit, self.long_texts, &mut ids, &mut batch)?;
            truncated += if read.truncated { text.rows } else { 0 };
            counts.push(read.documents);
        }
        self.counters.truncated.fetch_add(truncated, Ordering::Relaxed);
        if let Some(since) = since {
            let nanoseconds = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.counters.pieces.fetch_add(nanoseconds, Ordering::Relaxed);
        }
        Ok((batch, counts))
    }

    /// Cuts documents into runs of about equal work: no more than about the token budget each, and as many for each thread, so
    /// that all threads end together.
    fn chunks<'d, 'b>(&self, documents: &'d [Document<'b>]) -> Vec<&'d [Document<'b>]> {
        let all: usize = documents.iter().map(|document| document.len()).sum();
        let runs = all.div_ceil(self.batch_tokens).next_multiple_of(self.threads.count());
        let share = all.div_ceil(runs.max(1)).max(1);
        let mut chunks = Vec::new();
        let mut rest = documents;
        while !rest.is_empty() {
            let mut tokens = 0;
            let fits = rest.iter().take_while(|document| {
                let fits = tokens < share;
                tokens += document.len();
                fits
            });
            let (chunk, after) = rest.split_at(fits.count());
            chunks.push(chunk);
            rest = after;
        }
        chunks
    }

    fn flops(&self, chunk: &[Document<'_>]) -> u64 {
        chunk.iter().map(|document| self.model.flops(document.len())).sum()
    }

    /// The logits of one chunk, `[documents, labels]`. An error names the row that `row` gives for a document's place.
    fn run(&self, chunk: &[Document<'_>], threads: usize, row: impl Fn(usize) -> usize) -> Result<Vec<f32>, Error> {
        let mut batch = RaggedBatch::new();
        chunk.iter().for_each(|document| batch.push_from(document.batch, document.index));
        let mut scratch = self.scratches.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        let mut logits = Vec::new();
        let outcome = self.model.logits(&batch, threads, &mut scratch, &mut logits);
        self.scratches.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        outcome?;
        if let Some(place) = logits.iter().position(|logit| !logit.is_finite()) {
            let document = &chunk[place / self.labels().len()];
            return Err(Error::NotFinite {
                row: row(document.place),
                label: self.labels()[place % self.labels().len()].clone(),
            });
        }
        self.counters.computed.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        self.counters.tokens.fetch_add(batch.tokens() as u64, Ordering::Relaxed);
        self.counters.flops.fetch_add(self.flops(chunk), Ordering::Relaxed);
        Ok(logits)
    }
}

/// A text, or a window of one, on its way through the encoder.
#[derive(Debug, Clone, Copy)]
struct Document<'a> {
    /// The text's place among the different texts.
    place: usize,
    batch: &'a RaggedBatch,
    /// Its place in the batch.
    index: usize,
}

impl Document<'_> {
    /// Its pieces.
    fn len(&self) -> usize {
        self.batch.document(self.index).len()
    }
}

/// The logits of a text: those of its one document, or the mean over its windows.
#[derive(Debug, Clone, Default)]
struct Mean {
    /// The logits of each window by its place, which come in any order.
    rows: Vec<(usize, Vec<f32>)>,
}

impl Mean {
    fn add(&mut self, index: usize, row: &[f32]) {
        self.rows.push((index, row.to_vec()));
    }

    fn finish(mut self) -> Vec<f32> {
        if self.rows.len() <= 1 {
            return self.rows.pop().map(|(_, row)| row).unwrap_or_default();
        }
        // Always in the order of the text, so that the sum does not depend on the schedule.
        self.rows.sort_by_key(|&(index, _)| index);
        let labels = self.rows[0].1.len();
        let sum = |label: usize| self.rows.iter().map(|(_, row)| f64::from(row[label])).sum::<f64>();
        (0..labels).map(|label| (sum(label) / self.rows.len() as f64) as f32).collect()
    }
}
