//! Annotators in a row: what they add, what they refuse, and what they do with nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, LazyLock};

use albertine::annotators::Stage;
use albertine::column::{AnnotationColumn, AnnotationColumnBuilder, annotation_field, annotator_type};
use albertine::prelude::*;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int64Array, StringArray};
use arrow_schema::Schema;

const HEADLINE: &str = "Stocks fell on Wall Street as oil prices rose to a record.";

static MODEL: LazyLock<AlbertForSequenceClassification> =
    LazyLock::new(|| AlbertForSequenceClassification::pretrained("ag_news", "en").unwrap());

fn albert() -> AlbertForSequenceClassification {
    MODEL.clone()
}

fn table(texts: &[Option<&str>]) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..texts.len() as i64));
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    RecordBatch::try_from_iter_with_nullable([("id", ids, false), ("text", texts, true)]).unwrap()
}

fn stages(class: AlbertForSequenceClassification) -> Vec<Stage> {
    vec![DocumentAssembler::new().into(), Tokenizer::new().into(), class.into()]
}

fn fitted(stages: Vec<Stage>) -> PipelineModel {
    Pipeline::new().stages(stages).fit(&table(&[]).schema()).unwrap()
}

fn refused(stages: Vec<Stage>) -> String {
    Pipeline::new().stages(stages).fit(&table(&[]).schema()).unwrap_err().to_string()
}

fn annotations(batch: &RecordBatch, column: &str, row: usize) -> Vec<Annotation> {
    AnnotationColumn::new(&batch[column]).unwrap().row(row).map(|annotation| annotation.to_annotation()).collect()
}

#[test]
fn every_row_stays_with_its_columns_and_gets_its_annotations() {
    let input = table(&[Some(HEADLINE), None, Some(""), Some(" \t "), Some("emoji 😀 ok")]);
    let output = fitted(stages(albert())).transform(&input).unwrap();
    let names: Vec<&str> = output.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["id", "text", "document", "token", "class"]);
    assert_eq!(output.columns()[..2], input.columns()[..]);
    let kinds = |name| annotator_type(output.schema_ref().field_with_name(name).unwrap()).map(str::to_owned);
    assert_eq!(kinds("document").as_deref(), Some("document"));
    assert_eq!(kinds("class").as_deref(), Some("category"));

    let class = annotations(&output, "class", 0);
    assert_eq!(class.len(), 1);
    assert_eq!((class[0].begin, class[0].end), (0, 57));
    assert_eq!(class[0].result, "Business");
    let keys: Vec<&str> = class[0].metadata.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["sentence", "World", "Sports", "Business", "Sci/Tech"]);
    let sum: f32 =
        class[0].metadata[1..].iter().map(|(_, score)| score.as_ref().unwrap().parse::<f32>().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5);

    for row in 1..4 {
        let document = annotations(&output, "document", row);
        assert_eq!(document.len(), 1);
        assert_eq!(annotations(&output, "token", row), []);
        assert_eq!(annotations(&output, "class", row), []);
    }
    assert_eq!(
        annotations(&output, "document", 1)[0].to_string(),
        "Annotation(type: document, begin: 0, end: -1, result: )"
    );
    assert_eq!(annotations(&output, "document", 4)[0].end, 10);
    let tokens: Vec<(String, i32, i32)> =
        annotations(&output, "token", 4).into_iter().map(|t| (t.result, t.begin, t.end)).collect();
    assert_eq!(tokens, [("emoji".to_owned(), 0, 4), ("😀".to_owned(), 6, 7), ("ok".to_owned(), 9, 10)]);
}

#[test]
fn annotators_and_flat_columns_agree() {
    let input = table(&[Some(HEADLINE), None, Some("The team won the cup final on penalties.")]);
    let annotated = fitted(stages(albert().max_sentence_length(512))).transform(&input).unwrap();
    let classifier = Arc::new(Classifier::pretrained("ag_news", ClassifierSettings::default()).unwrap());
    let columns = Columns { annotations: true, ..Default::default() };
    let flat = Classify::new(classifier, columns).unwrap().transform(&input).unwrap();
    assert_eq!(&annotated["class"], &flat["class"]);
    let labels = flat["label"].as_string::<i32>();
    assert_eq!(labels.value(0), annotations(&annotated, "class", 0)[0].result);
}

