//! The folder of checkpoints: the newest is complete, whatever happened while it was written.

use std::fs;
use std::path::{Path, PathBuf};

use albertine_model::{TensorSpec, WholeFolder};

use super::state::State;
use crate::fingerprint::Fingerprint;
use crate::{TrainError, TrainSettings};

/// How the name of a checkpoint begins; its step follows.
const PREFIX: &str = "checkpoint-";

/// Where checkpoints are kept, how often and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    /// The folder, in which each has a folder `checkpoint-STEP`. It is made when it is not there.
    pub folder: PathBuf,
    /// Steps from one to the next; `None`: one after each epoch.
    pub save_steps: Option<u64>,
    /// How many are kept, at least 1: the newest.
    pub save_total_limit: usize,
    /// Go on from the newest checkpoint, if there is one; else there must be none.
    pub resume: bool,
}

/// The folder of a training at work.
#[derive(Debug)]
pub(super) struct CheckpointFolder {
    settings: Checkpoints,
    fingerprint: Fingerprint,
    cpu_level: String,
}

/// A checkpoint to go on from.
#[derive(Debug)]
pub(super) struct Restored {
    pub(super) path: PathBuf,
    pub(super) state: State,
    pub(super) log: String,
    /// The CPU level that it was made with, if it is another one.
    pub(super) other_level: Option<String>,
}

impl CheckpointFolder {
    /// Opens the folder for a training with this fingerprint, and reads the checkpoint that it goes on from.
    ///
    /// # Errors
    /// [`TrainError::CheckpointExists`], [`TrainError::OtherTraining`], [`TrainError::DamagedCheckpoint`],
    /// [`TrainError::Io`].
    pub(super) fn open(
        settings: &Checkpoints,
        fingerprint: Fingerprint,
        cpu_level: String,
        specs: &[TensorSpec],
        training: &TrainSettings,
    ) -> Result<(Self, Option<Restored>), TrainError> {
        fs::create_dir_all(&settings.folder).map_err(TrainError::io("create", &settings.folder))?;
        let folder = Self { settings: settings.clone(), fingerprint, cpu_level };
        folder.remove_unfinished()?;
        let Some(path) = folder.all()?.pop() else { return Ok((folder, None)) };
        if !settings.resume {
            return Err(TrainError::CheckpointExists { path });
        }
        let header = State::header(&path)?;
        let differences = header.fingerprint.differences(&folder.fingerprint);
        if !differences.is_empty() {
            return Err(TrainError::OtherTraining { path, differences: differences.join("; ") });
        }
        let (state, log) = State::read(&path, &header, specs, training)?;
        let other_level = Some(header.cpu_level).filter(|level| *level != folder.cpu_level);
        Ok((folder, Some(Restored { path, state, log, other_level })))
    }

    /// Whether a checkpoint is due after a step, which may be the last one of its epoch.
    pub(super) fn is_due(&self, step: u64, ends_epoch: bool) -> bool {
        self.settings.save_steps.map_or(ends_epoch, |steps| step.is_multiple_of(steps.max(1)))
    }

    /// Writes a checkpoint, and then removes the oldest of those that are too many.
    ///
    /// # Errors
    /// [`TrainError::Output`] and [`TrainError::Io`]; the checkpoints before are then as they were.
    pub(super) fn save(&self, state: &State, log: &str) -> Result<(), TrainError> {
        let place = self.settings.folder.join(format!("{PREFIX}{}", state.step));
        if place.exists() {
            return Ok(());
        }
        let folder = WholeFolder::create(&place).map_err(TrainError::output)?;
        state.write(folder.path(), log, &self.fingerprint, &self.cpu_level)?;
        folder.finish().map_err(TrainError::output)?;
        let all = self.all()?;
        let too_many = all.len().saturating_sub(self.settings.save_total_limit.max(1));
        for old in &all[..too_many] {
            fs::remove_dir_all(old).map_err(TrainError::io("remove", old))?;
        }
        Ok(())
    }

    /// The checkpoints, the newest last.
    fn all(&self) -> Result<Vec<PathBuf>, TrainError> {
        let mut all = Vec::new();
        for path in entries(&self.settings.folder)? {
            let step = |name: &str| name.strip_prefix(PREFIX)?.parse::<u64>().ok();
            if let Some(step) = path.file_name().and_then(|name| step(name.to_str()?)) {
                all.push((step, path));
            }
        }
        all.sort();
        Ok(all.into_iter().map(|(_, path)| path).collect())
    }

    /// Removes what a run that was killed while it wrote has left.
    fn remove_unfinished(&self) -> Result<(), TrainError> {
        for path in entries(&self.settings.folder)? {
            let is_unfinished = |name: &str| name.starts_with(&format!(".{PREFIX}"));
            if path.file_name().and_then(|name| name.to_str()).is_some_and(is_unfinished) {
                fs::remove_dir_all(&path).map_err(TrainError::io("remove", &path))?;
            }
        }
        Ok(())
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let entries = fs::read_dir(folder).map_err(TrainError::io("read", folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(TrainError::io("read", folder)));
    paths.collect()
}
