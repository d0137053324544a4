//! Any bytes as a table whose first column is classified by a tiny model: every row of it keeps its place, and rows without a
//! text have no label.
#![no_main]

use std::io::Cursor;
use std::sync::{Arc, LazyLock};

use albertine::{Classifier, ClassifierSettings, Classify, Columns, Transform};
use albertine_engine::{Format, OnError, Source};
use libfuzzer_sys::fuzz_target;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/golden/f16");

static CLASSIFIER: LazyLock<Arc<Classifier>> =
    LazyLock::new(|| Arc::new(Classifier::pretrained(MODEL, ClassifierSettings::default()).expect("a model")));

fuzz_target!(|bytes: &[u8]| {
    for format in [Format::Csv, Format::Jsonl, Format::Parquet] {
        let reader = Box::new(Cursor::new(bytes.to_vec()));
        let Ok(source) = Source::from_reader(reader, format, OnError::Null) else { continue };
        // columns of JSON Lines are known when a row is
        for batch in source.take(4) {
            let Ok(batch) = batch else { break };
            let rows = batch.num_rows().min(32);
            let Some(text) = batch.schema().fields().first().map(|field| field.name().clone()) else { continue };
            let columns = Columns { text: vec![text], all_scores: true, ..Columns::default() };
            let classify = Classify::new(Arc::clone(&CLASSIFIER), columns).expect("a transform");
            if let Ok(labeled) = classify.transform(&batch.slice(0, rows)) {
                assert_eq!(labeled.num_rows(), rows);
                assert!(labeled.num_columns() > batch.num_columns());
            }
        }
    }
});
