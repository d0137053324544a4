//! The models inside the binary.

/// A model whose files are part of the program.
#[derive(Debug)]
#[non_exhaustive]
pub struct BuiltIn {
    /// The name that `--model` and `pretrained` take.
    pub name: &'static str,
    /// The language of its texts.
    pub language: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// `config.json`.
    pub config: &'static [u8],
    /// `model.safetensors`.
    pub weights: &'static [u8],
    /// `spiece.model`.
    pub spiece: &'static [u8],
    /// `tokenizer_config.json`.
    pub tokenizer_config: &'static [u8],
    /// `README.md`, the model card.
    pub card: &'static str,
}

impl BuiltIn {
    /// Its files by name, as they would stand in a model directory.
    #[must_use]
    pub fn files(&self) -> [(&'static str, &'static [u8]); 5] {
        [
            ("config.json", self.config),
            ("model.safetensors", self.weights),
            ("spiece.model", self.spiece),
            ("tokenizer_config.json", self.tokenizer_config),
            ("README.md", self.card.as_bytes()),
        ]
    }
}

/// Every built-in model; the first is the default.
pub const BUILT_IN: &[BuiltIn] = &[BuiltIn {
    name: "ag_news",
    language: "en",
    summary: "World, Sports, Business or Sci/Tech, for English news",
    config: include_bytes!("../builtin/ag_news/config.json"),
    weights: include_bytes!("../builtin/ag_news/model.safetensors"),
    spiece: include_bytes!("../builtin/ag_news/spiece.model"),
    tokenizer_config: include_bytes!("../builtin/ag_news/tokenizer_config.json"),
    card: include_str!("../builtin/ag_news/README.md"),
}];
