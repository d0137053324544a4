//! Any bytes as a `tokenizer.json`, and as its configuration; whatever opens must cut any text.
#![no_main]

use albertine_text::{Pieces, Vocabulary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], Option<&[u8]>)| {
    let (bytes, config) = input;
    if let Ok(pieces) = Pieces::from_bytes(Vocabulary::TokenizerJson(bytes), config) {
        let _ = pieces.encode("Any text, 1,000 times: é \u{600}a [CLS] 👍🏽 ``x''", 16, &mut Vec::new());
        let _ = pieces.inspect("Any text");
    }
});
