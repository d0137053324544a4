//! Labels that are numbers, in Parquet files that say what the numbers are, as `datasets` writes them.

use std::collections::HashMap;

use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
use serde_json::{Value, json};

use crate::support::{BUSINESS, SPORTS, Sandbox, assert_conversation, column, golden_model};

/// A headline for each row, and a label that is a class of these names.
fn news(sandbox: &Sandbox, name: &str, labels: ArrayRef, names: &[&str]) {
    let rows = labels.len();
    let texts = (0..rows).map(|row| Some([BUSINESS, SPORTS][row % 2])).collect::<StringArray>();
    let features = json!({
        "text": {"dtype": "string", "_type": "Value"},
        "tags": {"feature": {"dtype": "string", "_type": "Value"}, "_type": "Sequence"},
        "label": {"names": names, "_type": "ClassLabel"},
    });
    let metadata = json!({"info": {"features": features}}).to_string();
    let metadata = HashMap::from([("huggingface".to_owned(), metadata)]);
    sandbox.parquet_with(name, vec![("text", column(texts)), ("label", labels)], metadata);
}

fn numbers<const N: usize>(numbers: [i64; N]) -> ArrayRef {
    column(Int64Array::from(numbers.to_vec()))
}

/// The metrics of a run, and what it says.
fn evaluate(sandbox: &Sandbox, flags: &[&str]) -> (Value, String) {
    let output = sandbox.command(&[&["evaluate"], flags].concat()).output().expect("the binary starts");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    (serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}")), stderr)
}

/// A model whose classes are called `LABEL_0` and so on.
fn placeholders(sandbox: &Sandbox, classes: usize) {
    sandbox.model("base", &golden_model("gelu"));
    let mut config: Value = serde_json::from_str(&sandbox.read("base/config.json")).expect("JSON");
    let own = config["id2label"].as_object().expect("labels").len();
    assert_eq!(own, classes, "the model has other classes");
    config["id2label"] = (0..classes).map(|class| (class.to_string(), json!(format!("LABEL_{class}")))).collect();
    config["label2id"] = (0..classes).map(|class| (format!("LABEL_{class}"), json!(class))).collect();
    sandbox.file("base/config.json", config.to_string());
}

fn labels(sandbox: &Sandbox, model: &str) -> Vec<String> {
    let config: Value = serde_json::from_str(&sandbox.read(&format!("{model}/config.json"))).expect("JSON");
    let labels = config["id2label"].as_object().expect("labels");
    (0..labels.len()).map(|class| labels[&class.to_string()].as_str().expect("a label").to_owned()).collect()
}

fn train(sandbox: &Sandbox, flags: &[&str]) -> String {
    sandbox.run(&[&["train", "--freeze-encoder", "--epochs", "20", "--learning-rate", "0.05"], flags].concat())
}

#[test]
fn numbers_are_the_classes_of_their_names_in_any_order() {
    let sandbox = Sandbox::new();
    news(&sandbox, "hf.parquet", numbers([0, 2, 0, 2]), &["Business", "Sci/Tech", "Sports", "World"]);
    let (metrics, said) = evaluate(&sandbox, &["--input", "hf.parquet"]);
    assert_eq!((&metrics["eval_accuracy"], &metrics["eval_samples"]), (&1.0.into(), &4.into()), "{said}");
    assert!(
        said.contains(
            "numeric labels were read by the table's own names for them: 0 is Business, 1 is Sci/Tech, 2 is Sports, 3 is World\n"
        ),
        "{said}"
    );
    // the case of a name tells nothing apart, and floats are numbers
    let floats = column(Float64Array::from(vec![Some(1.0), Some(0.0), None, Some(-1.0)]));
    news(&sandbox, "float.parquet", floats, &["SPORTS", "business"]);
    let (metrics, said) = evaluate(&sandbox, &["--input", "float.parquet"]);
    assert_eq!((&metrics["eval_accuracy"], &metrics["eval_left_out"]), (&1.0.into(), &2.into()), "{said}");
    assert!(said.contains("2 rows have no text or no label and were skipped"), "{said}");
}

