//! What to do with a row that cannot be read, and the account of such rows.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::StringArray;

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

/// The usual name of the column that says why a row could not be read whole.
pub(super) const ERROR_COLUMN: &str = "error";

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
    /// The errors of the batch that is being read, each with its row, where they become a column.
    of_batch: Option<Vec<(usize, String)>>,
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

    /// Keeps the errors of each batch for [`take_errors`](Self::take_errors) from now on.
    pub(super) fn keep_errors(&self) {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).of_batch = Some(Vec::new());
    }

    /// The errors of a batch of so many rows as a column, null for the rows that were read whole.
    pub(super) fn take_errors(&self, rows: usize) -> StringArray {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let mut errors = account.of_batch.as_mut().map(std::mem::take).unwrap_or_default().into_iter().peekable();
        let of_row = |row| errors.next_if(|(at, _)| *at == row).map(|(_, error)| error);
        (0..rows).map(of_row).collect()
    }

    /// Counts row `row` of the batch that is being read, with `fault`.
    pub(super) fn add(&self, row: usize, fault: &EngineError) {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        account.rows += 1;
        if account.first.len() < KEPT {
            account.first.push(fault.to_string());
        }
        if let Some(errors) = &mut account.of_batch {
            errors.push((row, fault.to_string()));
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
    /// Passes the fault of row `row` of a batch on, or counts the row and lets the reader go on.
    pub(super) fn meet(&self, row: usize, fault: EngineError) -> Result<(), EngineError> {
        match self.on_error {
            OnError::Fail => Err(fault),
            OnError::Null => {
                self.rejects.add(row, &fault);
                Ok(())
            }
        }
    }
}
