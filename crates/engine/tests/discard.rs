//! What an interrupt leaves behind. In a program of its own, since it touches every sink of the process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use albertine_engine::{EngineError, Format, Sink, Target, discard_unfinished};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use common::Folder;

#[test]
fn an_interrupt_leaves_whole_files_only() {
    let folder = Folder::new();
    folder.write("old.csv", "old");
    let column: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
    let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
    let start = |name: &str| Sink::create(Target::File(folder.at(name)), Format::Csv, batch.schema()).unwrap();
    start("done.csv").finish().unwrap();
    let (mut one, two) = (start("old.csv"), start("new.csv"));
    assert_eq!(folder.names().len(), 4);

    assert_eq!(discard_unfinished(), 2);
    assert_eq!(folder.names(), ["done.csv", "old.csv"]);
    one.write(&batch).unwrap();
    assert!(matches!(one.finish(), Err(EngineError::Discarded { .. })));
    assert!(matches!(two.finish(), Err(EngineError::Discarded { .. })));
    assert_eq!((folder.names().len(), folder.text("old.csv").as_str()), (2, "old"));
    assert_eq!(discard_unfinished(), 0);

    start("old.csv").finish().unwrap();
    assert_eq!(folder.text("old.csv"), "a\n", "a later table is not concerned");
}
