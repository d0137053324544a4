//! What users would otherwise miss, as warnings of Python's.

use albertine::Counts;
use albertine::annotators::Stage;
use pyo3::prelude::*;

/// The module that warns.
const MODULE: &str = "albertine._warnings";

/// The most tokens that each classifier reads of a text, in the order of the stages.
pub(crate) fn limits(stages: &[Stage]) -> Vec<usize> {
    stages.iter().filter_map(Stage::classifier).map(|classifier| classifier.max_sentence_length()).collect()
}

/// Warns of labels that may not be understood as they are meant.
pub(crate) fn warn_of_labels(message: &str) -> PyResult<()> {
    Python::attach(|py| py.import(MODULE)?.call_method1("labels", (message,)).map(drop))
}

/// Warns of a checkpoint that could not be written.
pub(crate) fn warn_of_checkpoint(message: &str) -> PyResult<()> {
    Python::attach(|py| py.import(MODULE)?.call_method1("checkpoint", (message,)).map(drop))
}

/// Warns of the texts that each classifier truncated, whose limits are `limits`.
pub(crate) fn warn(counts: &[Counts], limits: &[usize]) -> PyResult<()> {
    for (counts, &limit) in counts.iter().zip(limits) {
        tell(counts.truncated, limit, "a higher limit, or windows that overlap, would read more")?;
    }
    Ok(())
}

/// Warns of the texts of a training that the model reads at most `limit` tokens of.
pub(crate) fn warn_of_training(truncated: u64, limit: usize) -> PyResult<()> {
    tell(truncated, limit, "a higher max_sentence_length, if the model has the positions, would read more")
}

fn tell(truncated: u64, limit: usize, remedy: &str) -> PyResult<()> {
    if truncated == 0 {
        return Ok(());
    }
    let arguments = (truncated, limit, remedy);
    Python::attach(|py| py.import(MODULE)?.call_method1("truncated", arguments).map(drop))
}
