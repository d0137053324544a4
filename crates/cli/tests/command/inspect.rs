//! `albertine inspect`: pieces, models and the CPU.

use crate::support::{Sandbox, assert_conversation, golden_model};

#[test]
fn pieces_have_ids_and_offsets() {
    let said = Sandbox::new().run(&["inspect", "pieces", "Oil prices rose"]);
    let rows: Vec<serde_json::Value> = said
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert!(said.starts_with("exit code: 0"), "{said}");
    assert_eq!(rows.first().expect("a first piece")["piece"], "[CLS]");
    assert_eq!(rows.last().expect("a last piece")["piece"], "[SEP]");
    let text: String =
        rows[1..rows.len() - 1].iter().map(|row| row["piece"].as_str().expect("a piece is text")).collect();
    assert_eq!(text.replace('▁', " ").trim(), "oil prices rose");
}

#[test]
fn a_model_tells_what_it_is() {
    let sandbox = Sandbox::new();
    sandbox.model("tiny", &golden_model("regression"));
    assert_conversation!(sandbox.run(&["inspect", "model", "./tiny"]), @r#"
    exit code: 0
    ----- stdout -----
    {"model":"./tiny","labels":["stars"],"problem_type":"regression","parameters":24097,"hidden_layers":2,"hidden_groups":1,"inner_groups":1,"attention_heads":4,"hidden_size":40,"intermediate_size":64,"embedding_size":16,"vocabulary":480,"positions":128,"activation":"gelu_new","max_sentence_length":128,"kind":"Hugging Face model","encoding":"document","files":{"config.json":[SIZE],"expected.json":[SIZE],"model.safetensors":[SIZE],"special_tokens_map.json":[SIZE],"spiece.model":[SIZE],"tokenizer.json":[SIZE],"tokenizer_config.json":[SIZE]}}
    ----- stderr -----
    "#);
}

#[test]
fn the_built_in_model_tells_its_labels() {
    let said = Sandbox::new().run(&["inspect", "model"]);
    let facts: serde_json::Value = serde_json::from_str(said.lines().nth(2).expect("a line of data")).expect("JSON");
    assert_eq!(facts["model"], "ag_news");
    assert_eq!(facts["labels"], serde_json::json!(["World", "Sports", "Business", "Sci/Tech"]));
}

#[test]
fn the_cpu_level_can_be_lowered() {
    let sandbox = Sandbox::new();
    let output =
        sandbox.command(&["inspect", "cpu"]).env("ALBERTINE_CPU", "portable").output().expect("the binary starts");
    let facts: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(facts["cpu_level"], "portable");
    assert_eq!(facts["available"][0], "portable");
    assert_eq!(facts["precisions"], serde_json::json!(["f32", "int8"]), "plain Rust multiplies no bfloat16");
    assert!(facts["cores"].as_u64().is_some_and(|cores| cores >= 1));
}
