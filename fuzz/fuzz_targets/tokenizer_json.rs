//! Any bytes as a `tokenizer.json`, and as its configuration; whatever opens must cut any text, to the same pieces in
//! the quick way and in the plain one.
#![no_main]

use albertine_text::{SubwordTokenizer, Vocabulary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], Option<&[u8]>, &str)| {
    let (bytes, config, text) = input;
    if let Ok(pieces) = SubwordTokenizer::from_bytes(Vocabulary::TokenizerJson(bytes), config) {
        for text in [text, "Any text, 1,000 times: é \u{600}a [CLS] 👍🏽 ``x''"] {
            let _ = pieces.encode(text, 80, &mut Vec::new());
            let mut ids = Vec::new();
            if pieces.encode(text, usize::MAX, &mut ids).is_ok() {
                let shown = pieces.inspect(text).unwrap_or_default();
                assert_eq!(shown.iter().map(|piece| piece.id).collect::<Vec<_>>(), ids);
            }
        }
    }
});
