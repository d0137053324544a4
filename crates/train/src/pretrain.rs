//! Pre-training from plain texts to a model directory, in one call.

use std::fs;
use std::path::Path;

use albertine_model::{Kernels, Precision, RaggedBatch, WholeFolder};
use rand::seq::SliceRandom;

use crate::fine_tune::{Provenance, model_card};
use crate::fingerprint::{Fingerprint, Hash};
use crate::masked_language::{MaskedLanguage, MaskedPieces};
use crate::metrics_log::MetricsLog;
use crate::network::Workspace;
use crate::random::{Draw, random};
use crate::report::TaskReport;
use crate::trainer::{Trained, Trainer};
use crate::{BaseModel, BestMetric, Event, Execution, TaskMetrics, Tensors, TrainError, TrainSettings};

/// Plain texts, cut into what a model reads at a time: a text that is longer than its limit goes on in the next one.
///
/// ```no_run
/// use std::path::Path;
/// use albertine_model::Checkpoint;
/// use albertine_train::{BaseModel, PlainTexts};
///
/// let base = BaseModel::new(Checkpoint::open(Path::new("albert-base-v2"))?, Some(128))?;
/// let mut texts = PlainTexts::new("corpus.txt");
/// texts.push(&base, Some("Oil prices rose on Monday."))?;
/// texts.push(&base, None)?;
/// assert_eq!((texts.len(), texts.skipped()), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct PlainTexts {
    name: String,
    pieces: RaggedBatch,
    skipped: u64,
}

impl PlainTexts {
    /// Without any text. Errors call the table `name`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds a text. One that is null or blank is skipped and counted.
    ///
    /// # Errors
    /// [`TrainError::Text`] when it cannot be tokenized.
    pub fn push(&mut self, base: &BaseModel, text: Option<&str>) -> Result<(), TrainError> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            self.skipped += 1;
            return Ok(());
        };
        let mut ids = Vec::new();
        base.pieces().encode(text, usize::MAX, &mut ids)?;
        let (before, after) = base.pieces().around();
        let inner = &ids[before..ids.len() - after];
        for part in inner.chunks(base.limit() - before - after) {
            let document = [&ids[..before], part, &ids[ids.len() - after..]].concat();
            self.pieces.push(&document);
        }
        Ok(())
    }

    /// What the table is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many parts there are to read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.documents()
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows without a text.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    fn hash(&self) -> Hash {
        let starts = self.pieces.starts().iter().map(|&start| start as u64);
        Hash::default().numbers(self.pieces.ids().iter().copied().map(u64::from)).numbers(starts)
    }

    /// Takes a fraction of the parts out at random.
    fn hold_out(&mut self, fraction: f64, seed: u64) -> Result<Self, TrainError> {
        let (rows, held_out) = (self.len(), (self.len() as f64 * fraction).round() as usize);
        if held_out == 0 || held_out >= rows {
            return Err(TrainError::Split { fraction, rows, held_out });
        }
        let mut order: Vec<usize> = (0..rows).collect();
        order.shuffle(&mut random(seed, Draw::Split, 0));
        let (taken, kept) = order.split_at_mut(held_out);
        taken.sort_unstable();
        kept.sort_unstable();
        let of = |indices: &[usize]| {
            let mut pieces = RaggedBatch::new();
            indices.iter().for_each(|&index| pieces.push_from(&self.pieces, index));
            Self { name: self.name.clone(), pieces, skipped: 0 }
        };
        let (taken, kept) = (of(taken), of(kept));
        self.pieces = kept.pieces;
        Ok(taken)
    }
}

/// The texts of a pre-training.
#[derive(Debug)]
pub struct Corpus {
    /// What is learned.
    pub training: PlainTexts,
    /// What the model is evaluated on after each epoch, if there is something.
    pub validation: Option<PlainTexts>,
    /// A random fraction of the training texts that is held out for that instead, from 0 to below 1.
    pub validation_split: f64,
    /// The probability that a piece is hidden, above 0 and below 1; usually 0.15.
    pub mlm_probability: f32,
}

/// A pre-trained masked language model, not yet written.
#[derive(Debug)]
pub struct Pretrained {
    /// The epoch whose weights are kept, from 1.
    pub epoch: u32,
    /// The epochs that were completed.
    pub epochs: u32,
    /// The steps that were made in all.
    pub steps: u64,
    /// The metrics on the validation set after the epoch that is kept.
    pub validation: Option<TaskMetrics>,
    /// The step at which training diverged; the weights are those of an epoch before it.
    pub diverged: Option<u64>,
    /// Whether it was cancelled.
    pub interrupted: bool,
    base: BaseModel,
    weights: Tensors,
    settings: TrainSettings,
    kernels: Kernels,
    log: MetricsLog,
    texts: [usize; 2],
    probability: f32,
}

