//! Any text as a Java regular expression, the rest of it as what it is looked for in.
#![no_main]

use albertine_text::Pattern;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (pattern, text) = text.split_once('\0').unwrap_or((text, "Any text, 1,000 times: é \u{301}a 👍🏽\r\n"));
    if let Ok(pattern) = Pattern::new(pattern) {
        let _ = pattern.find_all(text);
        let _ = pattern.captures(text);
        let _ = pattern.split(text);
    }
});
