//! `albertine explain`, and the column of words of `classify --explain`.

use crate::support::{BUSINESS, SPORTS, Sandbox, assert_conversation, golden_model};

/// The lines of standard output as JSON.
fn rows(said: &str) -> Vec<serde_json::Value> {
    let data = said.split_once("----- stdout -----\n").expect("a conversation").1;
    let data = data.split_once("----- stderr -----").expect("a conversation").0;
    data.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
}

#[test]
fn a_pipe_gets_every_word_with_its_weight_for_every_class() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["explain", BUSINESS, SPORTS]);
    assert!(said.starts_with("exit code: 0\n") && said.ends_with("----- stderr -----\n"), "{said}");
    let rows = rows(&said);
    assert_eq!(rows.len(), 2);
    for (row, label) in rows.iter().zip(["Business", "Sports"]) {
        let keys: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = [
            "text",
            "label",
            "score",
            "method",
            "activation",
            "evaluations",
            "truncated",
            "labels",
            "base",
            "values",
            "words",
        ];
        expected.sort_unstable();
        let mut found = keys.clone();
        found.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(
            (&row["label"], &row["method"], &row["activation"]),
            (&label.into(), &"shap".into(), &"softmax".into())
        );
        let class = row["labels"].as_array().unwrap().iter().position(|known| known == label).unwrap();
        let weights = row["words"].as_array().unwrap().iter().map(|word| word["weights"][class].as_f64().unwrap());
        let change = row["values"][class].as_f64().unwrap() - row["base"][class].as_f64().unwrap();
        assert!((weights.sum::<f64>() - change).abs() < 1e-5);
    }
    let first = &rows[0]["words"][0];
    assert_eq!((&first["word"], &first["begin"], &first["end"]), (&"Stocks".into(), &0.into(), &6.into()));
    assert!(rows[0].get("pieces").is_none());
}

#[test]
fn the_score_is_that_of_classify() {
    let sandbox = Sandbox::new();
    let score = |arguments: &[&str]| rows(&sandbox.run(arguments))[0]["score"].clone();
    assert_eq!(score(&["explain", BUSINESS, "--method", "leave-one-out"]), score(&["classify", BUSINESS]));
}

#[test]
fn flags_choose_the_class_the_method_and_the_work() {
    let sandbox = Sandbox::new();
    let flags = ["--class", "World", "--method", "leave-one-out", "--logits"];
    let row = &rows(&sandbox.run(&[&["explain", "Oil prices rose"][..], &flags].concat()))[0];
    assert_eq!((&row["label"], &row["method"]), (&"World".into(), &"leave-one-out".into()));
    assert_eq!((&row["activation"], &row["evaluations"]), (&"identity".into(), &5.into()));
    let row = &rows(&sandbox.run(&["explain", SPORTS, "--evaluations", "20", "--pieces"]))[0];
    assert_eq!(row["evaluations"], 20);
    assert_eq!(row["pieces"][1]["piece"], "The ");
}

#[test]
fn every_kind_of_head_is_explained() {
    for model in ["regression", "multi_label", "bert_multi_label", "bert_uncased"] {
        let sandbox = Sandbox::new();
        sandbox.model("model", &golden_model(model));
        let said = sandbox.run(&["explain", "--model", "./model", "--evaluations", "30", "Oil prices rose."]);
        assert!(said.starts_with("exit code: 0\n"), "{model}: {said}");
    }
}

#[test]
fn a_page_is_written_whole_and_needs_nothing_else() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["explain", "Oil <b>prices</b> rose & fell", "--html", "oil.html", "--evaluations", "50"]);
    assert!(said.ends_with("----- stderr -----\nwritten to oil.html\n"), "{said}");
    let page = sandbox.read("oil.html");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(page.contains("&lt;") && !page.contains("<b>prices"));
    for outside in ["http:", "https:", "src=", "@import", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(sandbox.names("."), ["oil.html"]);
}

#[test]
fn what_cannot_be_explained() {
    let sandbox = Sandbox::new();
    assert_conversation!(sandbox.run(&["explain", "  "]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: nothing to explain: the text is empty
    hint: give a text, as in `albertine explain "Oil prices rose on Monday"`
    "#);
    assert_conversation!(sandbox.run(&["explain", "Oil prices", "--class", "business"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the model has no class `business`
    hint: its classes are `World`, `Sports`, `Business`, `Sci/Tech`
    ");
    let said = sandbox.run(&["explain", "Oil prices", "--html", "nowhere/oil.html"]);
    assert!(said.starts_with("exit code: 2\n") && said.contains("nowhere"), "{said}");
    assert!(sandbox.run(&["explain"]).starts_with("exit code: 2\n"));
}

#[test]
fn what_is_not_read_is_said() {
    let sandbox = Sandbox::new();
    let flags = ["--max-sentence-length", "8", "--method", "leave-one-out"];
    let said = sandbox.run(&[&["explain", BUSINESS][..], &flags].concat());
    assert!(said.ends_with("warning: 1 text was longer than 8 pieces and was truncated\n"), "{said}");
    assert_eq!(rows(&said)[0]["truncated"], true);
}

#[test]
fn classify_adds_the_words_that_decided() {
    let sandbox = Sandbox::new();
    sandbox.file("news.csv", format!("id,text\n1,{BUSINESS}\n2,\n3,{SPORTS}\n"));
    let said = sandbox.run(&["classify", "--input", "news.csv", "--explain", "2", "--quiet"]);
    let rows = rows(&said);
    assert_eq!(rows[0]["words"].as_array().map(Vec::len), Some(2));
    assert!(rows[1]["words"].is_null());
    for row in [&rows[0], &rows[2]] {
        let words = row["words"].as_array().unwrap();
        let text = row["text"].as_str().unwrap();
        for word in words {
            let [begin, end] = ["begin", "end"].map(|key| word[key].as_u64().unwrap() as usize);
            let there: String = text.chars().skip(begin).take(end - begin).collect();
            assert_eq!(word["word"], there.as_str());
            assert!(word["weight"].as_f64().unwrap() > 0.0);
        }
        assert!(words[0]["weight"].as_f64() >= words[1]["weight"].as_f64());
    }
    for output in ["labels.csv", "labels.tsv", "labels.parquet", "labels.jsonl"] {
        let flags = ["--explain", "2", "--explain-method", "shap", "--output", output, "--quiet"];
        let said = sandbox.run(&[&["classify", "--input", "news.csv"][..], &flags].concat());
        assert!(said.starts_with("exit code: 0\n"), "{output}: {said}");
        let read = sandbox.run(&["classify", "--input", output, "--quiet"]);
        assert!(read.contains("Business"), "{output}: {read}");
    }
    assert!(sandbox.read("labels.csv").contains("\"\"word\"\":"));
}

#[test]
fn an_input_column_of_that_name_is_kept() {
    let sandbox = Sandbox::new();
    sandbox.file("news.csv", format!("words,text\nmine,{BUSINESS}\n"));
    let said = sandbox.run(&["classify", "--input", "news.csv", "--explain", "1", "--quiet"]);
    assert_eq!(rows(&said)[0]["words"], "mine");
    assert_eq!(rows(&said)[0]["predicted_words"].as_array().map(Vec::len), Some(1));
}
