//! Tests of the whole: files to vocabularies, texts to ids, and what is said about bad files.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A `tokenizer.json` as the current converter writes it, with a few pieces.
pub(crate) fn tokenizer_json() -> Value {
    let special =
        |id: u32, content: &str| json!({ "id": id, "content": content, "special": true, "normalized": false });
    json!({
        "version": "1.0",
        "added_tokens": [special(0, "<pad>"), special(1, "<unk>"), special(2, "[CLS]"), special(3, "[SEP]")],
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "Replace", "pattern": { "String": "``" }, "content": "\"" },
            { "type": "NFKD" }, { "type": "StripAccents" }, { "type": "Lowercase" },
            { "type": "Replace", "pattern": { "Regex": " {2,}" }, "content": " " },
        ] },
        "pre_tokenizer": { "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                { "SpecialToken": { "id": "[CLS]", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } },
                { "SpecialToken": { "id": "[SEP]", "type_id": 0 } },
            ],
            "pair": [],
            "special_tokens": {
                "[CLS]": { "id": "[CLS]", "ids": [2], "tokens": ["[CLS]"] },
                "[SEP]": { "id": "[SEP]", "ids": [3], "tokens": ["[SEP]"] },
            },
        },
        "model": { "type": "Unigram", "unk_id": 1, "vocab": [
            ["<pad>", 0.0], ["<unk>", 0.0], ["[CLS]", 0.0], ["[SEP]", 0.0], ["[MASK]", 0.0],
            ["▁", -2.0], ["a", -3.0], ["b", -3.0], ["▁ab", -4.0], ["▁cd", -4.0], ["1", -5.0], ["é", -5.0], ["A", -5.0],
        ] },
    })
}

pub(crate) fn open(file: &Value, config: Option<Value>) -> Result<SubwordTokenizer, TextError> {
    let config = config.map(|config| config.to_string());
    SubwordTokenizer::from_bytes(
        Vocabulary::TokenizerJson(file.to_string().as_bytes()),
        config.as_deref().map(str::as_bytes),
    )
}

pub(crate) fn ids(pieces: &SubwordTokenizer, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    pieces.encode(text, usize::MAX, &mut ids).unwrap();
    ids
}

/// The message of the error that `change` makes of the good file.
fn fault(change: impl Fn(&mut Value)) -> String {
    let mut file = tokenizer_json();
    change(&mut file);
    open(&file, None).expect_err("the file is bad").to_string()
}

