//! What is told while models are fetched.

use std::time::Duration;

/// A file on its way.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Transfer<'a> {
    /// The model that it belongs to, as it was asked for.
    pub model: &'a str,
    /// The name of the file.
    pub file: &'a str,
    /// Where it comes from.
    pub url: &'a str,
    /// Its size in bytes, where the server tells.
    pub size: Option<u64>,
    /// Bytes that were here before.
    pub resumed: u64,
}

/// Hears how a download goes. Every method does nothing unless it is written.
///
/// ```
/// use std::sync::Arc;
/// use albertine_hub::{Hub, Progress, Transfer};
///
/// struct Names;
/// impl Progress for Names {
///     fn started(&self, transfer: &Transfer<'_>) {
///         eprintln!("{}", transfer.file);
///     }
/// }
/// let hub = Hub::<()>::new("cache").progress(Arc::new(Names));
/// ```
pub trait Progress: Send + Sync {
    /// Bytes of a file begin to arrive.
    fn started(&self, transfer: &Transfer<'_>) {
        let _ = transfer;
    }

    /// So many bytes of the file are here now. After a loss that cannot be made good there may be fewer than before.
    fn advanced(&self, bytes: u64) {
        let _ = bytes;
    }

    /// The file is here, or given up.
    fn finished(&self) {}

    /// Something went wrong, and is tried again after a while.
    fn retrying(&self, reason: &str, wait: Duration) {
        let _ = (reason, wait);
    }

    /// Another process is fetching the same model, and is waited for.
    fn waiting(&self, model: &str) {
        let _ = model;
    }
}

/// Says nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Silent;

impl Progress for Silent {}

/// Tells how a download goes in lines, in the words of Spark NLP, for a function that shows them.
///
/// ```
/// use std::sync::Arc;
/// use albertine_hub::{Hub, Lines};
///
/// let hub = Hub::<()>::new("cache").progress(Arc::new(Lines(|line: &str| eprintln!("{line}"))));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Lines<F>(pub F);

impl<F: Fn(&str) + Send + Sync> Progress for Lines<F> {
    fn started(&self, transfer: &Transfer<'_>) {
        (self.0)(&format!("{} download started this may take some time.", transfer.model));
        if let Some(size) = transfer.size {
            (self.0)(&format!("Approximate size to download {:.1} MB", size as f64 / 1e6));
        }
    }

    fn finished(&self) {
        (self.0)("[OK!]");
    }

    fn retrying(&self, reason: &str, wait: Duration) {
        (self.0)(&format!("{reason}; tried again in {} s", wait.as_secs()));
    }

    fn waiting(&self, model: &str) {
        (self.0)(&format!("waiting for another process that is downloading {model}"));
    }
}
