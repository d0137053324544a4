//! Hidden pieces of plain texts: the objective of pre-training
//! ([Devlin et al. 2018](https://arxiv.org/abs/1810.04805)).

use std::time::Instant;

use albertine_model::{CancellationToken, Kernels, ModelConfig, RaggedBatch, argmax};
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use crate::classification::TOKENS;
use crate::examples::parts;
use crate::loss::PieceLoss;
use crate::network::{Arithmetic, Drops, LogitLoss, MaskedLanguageModel, Network, Workspace};
use crate::objective::{Objective, StepLoss};
use crate::random::{Draw, mixed, random};
use crate::{PieceMetrics, TaskMetrics, Tensors, TrainError, TrainSettings};

/// Of the hidden pieces, how many become the mask; half of the others become some other piece, and half stay.
const MASKED: f32 = 0.8;

/// The number that the draws of the validation set have, the same ones after every epoch.
const VALIDATION: u64 = u64::MAX;

/// What is known of the pieces of a vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MaskedPieces {
    /// The mask.
    pub(crate) mask: u32,
    /// The mask and what stands around a text, which are never hidden.
    pub(crate) special: Vec<u32>,
    /// The number of all pieces.
    pub(crate) count: u32,
}

/// Plain texts whose pieces are hidden at random, other ones in every epoch.
#[derive(Debug)]
pub(crate) struct MaskedLanguage<'a> {
    pub(crate) config: &'a ModelConfig,
    pub(crate) settings: &'a TrainSettings,
    pub(crate) kernels: Kernels,
    pub(crate) texts: &'a RaggedBatch,
    pub(crate) validation: Option<&'a RaggedBatch>,
    pub(crate) pieces: MaskedPieces,
    /// The memory that its steps use.
    pub(crate) workspace: Workspace,
    /// The probability that a piece is hidden.
    pub(crate) probability: f32,
}

/// Texts of which some pieces are hidden.
#[derive(Debug, Default)]
struct Hidden {
    batch: RaggedBatch,
    /// The hidden tokens, and what they were.
    places: Vec<usize>,
    pieces: Vec<u32>,
}

impl MaskedLanguage<'_> {
    /// The texts at `indices`, with pieces hidden by a draw of each text's own.
    fn hide(&self, texts: &RaggedBatch, indices: &[usize], seed: u64) -> Hidden {
        let mut hidden = Hidden::default();
        for &index in indices {
            let first = hidden.batch.tokens();
            let mut ids = texts.document(index).to_vec();
            let draw = &mut random(mixed(seed ^ index as u64), Draw::Step, 0);
            for (place, id) in ids.iter_mut().enumerate() {
                let is_hidden = !self.pieces.special.contains(id) && draw.random::<f32>() < self.probability;
                if is_hidden {
                    hidden.places.push(first + place);
                    hidden.pieces.push(*id);
                    *id = self.hidden(*id, draw);
                }
            }
            hidden.batch.push(&ids);
        }
        hidden
    }

    /// What stands in the place of a hidden piece.
    fn hidden(&self, id: u32, draw: &mut Xoshiro256PlusPlus) -> u32 {
        let fate = draw.random::<f32>();
        if fate < MASKED {
            self.pieces.mask
        } else if fate < MASKED + (1.0 - MASKED) / 2.0 {
            draw.random_range(0..self.pieces.count)
        } else {
            id
        }
    }

    fn model<'w>(&'w self, weights: &'w Tensors) -> Result<MaskedLanguageModel<'w>, TrainError> {
        Ok(MaskedLanguageModel::new(
            self.config,
            weights,
            Arithmetic::new(self.kernels, self.settings.precision, &self.workspace)?,
        ))
    }

    fn parts<'i>(&self, texts: &RaggedBatch, indices: &'i [usize]) -> Vec<&'i [usize]> {
        parts(indices, TOKENS, |index| texts.document(index).len())
    }
}

