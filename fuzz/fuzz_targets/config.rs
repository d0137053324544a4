//! `config.json`: what is accepted has sizes that no product of them overflows.
#![no_main]

use std::path::Path;

use albertine_model::ModelConfig;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(config) = ModelConfig::from_slice(bytes, Path::new("config.json")) {
        assert!(config.parameters() > 0 && !config.labels().is_empty());
    }
});