#[test]
fn zero_rows_are_a_table_too() {
    let output = fitted(stages(albert())).transform(&table(&[])).unwrap();
    assert_eq!((output.num_rows(), output.num_columns()), (0, 5));
}

#[test]
fn inputs_may_come_in_any_order_and_a_second_run_replaces_the_annotations() {
    let model = fitted(stages(albert().input_cols(["token", "document"])));
    let once = model.transform(&table(&[Some(HEADLINE)])).unwrap();
    let twice = model.transform(&once).unwrap();
    assert_eq!(once, twice);
}

#[test]
fn sigmoid_gives_every_label_over_the_threshold() {
    let batch = table(&[Some(HEADLINE)]);
    let with = |threshold| {
        let class = albert().multilabel(true).threshold(threshold);
        annotations(&fitted(stages(class)).transform(&batch).unwrap(), "class", 0)
    };
    assert_eq!(with(0.0).len(), 4);
    assert_eq!(with(1.0).len(), 0);
    let labels: Vec<String> = with(0.0).into_iter().map(|annotation| annotation.result).collect();
    assert_eq!(labels, ["World", "Sports", "Business", "Sci/Tech"]);
}

/// Two rows of sentences: three in the first, of which the middle one is blank, and none in the second.
fn sentences() -> RecordBatch {
    let mut column = AnnotationColumnBuilder::default();
    column.push(AnnotatorType::Document, 0, 25, "The team won the cup final.", [("sentence", "0")]);
    column.push(AnnotatorType::Document, 27, 28, "  ", [("sentence", "1")]);
    column.push(AnnotatorType::Document, 30, 87, HEADLINE, [("sentence", "2")]);
    column.end_row();
    column.end_row();
    let schema = Arc::new(Schema::new(vec![annotation_field("document", AnnotatorType::Document)]));
    RecordBatch::try_new(schema, vec![column.finish().unwrap()]).unwrap()
}

fn classes(class: AlbertForSequenceClassification) -> Vec<Vec<Annotation>> {
    let batch = sentences();
    let model = Pipeline::new().stages([Tokenizer::new().into(), class.into()]).fit(&batch.schema()).unwrap();
    let output = model.transform(&batch).unwrap();
    (0..2).map(|row| annotations(&output, "class", row)).collect()
}

#[test]
fn a_blank_sentence_does_not_shift_the_others() {
    let rows = classes(albert());
    let found: Vec<(&str, i32, Option<&str>)> =
        rows[0].iter().map(|class| (class.result.as_str(), class.begin, class.metadata("sentence"))).collect();
    assert_eq!(found, [("Sports", 0, Some("0")), ("Business", 30, Some("2"))]);
    assert_eq!(rows[1], []);
}

#[test]
fn coalesced_sentences_give_the_mean_of_their_scores() {
    let score = |class: &Annotation, label: &str| class.metadata(label).unwrap().parse::<f32>().unwrap();
    let (each, coalesced) = (classes(albert()), classes(albert().coalesce_sentences(true)));
    assert_eq!(coalesced[0].len(), 1);
    let one = &coalesced[0][0];
    assert_eq!((one.begin, one.end, one.metadata("sentence")), (0, 25, Some("0")));
    for label in ["World", "Sports", "Business", "Sci/Tech"] {
        let mean = (score(&each[0][0], label) + score(&each[0][1], label)) / 2.0;
        assert!((score(one, label) - mean).abs() < 1e-6, "{label}");
    }
    assert_eq!(coalesced[1], []);
}

