//! All that steps change, to be written and read again.

use std::fs;
use std::path::Path;

use albertine_model::{TensorSpec, Weights};
use serde::{Deserialize, Serialize};

use crate::adamw::AdamW;
use crate::fingerprint::Fingerprint;
use crate::{Tensors, TrainError, TrainSettings};

/// The version of the files of a checkpoint.
const FORMAT: u32 = 1;

const STATE: &str = "state.json";
const LOG: &str = "metrics.jsonl";
const WEIGHTS: &str = "weights.safetensors";
const MEAN: &str = "optimizer_mean.safetensors";
const SQUARE: &str = "optimizer_square.safetensors";
const AVERAGE: &str = "average.safetensors";
const BEST: &str = "best.safetensors";

/// All that steps change. Chance depends on the seed and the step alone.
#[derive(Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) weights: Tensors,
    pub(crate) adam: AdamW,
    /// The moving average of the weights, where there is one: it is what is evaluated and kept.
    pub(crate) average: Option<Tensors>,
    /// Steps completed so far.
    pub(crate) step: u64,
    /// The steps of the epoch at work.
    pub(crate) sums: EpochSums,
    /// The best epoch so far.
    pub(crate) best: Option<(u32, Tensors)>,
}

/// Sums over the steps of an epoch so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct EpochSums {
    /// The losses of the examples.
    pub(crate) loss: f64,
    pub(crate) predictions: u64,
    pub(crate) correct: u64,
}

/// What `state.json` says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    format: u32,
    albertine: String,
    pub(super) cpu_level: String,
    step: u64,
    /// The bits of the sum: a decimal number may not come back as it was.
    loss_bits: u64,
    predictions: u64,
    correct: u64,
    best_epoch: Option<u32>,
    pub(super) fingerprint: Fingerprint,
}

impl State {
    pub(crate) fn new(weights: Tensors, settings: &TrainSettings) -> Self {
        let adam = AdamW::new(&weights, settings.weight_decay);
        let average = settings.ema_decay.map(|_| weights.clone());
        Self { weights, adam, average, step: 0, sums: EpochSums::default(), best: None }
    }

    /// The weights as a model is to have them now.
    pub(crate) fn model(&self) -> &Tensors {
        self.average.as_ref().unwrap_or(&self.weights)
    }

    /// The same, at the end.
    pub(crate) fn into_model(self) -> Tensors {
        self.average.unwrap_or(self.weights)
    }

    /// Writes the files of a checkpoint into a folder.
    pub(super) fn write(
        &self,
        folder: &Path,
        log: &str,
        fingerprint: &Fingerprint,
        cpu_level: &str,
    ) -> Result<(), TrainError> {
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            fs::write(&path, bytes).map_err(TrainError::io("write", &path))
        };
        write(WEIGHTS, &self.weights.to_safetensors()?)?;
        let [mean, square] = self.adam.moments();
        write(MEAN, &mean.to_safetensors()?)?;
        write(SQUARE, &square.to_safetensors()?)?;
        if let Some(average) = &self.average {
            write(AVERAGE, &average.to_safetensors()?)?;
        }
        if let Some((_, weights)) = &self.best {
            write(BEST, &weights.to_safetensors()?)?;
        }
        write(LOG, log.as_bytes())?;
        let header = Header {
            format: FORMAT,
            albertine: env!("CARGO_PKG_VERSION").to_owned(),
            cpu_level: cpu_level.to_owned(),
            step: self.step,
            loss_bits: self.sums.loss.to_bits(),
            predictions: self.sums.predictions,
            correct: self.sums.correct,
            best_epoch: self.best.as_ref().map(|(epoch, _)| *epoch),
            fingerprint: fingerprint.clone(),
        };
        write(STATE, crate::json::lines(&header)?.as_bytes())
    }

    /// Reads the header of a checkpoint.
    pub(super) fn header(folder: &Path) -> Result<Header, TrainError> {
        let bytes = read(folder, STATE)?;
        let damaged = |reason: String| TrainError::DamagedCheckpoint { path: folder.join(STATE), reason };
        let header: Header = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if header.format != FORMAT {
            return Err(damaged(format!("its format is {}, not {FORMAT}", header.format)));
        }
        Ok(header)
    }

    /// Reads the state and the log behind a header.
    pub(super) fn read(
        folder: &Path,
        header: &Header,
        specs: &[TensorSpec],
        settings: &TrainSettings,
    ) -> Result<(Self, String), TrainError> {
        let tensors = |name: &str| {
            let (bytes, path) = (read(folder, name)?, folder.join(name));
            let read = || Tensors::of_specs(specs, &Weights::from_safetensors(&bytes, &path)?);
            read().map_err(|error| TrainError::DamagedCheckpoint { path: path.clone(), reason: error.to_string() })
        };
        let weights = tensors(WEIGHTS)?;
        let adam = AdamW::restored([tensors(MEAN)?, tensors(SQUARE)?], settings.weight_decay, header.step);
        let average = settings.ema_decay.map(|_| tensors(AVERAGE)).transpose()?;
        let best = header.best_epoch.map(|epoch| Ok::<_, TrainError>((epoch, tensors(BEST)?))).transpose()?;
        let log = String::from_utf8(read(folder, LOG)?)
            .map_err(|error| TrainError::DamagedCheckpoint { path: folder.join(LOG), reason: error.to_string() })?;
        let (loss, predictions, correct) = (f64::from_bits(header.loss_bits), header.predictions, header.correct);
        let sums = EpochSums { loss, predictions, correct };
        Ok((Self { weights, adam, average, step: header.step, sums, best }, log))
    }
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>, TrainError> {
    let path = folder.join(name);
    fs::read(&path).map_err(TrainError::io("read", &path))
}
