//! Flat columns: names, nulls and joins.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, LazyLock};

use albertine::{Activation, CancellationToken, Classifier, ClassifierSettings, Classify, Columns, Transform};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{Array, ArrayRef, LargeStringArray, StringArray};

static CLASSIFIER: LazyLock<Arc<Classifier>> =
    LazyLock::new(|| Arc::new(Classifier::pretrained("ag_news", ClassifierSettings::default()).unwrap()));

fn classify(columns: Columns) -> Classify {
    Classify::new(CLASSIFIER.clone(), columns).unwrap()
}

fn texts(name: &str, rows: &[Option<&str>]) -> (String, ArrayRef, bool) {
    (name.to_owned(), Arc::new(StringArray::from(rows.to_vec())) as ArrayRef, true)
}

#[test]
fn null_and_blank_texts_have_null_labels() {
    let input =
        RecordBatch::try_from_iter_with_nullable([texts("text", &[None, Some(""), Some(" \n"), Some("Oil")])]).unwrap();
    let all = Columns { all_scores: true, logits: true, ..Default::default() };
    let output = classify(all).transform(&input).unwrap();
    for name in ["label", "score", "scores", "logits"] {
        let nulls: Vec<bool> = (0..4).map(|row| output[name].is_null(row)).collect();
        assert_eq!(nulls, [true, true, true, false], "{name}");
    }
    let scores = output["scores"].as_struct();
    let names: Vec<&str> = scores.column_names();
    assert_eq!(names, ["World", "Sports", "Business", "Sci/Tech"]);
    let sum: f32 = scores.columns().iter().map(|column| column.as_primitive::<Float32Type>().value(3)).sum();
    assert!((sum - 1.0).abs() < 1e-5);
    assert_eq!(output["logits"].as_list::<i32>().value(3).len(), 4);
}

#[test]
fn several_text_columns_are_joined_with_one_space() {
    let columns = || Columns { text: vec!["title".to_owned(), "body".to_owned()], logits: true, ..Default::default() };
    let parts = [
        texts("title", &[Some("Oil rises"), None, Some("Oil rises"), None, Some("")]),
        texts("body", &[Some("as stocks fall"), Some("as stocks fall"), None, None, Some("")]),
    ];
    let joined = [Some("Oil rises as stocks fall"), Some("as stocks fall"), Some("Oil rises"), None, None];
    let split = classify(columns()).transform(&RecordBatch::try_from_iter_with_nullable(parts).unwrap()).unwrap();
    let whole = RecordBatch::try_from_iter_with_nullable([texts("text", &joined)]).unwrap();
    let whole = classify(Columns { logits: true, ..Default::default() }).transform(&whole).unwrap();
    assert_eq!(&split["logits"], &whole["logits"]);
}

#[test]
fn an_input_column_is_never_overwritten() {
    let rows = [Some("Oil")];
    let input = RecordBatch::try_from_iter_with_nullable([
        texts("text", &rows),
        texts("label", &rows),
        texts("predicted_label", &rows),
    ])
    .unwrap();
    let classify = classify(Columns::default());
    let output = classify.transform(&input).unwrap();
    let names: Vec<&str> = output.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["text", "label", "predicted_label", "predicted_predicted_label", "score"]);
    assert_eq!(output.columns()[..3], input.columns()[..]);
    let renamed = [("label".to_owned(), "predicted_predicted_label".to_owned())];
    assert_eq!(classify.renamed(input.schema_ref()), renamed);
}

#[test]
fn with_sigmoid_a_label_under_the_threshold_is_null_but_its_score_stays() {
    let input = RecordBatch::try_from_iter_with_nullable([texts("text", &[Some("Oil")])]).unwrap();
    let columns = Columns { activation: Some(Activation::Sigmoid), threshold: Some(1.0), ..Default::default() };
    let output = classify(columns).transform(&input).unwrap();
    assert!(output["label"].is_null(0));
    assert!(output["score"].is_valid(0));
    assert!(Classify::new(CLASSIFIER.clone(), Columns { threshold: Some(f32::NAN), ..Default::default() }).is_err());
}

#[test]
fn wide_strings_and_no_rows_work() {
    let column: ArrayRef = Arc::new(LargeStringArray::from(vec!["Oil prices rose."]));
    let input = RecordBatch::try_from_iter([("text", column)]).unwrap();
    let classify = classify(Columns::default());
    let output = classify.transform(&input).unwrap();
    assert_eq!(output.num_rows(), 1);
    assert_eq!(classify.transform(&input.slice(0, 0)).unwrap().num_rows(), 0);
}

#[test]
fn what_was_seen_is_counted() {
    let settings = ClassifierSettings { max_sentence_length: Some(8), threads: 1, ..Default::default() };
    let classifier = Classifier::pretrained("ag_news", settings).unwrap();
    let long = "one two three four five six seven eight nine ten";
    let texts = [Some(long), None, Some(" "), Some("Oil")];
    let (_, counts) = classifier.run(&texts, &CancellationToken::default()).unwrap();
    assert_eq!((counts.documents, counts.blank, counts.truncated), (4, 2, 1));
    assert!(counts.tokens > 8 && counts.flops > counts.tokens);
}

#[test]
fn thousands_of_threads_are_a_slip() {
    for threads in [1025, usize::MAX] {
        let settings = ClassifierSettings { threads, ..Default::default() };
        assert!(matches!(Classifier::pretrained("ag_news", settings), Err(albertine::Error::TooManyThreads { .. })));
    }
}
