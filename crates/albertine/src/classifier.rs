//! Texts in, logits out: pieces, ragged batches and the encoder behind one type.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use albertine_model::{AlbertClassifier, AlbertConfig, Kernels, Precision, RaggedBatch, Scratch, Stage};
use albertine_text::{Pieces, Vocabulary};

use crate::category::{CategoryRule, THRESHOLD};
use crate::hub::ModelSource;
use crate::scores::Activation;
use crate::threads::Threads;
use crate::{Error, hub};

/// The most pieces of a text that are read when nothing else is asked for.
pub const DEFAULT_MAX_SENTENCE_LENGTH: usize = 512;

/// The most threads of a classifier; more than this is a slip of the finger.
pub const MAX_THREADS: usize = 1024;

/// Texts that one thread cuts into pieces at a time.
const TEXTS_PER_TASK: usize = 64;

/// The floating-point operations of a text from which on several threads share it: a millisecond or so of one with wide vectors.
const WORTH_SHARING: u64 = 200_000_000;

/// How a [`Classifier`] works; the default suits most.
#[derive(Debug, Clone)]
pub struct ClassifierSettings {
    /// The most pieces of a text, `[CLS]` and `[SEP]` counted; the rest of a longer text is not read. `None`: 512, or less when
    /// the model has fewer positions.
    pub max_sentence_length: Option<usize>,
    /// `Some(false)` lower-cases the text, `Some(true)` keeps its case; `None` does what the model's tokenizer says.
    pub case_sensitive: Option<bool>,
    /// How exactly the encoder computes; less exact is faster. It is settled when the model is loaded.
    pub precision: Precision,
    /// About the most pieces that go through the encoder together on one thread. It changes the speed, never a score.
    pub batch_tokens: usize,
    /// Threads, at most [`MAX_THREADS`]; 0 means one for each core.
    pub threads: usize,
}

impl Default for ClassifierSettings {
    fn default() -> Self {
        Self {
            max_sentence_length: None,
            case_sensitive: None,
            precision: Precision::F32,
            batch_tokens: 256,
            threads: 0,
        }
    }
}

/// What a classifier has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Rows given, blank ones included.
    pub rows: u64,
    /// Rows without text (null, or only spaces): they get no label.
    pub blank: u64,
    /// Texts longer than the limit, whose end was not read.
    pub truncated: u64,
    /// Texts that went through the encoder.
    pub computed: u64,
    /// Pieces that went through the encoder. Of texts that are given together, equal ones go through once.
    pub tokens: u64,
    /// Floating-point operations of the encoder and head that those pieces need, padding and waste not counted.
    pub flops: u64,
}

#[derive(Debug, Default)]
struct Counters {
    rows: AtomicU64,
    blank: AtomicU64,
    truncated: AtomicU64,
    computed: AtomicU64,
    tokens: AtomicU64,
    flops: AtomicU64,
    /// Time spent on pieces, while stages are watched.
    pieces: AtomicU64,
}

