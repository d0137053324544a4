//! Stopping work that is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;

/// A request that a call stops, which any thread can make. Clones are the same token.
///
/// A call that is given the token stops with [`Error::Cancelled`] soon after [`cancel`](Self::cancel): in the time of
/// one ragged batch, some tenths of a second with a large model. Other calls go on.
///
/// ```
/// use albertine::{CancellationToken, Classifier, ClassifierSettings, Error};
///
/// let classifier = Classifier::pretrained("ag_news", ClassifierSettings::default())?;
/// let token = CancellationToken::default();
/// token.cancel();
/// let result = classifier.run(&[Some("Oil rises")], &token);
/// assert!(matches!(result, Err(Error::Cancelled)));
/// assert!(classifier.predict(&[Some("Oil rises")]).is_ok());
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancellationToken(Arc<AtomicBool>);

impl CancellationToken {
    /// Asks the calls that were given this token to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether they were asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Fails once the token is cancelled.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn check(&self) -> Result<(), Error> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}
