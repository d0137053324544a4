//! Documents in, logits out: tokenization, ragged batches, the schedule over threads and the encoder.
//!
//! Nothing here knows files or pipelines, and nothing is kept between two calls but memory to work in: what a call
//! counts and whether it is to stop belong to the call.

mod counts;
mod distinct;
mod encoded;
mod outputs;
mod schedule;
mod settings;
mod threads;
mod tokenization;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use albertine_model::{Profile, RaggedBatch, Scratch, SequenceClassifier, SharedTokens};
use albertine_text::{Piece, TruncationSide};

use self::counts::stage_costs;
pub use self::counts::{Counts, StageCost};
use self::distinct::{Distinct, DistinctDocument};
pub use self::encoded::EncodedDocument;
pub use self::outputs::Outputs;
use self::schedule::Sequence;
pub use self::settings::{ClassifierSettings, DEFAULT_MAX_SENTENCE_LENGTH, Encoding, LongTexts, MAX_THREADS};
use self::threads::Threads;
use self::tokenization::Options;
pub(crate) use self::tokenization::{ReadText, Tokenization};
use crate::scores::mean;
use crate::{CancellationToken, Error};

/// Documents that one thread tokenizes at a time.
const DOCUMENTS_PER_TASK: usize = 64;

/// The floating-point operations of a sequence from which on several threads share it: a millisecond or so of one with
/// wide vectors.
const WORTH_SHARING: u64 = 200_000_000;

/// A document as a [`Session`] takes it: its text, and the tokens that something else cut it into, if so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Document<'a> {
    /// The text.
    pub text: &'a str,
    /// The second text of a pair, such as a hypothesis or an answer; only [`Encoding::Document`] reads pairs.
    pub pair: Option<&'a str>,
    /// Only [`Encoding::Token`] reads them; without them it cuts the text by the default rules of
    /// [`Tokenizer`](crate::annotators::Tokenizer).
    pub tokens: Option<&'a [&'a str]>,
}

impl Document<'_> {
    /// Whether there is nothing to read: a blank text that is not one of a pair.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.pair.is_none() && albertine_text::is_blank(self.text)
    }
}

impl<'a> From<&'a str> for Document<'a> {
    fn from(text: &'a str) -> Self {
        Self { text, pair: None, tokens: None }
    }
}

/// A model with its tokenization and the threads that it works with, as a [`Classifier`](crate::Classifier) has one. It
/// can be shared between threads: each call has counts and a cancellation of its own.
///
/// ```
/// use albertine::{CancellationToken, Classifier, ClassifierSettings, Document};
///
/// let classifier = Classifier::pretrained("ag_news", ClassifierSettings::default())?;
/// let documents = [Some(Document::from("Oil prices rose.")), None, Some(Document::from("Oil prices rose."))];
/// let (outputs, counts) = classifier.session().run(documents.into_iter(), &CancellationToken::default())?;
/// assert_eq!(outputs.logits(0).map(<[f32]>::len), Some(4));
/// assert!(outputs.logits(1).is_none());
/// assert_eq!((counts.documents, counts.blank, counts.sequences), (3, 1, 1));
/// # Ok::<(), albertine::Error>(())
/// ```
#[derive(Debug)]
pub struct Session {
    model: Arc<SequenceClassifier>,
    tokenization: Tokenization,
    long_texts: LongTexts,
    limit: usize,
    batch_tokens: usize,
    threads: Threads,
    measure_stages: bool,
    scratches: Mutex<Vec<Scratch>>,
}

impl Session {
    /// A session of a model whose tokenizer was made with `settings`. `own_limit` is the longest input that the model's
    /// files name, in tokens.
    ///
    /// # Errors
    /// When `max_sentence_length` is not one that the model can read, or for more than [`MAX_THREADS`] threads.
    pub(crate) fn new(
        model: Arc<SequenceClassifier>,
        tokenization: Tokenization,
        own_limit: Option<usize>,
        settings: &ClassifierSettings,
    ) -> Result<Self, Error> {
        let (before, after) = tokenization.around();
        let limit = settings.limit(model.config(), own_limit, before + after)?;
        if settings.threads > MAX_THREADS {
            return Err(Error::TooManyThreads { asked: settings.threads, most: MAX_THREADS });
        }
        Ok(Self {
            model,
            tokenization,
            long_texts: settings.long_texts,
            limit,
            batch_tokens: settings.batch_tokens.max(1),
            threads: Threads::new(settings.threads),
            measure_stages: settings.measure_stages,
            scratches: Mutex::new(Vec::new()),
        })
    }