#[test]
fn the_finisher_gives_lists_and_drops_annotations() {
    let finish = Finisher::new().input_cols(["class", "token"]).output_cols(["labels", "words"]);
    let all: Vec<Stage> = stages(albert()).into_iter().chain([finish.into()]).collect();
    let output = fitted(all).transform(&table(&[Some("Wall Street fell."), None])).unwrap();
    let names: Vec<&str> = output.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["id", "text", "labels", "words"]);
    let words = output["words"].as_list::<i32>().value(0);
    assert_eq!(words.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["Wall", "Street", "fell", "."]);
    assert_eq!(output["labels"].as_list::<i32>().value(1).len(), 0);

    let keep = Finisher::new().input_cols(["class"]).clean_annotations(false);
    let all: Vec<Stage> = stages(albert()).into_iter().chain([keep.into()]).collect();
    assert!(fitted(all).transform(&table(&[Some("x")])).unwrap().column_by_name("finished_class").is_some());
}

#[test]
fn a_light_pipeline_takes_texts() {
    let finish = Finisher::new().input_cols(["class"]);
    let model = fitted(stages(albert()));
    let light = LightPipeline::new(&model);
    let row = light.annotate("Oil is up.").unwrap();
    assert_eq!(row["document"], ["Oil is up."]);
    assert_eq!(row["token"], ["Oil", "is", "up", "."]);
    assert_eq!(row["class"].len(), 1);
    assert_eq!(light.full_annotate("/etc/hosts").unwrap()["token"][0].result, "/etc/hosts");
    assert_eq!(light.annotate_all(&["a", ""]).unwrap()[1]["class"], Vec::<String>::new());
    assert!(light.annotate_all(&[]).unwrap().is_empty());

    let all: Vec<Stage> = stages(albert()).into_iter().chain([finish.into()]).collect();
    let keys: Vec<String> = LightPipeline::new(&fitted(all)).annotate("Oil").unwrap().into_keys().collect();
    assert_eq!(keys, ["class"]);
    let headless = Pipeline::new().stages([]).fit(&table(&[]).schema()).unwrap();
    assert!(matches!(LightPipeline::new(&headless).annotate("x"), Err(Error::NoDocumentAssembler)));
}

#[test]
fn contracts_are_checked_before_data_is_touched() {
    let missing = refused(vec![DocumentAssembler::new().input_col("body").into()]);
    assert_eq!(missing, "there is no column `body`; the columns are `id`, `text`");
    assert_eq!(refused(vec![DocumentAssembler::new().input_col("id").into()]), "column `id` holds Int64, not text");
    let taken = refused(vec![DocumentAssembler::new().output_col("text").into()]);
    assert_eq!(taken, "DocumentAssembler would overwrite column `text`; choose another output column");
    let early = refused(vec![Tokenizer::new().input_cols(["text"]).into()]);
    assert_eq!(
        early,
        "Tokenizer needs an annotation column of type `document`, but column `text` is not an annotation column"
    );
    let one = refused(stages(albert().input_cols(["document"])));
    assert_eq!(one, "AlbertForSequenceClassification takes 2 input column(s) (document, token), but was given 1");
    let twice = refused(stages(albert().input_cols(["document", "document"])));
    assert!(
        twice.ends_with("needs an annotation column of type `token`, but column `document` has type `document`"),
        "{twice}"
    );
    let finish = Finisher::new().input_cols(["class"]).output_cols(["a", "b"]);
    let lengths = refused(stages(albert()).into_iter().chain([finish.into()]).collect());
    assert_eq!(lengths, "the Finisher has 1 input columns but 2 output columns");
}

#[test]
fn lengths_and_thresholds_outside_their_range_are_refused() {
    for length in [0, 1, 513] {
        let message = refused(stages(albert().max_sentence_length(length)));
        let range = "the maximum sentence length must lie between 2 and 512 for this model";
        assert_eq!(message, format!("{range}, but {length} was asked for"));
    }
    assert!(refused(stages(albert().threshold(1.5))).contains("between 0 and 1"));
}
