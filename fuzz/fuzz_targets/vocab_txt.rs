//! Any bytes as a `vocab.txt`, and as its configuration; whatever opens must cut any text, to the same pieces in the quick
//! way and in the plain one.
#![no_main]

use albertine_text::{SubwordTokenizer, Vocabulary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], Option<&[u8]>, &str)| {
    let (bytes, config, text) = input;
    // Almost no bytes hold the pieces that are asked for.
    let vocabulary = [b"[UNK]\n[CLS]\n[SEP]\n", bytes].concat();
    for vocabulary in [bytes, &vocabulary] {
        let Ok(tokenizer) = SubwordTokenizer::from_bytes(Vocabulary::VocabTxt(vocabulary), config) else { continue };
        for text in [text, "Any text, 1,000 times: é \u{600}a [CLS] 👍🏽 新 İ"] {
            let _ = tokenizer.encode(text, 80, &mut Vec::new());
            let mut ids = Vec::new();
            if tokenizer.encode(text, usize::MAX, &mut ids).is_ok() {
                let shown = tokenizer.inspect(text).unwrap_or_default();
                assert_eq!(shown.iter().map(|piece| piece.id).collect::<Vec<_>>(), ids);
            }
        }
    }
});
