//! Tests of WordPiece vocabularies as a whole: files to vocabularies, texts to ids, and what is said about bad files.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{ids, open};
use super::*;

const PIECES: &str =
    "[PAD] [UNK] [CLS] [SEP] [MASK] a b ##b A B é e ##é caf ##e café cafe <x> 新 , [ ] mask cls x < > ##x";

fn vocab_txt() -> String {
    PIECES.replace(' ', "\n")
}

/// The files of a model directory, by name.
type Files = [(&'static str, String)];

fn from_files(files: &Files) -> Result<SubwordTokenizer, TextError> {
    SubwordTokenizer::from_files(Path::new("m"), |name| {
        files.iter().find(|(known, _)| *known == name).map(|(_, contents)| contents.as_bytes())
    })
}

/// The vocabulary above with a `tokenizer_config.json`.
fn configured(config: Value) -> SubwordTokenizer {
    from_files(&[("vocab.txt", vocab_txt()), ("tokenizer_config.json", config.to_string())]).unwrap()
}

/// A `tokenizer.json` with the same vocabulary, as transformers writes it.
fn wordpiece_json() -> Value {
    let special =
        |id: u32, content: &str| json!({ "id": id, "content": content, "special": true, "normalized": false });
    let ids: serde_json::Map<String, Value> = PIECES.split(' ').zip(0..).map(|(p, id)| (p.into(), json!(id))).collect();
    json!({
        "version": "1.0",
        "added_tokens": [
            special(0, "[PAD]"), special(1, "[UNK]"), special(2, "[CLS]"), special(3, "[SEP]"), special(4, "[MASK]"),
        ],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
            "lowercase": false,
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2] },
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": ids,
        },
    })
}

/// What transformers makes of the settings, as found by experiment.
#[test]
fn settings_follow_transformers() {
    let text = "Ab é café";
    let with = |config: Value| ids(&configured(config), text);
    assert_eq!(with(json!({})), [2, 5, 7, 11, 16, 3]);
    assert_eq!(with(json!({ "do_lower_case": false })), [2, 8, 7, 10, 15, 3]);
    assert_eq!(with(json!({ "do_lower_case": false, "strip_accents": true })), [2, 8, 7, 11, 16, 3]);
    assert_eq!(with(json!({ "strip_accents": false })), [2, 5, 7, 10, 15, 3]);
    assert_eq!(ids(&configured(json!({ "tokenize_chinese_chars": false })), "a新"), [2, 1, 3]);
    assert_eq!(ids(&configured(json!({})), "a新"), [2, 5, 18, 3]);
}

#[test]
fn special_tokens_follow_transformers() {
    let all = |tokenizer: &SubwordTokenizer| ["a [MASK] b", "a[CLS]b", "<x> A", "[mask]"].map(|t| ids(tokenizer, t));
    let usual = all(&configured(json!({})));
    assert_eq!(usual[..2], [vec![2, 5, 4, 6, 3], vec![2, 5, 2, 6, 3]]);
    assert_eq!(usual[2..], [vec![2, 25, 24, 26, 5, 3], vec![2, 20, 22, 21, 3]]);
    let other = all(&configured(json!({ "cls_token": "<x>", "unk_token": "b" })));
    assert_eq!(other[..2], [vec![17, 5, 4, 6, 3], vec![17, 5, 20, 23, 21, 6, 3]]);
    assert_eq!(other[2..], [vec![17, 17, 5, 3], vec![17, 20, 22, 21, 3]]);
    let map = json!({ "cls_token": "<x>" }).to_string();
    let mapped = from_files(&[("vocab.txt", vocab_txt()), ("special_tokens_map.json", map)]).unwrap();
    assert_eq!(ids(&mapped, "<x> A"), [17, 17, 5, 3]);
    let added = json!({ "<y>": 28, "<x>": 17 }).to_string();
    let added = from_files(&[("vocab.txt", vocab_txt()), ("added_tokens.json", added)]).unwrap();
    assert_eq!(ids(&added, "<x> A<y>"), [2, 17, 5, 28, 3]);
    assert_eq!(ids(&configured(json!({ "cls_token": "<new>" })), "a"), [28, 5, 3], "it comes behind the vocabulary");
    let left = configured(json!({ "added_tokens_decoder": {
        "4": { "content": "[MASK]", "special": true, "lstrip": true },
    } }));
    assert_eq!(left.inspect("a [MASK]").unwrap()[2].begin, 1);
}

