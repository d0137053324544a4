//! The thread that takes batches from the queue through the encoder.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use albertine::{CancellationToken, EncodedText, Error};

use crate::metrics::Metrics;
use crate::queue::{Batch, Job, Queue};

/// Works until the queue is closed and empty.
pub(crate) fn work(queue: &Queue, metrics: &Metrics) {
    while let Some(batch) = queue.next() {
        match batch {
            Batch::Texts(texts) => classify(&texts, metrics),
            Batch::Work(work) => {
                // whoever waits for it sees that nothing comes
                let _ = catch_unwind(AssertUnwindSafe(work));
            }
        }
        metrics.queue_size.set(queue.len() as i64);
    }
}

/// A batch. If it fails, each text is tried alone, so that one text never spoils the answers to others.
fn classify(batch: &[(Arc<Job>, usize)], metrics: &Metrics) {
    let Some((first, _)) = batch.first() else { return };
    let served = &first.served;
    let texts: Vec<&EncodedText> = batch.iter().map(|(job, text)| &job.texts[*text]).collect();
    let tokens: usize = texts.iter().map(|text| text.tokens()).sum();
    metrics.batch_size.observe(texts.len() as f64);
    metrics.batch_tokens.observe(tokens as f64);
    let started = Instant::now();
    let run = || served.classifier.run_encoded(&texts, &CancellationToken::default());
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok((outputs, _))) => {
            served.measured(tokens, started.elapsed());
            for ((job, text), output) in batch.iter().zip(outputs) {
                job.finish(*text, output, metrics);
            }
        }
        Ok(Err(error)) if batch.len() == 1 => first.fail(of_text(error, batch[0].1)),
        Ok(Err(_)) => batch.iter().for_each(|text| classify(std::slice::from_ref(text), metrics)),
        Err(_) if batch.len() == 1 => {
            tracing::error!(model = served.name, "the encoder panicked");
            first.fail(Error::Cancelled);
        }
        Err(_) => batch.iter().for_each(|text| classify(std::slice::from_ref(text), metrics)),
    }
}

/// An error with the index of the text in its request.
fn of_text(error: Error, text: usize) -> Error {
    match error {
        Error::NotFinite { label, .. } => Error::NotFinite { row: text, label },
        other => other,
    }
}
