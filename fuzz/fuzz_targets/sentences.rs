//! Any text cut into sentences and tokens; both lie in the text.
#![no_main]

use albertine_text::{SentenceDetector, Tokenizer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (mut sentences, mut tokens) = (Vec::new(), Vec::new());
    let found = SentenceDetector::default().detect(text, &mut sentences);
    assert!(found.is_ok());
    let mut end = 0;
    for sentence in &sentences {
        assert!(end <= sentence.range.start && !sentence.text(text).is_empty());
        end = sentence.range.end;
        assert!(Tokenizer::default().tokenize(sentence.text(text), sentence.begin, &mut tokens).is_ok());
    }
});