#[test]
fn settings_of_bert_replace_those_of_tokenizer_json() {
    let with = |config: Value| ids(&open(&wordpiece_json(), Some(config)).unwrap(), "Ab é");
    assert_eq!(with(json!({ "do_lower_case": false })), [2, 8, 7, 10, 3]);
    assert_eq!(with(json!({})), [2, 5, 7, 11, 3], "lower case is what BERT's class takes for granted");
    assert_eq!(with(json!({ "tokenizer_class": "DistilBertTokenizer" })), [2, 5, 7, 11, 3]);
    let generic = json!({ "tokenizer_class": "PreTrainedTokenizerFast" });
    assert_eq!(with(generic.clone()), [2, 8, 7, 10, 3], "other classes leave the file alone");

    let mut file = wordpiece_json();
    file["added_tokens"] = json!([]);
    assert_eq!(ids(&open(&file, None).unwrap(), "a [MASK]"), [2, 5, 4, 3]);
    assert_eq!(ids(&open(&file, Some(generic)).unwrap(), "a [MASK]"), [2, 5, 20, 1, 21, 3]);
    let mut file = wordpiece_json();
    file["normalizer"] = json!({ "type": "Sequence", "normalizers": [wordpiece_json()["normalizer"]] });
    assert_eq!(ids(&open(&file, None).unwrap(), "Ab é"), [2, 8, 7, 10, 3], "within a sequence it is left alone");
    let mut file = wordpiece_json();
    file["model"].as_object_mut().unwrap().remove("type");
    assert_eq!(ids(&open(&file, None).unwrap(), "ab"), [2, 5, 7, 3], "old files do not name their model");
}

#[test]
fn ids_of_equal_lines_and_of_added_tokens() {
    let files = [("vocab.txt", vocab_txt() + "\na\n\nnew"), ("added_tokens.json", json!({ "<y>": 99 }).to_string())];
    let tokenizer = from_files(&files).unwrap();
    assert_eq!(ids(&tokenizer, "a new"), [2, 28, 30, 3], "of equal lines the last counts");
    assert_eq!(ids(&tokenizer, "<y>"), [2, 30, 3], "the first id behind as many as there are different lines");
    let crlf = from_files(&[("vocab.txt", vocab_txt().replace('\n', "\r\n"))]).unwrap();
    assert_eq!(ids(&crlf, "ab"), [2, 5, 7, 3]);
}

#[test]
fn tokens_alone() {
    let (vocab, json) = (vocab_txt(), wordpiece_json().to_string());
    for (name, file) in [("vocab.txt", vocab), ("tokenizer.json", json)] {
        let files = |wanted: &str| (wanted == name).then_some(file.as_bytes());
        let encoder = TokenEncoder::from_files(Path::new("m"), files).unwrap();
        let encode = |tokens: &[&str], case_sensitive, limit| {
            let mut ids = Vec::new();
            let encoded = encoder.encode(tokens.iter().copied(), case_sensitive, limit, &mut ids).unwrap();
            (ids, encoded.truncated)
        };
        assert_eq!(encode(&["A,b", "Café"], true, 99).0, [2, 8, 19, 6, 1, 3]);
        assert_eq!(encode(&["A,b", "Café"], false, 99).0, [2, 5, 19, 6, 16, 3]);
        assert_eq!(encode(&["[CLS]", " "], false, 99).0, [2, 20, 23, 21, 3], "special tokens are ordinary text");
        assert_eq!(encode(&["ab", "a"], false, 4), (vec![2, 5, 7, 3], true));
        assert_eq!((encoder.around(), encoder.unknown(), encoder.vocabulary()), ((1, 1), 1, 28));
        assert_eq!(encoder.id_to_piece(7).as_deref(), Some("##b"));
    }
    let unigram = super::tests::tokenizer_json().to_string();
    let files = |name: &str| (name == "tokenizer.json").then_some(unigram.as_bytes());
    let encoder = TokenEncoder::from_files(Path::new("m"), files).unwrap();
    for (case_sensitive, expected) in [(false, [2, 8, 6, 1, 3]), (true, [2, 8, 12, 1, 3])] {
        let mut ids = Vec::new();
        encoder.encode(["ab", "A", "É"], case_sensitive, 99, &mut ids).unwrap();
        assert_eq!(ids, expected, "the mark before a word is no piece of it");
    }
    let error = TokenEncoder::from_files(Path::new("m"), |_| None).unwrap_err().to_string();
    assert_eq!(error, "m has neither tokenizer.json nor spiece.model nor vocab.txt");
}

