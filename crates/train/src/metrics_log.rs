//! `metrics.jsonl`: a line of JSON for each step and each epoch.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;

use crate::{Event, TrainError, json};

/// Losses by the steps before them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curves {
    /// The mean loss of each step.
    pub training: Vec<(u64, f64)>,
    /// The loss on the validation set after each epoch.
    pub validation: Vec<(u64, f64)>,
}

/// The lines so far, and the file that they are written to as they come, if there is one.
#[derive(Debug, Default)]
pub(crate) struct MetricsLog {
    lines: String,
    epochs: u32,
    file: Option<(PathBuf, File)>,
}

impl MetricsLog {
    /// A log that begins with these lines, and is also written to a file.
    ///
    /// # Errors
    /// [`TrainError::Io`].
    pub(crate) fn create(lines: String, epochs: u32, file: Option<PathBuf>) -> Result<Self, TrainError> {
        let open = |path: PathBuf| {
            let created = File::create(&path).and_then(|mut file| file.write_all(lines.as_bytes()).map(|()| file));
            let file = created.map_err(TrainError::io("write", &path))?;
            Ok::<_, TrainError>((path, file))
        };
        let file = file.map(open).transpose()?;
        Ok(Self { lines, epochs, file })
    }

    /// # Errors
    /// [`TrainError::Io`] when the file cannot be written; the line is in the log then.
    pub(crate) fn add(&mut self, event: &Event<'_>) -> Result<(), TrainError> {
        let line = match *event {
            Event::Step { step, loss, learning_rate, gradient_norm, .. } => json::object(&[
                ("step", step.into()),
                ("loss", loss.into()),
                ("learning_rate", learning_rate.into()),
                ("gradient_norm", gradient_norm.into()),
            ]),
            Event::Epoch { epoch, loss, accuracy, elapsed, validation } => {
                self.epochs = epoch;
                let metrics: Vec<(String, f64)> = validation
                    .into_iter()
                    .flat_map(|metrics| metrics.summary())
                    .map(|(name, value)| (format!("eval_{name}"), value))
                    .collect();
                let mut pairs = vec![("epoch", epoch.into()), ("loss", loss.into())];
                pairs.extend(accuracy.map(|accuracy| ("accuracy", accuracy.into())));
                pairs.push(("seconds", elapsed.as_secs_f64().into()));
                pairs.extend(metrics.iter().map(|(name, value)| (name.as_str(), (*value).into())));
                json::object(&pairs)
            }
            _ => return Ok(()),
        };
        let line = format!("{line}\n");
        self.lines.push_str(&line);
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        file.write_all(line.as_bytes()).map_err(TrainError::io("write", path))
    }

    /// The epochs that were completed.
    pub(crate) fn epochs(&self) -> u32 {
        self.epochs
    }

    /// The losses so far.
    pub(crate) fn curves(&self) -> Curves {
        let mut curves = Curves::default();
        let mut step = 0;
        for line in self.lines.lines() {
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            match (line["step"].as_u64(), line["loss"].as_f64(), line["eval_loss"].as_f64()) {
                (Some(at), Some(loss), _) => {
                    step = at;
                    curves.training.push((step, loss));
                }
                (None, _, Some(loss)) => curves.validation.push((step, loss)),
                _ => {}
            }
        }
        curves
    }

    /// All lines so far.
    pub(crate) fn lines(&self) -> &str {
        &self.lines
    }
}
