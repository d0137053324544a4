//! Models and pipelines that Spark NLP saved give what Spark NLP gives (`tools/oracle` wrote it down), field by field.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use albertine::annotators::Stage;
use albertine::column::AnnotationColumn;
use albertine::prelude::*;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use arrow_array::{ArrayRef, StringArray};
use arrow_schema::{DataType, Field, Schema};
use serde_json::Value;

/// How far a probability may be from Spark NLP's.
const TOLERANCE: f32 = 1e-4;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/spark_nlp")
}

fn lines(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder().join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn model(name: &str) -> PathBuf {
    let zip = folder().join("models").join(format!("{name}.zip"));
    if zip.exists() { zip } else { folder().join("models").join(name) }
}

/// The stages that the golden run had: those of a saved pipeline, or the usual ones around a saved annotator.
fn stages(case: &Value) -> Vec<Stage> {
    let path = model(case["model"].as_str().unwrap());
    let input = case["input"].as_str().unwrap();
    if input == "pipeline" {
        // the annotations are compared, which a Finisher would take away
        let stages = PipelineModel::load(path).unwrap().stages().to_vec();
        return stages.into_iter().filter(|stage| stage.downcast_ref::<Finisher>().is_none()).collect();
    }
    let mut class = AlbertForSequenceClassification::load(path).unwrap();
    if input == "sentence" {
        class = class.input_cols(["sentence", "token"]);
    }
    let params = case["params"].as_object();
    if params.is_some() {
        // the golden run put back what the model was saved with
        class = class.batch_size(8).max_sentence_length(128).case_sensitive(false).coalesce_sentences(false);
        class = class.activation(Activation::Softmax).threshold(0.5);
    }
    for (name, value) in params.into_iter().flatten() {
        let count = || value.as_u64().unwrap() as usize;
        class = match name.as_str() {
            "batchSize" => class.batch_size(count()),
            "coalesceSentences" => class.coalesce_sentences(value.as_bool().unwrap()),
            "activation" => class.activation(match value.as_str().unwrap() {
                "softmax" => Activation::Softmax,
                "sigmoid" => Activation::Sigmoid,
                other => panic!("{other}"),
            }),
            "threshold" => class.threshold(value.as_f64().unwrap() as f32),
            "caseSensitive" => class.case_sensitive(value.as_bool().unwrap()),
            "maxSentenceLength" => class.max_sentence_length(count()),
            // set from Python it does nothing in Spark NLP, which is not worth having
            "multilabel" => class,
            other => panic!("{other}"),
        };
    }
    let mut token = Tokenizer::new().input_cols([input]);
    for (name, value) in case["tokenizer"].as_object().unwrap() {
        assert_eq!(name, "minLength");
        token = token.min_length(value.as_u64().unwrap() as usize);
    }
    vec![
        DocumentAssembler::new().into(),
        SentenceDetector::new().into(),
        token.into(),
        class.output_col("class").into(),
    ]
}

/// The annotations of one text: its classes, and the documents or sentences that were classified.
struct Row {
    class: Vec<Annotation>,
    inputs: Vec<Annotation>,
    /// Those of the inputs that have tokens, by place.
    with_tokens: Vec<usize>,
}

fn found(stages: Vec<Stage>, texts: &[&str]) -> Vec<Row> {
    let texts: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let batch = RecordBatch::try_from_iter([("text", texts)]).unwrap();
    let model = Pipeline::new().stages(stages).fit(&batch.schema()).unwrap();
    let input = model.stages().iter().find_map(|stage| {
        let class = stage.downcast_ref::<AlbertForSequenceClassification>()?;
        class.get_input_cols().iter().find(|name| *name != "token")
    });
    let annotated = model.transform(&batch).unwrap();
    let [class, inputs, tokens] =
        ["class", input.unwrap(), "token"].map(|name| AnnotationColumn::new(&annotated[name]).unwrap());
    let row = |row| {
        let of = |column: &AnnotationColumn<'_>| column.row(row).map(|a| a.to_annotation()).collect::<Vec<_>>();
        let (inputs, tokens) = (of(&inputs), of(&tokens));
        let has_token = |input: &Annotation| tokens.iter().any(|t| t.begin >= input.begin && t.end <= input.end);
        let with_tokens = (0..inputs.len()).filter(|&place| has_token(&inputs[place])).collect();
        Row { class: of(&class), inputs, with_tokens }
    };
    (0..class.rows()).map(row).collect()
}

/// How the sentences of a row are told apart in what Spark NLP gives.
#[derive(Debug, PartialEq)]
enum Places {
    /// By their spans, as here.
    Right,
    /// Spark NLP gives a class the span of another sentence: it counts from the first sentence again in each group of
    /// `batchSize`, and leaves sentences without tokens out of one side of the count alone. The classes themselves are
    /// right.
    Shifted,
    /// Spark NLP averages in groups of `batchSize`, and gives one annotation for each group.
    Grouped,
}

impl Row {
    fn places(&self, batch_size: usize, coalesce: bool) -> Places {
        let (all, counted) = (self.inputs.len(), self.with_tokens.len());
        match counted > batch_size {
            true if coalesce => Places::Grouped,
            true => Places::Shifted,
            false if counted < all => Places::Shifted,
            false => Places::Right,
        }
    }

    /// The sentence that Spark NLP takes a class for that belongs to the sentence at `begin`.
    fn shifted(&self, begin: i32, batch_size: usize) -> &Annotation {
        let counted = self.with_tokens.iter().position(|&place| self.inputs[place].begin == begin).unwrap();
        &self.inputs[counted % batch_size]
    }

    /// What is wrong with our annotations, if anything is.
    fn difference(&self, theirs: &[Value], batch_size: usize, coalesce: bool, padded: bool) -> Option<String> {
        let places = self.places(batch_size, coalesce);
        // With ONNX, Spark NLP has sentences attend to the padding that the longest of their batch asks for, so that
        // the answer for one depends on the others. Alone, each has the answer that it has here.
        if places == Places::Grouped || padded && batch_size > 1 && self.with_tokens.len() > 1 {
            return None;
        }
        if self.class.len() != theirs.len() {
            return Some(format!("{} annotations instead of {}: {theirs:?}", self.class.len(), theirs.len()));
        }
        self.class.iter().zip(theirs).find_map(|(ours, theirs)| {
            let input = match places {
                Places::Shifted => self.shifted(ours.begin, batch_size),
                _ => self.inputs.iter().find(|input| input.begin == ours.begin).unwrap(),
            };
            let theirs_at = (theirs[0].as_i64()? as i32, theirs[1].as_i64()? as i32, theirs[3].to_string());
            let at = (input.begin, input.end, input.metadata("sentence").unwrap().to_owned());
            let scores: Vec<f32> = theirs[4].as_str()?.split(' ').map(|score| score.parse().unwrap()).collect();
            let own = ours.metadata[1..].iter().map(|(_, score)| score.as_ref().unwrap().parse().unwrap());
            let own: Vec<f32> = own.collect();
            let close = own.len() == scores.len() && own.iter().zip(&scores).all(|(a, b)| (a - b).abs() <= TOLERANCE);
            let same =
                ours.result == theirs[2].as_str()? && ours.annotator_type == "category" && ours.embeddings.is_empty();
            (at != theirs_at || !close || !same).then(|| format!("{ours:?} instead of {theirs}, {places:?}"))
        })
    }
}

#[test]
fn saved_models_give_spark_nlp_s_annotations() {
    let texts = lines("class_texts.jsonl");
    let texts: Vec<&str> = texts.iter().map(|text| text.as_str().unwrap()).collect();
    let (mut cases, mut rows, mut different) = (0, 0, Vec::new());
    for case in lines("classes.jsonl") {
        let expected = case["classes"].as_array();
        let Some(expected) = expected.filter(|rows| rows.iter().all(Value::is_array)) else {
            // Spark NLP itself fails there
            continue;
        };
        if case["params"]["maxSentenceLength"] == 1 {
            // Spark NLP reads the same two pieces as with 2: here it is a slip of the finger
            let schema = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, true)]));
            let refused = Pipeline::new().stages(stages(&case)).fit(&schema);
            assert!(matches!(refused, Err(Error::MaxSentenceLength { asked: 1, least: 2, .. })));
            continue;
        }
        let found = found(stages(&case), &texts[..expected.len()]);
        assert_eq!(found.len(), expected.len());
        let what = format!("{} {} {} {}", case["model"], case["input"], case["params"], case["tokenizer"]);
        let batch_size = case["params"]["batchSize"].as_u64().unwrap_or(8) as usize;
        let coalesce = case["params"]["coalesceSentences"] == true;
        let padded = case["model"] == "annotator_onnx" || case["model"].as_str().unwrap().contains("sentence_pipeline");
        for (row, (ours, theirs)) in found.iter().zip(expected).enumerate() {
            if let Some(fault) = ours.difference(theirs.as_array().unwrap(), batch_size, coalesce, padded) {
                different.push(format!("{what} text {row} {:?}: {fault}", texts[row]));
            }
            rows += 1;
        }
        cases += 1;
    }
    assert!(cases == 30 && rows > 2000, "{cases} cases, {rows} rows");
    assert!(
        different.is_empty(),
        "{} of {rows}:\n{}",
        different.len(),
        different[..different.len().min(12)].join("\n")
    );
}