/// Pre-trains `base` on plain texts as a masked language model: pieces are hidden at random, and the model learns which
/// they were. The word embeddings are those of the encoder. A base model that is only a configuration gets new weights.
///
/// Everything else is as [`fine_tune`](crate::fine_tune) has it, which takes the result for a base model.
///
/// # Errors
/// [`TrainError::Setting`], [`TrainError::NoTexts`], [`TrainError::NoMask`], [`TrainError::Split`],
/// [`TrainError::NoValidation`], [`TrainError::Diverged`], and what is wrong with a checkpoint.
pub fn pretrain(
    base: BaseModel,
    corpus: Corpus,
    settings: &TrainSettings,
    execution: &Execution,
    listen: &mut (dyn FnMut(&Event<'_>) + Send),
) -> Result<Pretrained, TrainError> {
    let Corpus { mut training, mut validation, validation_split, mlm_probability } = corpus;
    settings.check()?;
    execution.kernels.elements(settings.precision)?;
    if !matches!(settings.best_metric, BestMetric::Loss | BestMetric::Accuracy) {
        let (value, expected) = (settings.best_metric.name().to_owned(), "loss or accuracy");
        return Err(TrainError::Setting { name: "metric_for_best_model", value, expected });
    }
    if !(mlm_probability > 0.0 && mlm_probability < 1.0) {
        let (value, expected) = (mlm_probability.to_string(), "above 0 and below 1");
        return Err(TrainError::Setting { name: "mlm_probability", value, expected });
    }
    if training.is_empty() {
        return Err(TrainError::NoTexts);
    }
    if validation_split > 0.0 {
        validation = Some(training.hold_out(validation_split, settings.seed)?);
    }
    if settings.patience.is_some() && validation.is_none() {
        return Err(TrainError::NoValidation);
    }
    let pieces = masked_pieces(&base)?;
    let weights = base.masked_language_weights(settings.seed)?;
    let mut fingerprint = Fingerprint::default();
    settings.facts().into_iter().for_each(|(name, value)| fingerprint.setting(name, value));
    fingerprint.setting("max sentence length", base.limit().to_string());
    fingerprint.setting("probability of hidden pieces", mlm_probability.to_string());
    fingerprint.data("weights of the base model", weights.hash());
    fingerprint.data("training texts", training.hash());
    fingerprint.data("validation texts", validation.as_ref().map_or_else(Hash::default, PlainTexts::hash));
    let mut objective = MaskedLanguage {
        config: base.config(),
        settings,
        kernels: execution.kernels,
        texts: &training.pieces,
        validation: validation.as_ref().map(|texts| &texts.pieces),
        pieces,
        workspace: Workspace::default(),
        probability: mlm_probability,
    };
    let trained = Trainer::train(&mut objective, weights, settings, execution, fingerprint, listen)?;
    let Trained { weights, epoch, steps, validation: metrics, diverged, log } = trained;
    Ok(Pretrained {
        epoch,
        epochs: log.epochs(),
        steps,
        validation: metrics,
        diverged,
        interrupted: execution.cancellation.is_cancelled(),
        weights,
        settings: settings.clone(),
        kernels: execution.kernels,
        log,
        texts: [training.len(), validation.as_ref().map_or(0, PlainTexts::len)],
        probability: mlm_probability,
        base,
    })
}

/// What is hidden with which piece.
fn masked_pieces(base: &BaseModel) -> Result<MaskedPieces, TrainError> {
    let pieces = base.pieces();
    let of = |wanted: &str| {
        let is_wanted = |id: &u32| pieces.id_to_piece(*id).as_deref() == Some(wanted);
        (0..pieces.vocabulary() as u32).find(is_wanted)
    };
    let mask = pieces.mask_token().and_then(of).ok_or(TrainError::NoMask)?;
    let mut special = vec![mask];
    pieces.encode("", usize::MAX, &mut special)?;
    Ok(MaskedPieces { mask, special, count: base.config().architecture().vocab_size() as u32 })
}

impl Pretrained {
    /// Writes the model directory, as [`FineTuned::save`](crate::FineTuned::save); transformers loads it as
    /// `AlbertForMaskedLM` or `BertForMaskedLM`.
    ///
    /// # Errors
    /// [`TrainError::Model`], [`TrainError::Output`] and [`TrainError::Io`] when it cannot be written.
    pub fn save(self, output: WholeFolder, provenance: &Provenance) -> Result<(), TrainError> {
        let facts = self.facts(output.place(), provenance);
        let noun = self.base.config().noun();
        let card = model_card::pretrained_card(noun, output.place(), &facts, self.validation.as_ref());
        let (folder, curves) = (output.path(), self.log.curves());
        let report = self.validation.as_ref().map(|metrics| {
            let report = TaskReport { facts: &facts, metrics, curves: &curves };
            Ok::<_, TrainError>((report.json()?, report.page()))
        });
        let report = report.transpose()?;
        self.base.finish_masked_language(&self.weights, card)?.save_into(&output, Precision::F32)?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).map_err(TrainError::io("write", &path))
        };
        write("metrics.jsonl", self.log.lines())?;
        if let Some((json, page)) = report {
            write("metrics.json", &json)?;
            write("report.html", &page)?;
        }
        output.finish_or_keep().map_err(TrainError::output)
    }

    /// How the model was trained, in the order of the report.
    fn facts(&self, output: &Path, provenance: &Provenance) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("model", output.display().to_string()),
            ("base model", provenance.base_model.clone()),
            ("input", provenance.input.clone()),
            ("text columns", provenance.text_columns.clone()),
            ("training texts", self.texts[0].to_string()),
            ("validation set", provenance.validation.clone()),
            ("validation texts", self.texts[1].to_string()),
            ("epoch kept", self.epoch.to_string()),
            ("steps", self.steps.to_string()),
            ("interrupted", self.interrupted.to_string()),
            ("probability of hidden pieces", self.probability.to_string()),
        ];
        facts.extend(self.settings.facts());
        facts.extend([
            ("max sentence length", self.base.limit().to_string()),
            ("pieces", self.base.pieces().vocabulary().to_string()),
            ("cpu level", self.kernels.level().to_string()),
            ("albertine", env!("CARGO_PKG_VERSION").to_owned()),
        ]);
        facts
    }
}

#[cfg(test)]
mod tests;
