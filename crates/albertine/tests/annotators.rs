//! What each parameter of the annotators does. Finished columns, metadata and exploded rows are those that Spark NLP
//! 5.5.3 gave for the same texts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use albertine::CancellationToken;
use albertine::annotators::Stage;
use albertine::column::AnnotationColumn;
use albertine::prelude::*;
use arrow_array::RecordBatch;
use arrow_array::builder::{LargeListBuilder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int64Array, StringArray};
use arrow_schema::Schema;

const TEXTS: [Option<&str>; 3] = [Some("Hi there. Go."), Some(""), None];

fn table(texts: &[Option<&str>]) -> RecordBatch {
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..texts.len() as i64));
    RecordBatch::try_from_iter_with_nullable([("text", texts, true), ("number", numbers, false)]).unwrap()
}

fn run(stages: impl IntoIterator<Item = Stage>, batch: &RecordBatch) -> RecordBatch {
    Pipeline::new().stages(stages).fit(&batch.schema()).unwrap().transform(batch).unwrap()
}

fn refused(stages: impl IntoIterator<Item = Stage>, batch: &RecordBatch) -> String {
    Pipeline::new().stages(stages).fit(&batch.schema()).unwrap_err().to_string()
}

fn annotations(batch: &RecordBatch, column: &str, row: usize) -> Vec<Annotation> {
    AnnotationColumn::new(&batch[column]).unwrap().row(row).map(|annotation| annotation.to_annotation()).collect()
}

fn results(batch: &RecordBatch, column: &str, row: usize) -> Vec<String> {
    annotations(batch, column, row).into_iter().map(|annotation| annotation.result).collect()
}

fn names(schema: &Schema) -> Vec<&str> {
    schema.fields().iter().map(|field| field.name().as_str()).collect()
}

#[test]
fn ids_and_metadata_come_along_and_win_in_spark_nlp_s_order() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["one", "two", "three"]));
    let ids: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]));
    let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for (key, value) in [("source", Some("wire")), ("id", Some("theirs")), ("sentence", Some("7")), ("none", None)] {
        maps.keys().append_value(key);
        maps.values().append_option(value);
    }
    maps.append(true).unwrap();
    maps.keys().append_value("id");
    maps.values().append_value("theirs");
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    let maps: ArrayRef = Arc::new(maps.finish());
    let batch =
        RecordBatch::try_from_iter_with_nullable([("text", texts, true), ("key", ids, true), ("facts", maps, true)])
            .unwrap();
    let document = DocumentAssembler::new().id_col("key").metadata_col("facts");
    let output = run([document.clone().into(), SentenceDetector::new().into()], &batch);
    let metadata = |column: &str, row| {
        let mut pairs = annotations(&output, column, row).remove(0).metadata;
        pairs.sort();
        pairs.into_iter().map(|(key, value)| format!("{key}={}", value.unwrap_or("null".into()))).collect::<Vec<_>>()
    };
    assert_eq!(metadata("document", 0), ["id=a", "none=null", "sentence=0", "source=wire"]);
    assert_eq!(metadata("document", 1), ["id=null", "sentence=0"]);
    assert_eq!(metadata("document", 2), ["id=c", "sentence=0"]);
    assert_eq!(metadata("sentence", 0), metadata("document", 0));

    let error = refused([DocumentAssembler::new().metadata_col("key").into()], &batch);
    assert_eq!(error, "column `key` holds Utf8, not maps from text to text");
    assert!(refused([DocumentAssembler::new().id_col("nope").into()], &batch).contains("there is no column `nope`"));
}

