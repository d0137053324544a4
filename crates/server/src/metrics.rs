//! Counts and times for Prometheus, under the names that text-embeddings-inference gives them, so that its dashboards
//! work.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

/// Times from a tenth of a millisecond to two minutes, in seconds.
const SECONDS: [f64; 19] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    120.0,
];

/// Numbers of tokens or texts.
const SIZES: [f64; 16] =
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0, 65536.0];

/// The metrics of a service.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    /// Requests with texts, by `method`: `single` or `batch`.
    pub(crate) requests: IntCounterVec,
    /// Those that were answered.
    pub(crate) successes: IntCounterVec,
    /// Requests that failed, by kind of error.
    pub(crate) failures: IntCounterVec,
    /// Of requests with texts that were answered, from the arrival of their bodies on.
    pub(crate) duration: Histogram,
    /// Tokenization of a request's texts.
    pub(crate) tokenization: Histogram,
    /// From the queue's end to its head, until the last text of a request is taken.
    pub(crate) queued: Histogram,
    /// From there to the last of its results.
    pub(crate) inference: Histogram,
    /// Tokens of a text.
    pub(crate) input_length: Histogram,
    /// Texts in a batch.
    pub(crate) batch_size: Histogram,
    /// Tokens in a batch.
    pub(crate) batch_tokens: Histogram,
    /// Texts that wait.
    pub(crate) queue_size: IntGauge,
    /// Texts that were classified, equal ones each.
    pub(crate) texts: IntCounter,
    /// Texts that were too long and were truncated.
    pub(crate) truncated: IntCounter,
}

impl Metrics {
    /// All at zero.
    ///
    /// # Errors
    /// When two metrics have the same name.
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let r = &registry;
        let seconds = |name, help| registered(r, Histogram::with_opts(options(name, help, &SECONDS)));
        let sizes = |name, help| registered(r, Histogram::with_opts(options(name, help, &SIZES)));
        let counts = |name, help, label| registered(r, IntCounterVec::new(Opts::new(name, help), &[label]));
        let count = |name, help| registered(r, IntCounter::new(name, help));
        Ok(Self {
            requests: counts("te_request_count", "Requests with texts", "method")?,
            successes: counts("te_request_success", "Requests with texts that were answered", "method")?,
            failures: counts("te_request_failure", "Requests with a body that failed, by kind of error", "err")?,
            duration: seconds("te_request_duration", "Seconds from the arrival of a request with texts to its answer")?,
            tokenization: seconds("te_request_tokenization_duration", "Seconds that a request's tokenization took")?,
            queued: seconds("te_request_queue_duration", "Seconds that a request waited in the queue")?,
            inference: seconds("te_request_inference_duration", "Seconds that a request was in the encoder")?,
            input_length: sizes("te_request_input_length", "Tokens of a text")?,
            batch_size: sizes("te_batch_next_size", "Texts in a batch")?,
            batch_tokens: sizes("te_batch_next_tokens", "Tokens in a batch")?,
            queue_size: registered(r, IntGauge::new("te_queue_size", "Texts that wait in the queue"))?,
            texts: count("albertine_texts_total", "Texts that were classified")?,
            truncated: count("albertine_truncated_texts_total", "Texts that were truncated")?,
            registry,
        })
    }

    /// All in Prometheus's text format.
    ///
    /// # Errors
    /// When a metric cannot be written.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut bytes = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut bytes)?;
        Ok(bytes)
    }
}

fn options(name: &str, help: &str, buckets: &[f64]) -> HistogramOpts {
    HistogramOpts::new(name, help).buckets(buckets.to_vec())
}

fn registered<M: Collector + Clone + 'static>(
    registry: &Registry,
    metric: Result<M, prometheus::Error>,
) -> Result<M, prometheus::Error> {
    let metric = metric?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

/// A time as metrics have it.
pub(crate) fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_those_of_text_embeddings_inference() {
        let metrics = Metrics::new().unwrap();
        metrics.requests.with_label_values(&["single"]).inc();
        metrics.duration.observe(0.3);
        let text = String::from_utf8(metrics.encode().unwrap()).unwrap();
        assert!(text.contains("te_request_count{method=\"single\"} 1\n"), "{text}");
        assert!(text.contains("te_request_duration_bucket{le=\"0.5\"} 1\n"), "{text}");
        assert!(text.contains("te_queue_size 0\n"), "{text}");
    }
}
