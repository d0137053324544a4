//! A sequence classifier: model directory in, logits out.

use std::path::Path;

use albertine_kernels::{Kernels, MOST_QUANTIZED_INPUTS, Precision};

use crate::encoder::{Encoder, Phase, Profile, Scratch, SharedTokens};
use crate::head::Head;
use crate::{Checkpoint, ModelConfig, ModelError, RaggedBatch, Weights, memory};

/// transformers' `AlbertForSequenceClassification` or `BertForSequenceClassification` in evaluation mode, ready for one
/// CPU level.
///
/// It is read-only, so that threads share one, each with a [`Scratch`] of its own.
///
/// ```no_run
/// use std::path::Path;
/// use albertine_model::{SequenceClassifier, Kernels, Precision, RaggedBatch, Scratch};
///
/// let model = SequenceClassifier::open(Path::new("models/news"), Kernels::detect()?, Precision::F32)?;
/// let mut batch = RaggedBatch::new();
/// batch.push(&[2, 1952, 3]);
/// let mut logits = Vec::new();
/// model.logits(&batch, 1, &mut Scratch::new(), &mut logits)?;
/// assert_eq!(logits.len(), model.config().labels().len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SequenceClassifier {
    config: ModelConfig,
    encoder: Encoder,
    head: Head,
    precision: Precision,
}

impl SequenceClassifier {
    /// Reads a model of any kind ([`Checkpoint`]) and packs its weights for `kernels`.
    ///
    /// # Errors
    ///
    /// Every way for the directory to be no sound sequence classifier, with the file and what is wrong in it.
    pub fn open(directory: &Path, kernels: Kernels, precision: Precision) -> Result<Self, ModelError> {
        let checkpoint = Checkpoint::open(directory)?;
        Self::new(checkpoint.config().clone(), checkpoint.weights(), kernels, precision)
    }

    /// The same from the bytes of a `config.json` and a `model.safetensors`, for a model inside the binary. Errors call
    /// them `built-in/config.json` and `built-in/model.safetensors`.
    ///
    /// # Errors
    ///
    /// As for [`SequenceClassifier::open`].
    pub fn from_bytes(
        config: &[u8],
        weights: &[u8],
        kernels: Kernels,
        precision: Precision,
    ) -> Result<Self, ModelError> {
        let config = ModelConfig::from_slice(config, Path::new("built-in/config.json"))?;
        let weights = Weights::from_safetensors(weights, Path::new("built-in/model.safetensors"))?;
        Self::new(config, &weights, kernels, precision)
    }

    /// The same from a configuration and weights that were read before.
    ///
    /// # Errors
    ///
    /// What [`Weights::get`] says of a tensor that is missing or has another shape; [`ModelError::Precision`] when the
    /// level of `kernels` lacks the precision, [`ModelError::TooWideForInt8`] when the model is too wide for it,
    /// [`ModelError::OutOfMemory`] when there is no memory for the packed weights.
    pub fn new(
        config: ModelConfig,
        weights: &Weights<'_>,
        kernels: Kernels,
        precision: Precision,
    ) -> Result<Self, ModelError> {
        let elements = kernels.elements(precision)?;
        let architecture = config.architecture();
        let inputs = architecture.hidden_size().max(architecture.intermediate_size());
        if precision == Precision::Int8 && inputs > MOST_QUANTIZED_INPUTS {
            return Err(ModelError::TooWideForInt8 { inputs, most: MOST_QUANTIZED_INPUTS });
        }
        let bytes = match precision {
            // three parts of 16 bits, where it multiplies those
            Precision::F32 => 6,
            Precision::Bf16 => 2,
            Precision::Int8 => 1,
        };
        memory::check(bytes * config.parameters())?;
        let head = Head::load(&config, weights, kernels)?;
        let encoder = Encoder::new(&config, weights, kernels, elements)?;
        Ok(Self { config, encoder, head, precision })
    }

    /// The shape of the model and its labels, which are in the order of the logits.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The kernels that the model computes with.
    #[must_use]
    pub fn kernels(&self) -> Kernels {
        self.encoder.kernels()
    }