#[test]
fn saved_tokenizers_cut_as_they_did() {
    let folder = folder().join("models/tokenizers");
    let settings = |name: &str| {
        let model = PipelineModel::load(folder.join(name)).unwrap();
        match model.stages() {
            [token] => token.downcast_ref::<TokenizerModel>().unwrap().get_settings().clone(),
            other => panic!("{other:?}"),
        }
    };
    let chars = settings("context_chars");
    assert_eq!((chars.context_chars.as_slice(), chars.rules.len()), (&['(', ')', '?'][..], 0));
    let patterns = settings("patterns");
    assert_eq!(
        patterns.rules,
        [r#"\A([^\s\w\$\.]*)(\w+)('\w+)([\Q.,;:!?*-()"'\E]*)\z"#, r#"\A([^\s\w\$\.]*)(\w+)([\Q.,;:!?*-()"'\E]*)\z"#]
    );
    let cut = |settings, text: &str| {
        let mut tokens = Vec::new();
        albertine::text::Tokenizer::new(settings).unwrap().tokenize(text, 0, &mut tokens).unwrap();
        tokens.into_iter().map(|token| text[token.range].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(cut(chars, "(well, done)? yes!"), ["(", "well,", "done", ")?", "yes!"]);
    assert_eq!(cut(patterns, "[Jane's #1."), ["[", "Jane", "'s", "#", "1", "."]);
}

/// What `classify` adds to a table is what the pipeline gives, stage by stage, whoever saved it.
#[test]
fn a_saved_pipeline_classifies_as_it_is() {
    let texts = lines("class_texts.jsonl");
    let texts: Vec<&str> = texts[..120].iter().map(|text| text.as_str().unwrap()).collect();
    let column: ArrayRef = Arc::new(StringArray::from(texts.clone()));
    let batch = RecordBatch::try_from_iter([("text", column)]).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let names = [
        "albert_tiny_sequence_classifier_news_pipeline_en_5.5.3_3.0_1700000000000",
        "albert_tiny_sequence_classifier_news_sentence_pipeline_en_5.5.3_3.0_1700000000000",
        "albert_tiny_sequence_classifier_news_pipeline_en_3.4.4_3.0_1700000000000",
    ];
    for name in names {
        let whole = PipelineModel::load(model(name)).unwrap();
        let stages: Vec<Stage> =
            whole.stages().iter().filter(|stage| stage.downcast_ref::<Finisher>().is_none()).cloned().collect();
        let annotated = Pipeline::new().stages(stages).fit(&batch.schema()).unwrap().transform(&batch).unwrap();
        let ours = scratch.path().join(name);
        whole.save(&ours).unwrap();
        for path in [model(name), ours] {
            let settings = ClassifierSettings { threads: 2, ..ClassifierSettings::default() };
            let classifier = Arc::new(Classifier::pretrained(path.to_str().unwrap(), settings).unwrap());
            let columns = Columns { annotations: true, logits: true, ..Columns::default() };
            let labelled = Classify::new(classifier.clone(), columns).unwrap().transform(&batch).unwrap();
            assert_eq!(&labelled["class"], &annotated["class"], "{name}");
            let best = classifier.predict(&[Some(texts[0])]).unwrap()[0].unwrap();
            let score = labelled["score"].as_primitive::<Float32Type>();
            assert_eq!(best.score, score.value(0));
        }
    }
}