#[test]
fn faults_in_vocab_txt_are_named() {
    let fault = |bytes: &[u8], config: Option<&[u8]>| {
        SubwordTokenizer::from_bytes(Vocabulary::VocabTxt(bytes), config).unwrap_err().to_string()
    };
    let malformed = |reason: &str| format!("vocab.txt is malformed: {reason}");
    assert_eq!(fault(b"", None), malformed("it has no pieces"));
    assert_eq!(fault(b"a\nb\xFF", None), malformed("it is not UTF-8: byte 3 begins no character"));
    assert_eq!(fault(b"a\nb", None), malformed("it has no piece [UNK]"));
    assert_eq!(fault(b"[UNK]", Some(br#"{"unk_token": "?"}"#)), malformed("it has no piece ?"));
    let taken = malformed("its configuration takes the cls_token away");
    assert_eq!(fault(b"[UNK]", Some(br#"{"cls_token": null}"#)), taken);
    assert_eq!(
        fault(&[b"[UNK]\n", "x".repeat(513).as_bytes()].concat(), None),
        malformed("piece 1 is longer than 512 bytes")
    );
    assert_eq!(fault("\n".repeat(1 << 21).as_bytes(), None), malformed("it has no piece [UNK]"));
    let many = "[UNK]".to_owned() + &"\n".repeat(1 << 21);
    assert_eq!(fault(many.as_bytes(), None), malformed("it has more than 1048576 pieces"));
    let class = fault(b"[UNK]", Some(br#"{"tokenizer_class": "RobertaTokenizerFast"}"#));
    let named = "tokenizer_config.json asks for the tokenizer class \"RobertaTokenizer\", which is not supported";
    assert_eq!(class, named);
}

#[test]
fn faults_in_tokenizer_json_are_named() {
    let fault = |change: &dyn Fn(&mut Value)| {
        let mut file = wordpiece_json();
        change(&mut file);
        open(&file, None).expect_err("the file is bad").to_string()
    };
    let malformed = |reason: &str| format!("tokenizer.json is malformed: {reason}");
    let unknown = malformed("its model has no unknown piece");
    assert_eq!(fault(&|f| f["model"]["unk_token"] = json!("?")), unknown);
    assert_eq!(fault(&|f| f["model"]["vocab"] = json!([["a", 0.0]])), malformed("its model has no pieces with ids"));
    assert_eq!(fault(&|f| f["model"]["vocab"]["z"] = json!(5)), malformed("two of its pieces have the id 5"));
    let far = malformed("it has more than 1048576 pieces");
    assert_eq!(fault(&|f| f["model"]["vocab"]["z"] = json!(u32::MAX)), far);
    let both =
        json!({ "type": "Sequence", "pretokenizers": [{ "type": "BertPreTokenizer" }, { "type": "Metaspace" }] });
    let unsupported =
        |part: &str, kind: &str| format!("tokenizer.json asks for the {part} {kind:?}, which is not supported");
    let together = unsupported("pre-tokenizer", "BertPreTokenizer with Metaspace");
    assert_eq!(fault(&|f| f["pre_tokenizer"] = both.clone()), together);
    assert_eq!(fault(&|f| f["model"]["type"] = json!("WordLevel")), unsupported("model", "WordLevel"));
    let missing = fault(&|f| f["normalizer"] = json!({ "type": "BertNormalizer" }));
    assert_eq!(missing, "cannot parse tokenizer.json: missing field `clean_text`");
}

proptest! {
    /// No vocabulary makes anything panic, and pieces stand in order within the text.
    #[test]
    fn any_lines_and_any_text(
        lines in prop::collection::vec("(##)?[abéA新\\[\\],]{0,3}|\\PC{0,2}", 0..40),
        text in "([abéA新\\[\\],\t\u{301}\u{ad}\0 ]|\\[MASK\\]|\\PC){0,40}",
        config in prop::sample::select(vec![r#"{}"#, r#"{"do_lower_case": false}"#, r#"{"strip_accents": false}"#]),
        others in prop::collection::vec("[ab新, ]{0,9}", 0..4),
    ) {
        let vocab = format!("[UNK]\n[CLS]\n[SEP]\n{}", lines.join("\n"));
        let open = || SubwordTokenizer::from_bytes(Vocabulary::VocabTxt(vocab.as_bytes()), Some(config.as_bytes()));
        let tokenizer = open().unwrap();
        let alone = ids(&tokenizer, &text);
        let shown = tokenizer.inspect(&text).unwrap();
        prop_assert_eq!(shown.iter().map(|piece| piece.id).collect::<Vec<_>>(), &alone[..]);
        let length = text.chars().count();
        let mut at = 0;
        for piece in &shown[1..shown.len() - 1] {
            // Some characters become several words, all of which stand for them.
            prop_assert!(piece.begin >= at || piece.begin + 1 >= at, "{:?}", shown);
            prop_assert!(piece.begin <= piece.end && piece.end <= length);
            at = piece.end;
        }
        prop_assert!(alone.iter().all(|&id| (id as usize) < tokenizer.vocabulary()));
        // What was read before changes nothing.
        let busy = open().unwrap();
        others.iter().for_each(|other| drop(ids(&busy, other)));
        prop_assert_eq!(ids(&busy, &text), alone);
    }
}
