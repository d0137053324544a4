//! Stopping work that is under way.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;

thread_local! {
    /// What the work of this thread looks at.
    static CURRENT: RefCell<Option<Interrupt>> = const { RefCell::new(None) };
}

/// A wish that work stops, which any thread may have.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Wishes that the work stops.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the wish is there.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// What work under way looks at on the thread that asks, to be asked on others with [`check`](Self::check).
    pub(crate) fn current() -> Self {
        CURRENT.with_borrow(|current| current.clone()).unwrap_or_default()
    }

    /// Fails once the wish is there.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_raised() { Err(Error::Interrupted) } else { Ok(()) }
    }
}

/// Does `work` so that it stops, with [`Error::Interrupted`], soon after `interrupt` is raised: in the time of one ragged batch, some
/// tenths of a second with a large model. For hosts that have a Ctrl-C of their own.
///
/// ```
/// use albertine::{Classifier, ClassifierSettings, Error, Interrupt, interruptible};
///
/// let classifier = Classifier::pretrained("ag_news", ClassifierSettings::default())?;
/// let interrupt = Interrupt::default();
/// interrupt.raise();
/// let result = interruptible(&interrupt, || classifier.predict(&[Some("Oil rises")]));
/// assert!(matches!(result, Err(Error::Interrupted)));
/// assert!(classifier.predict(&[Some("Oil rises")]).is_ok());
/// # Ok::<(), Error>(())
/// ```
pub fn interruptible<R>(interrupt: &Interrupt, work: impl FnOnce() -> R) -> R {
    /// Puts back what was there, also when `work` panics.
    struct Before(Option<Interrupt>);
    impl Drop for Before {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let _before = Before(CURRENT.replace(Some(interrupt.clone())));
    work()
}
