//! The files of a trained vocabulary, as Hugging Face's `tokenizers` and transformers read them.

use serde_json::{Value, json};

use super::SPECIALS;

/// `tokenizer.json`: the steps of ALBERT's tokenizer around a unigram model.
pub(super) fn tokenizer_json(pieces: &[(String, f64)]) -> String {
    let replace = |pattern: &str| json!({"type": "Replace", "pattern": {"String": pattern}, "content": "\""});
    let special = |(id, content): (usize, &&str)| {
        json!({
            "id": id, "content": content, "single_word": false, "lstrip": *content == "[MASK]", "rstrip": false,
            "normalized": false, "special": true,
        })
    };
    let token = |name: &str, kind: u8| json!({"SpecialToken": {"id": name, "type_id": kind}});
    let sequence = |name: &str, kind: u8| json!({"Sequence": {"id": name, "type_id": kind}});
    let ids = |name: &str| {
        let id = SPECIALS.iter().position(|special| *special == name);
        json!({"id": name, "ids": [id], "tokens": [name]})
    };
    let metaspace = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true});
    let (cls, sep) = (token("[CLS]", 0), token("[SEP]", 0));
    let file = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": SPECIALS.iter().enumerate().map(special).collect::<Vec<Value>>(),
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Nmt"}, replace("``"), replace("''"), {"type": "NFKD"}, {"type": "StripAccents"},
            {"type": "Lowercase"}, {"type": "NFKC"},
        ]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [cls, sequence("A", 0), sep],
            "pair": [cls, sequence("A", 0), sep, sequence("B", 1), token("[SEP]", 1)],
            "special_tokens": {"[CLS]": ids("[CLS]"), "[SEP]": ids("[SEP]")},
        },
        "decoder": metaspace,
        "model": {"type": "Unigram", "unk_id": 1, "vocab": pieces, "byte_fallback": false},
    });
    format!("{file}\n")
}

/// `tokenizer_config.json`: a class that reads `tokenizer.json` as it is, and which piece is which.
pub(super) fn tokenizer_config_json(model_max_length: usize) -> String {
    let [pad, unknown, cls, sep, mask] = SPECIALS;
    let file = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": model_max_length,
        "clean_up_tokenization_spaces": false,
        "pad_token": pad, "unk_token": unknown, "cls_token": cls, "sep_token": sep, "mask_token": mask,
    });
    format!("{file:#}\n")
}
