//! What belongs to a call belongs to it alone: counts, and whether it is cancelled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, LazyLock};

use albertine::prelude::*;
use albertine::{CancellationToken, Counts, OutputSchema, Transformed, WindowSettings, Windowed};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::SchemaRef;
use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

const LIMIT: usize = 12;

/// One model for all calls, which cuts what is longer than [`LIMIT`].
static CLASSIFIER: LazyLock<Arc<Classifier>> = LazyLock::new(|| {
    let settings = ClassifierSettings { max_sentence_length: Some(LIMIT), threads: 2, ..Default::default() };
    Arc::new(Classifier::pretrained("ag_news", settings).unwrap())
});

fn classify() -> Classify {
    Classify::new(Arc::clone(&CLASSIFIER), Columns::default()).unwrap()
}

fn pipeline() -> PipelineModel {
    let class = || AlbertForSequenceClassification::pretrained("ag_news", "en").unwrap();
    let stages = [
        DocumentAssembler::new().into(),
        Tokenizer::new().into(),
        class().max_sentence_length(LIMIT).output_col("short").into(),
        class().max_sentence_length(512).output_col("long").into(),
    ];
    PipelineModel::new(stages).unwrap()
}

static PIPELINE: LazyLock<PipelineModel> = LazyLock::new(pipeline);

fn batch(texts: &[Option<String>]) -> RecordBatch {
    let texts: ArrayRef = Arc::new(texts.iter().map(Option::as_deref).collect::<StringArray>());
    RecordBatch::try_from_iter_with_nullable([("text", texts, true)]).unwrap()
}

/// So many texts of which every third is too long, and no two are equal.
fn texts(count: usize) -> Vec<Option<String>> {
    let text =
        |row: usize| Some(format!("Oil {row} rose. {}", "and fell ".repeat(20 * usize::from(row.is_multiple_of(3)))));
    (0..count).map(text).collect()
}

/// The counts of a table that goes through in windows of so many rows.
fn counts_by_window(transform: &dyn Transform, table: &RecordBatch, rows: usize) -> Vec<Counts> {
    let settings = WindowSettings { rows, time: None, ..WindowSettings::default() };
    let source = [table.clone()].into_iter().map(Ok::<_, Error>);
    let mut windowed = Windowed::new(source, &table.schema(), transform, settings).unwrap();
    assert_eq!(windowed.by_ref().map(|window| window.unwrap().num_rows()).sum::<usize>(), table.num_rows());
    windowed.counts().to_vec()
}

#[test]
fn calls_at_the_same_time_have_counts_of_their_own() {
    let (classify, start) = (classify(), Barrier::new(4));
    std::thread::scope(|scope| {
        for rows in [30, 60, 90, 120] {
            let (classify, start) = (&classify, &start);
            scope.spawn(move || {
                let table = batch(&texts(rows));
                start.wait();
                for _ in 0..5 {
                    let (_, counts) = classify.run(&table, &CancellationToken::default()).unwrap();
                    let [counts] = &counts[..] else { panic!("one classifier") };
                    assert_eq!((counts.documents, counts.truncated), (rows as u64, rows as u64 / 3));
                    assert_eq!(counts.sequences, rows as u64);
                }
            });
        }
    });
}

#[test]
fn each_classifier_of_a_pipeline_has_its_counts() {
    let (_, counts) = pipeline().run(&batch(&texts(9)), &CancellationToken::default()).unwrap();
    let truncated: Vec<u64> = counts.iter().map(|counts| counts.truncated).collect();
    assert_eq!(truncated, [3, 0]);
    let (_, counts) = LightPipeline::new(&pipeline()).run(&["Oil", ""], &CancellationToken::default()).unwrap();
    assert_eq!(counts.iter().map(|counts| counts.documents).collect::<Vec<_>>(), [1, 1], "a blank text has no tokens");
}

/// Counts the windows that are begun. The first waits until it was told of and one call is cancelled.
struct Watched<'a> {
    classify: Classify,
    begun: &'a AtomicUsize,
    first: &'a Barrier,
    cancelled: &'a Barrier,
}

impl Transform for Watched<'_> {
    fn output_schema(&self, input: &SchemaRef) -> Result<OutputSchema, Error> {
        self.classify.output_schema(input)
    }

    fn run(&self, batch: &RecordBatch, cancellation: &CancellationToken) -> Result<Transformed, Error> {
        if self.begun.fetch_add(1, Ordering::SeqCst) == 0 {
            self.first.wait();
            self.cancelled.wait();
        }
        self.classify.run(batch, cancellation)
    }
}

#[test]
fn a_cancelled_call_stops_within_a_window_and_another_goes_on() {
    let table = batch(&texts(3000));
    let settings = WindowSettings { rows: 300, time: None, ..WindowSettings::default() };
    let (first, cancelled) = (Barrier::new(3), Barrier::new(3));
    let run = |token: CancellationToken| {
        let source = [table.clone()].into_iter().map(Ok::<_, Error>);
        let begun = AtomicUsize::new(0);
        let watched = Watched { classify: classify(), begun: &begun, first: &first, cancelled: &cancelled };
        let windowed = Windowed::new(source, &table.schema(), watched, settings);
        let mut windowed = windowed.unwrap().with_cancellation(token);
        let outcome = windowed.by_ref().try_for_each(|window| window.map(drop));
        (outcome, windowed.counts().iter().sum::<Counts>().documents, begun.load(Ordering::SeqCst))
    };
    let token = CancellationToken::default();
    std::thread::scope(|scope| {
        let stopped = scope.spawn(|| run(token.clone()));
        let other = scope.spawn(|| run(CancellationToken::default()));
        // both are in the midst of their first window
        first.wait();
        token.cancel();
        cancelled.wait();
        let (outcome, documents, windows) = stopped.join().unwrap();
        assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
        assert_eq!((documents, windows), (0, 1), "it ends in the window that it was in");
        let (outcome, documents, windows) = other.join().unwrap();
        assert!(outcome.is_ok());
        assert_eq!((documents, windows), (3000, 10));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Equal texts go through the encoder once a window, so that what went through it depends on the windows; what the
    /// texts are does not.
    #[test]
    fn counts_of_a_stream_do_not_depend_on_its_windows(
        picks in prop::collection::vec((0..20_usize, any::<bool>()), 1..80), rows in 1..90_usize,
    ) {
        let known = texts(20);
        let repeated: Vec<_> = picks.iter().map(|&(pick, null)| known[pick].clone().filter(|_| !null)).collect();
        let distinct = texts(picks.len());
        for transform in [&classify() as &dyn Transform, &*PIPELINE] {
            let of_texts = |counts: Vec<Counts>| -> Vec<[u64; 3]> {
                counts.into_iter().map(|counts| [counts.documents, counts.blank, counts.truncated]).collect()
            };
            let table = batch(&repeated);
            let (_, whole) = transform.run(&table, &CancellationToken::default()).unwrap();
            prop_assert_eq!(of_texts(counts_by_window(transform, &table, rows)), of_texts(whole));
            // no two texts are equal: then all counts are the sum over the windows
            let table = batch(&distinct);
            let (_, whole) = transform.run(&table, &CancellationToken::default()).unwrap();
            prop_assert_eq!(counts_by_window(transform, &table, rows), whole);
        }
    }
}