#[test]
fn each_element_of_a_list_is_a_document() {
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("Hi. Go."), None, Some("end")]);
    lists.append_null();
    lists.append_value(Vec::<Option<&str>>::new());
    lists.append_value([Some("last one")]);
    let lists: ArrayRef = Arc::new(lists.finish());
    let large: ArrayRef = {
        let mut builder = LargeListBuilder::new(StringBuilder::new());
        builder.append_value([Some("Hi. Go."), None, Some("end")]);
        Arc::new(builder.finish())
    };
    let stages = || -> [Stage; 3] {
        let tokens = Tokenizer::new();
        [DocumentAssembler::new().into(), SentenceDetector::new().into(), tokens.into()]
    };
    for lists in [lists.slice(0, 1), large] {
        let batch = RecordBatch::try_from_iter_with_nullable([("text", lists, true)]).unwrap();
        let output = run(stages(), &batch);
        let spans: Vec<_> = annotations(&output, "document", 0)
            .iter()
            .map(|a| (a.begin, a.end, a.metadata("sentence").unwrap().to_owned()))
            .collect();
        assert_eq!(spans, [(0, 6, "0".into()), (0, -1, "1".into()), (0, 2, "2".into())]);
        assert_eq!(results(&output, "sentence", 0), ["Hi.", "Go.", "end"]);
        let tokens: Vec<_> = annotations(&output, "token", 0)
            .iter()
            .map(|a| (a.result.clone(), a.begin, a.metadata("sentence").unwrap().to_owned()))
            .collect();
        let expected = [("Hi", 0, "0"), (".", 2, "0"), ("Go", 4, "0"), (".", 6, "0"), ("end", 0, "2")];
        assert_eq!(tokens, expected.map(|(text, begin, document)| (text.to_owned(), begin, document.to_owned())));
    }
    let batch = RecordBatch::try_from_iter_with_nullable([("text", lists.slice(1, 3), true)]).unwrap();
    let output = run(stages(), &batch);
    assert_eq!([0, 1, 2].map(|row| annotations(&output, "document", row).len()), [0, 0, 1]);
    assert_eq!(results(&output, "token", 2), ["last", "one"]);
}

#[test]
fn the_class_of_each_document_of_a_list_is_read_from_its_own_tokens() {
    let sports = "The striker scored twice and the team won the cup final.";
    let business = "Stocks fell on Wall Street as oil prices rose to a record.";
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some(sports), Some(""), Some(business)]);
    let lists: ArrayRef = Arc::new(lists.finish());
    let batch = RecordBatch::try_from_iter([("text", lists)]).unwrap();
    for encoding in [Encoding::Document, Encoding::Token] {
        let class = AlbertForSequenceClassification::pretrained("ag_news", "en").unwrap().encoding(encoding);
        let output = run([DocumentAssembler::new().into(), Tokenizer::new().into(), class.into()], &batch);
        assert_eq!(results(&output, "class", 0), ["Sports", "Business"]);
        let of: Vec<_> = annotations(&output, "class", 0)
            .iter()
            .map(|class| (class.end, class.metadata("sentence").unwrap().to_owned()))
            .collect();
        assert_eq!(of, [(sports.len() as i32 - 1, "0".into()), (business.len() as i32 - 1, "2".into())]);
    }
}

#[test]
fn exploded_sentences_have_rows_of_their_own() {
    let sentence = SentenceDetector::new().explode_sentences(true);
    let output = run(
        [DocumentAssembler::new().into(), sentence.into(), Tokenizer::new().input_cols(["sentence"]).into()],
        &table(&TEXTS),
    );
    assert_eq!(output.num_rows(), 2);
    assert_eq!(output["number"].as_primitive::<arrow_array::types::Int64Type>().values(), &[0, 0]);
    assert_eq!([0, 1].map(|row| results(&output, "sentence", row)), [["Hi there."], ["Go."]]);
    assert_eq!(annotations(&output, "sentence", 1)[0].metadata("sentence"), Some("1"));
    assert_eq!(results(&output, "token", 1), ["Go", "."]);
}

fn finished(finisher: Finisher) -> RecordBatch {
    let stages: [Stage; 4] = [
        DocumentAssembler::new().into(),
        SentenceDetector::new().into(),
        Tokenizer::new().input_cols(["sentence"]).into(),
        finisher.input_cols(["sentence", "token"]).into(),
    ];
    run(stages, &table(&TEXTS))
}

fn lists(batch: &RecordBatch, column: &str) -> Vec<Vec<String>> {
    let lists = batch[column].as_list::<i32>();
    let texts = |row: ArrayRef| row.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect();
    lists.iter().map(|row| texts(row.unwrap())).collect()
}