    /// How exactly the encoder computes.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Fills `out` with the logits of each document, `[documents, labels]`, in the order of the batch.
    ///
    /// A document's logits are the same bit for bit whatever else is in the batch and whatever `threads` is. With one
    /// thread the call uses the calling thread alone; with more, which is for a batch that is alone, they are those of
    /// the rayon pool that it is called on. It allocates nothing once `scratch` and `out` have seen a batch as large.
    ///
    /// # Errors
    ///
    /// [`ModelError::EmptyDocument`], [`ModelError::DocumentTooLong`], [`ModelError::UnknownPiece`],
    /// [`ModelError::UnknownTokenType`] and [`ModelError::OutOfMemory`]; `out` is then as it was.
    pub fn logits(
        &self,
        batch: &RaggedBatch,
        threads: usize,
        scratch: &mut Scratch,
        out: &mut Vec<f32>,
    ) -> Result<(), ModelError> {
        self.logits_timed(batch, None, threads, scratch, &Profile::default(), out)
    }

    /// What the tokens of some documents bring into the first layer, for [`logits_timed`](Self::logits_timed), computed
    /// once for all of them: where they are few for so many documents, as with variants of one text, and there is memory for
    /// them; else `None`.
    /// Documents are given by their batch and their index in it; threads, working memory and profile are as there.
    pub fn share<'b>(
        &self,
        documents: impl Iterator<Item = (&'b RaggedBatch, usize)>,
        threads: usize,
        scratch: &mut Scratch,
        profile: &Profile,
    ) -> Option<SharedTokens> {
        self.encoder.share(documents, threads, scratch, profile, self.config.architecture())
    }

    /// As [`logits`](Self::logits), with what each phase costs added to `profile`, if they are switched on. What
    /// `shared` knows of the batch is not computed again; the logits are the same bits.
    ///
    /// # Errors
    ///
    /// As [`logits`](Self::logits).
    pub fn logits_timed(
        &self,
        batch: &RaggedBatch,
        shared: Option<&SharedTokens>,
        threads: usize,
        scratch: &mut Scratch,
        profile: &Profile,
        out: &mut Vec<f32>,
    ) -> Result<(), ModelError> {
        scratch.check_memory(batch.tokens(), self.config.architecture())?;
        self.encoder.forward(batch, shared, Head::READS, threads, scratch, profile)?;
        let mut stopwatch = profile.stopwatch(1);
        let Scratch { hidden, pooled, logits, .. } = scratch;
        self.head.forward(self.kernels(), logits, &hidden.value, pooled);
        out.clear();
        (0..logits.rows()).for_each(|row| out.extend_from_slice(logits.row(row)));
        stopwatch.lap(Phase::Head);
        profile.add_flops(|phase| batch.iter().map(|ids| self.phase_flops(phase, ids.len())).sum());
        Ok(())
    }

    /// The floating-point operations that the logits of a document of `tokens` pieces take, `[CLS]` and `[SEP]`
    /// included: matrix products alone, a multiply-add counted as two, nothing counted that is not needed.
    #[must_use]
    pub fn flops(&self, tokens: usize) -> u64 {
        Phase::ALL.into_iter().map(|phase| self.phase_flops(phase, tokens)).sum()
    }

    /// The part of [`SequenceClassifier::flops`] that belongs to a phase.
    ///
    /// With n tokens, hidden size H, embedding size E, intermediate size I, A heads and C labels, where the last
    /// layer is computed for `[CLS]`:
    ///
    /// | phase | each layer but the last | the last |
    /// | --- | --- | --- |
    /// | embed | 2 n E H, once, where there is a projection | |
    /// | queries, keys and values | 6 n H² | 6 H² |
    /// | attention | 4 n² H | 4 n A H |
    /// | projection | 2 n H² | 2 H² |
    /// | feed-forward | 4 n H I | 4 H I |
    /// | head | | 2 (H² + H C) |
    #[must_use]
    pub fn phase_flops(&self, phase: Phase, tokens: usize) -> u64 {
        let n = tokens as u64;
        let architecture = self.config.architecture();
        let [hidden, heads, embedding, intermediate, labels, layers] = [
            architecture.hidden_size(),
            architecture.attention_heads(),
            architecture.embedding_size(),
            architecture.intermediate_size(),
            self.config.labels().len(),
            architecture.hidden_layers() * architecture.inner_groups(),
        ]
        .map(|size| size as u64);
        let square = hidden * hidden;
        let (each, last) = match phase {
            Phase::Embed if architecture.has_embedding_projection() => (0, 2 * n * embedding * hidden),
            Phase::Embed => (0, 0),
            Phase::Qkv => (6 * n * square, 6 * square),
            Phase::Attention => (4 * n * n * hidden, 4 * n * heads * hidden),
            Phase::Projection => (2 * n * square, 2 * square),
            Phase::FeedForward => (4 * n * hidden * intermediate, 4 * hidden * intermediate),
            Phase::Head => (0, 2 * (square + hidden * labels)),
        };
        (layers - 1) * each + last
    }
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
