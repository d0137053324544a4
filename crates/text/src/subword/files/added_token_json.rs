//! Added tokens as JSON files have them.

use serde::Deserialize;

use crate::subword::added_tokens::AddedToken;

/// An added token of `tokenizer.json` or `tokenizer_config.json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AddedTokenJson {
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    /// Special tokens are not normalised unless they say so, and others are.
    normalized: Option<bool>,
    #[serde(default)]
    special: bool,
}

impl From<AddedTokenJson> for AddedToken {
    fn from(token: AddedTokenJson) -> Self {
        Self {
            normalized: token.normalized.unwrap_or(!token.special),
            content: token.content,
            single_word: token.single_word,
            lstrip: token.lstrip,
            rstrip: token.rstrip,
            special: token.special,
        }
    }
}
