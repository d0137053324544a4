//! Texts that were too long, and are told of.

use albertine::Counts;
use albertine::annotators::Stage;
use pyo3::prelude::*;

/// The most tokens that each classifier reads of a text, in the order of the stages.
pub(crate) fn limits(stages: &[Stage]) -> Vec<usize> {
    stages.iter().filter_map(Stage::classifier).map(|classifier| classifier.max_sentence_length()).collect()
}

/// Warns of the texts that each classifier cut, whose limits are `limits`.
pub(crate) fn warn(counts: &[Counts], limits: &[usize]) -> PyResult<()> {
    for (counts, &limit) in counts.iter().zip(limits) {
        if counts.truncated > 0 {
            let arguments = (counts.truncated, limit);
            Python::attach(|py| py.import("albertine._truncation")?.call_method1("warn", arguments).map(drop))?;
        }
    }
    Ok(())
}
