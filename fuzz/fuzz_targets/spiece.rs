//! Any bytes as a `spiece.model`; whatever opens must cut any text.
#![no_main]

use albertine_text::{SubwordTokenizer, Vocabulary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(pieces) = SubwordTokenizer::from_bytes(Vocabulary::Spiece(bytes), None) {
        let _ = pieces.encode("Any text, 1,000 times: é \u{600}a [CLS] 👍🏽 ``x''", 16, &mut Vec::new());
    }
});