    /// How texts become tokens.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.tokenization.encoding()
    }

    /// What becomes of a document with more tokens.
    #[must_use]
    pub fn long_texts(&self) -> LongTexts {
        self.long_texts
    }

    /// The most tokens of a document that are read at once, special ones included.
    #[must_use]
    pub fn max_sentence_length(&self) -> usize {
        self.limit
    }

    /// Threads it works with.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads.count()
    }

    /// The tokens of the whole of a text, special ones included, whatever the limit: a view for people.
    ///
    /// # Errors
    /// When the tokenizer refuses the text, which with a checked model does not happen.
    pub fn inspect(&self, text: &str) -> Result<Vec<Piece>, Error> {
        self.tokenization.inspect(text)
    }

    /// Whether tokens of a text that is too long go from its start.
    pub(crate) fn truncates_left(&self) -> bool {
        self.tokenization.truncates_left()
    }

    /// The tokens that the encoder reads of a text, and what else there is to know to hide some of them.
    pub(crate) fn read(&self, text: &str, long_texts: LongTexts) -> Result<ReadText, Error> {
        self.tokenization.read(text, self.limit, long_texts)
    }

    /// The logits of each document, and what the call counted. The same document has the same logits, bit for bit,
    /// whatever its company, the order and the number of threads.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::NotFinite`] with the index of the document as its row, when the weights are so
    /// large that a logit is not a number; otherwise only when the tokenizer or the encoder refuses a document, which
    /// with a checked model does not happen.
    pub fn run<'a>(
        &self,
        documents: impl ExactSizeIterator<Item = Option<Document<'a>>>,
        cancellation: &CancellationToken,
    ) -> Result<(Outputs, Counts), Error> {
        let distinct = Distinct::of(documents);
        let times = Profile::default();
        times.switch(self.measure_stages);

        let tasks: Vec<&[DistinctDocument<'_>]> = distinct.documents.chunks(DOCUMENTS_PER_TASK).collect();
        let tokenized = self.threads.map(&tasks, cancellation, |documents| self.tokenize(documents))?;
        let mut sequences = Vec::with_capacity(distinct.documents.len());
        for (task, tokenized) in tokenized.iter().enumerate() {
            let mut index = 0;
            for (document, &count) in (task * DOCUMENTS_PER_TASK..).zip(&tokenized.sequences) {
                for _ in 0..count {
                    sequences.push(Sequence { document, batch: &tokenized.batch, index });
                    index += 1;
                }
            }
        }
        let (logits, sum) =
            self.forward_all(sequences, &times, |document| distinct.documents[document].first, cancellation)?;
        let counts = Counts {
            documents: distinct.indices.len() as u64,
            blank: distinct.indices.iter().filter(|index| index.is_none()).count() as u64,
            truncated: tokenized.iter().map(|task| task.truncated).sum(),
            stages: stage_costs(tokenized.iter().map(|task| task.time).sum(), &times),
            ..sum
        };
        Ok((Outputs::new(logits, self.labels().len(), distinct.indices), counts))
    }

    /// A document in tokens, to be given to [`run_encoded`](Self::run_encoded) later, together with others: what a
    /// queue holds. A longer text is cut at `side`, or where the tokenizer's configuration says.
    ///
    /// # Errors
    /// [`Error::PairOfTokens`] for a pair under [`Encoding::Token`]; otherwise only when the tokenizer refuses the text,
    /// which with a checked model does not happen.
    pub fn encode(&self, document: Document<'_>, side: Option<TruncationSide>) -> Result<EncodedDocument, Error> {
        let mut batch = RaggedBatch::new();
        let options = Options { limit: self.limit, long_texts: self.long_texts, side };
        let encoded = self.tokenization.encode(document, options, &mut Vec::new(), &mut batch)?;
        Ok(EncodedDocument { batch, truncated: encoded.truncated })
    }

    /// The logits of documents that [`encode`](Self::encode) has tokenized: the same bits as [`run`](Self::run) gives.
    ///
    /// ```
    /// use albertine::{CancellationToken, Classifier, ClassifierSettings, Document};
    ///
    /// let classifier = Classifier::pretrained("ag_news", ClassifierSettings::default())?;
    /// let session = classifier.session();
    /// let encoded = session.encode(Document::from("Oil prices rose."), None)?;
    /// let (outputs, _) = session.run_encoded(&[Some(&encoded), None], &CancellationToken::default())?;
    /// let direct = classifier.logits(&[Some("Oil prices rose.")])?;
    /// assert_eq!(outputs.logits(0), direct[0].as_deref());
    /// assert!(outputs.logits(1).is_none());
    /// # Ok::<(), albertine::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_encoded(
        &self,
        documents: &[Option<&EncodedDocument>],
        cancellation: &CancellationToken,
    ) -> Result<(Outputs, Counts), Error> {
        let times = Profile::default();
        times.switch(self.measure_stages);
        let mut sequences = Vec::with_capacity(documents.len());
        let mut indices = Vec::with_capacity(documents.len());
        let mut given = Vec::with_capacity(documents.len());
        for (index, document) in documents.iter().enumerate() {
            indices.push(document.map(|document| {
                let batch = &document.batch;
                let of_document = (0..batch.documents()).map(|index| Sequence { document: given.len(), batch, index });
                sequences.extend(of_document);
                given.push(index);
                given.len() - 1
            }));
        }
        let (logits, sum) = self.forward_all(sequences, &times, |document| given[document], cancellation)?;
        let counts = Counts {
            documents: documents.len() as u64,
            blank: (documents.len() - given.len()) as u64,
            truncated: documents.iter().flatten().filter(|document| document.truncated).count() as u64,
            stages: stage_costs(Duration::ZERO, &times),
            ..sum
        };
        Ok((Outputs::new(logits, self.labels().len(), indices), counts))
    }

    /// The logits of the documents that sequences are of, `[documents, labels]`, and what the encoder did. An error
    /// names the document that was `first` of those that are equal.
    fn forward_all(
        &self,
        mut sequences: Vec<Sequence<'_>>,
        times: &Profile,
        first: impl Fn(usize) -> usize + Sync,
        cancellation: &CancellationToken,
    ) -> Result<(Vec<f32>, Counts), Error> {
        schedule::sort(&mut sequences);
        let mut batches = schedule::batches(&sequences, self.batch_tokens, self.threads.count());
        let work: Vec<u64> = batches.iter().map(|batch| self.flops(batch)).collect();
        if work.iter().sum::<u64>() >= WORTH_SHARING && schedule::is_better_shared(&work, self.threads.count()) {
            batches = vec![&sequences];
        }
        let logits = match &batches[..] {
            // a single batch has the threads to itself, if it is worth waking them
            [lone] if self.threads.count() > 1 && self.flops(lone) >= WORTH_SHARING => {
                cancellation.check()?;
                vec![self.threads.run(|| self.forward(lone, None, self.threads.count(), times, &first))??]
            }
            [_] => self.threads.map(&batches, cancellation, |batch| self.forward(batch, None, 1, times, &first))?,
            _ => {
                let shared = self.share(&sequences, times)?;
                self.threads
                    .map(&batches, cancellation, |batch| self.forward(batch, shared.as_ref(), 1, times, &first))?
            }
        };
        let counts = Counts {
            sequences: sequences.len() as u64,
            tokens: sequences.iter().map(|sequence| sequence.len() as u64).sum(),
            flops: self.flops(&sequences),
            ..Counts::default()
        };
        Ok((of_documents(&batches, &logits, self.labels().len()), counts))
    }

    fn labels(&self) -> &[String] {
        self.model.config().labels()
    }

    fn tokenize(&self, documents: &[DistinctDocument<'_>]) -> Result<Tokenized, Error> {
        let since = self.measure_stages.then(Instant::now);
        let mut tokenized = Tokenized {
            batch: RaggedBatch::new(),
            sequences: Vec::with_capacity(documents.len()),
            truncated: 0,
            time: Duration::ZERO,
        };
        let mut ids = Vec::new();
        for &DistinctDocument { document, count, .. } in documents {
            let options = Options { limit: self.limit, long_texts: self.long_texts, side: None };
            let encoded = self.tokenization.encode(document, options, &mut ids, &mut tokenized.batch)?;
            tokenized.truncated += if encoded.truncated { count } else { 0 };
            tokenized.sequences.push(encoded.sequences);
        }
        tokenized.time = since.map_or(Duration::ZERO, |since| since.elapsed());
        Ok(tokenized)
    }

    fn flops(&self, sequences: &[Sequence<'_>]) -> u64 {
        sequences.iter().map(|sequence| self.model.flops(sequence.len())).sum()
    }

    /// What many sequences have in common, if they are variants of a few texts.
    fn share(&self, sequences: &[Sequence<'_>], times: &Profile) -> Result<Option<SharedTokens>, Error> {
        let share = || {
            let documents = sequences.iter().map(|sequence| (sequence.batch, sequence.index));
            self.with_scratch(|scratch| self.model.share(documents, self.threads.count(), scratch, times))
        };
        if self.threads.count() > 1 { self.threads.run(share) } else { Ok(share()) }
    }

    /// The logits of one batch, `[sequences, labels]`. An error names the document that was `first` of those that are
    /// equal.
    fn forward(
        &self,
        sequences: &[Sequence<'_>],
        shared: Option<&SharedTokens>,
        threads: usize,
        times: &Profile,
        first: impl Fn(usize) -> usize,
    ) -> Result<Vec<f32>, Error> {
        let mut batch = RaggedBatch::new();
        sequences.iter().for_each(|sequence| batch.push_from(sequence.batch, sequence.index));
        let mut logits = Vec::new();
        self.with_scratch(|scratch| self.model.logits_timed(&batch, shared, threads, scratch, times, &mut logits))?;
        let labels = self.labels();
        match logits.iter().position(|logit| !logit.is_finite()) {
            None => Ok(logits),
            Some(at) => Err(Error::NotFinite {
                row: first(sequences[at / labels.len()].document),
                label: labels[at % labels.len()].clone(),
            }),
        }
    }

    /// Does `work` with memory that was used before, if there is some.
    fn with_scratch<R>(&self, work: impl FnOnce(&mut Scratch) -> R) -> R {
        let scratches = || self.scratches.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = scratches().pop().unwrap_or_default();
        let result = work(&mut scratch);
        scratches().push(scratch);
        result
    }
}

/// Some documents in tokens.
struct Tokenized {
    batch: RaggedBatch,
    /// How many sequences of the batch each document is.
    sequences: Vec<usize>,
    /// Documents that were cut, equal ones counted each.
    truncated: u64,
    time: Duration,
}

/// The logits of the distinct documents, `[documents, labels]`: those of a document's one sequence, or the mean over
/// its windows.
fn of_documents(batches: &[&[Sequence<'_>]], logits: &[Vec<f32>], labels: usize) -> Vec<f32> {
    let mut rows: Vec<(usize, usize, &[f32])> = Vec::with_capacity(batches.iter().map(|batch| batch.len()).sum());
    for (batch, logits) in batches.iter().zip(logits) {
        let of_batch = batch.iter().zip(logits.chunks_exact(labels));
        rows.extend(of_batch.map(|(sequence, row)| (sequence.document, sequence.index, row)));
    }
    // windows always in the order of the text, so that the mean does not depend on the schedule
    rows.sort_unstable_by_key(|&(document, index, _)| (document, index));
    let mut found = Vec::with_capacity(rows.len() * labels);
    for windows in rows.chunk_by(|(document, ..), (next, ..)| document == next) {
        match windows {
            [(.., row)] => found.extend_from_slice(row),
            several => found.extend(mean(several.iter().map(|(.., row)| *row))),
        }
    }
    found
}
