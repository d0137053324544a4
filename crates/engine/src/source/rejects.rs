//! What to do with a row that cannot be read, and the account of such rows.

use std::sync::{Arc, Mutex, PoisonError};

use crate::EngineError;

/// What to do with a row that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The run stops with the row's error.
    #[default]
    Fail,
    /// The row is kept: what cannot be read of it becomes null, and it is counted.
    Null,
}

/// How many of the first faults are kept word for word.
const KEPT: usize = 5;

/// The rows that could not be read whole. Clones share one account.
#[derive(Debug, Clone, Default)]
pub struct Rejects {
    account: Arc<Mutex<Account>>,
}

#[derive(Debug, Default)]
struct Account {
    rows: u64,
    first: Vec<String>,
}

impl Rejects {
    /// The number of rows that could not be read whole and were kept.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).rows
    }

    /// The messages of the first few.
    #[must_use]
    pub fn first(&self) -> Vec<String> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).first.clone()
    }

    /// Counts a row with `fault`.
    pub(super) fn add(&self, fault: &EngineError) {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        account.rows += 1;
        if account.first.len() < KEPT {
            account.first.push(fault.to_string());
        }
    }
}

/// How a reader treats the rows of one file that it cannot read.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub(super) on_error: OnError,
    pub(super) rejects: Rejects,
}

impl Policy {
    /// Passes `fault` on, or counts its row and lets the reader go on.
    pub(super) fn meet(&self, fault: EngineError) -> Result<(), EngineError> {
        match self.on_error {
            OnError::Fail => Err(fault),
            OnError::Null => {
                self.rejects.add(&fault);
                Ok(())
            }
        }
    }
}