#[test]
fn the_finisher_gives_lists() {
    let output = finished(Finisher::new());
    assert_eq!(names(output.schema_ref()), ["text", "number", "finished_sentence", "finished_token"]);
    assert_eq!(lists(&output, "finished_sentence"), [vec!["Hi there.", "Go."], vec![], vec![]]);
    assert_eq!(lists(&output, "finished_token")[0], ["Hi", "there", ".", "Go", "."]);

    let output = finished(Finisher::new().output_cols(["x", "y"]).include_metadata(true).clean_annotations(false));
    assert_eq!(
        names(output.schema_ref()),
        ["text", "number", "document", "sentence", "token", "x", "y", "x_metadata", "y_metadata"]
    );
    let pairs = output["y_metadata"].as_list::<i32>().value(0);
    let pairs = pairs.as_struct();
    let part = |name: &str| pairs.column_by_name(name).unwrap().as_string::<i32>().iter().flatten().collect::<Vec<_>>();
    assert_eq!(part("_1"), ["sentence"; 5]);
    assert_eq!(part("_2"), ["0", "0", "0", "1", "1"]);
    assert_eq!(output["x_metadata"].as_list::<i32>().value(2).len(), 0);
}

#[test]
fn the_finisher_gives_strings() {
    let strings = |finisher: Finisher, column: &str| {
        let output = finished(finisher.output_as_array(false));
        let strings = output[column].as_string::<i32>().clone();
        assert_eq!((strings.value(1), strings.value(2), strings.null_count()), ("", "", 0));
        strings.value(0).to_owned()
    };
    assert_eq!(strings(Finisher::new(), "finished_token"), "Hi@there@.@Go@.");
    assert_eq!(
        strings(Finisher::new().include_metadata(true), "finished_sentence"),
        "sentence->0#result->Hi there.@sentence->1#result->Go."
    );
    let symbols = Finisher::new().include_metadata(true).value_split_symbol("|").annotation_split_symbol("/");
    assert_eq!(strings(symbols, "finished_sentence"), "sentence->0|result->Hi there./sentence->1|result->Go.");
}

#[test]
fn the_finisher_refuses_what_it_cannot_finish() {
    let with = |finisher: Finisher| refused([DocumentAssembler::new().into(), finisher.into()], &table(&TEXTS));
    assert!(with(Finisher::new().input_cols(["nope"])).contains("there is no column `nope`"));
    assert!(with(Finisher::new().input_cols(["text"])).contains("is not an annotation column"));
    let two = Finisher::new().input_cols(["document"]).output_cols(["a", "b"]);
    assert_eq!(with(two), "the Finisher has 1 input columns but 2 output columns");
    let taken = Finisher::new().input_cols(["document"]).output_cols(["number"]);
    assert!(with(taken).contains("`number`"));
}

#[test]
fn light_pipelines_need_no_table() {
    let batch = table(&TEXTS);
    let stages: [Stage; 3] = [
        DocumentAssembler::new().id_col("text").into(),
        SentenceDetector::new().explode_sentences(true).into(),
        Finisher::new().input_cols(["sentence"]).into(),
    ];
    let model = Pipeline::new().stages(stages).fit(&batch.schema()).unwrap();
    let light = LightPipeline::new(&model);
    let rows = light.annotate_all(&["Hi. Go. A/b.", "", "/etc/hostname"]).unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].keys().collect::<Vec<_>>(), ["sentence"]);
    assert_eq!(rows[0]["sentence"], ["Hi.", "Go.", "A/b."]);
    assert!(rows[1]["sentence"].is_empty());
    // a text that is a path is a text
    assert_eq!(rows[2]["sentence"], ["/etc/hostname"]);
    assert!(light.full_annotate_all(&[]).unwrap().is_empty());
}

