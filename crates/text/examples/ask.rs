#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]
use albertine_text::*;
use serde_json::{Value, json};
use std::io::{BufRead, Write};
fn strs(v: &Value) -> Vec<String> {
    v.as_array().unwrap().iter().map(|x| x.as_str().unwrap().to_owned()).collect()
}
fn main() {
    let stdin = std::io::stdin();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut sd: Option<SentenceDetector> = None;
    let mut tk: Option<Tokenizer> = None;
    let mut cm = None;
    let mut err: Option<String> = None;
    for line in stdin.lock().lines() {
        let j: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if let Some(stage) = j.get("stage").and_then(Value::as_str) {
            sd = None;
            tk = None;
            cm = None;
            err = None;
            let p = j["params"].as_object().unwrap();
            if stage == "sentence" || stage == "both" {
                let mut s = SentenceDetectorSettings::default();
                for (k, v) in p {
                    match k.as_str() {
                        "useAbbreviations" => s.use_abbreviations = v.as_bool().unwrap(),
                        "detectLists" => s.detect_lists = v.as_bool().unwrap(),
                        "useCustomBoundsOnly" => s.use_custom_bounds_only = v.as_bool().unwrap(),
                        "customBounds" => s.custom_bounds = strs(v),
                        "customBoundsStrategy" => match BoundsStrategy::named(v.as_str().unwrap()) {
                            Ok(b) => s.custom_bounds_strategy = b,
                            Err(e) => err = Some(e.to_string()),
                        },
                        "splitLength" => s.split_length = Some(v.as_u64().unwrap() as usize),
                        "minLength" => s.min_length = v.as_u64().unwrap() as usize,
                        "maxLength" => s.max_length = Some(v.as_u64().unwrap() as usize),
                        _ => {}
                    }
                }
                match SentenceDetector::new(s) {
                    Ok(s) => sd = Some(s),
                    Err(e) => err = Some(e.to_string()),
                }
            }
            if stage == "token" || stage == "both" {
                let mut s = TokenizerSettings::default();
                if stage == "token" {
                    for (k, v) in p {
                        match k.as_str() {
                            "targetPattern" => s.target_pattern = v.as_str().map(str::to_owned),
                            "prefixPattern" => s.prefix_pattern = v.as_str().map(str::to_owned),
                            "suffixPattern" => s.suffix_pattern = v.as_str().map(str::to_owned),
                            "splitPattern" => s.split_pattern = v.as_str().map(str::to_owned),
                            "infixPatterns" => s.infix_patterns = strs(v),
                            "exceptions" => s.exceptions = strs(v),
                            "splitChars" => s.split_chars = strs(v),
                            "caseSensitiveExceptions" => s.case_sensitive_exceptions = v.as_bool().unwrap(),
                            "contextChars" => {
                                s.context_chars = ContextChars::new(strs(v).iter().map(|c| c.chars().next().unwrap()))
                            }
                            "minLength" => s.min_length = v.as_u64().unwrap() as usize,
                            "maxLength" => s.max_length = Some(v.as_u64().unwrap() as usize),
                            _ => {}
                        }
                    }
                }
                match Tokenizer::new(s) {
                    Ok(s) => tk = Some(s),
                    Err(e) => err = Some(e.to_string()),
                }
            }
            if stage == "document" {
                cm = Some(CleanupMode::named(p["cleanupMode"].as_str().unwrap()).unwrap());
            }
            continue;
        }
        let text = j["text"].as_str().unwrap();
        let mut r = json!({});
        if let Some(e) = &err {
            r["error"] = json!(e);
            writeln!(out, "{r}").unwrap();
            continue;
        }
        if let Some(m) = cm {
            r["document"] = json!(m.apply(text));
        }
        let mut sents = vec![];
        let mut go = || -> Result<(), TextError> {
            let whole = Sentence { range: 0..text.len(), begin: 0, end: 0 };
            if let Some(sd) = &sd {
                sd.detect(text, &mut sents)?;
                r["sentences"] = sents.iter().map(|s| json!([s.begin, s.end])).collect();
            } else {
                sents.push(whole);
            }
            if let Some(tk) = &tk {
                let mut t = vec![];
                for s in &sents {
                    tk.tokenize(s.text(text), s.begin, &mut t)?;
                }
                r["tokens"] = t.iter().map(|s| json!([s.begin, s.end])).collect();
            }
            Ok(())
        };
        if let Err(e) = go() {
            r["error"] = json!(e.to_string());
        }
        writeln!(out, "{r}").unwrap();
    }
}