impl Objective for MaskedLanguage<'_> {
    fn examples(&self) -> usize {
        self.texts.documents()
    }

    fn validation_examples(&self) -> usize {
        self.validation.map_or(0, RaggedBatch::documents)
    }

    fn prepare(&mut self, _: &Tensors, _: &CancellationToken) -> Result<bool, TrainError> {
        Ok(true)
    }

    fn step(
        &self,
        weights: &Tensors,
        indices: &[usize],
        seed: u64,
        gradient: &mut Tensors,
    ) -> Result<StepLoss, TrainError> {
        let model = self.model(weights)?;
        let parts: Vec<Hidden> =
            self.parts(self.texts, indices).into_iter().map(|part| self.hide(self.texts, part, seed)).collect();
        let total: usize = parts.iter().map(|hidden| hidden.places.len()).sum();
        let rates = self.settings.dropout_rates(self.config);
        let mut sums = StepLoss::default();
        for (number, hidden) in parts.iter().enumerate().filter(|(_, hidden)| !hidden.places.is_empty()) {
            let loss = PieceLoss { pieces: &hidden.pieces, total: total as f64 };
            let drops = Some(Drops { rates, seed: mixed(seed ^ number as u64) });
            sums.loss += model.step(&hidden.batch, &hidden.places, &loss, drops, gradient);
        }
        Ok(sums)
    }

    fn evaluate(
        &self,
        weights: &Tensors,
        epoch: u32,
        cancellation: &CancellationToken,
    ) -> Result<Option<TaskMetrics>, TrainError> {
        let Some(texts) = self.validation else { return Ok(None) };
        let started = Instant::now();
        let model = self.model(weights)?;
        let indices: Vec<usize> = (0..texts.documents()).collect();
        let (mut loss, mut correct, mut samples) = (0.0, 0_u64, 0_u64);
        for part in self.parts(texts, &indices) {
            if cancellation.is_cancelled() {
                return Ok(None);
            }
            let hidden = self.hide(texts, part, mixed(self.settings.seed ^ VALIDATION));
            let logits = model.logits(&hidden.batch, &hidden.places);
            loss += PieceLoss { pieces: &hidden.pieces, total: 1.0 }.loss(&logits).0;
            let right = |(row, piece): (usize, &u32)| argmax(logits.row(row)) == *piece as usize;
            correct += hidden.pieces.iter().enumerate().filter(|pair| right((pair.0, pair.1))).count() as u64;
            samples += hidden.pieces.len() as u64;
        }
        let loss = loss / samples.max(1) as f64;
        if !loss.is_finite() {
            return Err(TrainError::NotANumber { label: "[MASK]".to_owned() });
        }
        Ok(Some(TaskMetrics::Pieces(PieceMetrics {
            loss,
            accuracy: correct as f64 / samples.max(1) as f64,
            perplexity: loss.exp(),
            runtime: started.elapsed().as_secs_f64(),
            epoch: f64::from(epoch),
            samples,
        })))
    }

    fn is_sound(&self, weights: &Tensors) -> Result<bool, TrainError> {
        Ok(weights.iter().all(|(_, values)| values.iter().all(|value| value.is_finite())))
    }

    fn is_frozen(&self, _: usize) -> bool {
        false
    }

    fn memory(&self) -> u64 {
        let longest = (0..self.texts.documents()).map(|index| self.texts.document(index).len()).max().unwrap_or(0);
        let tokens = TOKENS.max(longest).min(longest * self.settings.step_size());
        let architecture = self.config.architecture();
        let hidden = (tokens as f64 * f64::from(self.probability)) as u64;
        // Logits, their gradient, and the latter turned.
        let logits = 3 * hidden * architecture.vocab_size() as u64 * size_of::<f32>() as u64;
        Network::memory(architecture, tokens) + logits
    }
}

#[cfg(test)]
mod tests;