#[test]
fn long_documents_are_read_in_windows() {
    let sports = "The striker scored twice and the team won the cup final after penalties. ".repeat(4);
    let business = "Stocks fell on Wall Street as oil prices rose to a record. ".repeat(8);
    let long = format!("{sports}{business}");
    let of = |settings: ClassifierSettings| Classifier::pretrained("ag_news", settings).unwrap();
    let limit = 40;
    let cut = of(ClassifierSettings { max_sentence_length: Some(limit), ..Default::default() });
    let windows = LongTexts::Windows { overlap: 8 };
    let whole = of(ClassifierSettings { max_sentence_length: Some(limit), long_texts: windows, ..Default::default() });
    let best = |classifier: &Classifier, text: &str| {
        let found = classifier.predict(&[Some(text)]).unwrap()[0].unwrap();
        classifier.labels()[found.label.unwrap()].clone()
    };
    assert_eq!((best(&cut, &long), best(&whole, &long)), ("Sports".into(), "Business".into()));
    let counts = |classifier: &Classifier| classifier.run(&[Some(&long)], &CancellationToken::default()).unwrap().1;
    assert_eq!((counts(&cut).truncated, counts(&whole).truncated), (1, 0));
    assert!(counts(&whole).sequences > 3);

    // A text that fits has the logits that it always had, and company, order and threads change nothing.
    let texts = [Some(long.as_str()), Some("Oil rose."), None, Some(sports.as_str())];
    let alone: Vec<_> = texts.iter().map(|text| whole.logits(&[*text]).unwrap().remove(0)).collect();
    let settings = ClassifierSettings {
        max_sentence_length: Some(limit),
        long_texts: windows,
        threads: 3,
        batch_tokens: 50,
        ..Default::default()
    };
    assert_eq!(of(settings).logits(&texts).unwrap(), alone);
    assert_eq!(cut.logits(&texts[1..2]).unwrap()[0], alone[1]);

    let too_much = ClassifierSettings {
        max_sentence_length: Some(limit),
        long_texts: LongTexts::Windows { overlap: 19 },
        ..Default::default()
    };
    let error = Classifier::pretrained("ag_news", too_much).unwrap_err().to_string();
    assert_eq!(
        error,
        "windows over a text must overlap by fewer than half of the 38 pieces in a window, but 19 were asked for"
    );
}

#[test]
fn token_encoding_reads_each_token_alone() {
    let settings = ClassifierSettings { encoding: Some(Encoding::Token), ..Default::default() };
    let token = Classifier::pretrained("ag_news", settings).unwrap();
    let whole = Classifier::pretrained("ag_news", ClassifierSettings::default()).unwrap();
    assert_eq!((token.encoding(), whole.encoding()), (Encoding::Token, Encoding::Document));
    let pieces = |classifier: &Classifier, text: &str| {
        classifier
            .inspect(text)
            .unwrap()
            .into_iter()
            .map(|piece| (piece.text, piece.begin, piece.end))
            .collect::<Vec<_>>()
    };
    assert_eq!(pieces(&token, "oil rose"), {
        let mut expected = pieces(&whole, "oil rose");
        // places are those of tokens, where the tokenizer's are those of pieces
        expected[1] = (expected[1].0.clone(), 0, 3);
        expected[2] = (expected[2].0.clone(), 4, 8);
        expected
    });
    let own = |classifier: &Classifier| classifier.logits(&[Some("(Reuters) - \"Oil\" up")]).unwrap();
    assert_ne!(own(&token), own(&whole));
    assert_eq!(token.logits(&[Some("oil prices rose")]).unwrap(), whole.logits(&[Some("oil prices rose")]).unwrap());
}

#[test]
fn getters_give_what_was_set() {
    let usual = Finisher::new().input_cols(["class"]);
    assert_eq!(usual.get_output_cols(), ["finished_class"]);
    assert!(usual.get_output_as_array() && !usual.get_include_metadata() && usual.get_clean_annotations());
    assert_eq!((usual.get_value_split_symbol(), usual.get_annotation_split_symbol()), ("#", "@"));

    let set = usual.output_cols(["label"]).output_as_array(false).include_metadata(true).clean_annotations(false);
    let set = set.value_split_symbol("|").annotation_split_symbol(";");
    assert_eq!((set.get_input_cols(), set.get_output_cols()), (&["class".to_owned()][..], vec!["label".to_owned()]));
    assert!(!set.get_output_as_array() && set.get_include_metadata() && !set.get_clean_annotations());
    assert_eq!((set.get_value_split_symbol(), set.get_annotation_split_symbol()), ("|", ";"));
}