#[test]
fn inspect_shows_pieces_and_places() {
    let pieces = open(&tokenizer_json(), None).unwrap();
    let shown: Vec<_> = pieces.inspect("Áb  x").unwrap().into_iter().map(|p| (p.text, p.id, p.begin, p.end)).collect();
    let piece = |text: &str, id, begin, end| (text.to_owned(), id, begin, end);
    let expected = [
        piece("[CLS]", 2, 0, 0),
        piece("▁ab", 8, 0, 2),
        piece("▁", 5, 3, 4),
        piece("<unk>", 1, 4, 5),
        piece("[SEP]", 3, 0, 0),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn limits_and_counts() {
    let pieces = open(&tokenizer_json(), Some(json!({ "model_max_length": 512 }))).unwrap();
    let mut ids = vec![9];
    let encoded = pieces.encode("ab ab ab", 4, &mut ids).unwrap();
    assert_eq!((encoded, &ids[..]), (Encoded { truncated: true }, &[9, 2, 8, 8, 3][..]));
    let encoded = pieces.encode("ab", 2, &mut ids).unwrap();
    assert_eq!((encoded, &ids[5..]), (Encoded { truncated: true }, &[2, 3][..]));
    let error = pieces.encode("ab", 1, &mut ids).unwrap_err();
    assert_eq!(error.to_string(), "a limit of 1 pieces leaves no room for the 2 special pieces around a text");
    assert_eq!(ids.len(), 7, "an error leaves the ids as they were");
    assert_eq!((pieces.model_max_length(), pieces.vocabulary(), pieces.specials()), (Some(512), 13, 2));
    assert_eq!((pieces.id_to_piece(8).as_deref(), pieces.id_to_piece(99)), (Some("▁ab"), None));
}

#[test]
fn sentinel_lengths_mean_none() {
    let file = tokenizer_json().to_string();
    for length in ["1e30", "1000000000000000019884624838656", "null"] {
        let config = format!("{{\"model_max_length\": {length}}}");
        let pieces =
            SubwordTokenizer::from_bytes(Vocabulary::TokenizerJson(file.as_bytes()), Some(config.as_bytes())).unwrap();
        assert_eq!(pieces.model_max_length(), None);
    }
}

#[test]
fn case_can_be_told_apart_or_not() {
    let open = || open(&tokenizer_json(), None).unwrap();
    assert_eq!(ids(&open(), "AB"), [2, 8, 3]);
    let sensitive = open().with_case_sensitive(true).unwrap();
    assert_eq!(ids(&sensitive, "AB"), [2, 5, 12, 1, 3]);
    assert_eq!(ids(&sensitive.with_case_sensitive(false).unwrap(), "AB"), [2, 8, 3]);
}

#[test]
fn a_spiece_model_takes_the_usual_mask() {
    for config in ["{}", "{\"mask_token\": \"[MASK]\"}"] {
        let pieces = SubwordTokenizer::from_bytes(Vocabulary::Spiece(&spiece()), Some(config.as_bytes())).unwrap();
        assert_eq!(ids(&pieces, " [MASK]"), [2, 4, 3]);
    }
}

/// What transformers makes of the token lists of the small files, as found by experiment.
#[test]
fn added_pieces_follow_transformers() {
    let mask = "a [MASK]";
    let with = |config: Value| ids(&open(&tokenizer_json(), Some(config)).unwrap(), mask);
    assert_eq!(with(json!({})), [2, 5, 6, 4, 3], "the mask takes the space before it along");
    assert_eq!(with(json!({ "split_special_tokens": true })), [2, 5, 6, 5, 1, 6, 1, 3]);
    let decoder = json!({ "added_tokens_decoder": {
        "30": { "content": "<y>" }, "4": { "content": "[MASK]", "special": true }, "12": { "content": "<x>" },
    } });
    let pieces = open(&tokenizer_json(), Some(decoder)).unwrap();
    assert_eq!(ids(&pieces, "<x><Y>"), [2, 13, 14, 3], "ids go by order, and plain tokens are found in any case");
    assert_eq!(ids(&pieces, mask), [2, 5, 6, 5, 4, 3], "a definition of the mask replaces the usual one");
    let mut defined = tokenizer_json();
    defined["added_tokens"][3] = json!({ "id": 4, "content": "[MASK]", "special": true, "normalized": false });
    let with = |config: Option<Value>| ids(&open(&defined, config).unwrap(), mask);
    assert_eq!(with(None), [2, 5, 6, 4, 3], "unnamed, the mask is the usual one");
    assert_eq!(with(Some(json!({ "mask_token": "[MASK]" }))), [2, 5, 6, 5, 4, 3], "named, it is the file's");
    let more = json!({ "additional_special_tokens": ["<y>", { "content": "<z>", "rstrip": true }] });
    let pieces = open(&tokenizer_json(), Some(more)).unwrap();
    assert_eq!(ids(&pieces, "<z> <y>"), [2, 14, 13, 3]);
}

#[test]
fn older_files_are_read() {
    let mut file = tokenizer_json();
    file["pre_tokenizer"] = json!({ "type": "Sequence", "pretokenizers": [
        { "type": "WhitespaceSplit" },
        { "type": "Metaspace", "replacement": "▁", "str_rep": "▁", "add_prefix_space": true },
    ] });
    file["post_processor"] = json!({ "type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2] });
    assert_eq!(ids(&open(&file, None).unwrap(), " ab\u{2003}cd "), [2, 8, 9, 3]);
    file["truncation"] = json!({ "direction": "Left", "max_length": 4, "strategy": "LongestFirst", "stride": 0 });
    let cut = |config: Option<Value>| {
        let mut ids = Vec::new();
        open(&file, config).unwrap().encode("ab cd", 3, &mut ids).unwrap();
        ids
    };
    assert_eq!(cut(None), [2, 9, 3]);
    assert_eq!(cut(Some(json!({ "truncation_side": "right" }))), [2, 8, 3]);
}

#[test]
fn faults_in_tokenizer_json_are_named() {
    let unsupported =
        |part: &str, kind: &str| format!("tokenizer.json asks for the {part} {kind:?}, which is not supported");
    assert_eq!(fault(|f| f["model"] = json!({ "type": "BPE", "vocab": { "a": 0 } })), unsupported("model", "BPE"));
    assert_eq!(fault(|f| f["version"] = json!("2.0")), unsupported("version", "2.0"));
    assert_eq!(fault(|f| f["normalizer"] = json!({ "type": "ByteLevel" })), unsupported("normalizer", "ByteLevel"));
    assert_eq!(fault(|f| f["pre_tokenizer"] = json!({ "type": "Split" })), unsupported("pre-tokenizer", "Split"));
    let roberta = json!({ "type": "RobertaProcessing" });
    assert_eq!(fault(|f| f["post_processor"] = roberta.clone()), unsupported("post-processor", "RobertaProcessing"));

    let malformed = |reason: &str| format!("tokenizer.json is malformed: {reason}");
    assert_eq!(fault(|f| f["model"]["vocab"] = json!([])), malformed("it has no pieces"));
    let unknown = "its unknown piece has id 13, and the last piece has id 12";
    assert_eq!(fault(|f| f["model"]["unk_id"] = json!(13)), malformed(unknown));
    assert_eq!(fault(|f| f["model"]["unk_id"] = Value::Null), malformed("its model has no unknown piece"));
    let long = "a".repeat(513);
    assert_eq!(fault(|f| f["model"]["vocab"][6][0] = json!(long)), malformed("piece 6 is longer than 512 bytes"));
    let map = |text: &str| json!({ "type": "Precompiled", "precompiled_charsmap": text });
    assert_eq!(fault(|f| f["normalizer"] = map("AAA*")), malformed("its character map is not base64"));
    let length = "its character map claims 4294967295 bytes of trie and has 0";
    assert_eq!(fault(|f| f["normalizer"] = map("/////w==")), malformed(length));
    let text = "its template does not hold the text exactly once";
    assert_eq!(fault(|f| f["post_processor"]["single"] = json!([])), malformed(text));

    let regex = |pattern: &str| json!({ "type": "Replace", "pattern": { "Regex": pattern }, "content": " " });
    assert_eq!(fault(|f| f["normalizer"] = regex("(a+)+$")), unsupported("replacement pattern", "(a+)+$"));

    let error = SubwordTokenizer::from_bytes(Vocabulary::TokenizerJson(b"{"), None).unwrap_err();
    assert!(error.to_string().starts_with("cannot parse tokenizer.json: EOF"), "{error}");
    let error = open(&tokenizer_json(), Some(json!({ "do_lower_case": "yes" }))).unwrap_err();
    assert!(error.to_string().starts_with("cannot parse tokenizer_config.json: "), "{error}");
    let error = open(&tokenizer_json(), Some(json!({ "truncation_side": "middle" }))).unwrap_err();
    assert!(error.to_string().contains("unknown variant `middle`"), "{error}");
}

/// Small files that would make very much of a short text, or of nothing.
#[test]
fn multipliers_are_refused() {
    let malformed = |reason: &str| format!("tokenizer.json is malformed: {reason}");
    let replace = |content: &str| json!({ "type": "Replace", "pattern": { "String": "a" }, "content": content });
    let long = "a".repeat(1 << 20);
    let replacement = malformed("a text that its normalisation looks for or puts in is longer than 64 bytes");
    assert_eq!(fault(|f| f["normalizer"] = replace(&long)), replacement);
    assert_eq!(fault(|f| f["normalizer"] = json!({ "type": "Prepend", "prepend": long })), replacement);
    let chain = json!({ "type": "Sequence", "normalizers": vec![replace("aa"); 60] });
    let chained = malformed("its normalisation makes a text too many times longer");
    assert_eq!(fault(|f| f["normalizer"] = chain.clone()), chained);

    let metaspace = |mark: &str| json!({ "type": "Metaspace", "replacement": mark, "prepend_scheme": "always" });
    let both = json!({ "type": "Sequence", "pretokenizers": [metaspace("▁"), metaspace("_")] });
    assert_eq!(fault(|f| f["pre_tokenizer"] = both.clone()), malformed("it has too many pre-tokenizers"));

    let around = malformed("it puts more than 64 pieces around a text");
    assert_eq!(fault(|f| f["post_processor"]["special_tokens"]["[SEP]"]["ids"] = json!(vec![3; 65])), around);
    let unknown = malformed("it puts a piece around a text that it does not have");
    assert_eq!(fault(|f| f["post_processor"]["special_tokens"]["[SEP]"]["ids"] = json!([13])), unknown);

    let token = |content: String| json!({ "id": 13, "content": content, "special": true });
    let many: Vec<Value> = (0..=1 << 14).map(|number| token(format!("<{number}>"))).collect();
    assert_eq!(fault(|f| f["added_tokens"] = json!(many)), malformed("it has more than 16384 added tokens"));
    let huge = json!([token("x".repeat(513))]);
    assert_eq!(fault(|f| f["added_tokens"] = huge.clone()), malformed("an added token is longer than 512 bytes"));
    let config = open(&tokenizer_json(), Some(json!({ "name": long }))).unwrap_err().to_string();
    assert_eq!(config, "tokenizer_config.json is larger than the 1048576 bytes allowed for it");
}

#[test]
fn texts_behind_the_limit_are_not_read() {
    let pieces = open(&tokenizer_json(), None).unwrap();
    let text = "ab ".repeat(1 << 20) + "cd";
    let mut ids = Vec::new();
    assert!(pieces.encode(&text, 512, &mut ids).unwrap().truncated);
    assert_eq!((ids.len(), &ids[..3], ids[511]), (512, &[2, 8, 8][..], 3));
    ids.clear();
    let word = "ab1".repeat(1 << 20);
    assert!(pieces.encode(&word, 5, &mut ids).unwrap().truncated);
    assert_eq!(ids, [2, 8, 10, 6, 3]);
    let left = open(&tokenizer_json(), Some(json!({ "truncation_side": "left" }))).unwrap();
    ids.clear();
    assert!(left.encode(&text, 4, &mut ids).unwrap().truncated);
    assert_eq!(ids, [2, 8, 9, 3]);
}

#[test]
fn white_space_before_a_token_is_no_piece_at_the_limit() {
    let mut file = tokenizer_json();
    file["normalizer"]["normalizers"] = json!([]);
    let pieces = open(&file, None).unwrap();
    for (text, expected) in [("ab  [MASK] ab", [8, 4]), ("ab\t [MASK]", [8, 4]), ("ab   ab", [8, 5])] {
        let mut ids = Vec::new();
        pieces.encode(text, 4, &mut ids).unwrap();
        assert_eq!(ids[1..3], expected, "{text:?}");
    }
}

fn fixture() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/pieces")
}

pub(crate) fn spiece() -> Vec<u8> {
    std::fs::read(fixture().join("spiece.model")).unwrap()
}

/// Appends a field that holds a message with one number: a later message is merged into an earlier one.
fn with_trainer(mut model: Vec<u8>, field: u16, value: u8) -> Vec<u8> {
    let tag = field << 3;
    let tag = if tag < 0x80 { vec![tag as u8] } else { vec![tag as u8 | 0x80, (tag >> 7) as u8] };
    model.extend([0x12, tag.len() as u8 + 1]);
    model.extend(tag);
    model.push(value);
    model
}

#[test]
fn faults_in_spiece_model_are_named() {
    let fault = |bytes: &[u8]| SubwordTokenizer::from_bytes(Vocabulary::Spiece(bytes), None).unwrap_err().to_string();
    let model = spiece();
    let short = fault(&model[..model.len() - 1000]);
    assert!(short.starts_with("spiece.model is truncated: the field at byte "), "{short}");
    assert_eq!(fault(&[]), "spiece.model is malformed: it has no pieces");
    let bpe = fault(&with_trainer(model.clone(), 3, 2));
    assert_eq!(bpe, "spiece.model asks for the model \"bpe\", which is not supported");
    assert_eq!(fault(b"version https"), "spiece.model is malformed: byte 0 begins a field of kind 6");
    assert!(fault(&with_trainer(model[..2000].to_vec(), 40, 127)).contains("spiece.model is"));
    let class = Some(&br#"{"tokenizer_class": "XLNetTokenizer"}"#[..]);
    let error = SubwordTokenizer::from_bytes(Vocabulary::Spiece(&model), class).unwrap_err().to_string();
    let named = "tokenizer_config.json asks for the tokenizer class \"XLNetTokenizer\", which is not supported";
    assert_eq!(error, named);
}

#[test]
fn directories_are_opened() {
    let pieces = SubwordTokenizer::open(&fixture()).unwrap();
    assert_eq!(pieces.id_to_piece(2).as_deref(), Some("[CLS]"));
    let nowhere = Path::new("no such directory");
    let error = SubwordTokenizer::open(nowhere).unwrap_err().to_string();
    assert_eq!(error, "no such directory has neither tokenizer.json nor spiece.model nor vocab.txt");
}

proptest! {
    /// No change to a model file makes anything panic.
    #[test]
    fn hostile_spiece_models_do_not_panic(
        changes in prop::collection::vec((0usize..4000, any::<u8>()), 1..8),
        keep in 0usize..4000,
    ) {
        thread_local! {
            static MODEL: Vec<u8> = spiece();
        }
        // The map of the real file would take the whole of every run, so only the pieces before it are kept.
        let mut bytes = MODEL.with(|model| model[..4000].to_vec());
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.truncate(keep);
        if let Ok(pieces) = SubwordTokenizer::from_bytes(Vocabulary::Spiece(&bytes), None) {
            let _ = ids(&pieces, "Any text, 1,000 times é [CLS]");
        }
    }
}

#[test]
fn a_pair_is_two_texts_with_a_separator_behind_each() {
    use crate::TruncationSide::{Left, Right};

    let pieces = open(&tokenizer_json(), None).unwrap();
    let body = |text: &str| {
        let all = ids(&pieces, text);
        all[1..all.len() - 1].to_vec()
    };
    let specials = ids(&pieces, "");
    let (cls, sep) = (specials[0], specials[1]);
    let (one, two) = (body("aaaa"), body("bb aa bb aa"));
    let pair = |limit, side| {
        let (mut ids, mut types) = (vec![7], vec![0]);
        let encoded = pieces.encode_pair(("aaaa", "bb aa bb aa"), limit, side, &mut ids, &mut types);
        encoded.map(|encoded| (ids[1..].to_vec(), types[1..].to_vec(), encoded.truncated))
    };
    let whole = [&[cls][..], &one, &[sep], &two, &[sep]].concat();
    let types = [vec![0; one.len() + 2], vec![1; two.len() + 1]].concat();
    assert_eq!(pair(usize::MAX, Right).unwrap(), (whole.clone(), types, false));
    assert_eq!(pair(whole.len(), Left).unwrap().0, whole);
    let cut = pair(whole.len() - 1, Right).unwrap();
    assert_eq!((cut.0.len(), cut.2), (whole.len() - 1, true));
    assert!(pair(2, Right).is_err(), "not even the special pieces fit");
    let left = pair(4, Left).unwrap().0;
    assert_eq!(left.len(), 4);
    assert_eq!((left[0], left[3]), (cls, sep));
}
