//! The files of a model directory that say how its texts become pieces.

pub(crate) mod config;
mod digits;
pub(crate) mod recipe;
pub(crate) mod spiece;
pub(crate) mod tokenizer_json;
