//! Texts that were too long, and are told of.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use albertine::Classifier;
use pyo3::prelude::*;

/// The classifiers of a pass, each with the number of texts that it had cut so far.
///
/// What another pass through the same classifiers cuts at the same time is among it.
pub(crate) struct Cuts(Vec<(Arc<Classifier>, AtomicU64)>);

impl Cuts {
    /// Counts from now.
    pub(crate) fn of(classifiers: impl IntoIterator<Item = Arc<Classifier>>) -> Self {
        let from_now = |classifier: Arc<Classifier>| {
            let before = classifier.counts().truncated.into();
            (classifier, before)
        };
        Self(classifiers.into_iter().map(from_now).collect())
    }

    /// Warns of what was cut since the last time.
    pub(crate) fn tell(&self) -> PyResult<()> {
        for (classifier, before) in &self.0 {
            let now = classifier.counts().truncated;
            let cut = now.saturating_sub(before.swap(now, Ordering::Relaxed));
            if cut > 0 {
                let limit = classifier.max_sentence_length();
                Python::attach(|py| py.import("albertine._truncation")?.call_method1("warn", (cut, limit)).map(drop))?;
            }
        }
        Ok(())
    }
}
