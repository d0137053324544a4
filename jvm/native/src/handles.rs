//! What Java holds, by number.
//!
//! A number is never used twice. Closing one takes it from the table; a call that is under way keeps what it works
//! with, so that nothing is pulled from under it, and a later one is told that it is closed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use albertine::{CancellationToken, Classifier};

use crate::failure::Failure;
use crate::pipeline::{Pipeline, Run};

/// What a number may stand for.
#[derive(Debug, Clone)]
enum Held {
    Classifier(Arc<Classifier>),
    Pipeline(Arc<Pipeline>),
    Run(Arc<Run>),
    Token(CancellationToken),
}

#[derive(Debug, Default)]
struct Table {
    last: i64,
    held: HashMap<i64, Held>,
}

static TABLE: Mutex<Option<Table>> = Mutex::new(None);

fn table() -> MutexGuard<'static, Option<Table>> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn put(held: Held) -> i64 {
    let mut table = table();
    let table = table.get_or_insert_default();
    table.last += 1;
    table.held.insert(table.last, held);
    table.last
}

fn get(number: i64) -> Option<Held> {
    table().as_ref()?.held.get(&number).cloned()
}

/// Takes a number out of the table; nothing happens when it is not there.
pub(crate) fn close(number: i64) {
    let held = table().as_mut().and_then(|table| table.held.remove(&number));
    // what it stood for may be large: it is let go without the lock
    drop(held);
}

macro_rules! kinds {
    ($($put:ident, $get:ident: $variant:ident($type:ty), $word:literal;)*) => {$(
        pub(crate) fn $put(value: $type) -> i64 {
            put(Held::$variant(value))
        }

        pub(crate) fn $get(number: i64) -> Result<$type, Failure> {
            match get(number) {
                Some(Held::$variant(value)) => Ok(value),
                _ => Err(Failure::Closed($word)),
            }
        }
    )*};
}

kinds! {
    put_classifier, classifier: Classifier(Arc<Classifier>), "model";
    put_pipeline, pipeline: Pipeline(Arc<Pipeline>), "pipeline";
    put_run, run: Run(Arc<Run>), "run of a pipeline";
    put_token, token: Token(CancellationToken), "token of a call";
}
