//! Stopping work that is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request that a call stops, which any thread can make. Clones are the same token.
///
/// A call that is given the token stops soon after [`cancel`](Self::cancel): a classification in the time of one ragged
/// batch, some tenths of a second with a large model, and a training after the step at work. Other calls go on.
///
/// ```
/// use albertine_model::CancellationToken;
///
/// let token = CancellationToken::default();
/// let elsewhere = token.clone();
/// assert!(token.check().is_ok());
/// std::thread::spawn(move || elsewhere.cancel()).join().unwrap();
/// assert!(token.is_cancelled() && token.check().is_err());
/// ```
#[derive(Debug, Clone, Default)]
pub struct CancellationToken(Arc<AtomicBool>);

/// The call was stopped by its [`CancellationToken`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

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
    /// [`Cancelled`].
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}
