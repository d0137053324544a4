//! The models inside the binary.

pub use albertine_model::BuiltIn;

/// Every built-in model; the first is the default.
pub const BUILT_IN: &[BuiltIn] = &[BuiltIn {
    name: "ag_news",
    language: "en",
    summary: "World, Sports, Business or Sci/Tech, for English news",
    config: include_bytes!("../builtin/ag_news/config.json"),
    weights: include_bytes!("../builtin/ag_news/model.safetensors"),
    tokenizer: include_bytes!("../builtin/ag_news/tokenizer.json"),
    tokenizer_config: include_bytes!("../builtin/ag_news/tokenizer_config.json"),
    card: include_str!("../builtin/ag_news/README.md"),
}];