#[test]
fn a_row_of_minus_one_has_no_label() {
    let sandbox = Sandbox::new();
    news(&sandbox, "hf.parquet", numbers([2, 1, -1]), &["World", "Sports", "Business", "Sci/Tech"]);
    let (metrics, _) = evaluate(&sandbox, &["--input", "hf.parquet"]);
    assert_eq!((&metrics["eval_samples"], &metrics["eval_left_out"]), (&2.into(), &1.into()));
    // without names it is a number like others
    sandbox.file("plain.csv", format!("text,label\n{BUSINESS},-1\n"));
    assert!(sandbox.run(&["evaluate", "--input", "plain.csv"]).contains("row 1: `-1` is not a class of the model"));
}

#[test]
fn names_that_the_model_does_not_have_are_told() {
    let sandbox = Sandbox::new();
    news(&sandbox, "four.parquet", numbers([2, 1]), &["welt", "sport", "wirtschaft", "technik"]);
    let (metrics, said) = evaluate(&sandbox, &["--input", "four.parquet"]);
    assert_eq!(metrics["eval_accuracy"], 1.0);
    assert!(
        said.contains(
            "warning: the table names its classes `welt`, `sport`, `wirtschaft`, `technik`, and none of them is a class of the \
             model, whose classes are `World`, `Sports`, `Business`, `Sci/Tech`: numbers were read as class indices\n"
        ),
        "{said}"
    );
    // the user says which is which, and the table which number is which
    let (metrics, said) = evaluate(&sandbox, &["--input", "four.parquet", "--labels", "technik,wirtschaft,sport,welt"]);
    assert_eq!(metrics["confusion_matrix"][2][1], 1, "{said}");
    assert!(!said.contains("warning: the table names"), "{said}");
    news(&sandbox, "two.parquet", numbers([0, 1]), &["neg", "pos"]);
    assert_conversation!(sandbox.run(&["evaluate", "--input", "two.parquet"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the table names its classes `neg`, `pos`, and the model's are `World`, `Sports`, `Business`, `Sci/Tech`: none is the same
    hint: give the table's names for the model's classes with `--labels`, in the model's order, or choose another model
    "#);
    news(&sandbox, "some.parquet", numbers([0, 1]), &["Business", "Weather"]);
    let said = sandbox.run(&["evaluate", "--input", "some.parquet"]);
    assert!(said.contains("row 2: `Weather` is not a class of the model"), "{said}");
}

#[test]
fn files_that_disagree_on_what_numbers_are_stop_the_run() {
    let sandbox = Sandbox::new();
    news(&sandbox, "a.parquet", numbers([0, 1]), &["Business", "Sports"]);
    news(&sandbox, "b.parquet", numbers([1, 0]), &["Sports", "Business"]);
    for command in [&["evaluate"][..], &["train", "--output", "model"]] {
        let said = sandbox.run(&[command, &["--input", "a.parquet", "--input", "b.parquet"]].concat());
        assert!(said.contains("the numbers of \"label\" stand for other classes in the second"), "{said}");
    }
    let said = sandbox.run(&["classify", "--quiet", "--input", "a.parquet", "--input", "b.parquet"]);
    assert!(said.starts_with("exit code: 0"), "{said}");
    // files without names agree with any
    sandbox.parquet(
        "c.parquet",
        vec![("text", column(StringArray::from(vec![BUSINESS, SPORTS]))), ("label", numbers([0, 1]))],
    );
    let (metrics, said) = evaluate(&sandbox, &["--input", "c.parquet", "--input", "a.parquet"]);
    assert_eq!(metrics["eval_accuracy"], 1.0, "{said}");
}

#[test]
fn a_new_model_has_the_names_for_its_classes() {
    let sandbox = Sandbox::new();
    news(&sandbox, "train.parquet", numbers([3, 1, 3, 1, -1]), &["art", "games", "law", "money"]);
    sandbox.file("named.csv", format!("text,label\n{BUSINESS},money\n{SPORTS},games\n"));
    sandbox.file("numbered.csv", format!("text,label\n{BUSINESS},3\n{SPORTS},1.0\n"));
    news(&sandbox, "turned.parquet", numbers([0, 1]), &["Money", "Games"]);
    for (number, test) in ["named.csv", "numbered.csv", "turned.parquet"].into_iter().enumerate() {
        let output = format!("model{number}");
        let said = train(&sandbox, &["--input", "train.parquet", "--output", &output, "--test", test]);
        assert!(said.contains("a new classification head with 2 classes: games, money\n"), "{said}");
        assert!(said.contains("1 row of train.parquet has no text or no label and was skipped"), "{said}");
        assert!(said.contains("\"eval_accuracy\":1.0"), "{test}: {said}");
        assert_eq!(labels(&sandbox, &output), ["games", "money"]);
    }
    news(&sandbox, "other.parquet", numbers([0, 1]), &["neg", "pos"]);
    let said = train(&sandbox, &["--input", "train.parquet", "--output", "none", "--test", "other.parquet"]);
    assert!(said.contains("other.parquet has the label `neg`, which does not occur in the training set"), "{said}");
    news(&sandbox, "unnamed.parquet", numbers([0, 1, 2]), &["neg", "pos"]);
    let said = train(&sandbox, &["--input", "unnamed.parquet", "--output", "none"]);
    assert!(said.contains("unnamed.parquet has the label 2 and names only 2 classes: `neg`, `pos`"), "{said}");
}

#[test]
fn a_model_with_these_classes_is_trained_further() {
    let sandbox = Sandbox::new();
    news(&sandbox, "train.parquet", numbers([0, 2, 0, 2]), &["business", "sci/tech", "sports", "world"]);
    let said = train(&sandbox, &["--input", "train.parquet", "--output", "model", "--test", "train.parquet"]);
    assert!(
        said.contains("the model's own classification head with 4 classes: World, Sports, Business, Sci/Tech"),
        "{said}"
    );
    assert!(said.contains("\"eval_accuracy\":1.0"), "{said}");
    // placeholders are no names, and get some
    placeholders(&sandbox, 4);
    let said = train(&sandbox, &["--input", "train.parquet", "--model", "./base", "--output", "named"]);
    assert!(said.contains("the model's own classification head with 4 classes: business, sci/tech"), "{said}");
    assert_eq!(labels(&sandbox, "named"), ["business", "sci/tech", "sports", "world"]);
}

#[test]
fn whole_numbers_are_the_same_classes_with_a_fraction_of_zero() {
    let sandbox = Sandbox::new();
    // as pandas writes a column of integers with holes
    sandbox.file("train.csv", format!("text,label\n{BUSINESS},1.0\n{SPORTS},10.0\n{SPORTS},\n"));
    sandbox.file("test.csv", format!("text,label\n{BUSINESS},1\n{SPORTS},10\n"));
    let said = train(&sandbox, &["--input", "train.csv", "--output", "model", "--test", "test.csv"]);
    assert!(said.contains("a new classification head with 2 classes: 1, 10\n"), "{said}");
    sandbox.parquet(
        "float.parquet",
        vec![
            ("text", column(StringArray::from(vec![BUSINESS, SPORTS]))),
            ("label", column(Float64Array::from(vec![1.0, f64::NAN]))),
        ],
    );
    let (metrics, said) = evaluate(&sandbox, &["--model", "./model", "--input", "float.parquet"]);
    assert_eq!((&metrics["eval_samples"], &metrics["eval_left_out"]), (&1.into(), &1.into()), "{said}");
    // versions are no numbers
    sandbox.file("versions.csv", format!("text,label\n{BUSINESS},1.0\n{SPORTS},1.5\n"));
    let said = train(&sandbox, &["--input", "versions.csv", "--output", "versions"]);
    assert!(said.contains("a new classification head with 2 classes: 1.0, 1.5\n"), "{said}");
}