/// A part of the work of a [`Classifier`], as [`Classifier::stages`] tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageCost {
    /// `pieces`, or the [name](Stage::name) of a stage of the encoder.
    pub name: &'static str,
    /// The time that all threads together spent in it.
    pub time: Duration,
    /// The floating-point operations that it took, none for `pieces`.
    pub flops: u64,
}

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
    /// As the model directory has them, whatever the settings say of case.
    own_pieces: Arc<Pieces>,
    pieces: Arc<Pieces>,
    limit: usize,
    batch_tokens: usize,
    threads: Threads,
    scratches: Mutex<Vec<Scratch>>,
    counters: Counters,
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
        let kernels = Kernels::detect()?;
        let (model, pieces) = match source {
            ModelSource::BuiltIn(files) => (
                AlbertClassifier::from_bytes(files.config, files.weights, kernels, settings.precision)?,
                Pieces::from_bytes(Vocabulary::Spiece(files.spiece), Some(files.tokenizer_config))?,
            ),
            ModelSource::Directory(path) => {
                (AlbertClassifier::open(path, kernels, settings.precision)?, Pieces::open(path)?)
            }
        };
        let embeddings = model.config().vocab_size;
        if pieces.vocabulary() > embeddings {
            return Err(Error::VocabularyTooLarge {
                origin: source.to_string(),
                pieces: pieces.vocabulary(),
                embeddings,
            });
        }
        Self::new(Arc::new(model), Arc::new(pieces), settings)
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
        Self::new(self.model.clone(), self.own_pieces.clone(), settings)
    }

    fn new(model: Arc<AlbertClassifier>, own_pieces: Arc<Pieces>, settings: ClassifierSettings) -> Result<Self, Error> {
        let positions = model.config().max_position_embeddings;
        let least = own_pieces.specials().max(1);
        let own =
            || DEFAULT_MAX_SENTENCE_LENGTH.min(positions).min(own_pieces.model_max_length().unwrap_or(usize::MAX));
        let limit = settings.max_sentence_length.unwrap_or_else(own);
        if limit < least || limit > positions {
            return Err(Error::MaxSentenceLength { asked: limit, least, most: positions });
        }
        if settings.threads > MAX_THREADS {
            return Err(Error::TooManyThreads { asked: settings.threads, most: MAX_THREADS });
        }
        let pieces = match settings.case_sensitive {
            Some(sensitive) => Arc::new(Pieces::clone(&own_pieces).with_case_sensitive(sensitive)?),
            None => own_pieces.clone(),
        };
        Ok(Self {
            model,
            own_pieces,
            pieces,
            limit,
            batch_tokens: settings.batch_tokens.max(1),
            threads: Threads::new(settings.threads),
            scratches: Mutex::new(Vec::new()),
            counters: Counters::default(),
        })
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

    /// The vocabulary.
    #[must_use]
    pub fn pieces(&self) -> &Pieces {
        &self.pieces
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
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            rows: read(&self.counters.rows),
            blank: read(&self.counters.blank),
            truncated: read(&self.counters.truncated),
            computed: read(&self.counters.computed),
            tokens: read(&self.counters.tokens),
            flops: read(&self.counters.flops),
        }
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
        let rule = CategoryRule::new(Activation::of(self.config()), THRESHOLD)?;
        let best = |logits: Vec<f32>| {
            let (label, score) = rule.best(&rule.scores(&logits));
            Prediction { label, score }
        };
        Ok(self.logits(texts)?.into_iter().map(|row| row.map(best)).collect())
    }

    /// The logits of each text, one for each label; `None` for a null or blank text. The same text has the same logits, bit for
    /// bit, whatever its company, the order and the number of threads.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the weights are so large that a logit is not a number; otherwise only when the vocabulary or the
    /// encoder refuses a text, which with a checked model does not happen.
    pub fn logits(&self, texts: &[Option<&str>]) -> Result<Vec<Option<Vec<f32>>>, Error> {
        let distinct = Distinct::of(texts);
        let blank = distinct.places.iter().filter(|place| place.is_none()).count();
        self.counters.rows.fetch_add(texts.len() as u64, Ordering::Relaxed);
        self.counters.blank.fetch_add(blank as u64, Ordering::Relaxed);

        let tasks: Vec<&[Text<'_>]> = distinct.texts.chunks(TEXTS_PER_TASK).collect();
        let encoded = self.threads.map(&tasks, |texts| self.encode(texts))?;
        let encoded = encoded.iter().flat_map(RaggedBatch::iter);
        let mut documents: Vec<Document<'_>> =
            encoded.enumerate().map(|(place, ids)| Document { place, ids }).collect();
        // the longest first: short ones fill the gaps at the end, when threads run out of work
        documents.sort_by_key(|document| (std::cmp::Reverse(document.ids.len()), document.place));

        let chunks = self.chunks(&documents);
        let first_row = |place: usize| distinct.texts[place].row;
        let logits = match &chunks[..] {
            // a single text has the threads to itself, if it is worth waking them
            [lone] if self.threads.count() > 1 && self.flops(lone) >= WORTH_SHARING => {
                vec![self.threads.run(|| self.run(lone, self.threads.count(), first_row))??]
            }
            _ => self.threads.map(&chunks, |chunk| self.run(chunk, 1, first_row))?,
        };
        let mut found = vec![&[][..]; distinct.texts.len()];
        for (chunk, logits) in chunks.iter().zip(&logits) {
            for (document, row) in chunk.iter().zip(logits.chunks_exact(self.labels().len())) {
                found[document.place] = row;
            }
        }
        Ok(distinct.places.iter().map(|place| place.map(|place| found[place].to_vec())).collect())
    }

    /// The piece ids of some texts, laid end to end.
    fn encode(&self, texts: &[Text<'_>]) -> Result<RaggedBatch, Error> {
        let since = self.model.stage_times().is_on().then(Instant::now);
        let mut batch = RaggedBatch::new();
        let mut ids = Vec::new();
        let mut truncated = 0;
        for text in texts {
            ids.clear();
            let encoded = self.pieces.encode(text.text, self.limit, &mut ids)?;
            truncated += if encoded.truncated { text.rows } else { 0 };
            batch.push(&ids);
        }
        self.counters.truncated.fetch_add(truncated, Ordering::Relaxed);
        if let Some(since) = since {
            let nanoseconds = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.counters.pieces.fetch_add(nanoseconds, Ordering::Relaxed);
        }
        Ok(batch)
    }

    /// Cuts documents into runs of about equal work: no more than about the token budget each, and as many for each thread, so
    /// that all threads end together.
    fn chunks<'d, 'i>(&self, documents: &'d [Document<'i>]) -> Vec<&'d [Document<'i>]> {
        let all: usize = documents.iter().map(|document| document.ids.len()).sum();
        let runs = all.div_ceil(self.batch_tokens).next_multiple_of(self.threads.count());
        let share = all.div_ceil(runs.max(1)).max(1);
        let mut chunks = Vec::new();
        let mut rest = documents;
        while !rest.is_empty() {
            let mut tokens = 0;
            let fits = rest.iter().take_while(|document| {
                let fits = tokens < share;
                tokens += document.ids.len();
                fits
            });
            let (chunk, after) = rest.split_at(fits.count());
            chunks.push(chunk);
            rest = after;
        }
        chunks
    }

    fn flops(&self, chunk: &[Document<'_>]) -> u64 {
        chunk.iter().map(|document| self.model.flops(document.ids.len())).sum()
    }

    /// The logits of one chunk, `[documents, labels]`. An error names the row that `row` gives for a document's place.
    fn run(&self, chunk: &[Document<'_>], threads: usize, row: impl Fn(usize) -> usize) -> Result<Vec<f32>, Error> {
        let mut batch = RaggedBatch::new();
        chunk.iter().for_each(|document| batch.push(document.ids));
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

/// The different texts among those that are given together, blank ones left out.
struct Distinct<'a> {
    texts: Vec<Text<'a>>,
    /// Where each text that was given is among those, `None` for a null or blank one.
    places: Vec<Option<usize>>,
}

/// One of the different texts.
#[derive(Debug, Clone, Copy)]
struct Text<'a> {
    text: &'a str,
    /// The first row that has it.
    row: usize,
    /// How many rows have it.
    rows: u64,
}

impl<'a> Distinct<'a> {
    fn of(given: &[Option<&'a str>]) -> Self {
        let mut texts: Vec<Text<'a>> = Vec::with_capacity(given.len());
        let mut seen = HashMap::with_capacity(given.len());
        let place = |(row, text): (usize, &Option<&'a str>)| {
            let text = text.filter(|text| !albertine_text::is_blank(text))?;
            let place = *seen.entry(text).or_insert(texts.len());
            match texts.get_mut(place) {
                Some(text) => text.rows += 1,
                None => texts.push(Text { text, row, rows: 1 }),
            }
            Some(place)
        };
        let places = given.iter().enumerate().map(place).collect();
        Self { texts, places }
    }
}

/// A text on its way through the encoder.
#[derive(Debug, Clone, Copy)]
struct Document<'a> {
    /// Its place among the different texts.
    place: usize,
    ids: &'a [u32],
}
